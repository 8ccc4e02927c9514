/* `make test-faults`: lets every system call and every allocation of some flows fail once.
 *
 *   host [-g SECONDS] [-j JOBS] [-s STRIDE] [-v] MODULE FLOWS RECORD [FLOW [KIND [POINT]]]
 *
 * MODULE is the path of core.so, FLOWS that of flows.lua, RECORD a file for the results (see
 * scripts/results.sh). Each point is a process of its own, a fork of this one that makes a Lua
 * state, runs one flow with one failure in it, and looks at what is left:
 *
 *   - the loop has ended, within the guard's SECONDS;
 *   - the flow has its complete result, or it was told of an error that names the failure;
 *   - no descriptor is open that was not before, neither with the state nor after it, except for
 * the two of the helper that ends trees after the program (src/core/process/guard.h);
 *   - no child runs, and none waits to be reaped;
 *   - nothing has crashed.
 *
 * How often a flow calls or allocates is counted first, by running it without a failure. With a
 * STRIDE only one point in that many is taken, evenly; and never more than MOST_POINTS of a kind:
 * compiling the module's files allocates thousands of times. With -v the output of the flow is
 * shown. */
#include "inject.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum {
  GUARD_SECONDS = 40,
  MOST_JOBS = 64,
  MOST_FLOWS = 64,
  MOST_DESCRIPTORS = 1024,
  MOST_TURNS = 200, /* of a loop that raises over and over */
  BURST = 40,       /* allocations */
  MOST_POINTS = 600,
  TEXT_SIZE = 4096,
};

typedef enum fault_kind { CALL, INTERRUPT, ALLOCATION, ALLOCATIONS, KINDS } fault_kind;

static const char *const kind_names[] = {"call", "interrupt", "allocation", "allocations"};
static const char *const kind_texts[] = {
    "a call that fails",
    "a call that is interrupted",
    "an allocation of Lua's that fails",
    "some allocations of Lua's that fail, one after the other",
};

/* The report of a point to the process that started it, in shared memory. */
typedef struct report {
  long count;                  /* calls or allocations */
  bool reached;                /* something has failed */
  bool failed;                 /* the point */
  char name[INJECT_NAME_SIZE]; /* of what fails */
  char text[TEXT_SIZE];        /* why */
  char notes[TEXT_SIZE];       /* errors that the flow has got */
} report;

typedef struct job {
  pid_t pid;
  int flow;
  fault_kind kind;
  long point;
  report *report;
} job;

static const char *flows_path;
static unsigned guard = GUARD_SECONDS;
static bool verbose;

/* Lua's memory. */

static struct allocator {
  bool armed;
  long point; /* 0: none fails */
  long left;  /* refused from there on */
  long count;
  bool refused;
  /* Lua collects garbage and asks a second time. */
  bool again;
  void *block;
  size_t size;
} allocator;

static bool refuses(void *block, size_t size)
{
  if (!allocator.armed) {
    return false;
  }
  if (allocator.again && allocator.block == block && allocator.size == size) {
    allocator.again = false;
    return true;
  }
  allocator.count++;
  if (allocator.point == 0 || allocator.count < allocator.point || allocator.left == 0) {
    return false;
  }
  allocator.left--;
  allocator.refused = true;
  allocator.again = true;
  allocator.block = block;
  allocator.size = size;
  return true;
}

static void *allocate(void *unused, void *block, size_t old_size, size_t size)
{
  (void)unused;
  if (size == 0) {
    free(block);
    return NULL;
  }
  return (block == NULL || size > old_size) && refuses(block, size) ? NULL : realloc(block, size);
}

/* The arguments of a flow. */

static report *current;
static bool raised; /* an error has come out of a call */

static void add_text(char *target, const char *format, const char *text)
{
  size_t length = strlen(target);

  snprintf(target + length, TEXT_SIZE - length, format, text);
}

/* note(error): the program was told of an error. */
static int note(lua_State *L)
{
  bool armed = allocator.armed;

  allocator.armed = false;
  add_text(current->notes, "[%s] ", luaL_tolstring(L, 1, NULL));
  allocator.armed = armed;
  return 0;
}

static void note_raised(lua_State *L)
{
  raised = true;
  allocator.armed = false;
  add_text(current->notes, "raised: [%s] ",
           lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : luaL_tolstring(L, -1, NULL));
}

static void complain(const char *format, const char *text)
{
  current->failed = true;
  add_text(current->text, format, text);
}

/* Descriptors. */

typedef struct descriptors {
  bool open[MOST_DESCRIPTORS];
} descriptors;

static void list_descriptors(descriptors *list)
{
  DIR *directory = opendir("/proc/self/fd");
  struct dirent *entry = NULL;

  memset(list, 0, sizeof(*list));
  while ((entry = readdir(directory)) != NULL) {
    int fd = atoi(entry->d_name);

    if (entry->d_name[0] != '.' && fd < MOST_DESCRIPTORS && fd != dirfd(directory)) {
      list->open[fd] = true;
    }
  }
  closedir(directory);
}

/* The pipe to the helper that ends trees after us, which stays open until then. It is the only one
 * to write to that blocks. */
static bool leads_to_guard(int fd)
{
  struct stat status;

  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
         (fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == O_WRONLY;
}

/* The file that the helper reads then, which has no name. */
static bool is_file_of_guard(const char *target)
{
  static const char *const starts[] = {"/memfd:child_process", "/tmp/child_process-", "/tmp/#"};
  bool is = false;

  for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
    is = is || strncmp(target, starts[i], strlen(starts[i])) == 0;
  }
  return is;
}

static void compare_descriptors(const descriptors *before, const char *when)
{
  descriptors now;
  int pipes = 0;
  int files = 0;

  list_descriptors(&now);
  for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) {
    char path[64];
    char target[128];
    ssize_t n = 0;

    if (!now.open[fd] || before->open[fd] || (leads_to_guard(fd) && pipes++ == 0)) {
      continue;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = '\0';
    if (is_file_of_guard(target) && files++ == 0) {
      continue;
    }
    complain("left open %s", when);
    complain(": %s; ", target);
  }
}

/* Children. */

static void check_children(void)
{
  for (;;) {
    siginfo_t info = {0};
    int status = 0;

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == -1) {
      return;
    }
    complain(info.si_pid == 0 ? "a child %s; " : "a child is %s; ",
             info.si_pid == 0 ? "runs" : "a zombie");
    if (info.si_pid == 0) {
      return; /* the group is killed */
    }
    waitpid(info.si_pid, &status, __WALL);
  }
}

/* Running a flow. */

static void call_or_note(lua_State *L, int arguments)
{
  if (lua_pcall(L, arguments, 1, 0) != LUA_OK) {
    note_raised(L);
    lua_pop(L, 1);
    lua_pushnil(L);
  }
}

/* Turns the loop until nothing keeps it alive. The table of flows is at 1. */
static void turn_loop(lua_State *L)
{
  bool alive = true;

  for (int i = 0; i < MOST_TURNS && alive; i++) {
    raised = false;
    lua_getfield(L, 1, "run");
    call_or_note(L, 0);
    alive = raised;
    lua_pop(L, 1);
    if (raised) {
      /* Who gets such an error ends what he has started. */
      lua_getfield(L, 1, "abandon");
      call_or_note(L, 0);
      lua_pop(L, 1);
    }
  }
  if (alive) {
    complain("%s; ", "the loop raises for ever");
  }
}

/* Runs the flow whose function is on top of the stack; leaves what it returns there. */
static void run_flow(lua_State *L)
{
  raised = false;
  lua_pushcfunction(L, note);
  call_or_note(L, 1);
  if (raised) {
    lua_getfield(L, 1, "abandon");
    call_or_note(L, 0);
    lua_pop(L, 1);
  }
  turn_loop(L);
}

/* Has the flow been told of what has failed? Of a stack that cannot grow luaL_checkstack says that
 * it has overflown. */
static bool names_failure(int error)
{
  return (error == ENOMEM && strstr(current->notes, "stack overflow") != NULL) ||
         strstr(current->notes, uv_err_name(-error)) != NULL ||
         strstr(current->notes, uv_strerror(-error)) != NULL;
}

/* With the function on top of the stack that says whether the flow's result is complete, or nil. */
static void check_result(lua_State *L, int error)
{
  bool complete = false;

  if (lua_isfunction(L, -1)) {
    call_or_note(L, 0);
    complete = lua_toboolean(L, -1);
  }
  if (complete) {
    return;
  }
  if (current->notes[0] == '\0') {
    complain("%s; ", "incomplete, and no error");
  } else if (!names_failure(error)) {
    complain("%s; ", "no error that names the failure");
  }
}

static void arm(fault_kind kind, long point)
{
  if (kind == CALL || kind == INTERRUPT) {
    if (!inject_arm(kind == CALL ? INJECT_ERROR : INJECT_INTERRUPT, point, current->name)) {
      complain("%s", "no memory");
    }
  } else {
    allocator =
        (struct allocator){.armed = true, .point = point, .left = kind == ALLOCATION ? 1 : BURST};
  }
}

static void disarm(fault_kind kind)
{
  allocator.armed = false;
  if (kind == CALL || kind == INTERRUPT) {
    current->count = inject_disarm();
    current->reached = inject_failed() != 0;
  } else {
    current->count = allocator.count;
    current->reached = allocator.refused;
  }
}

static void must(lua_State *L, int status)
{
  if (status != LUA_OK) {
    complain("%s", lua_tostring(L, -1));
    _exit(1);
  }
}

/* flows, the function that runs one flow, and whether that loads the module */
static void load_flow(lua_State *L, int number)
{
  luaL_openlibs(L);
  must(L, luaL_loadfile(L, flows_path));
  must(L, lua_pcall(L, 0, 1, 0));
  lua_getfield(L, 1, "prepare");
  lua_pushinteger(L, number);
  must(L, lua_pcall(L, 1, 2, 0));
}

static void check_point(int flow, fault_kind kind, long point)
{
  static descriptors before_state;
  static descriptors before_flow;
  lua_State *L = NULL;
  bool loads = false;
  int error = ENOMEM;

  list_descriptors(&before_state);
  L = lua_newstate(allocate, NULL);
  load_flow(L, flow);
  loads = lua_toboolean(L, 3);
  lua_settop(L, 2);
  if ((kind == ALLOCATION || kind == ALLOCATIONS) && !loads) {
    /* Everything that the flow needs is loaded then. */
    lua_pushvalue(L, -1);
    run_flow(L);
    if (current->notes[0] != '\0') {
      complain("%s; ", "an error without a failure");
    }
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT);
  }
  list_descriptors(&before_flow);

  arm(kind, point);
  run_flow(L);
  disarm(kind);

  if (kind == CALL || kind == INTERRUPT) {
    error = inject_failed();
  }
  check_result(L, error);
  check_children();
  lua_settop(L, 1);
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT);
  turn_loop(L);
  if (!loads) {
    compare_descriptors(&before_flow, "by the flow");
  }
  lua_close(L);
  compare_descriptors(&before_state, "after the state");
}

/* Points. */

static void start(job *started, int flow, fault_kind kind, long point)
{
  started->flow = flow;
  started->kind = kind;
  started->point = point;
  memset(started->report, 0, sizeof(*started->report));
  fflush(NULL);
  started->pid = fork();
  if (started->pid == 0) {
    int null = open("/dev/null", O_RDWR);

    setpgid(0, 0);
    alarm(guard);
    for (int fd = 0; fd <= STDERR_FILENO && !verbose; fd++) {
      dup2(null, fd);
    }
    close(null);
    current = started->report;
    check_point(flow, kind, point);
    if (verbose) {
      fprintf(stderr, "told: %s\n", current->notes);
    }
    _exit(0);
  }
}

/* Waits for one of the jobs. */
static job *finish(job *jobs, int count)
{
  for (;;) {
    int status = 0;
    pid_t pid = wait(&status);

    for (int i = 0; i < count; i++) {
      if (jobs[i].pid == pid) {
        current = jobs[i].report;
        if (WIFSIGNALED(status)) {
          complain(WTERMSIG(status) == SIGALRM ? "it %s; " : "it is ended by the signal %s; ",
                   WTERMSIG(status) == SIGALRM ? "does not end" : strsignal(WTERMSIG(status)));
        }
        kill(-pid, SIGKILL); /* what it has left behind */
        jobs[i].pid = -1;
        return &jobs[i];
      }
    }
  }
}

static const char *flow_names[MOST_FLOWS + 1];
static int flow_count;

static void read_flow_names(void)
{
  lua_State *L = luaL_newstate();

  luaL_openlibs(L);
  if (luaL_dofile(L, flows_path) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
  for (flow_count = 0; lua_rawgeti(L, 1, flow_count + 1) == LUA_TTABLE; flow_count++) {
    lua_getfield(L, -1, "name");
    flow_names[flow_count + 1] = strdup(lua_tostring(L, -1));
    lua_pop(L, 2);
  }
  lua_close(L);
}

static void record(FILE *file, int flow, fault_kind kind, long passed, long failed)
{
  fprintf(file, "%s - %s: %s (%ld points)\n", failed == 0 ? "ok" : "not ok", flow_names[flow],
          kind_texts[kind], passed + failed);
  fflush(file);
  printf("%-12s %-12s %4ld passed, %ld failed\n", flow_names[flow], kind_names[kind], passed,
         failed);
}

/* Tells of a point that has ended; returns whether it counts, as it may not have come to the
 * failure. */
static bool settle(const job *ended, long *passed, long *failed)
{
  const report *result = ended->report;

  if (result->failed) {
    (*failed)++;
    printf("FAILED: %s %s %ld (%s): %stold of: %s\n", flow_names[ended->flow],
           kind_names[ended->kind], ended->point, result->name, result->text, result->notes);
  } else if (result->reached) {
    (*passed)++;
  }
  return result->failed || result->reached;
}

int main(int argc, char **argv)
{
  uv_loop_t loop;
  job jobs[MOST_JOBS] = {{0}};
  int job_count = (int)sysconf(_SC_NPROCESSORS_ONLN);
  int stride = 1;
  int option = 0;
  long all_passed = 0;
  long all_failed = 0;
  FILE *file = NULL;
  report *reports = mmap(NULL, sizeof(report) * MOST_JOBS, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  while ((option = getopt(argc, argv, "g:j:s:v")) != -1) {
    if (option == 'j') {
      job_count = atoi(optarg);
    } else if (option == 'g') {
      guard = (unsigned)atoi(optarg);
    } else if (option == 's') {
      stride = atoi(optarg);
    } else if (option == 'v') {
      verbose = true;
    } else {
      return 2;
    }
  }
  argv += optind;
  argc -= optind;
  if (argc < 3 || stride < 1 || job_count < 1) {
    fprintf(stderr, "usage: host [-g SECONDS] [-j JOBS] [-s STRIDE] [-v] MODULE FLOWS RECORD [FLOW "
                    "[KIND [POINT]]]\n");
    return 2;
  }
  job_count = job_count < MOST_JOBS ? job_count : MOST_JOBS;
  flows_path = argv[1];
  file = fopen(argv[2], "a");
  if (file == NULL || dlopen(argv[0], RTLD_NOW) == NULL || !inject_open("child_process/core.so")) {
    fprintf(stderr, "host: cannot open %s or %s\n", argv[2], argv[0]);
    return 1;
  }
  fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
  read_flow_names();
  /* What libuv opens once for each process. */
  uv_loop_init(&loop);
  uv_loop_close(&loop);
  for (int i = 0; i < job_count; i++) {
    jobs[i].report = &reports[i];
  }

  for (int flow = 1; flow <= flow_count; flow++) {
    for (int kind = 0; kind < KINDS; kind++) {
      long passed = 0;
      long failed = 0;
      long count = 0;
      long step = 0;
      int running = 0;

      if ((argc > 3 && strcmp(argv[3], flow_names[flow]) != 0) ||
          (argc > 4 && strcmp(argv[4], kind_names[kind]) != 0)) {
        continue;
      }
      start(&jobs[0], flow, (fault_kind)kind, 0);
      settle(finish(jobs, 1), &passed, &failed);
      count = jobs[0].report->count;
      step = stride > count / MOST_POINTS ? stride : count / MOST_POINTS + 1;
      for (long point = argc > 5 ? atol(argv[5]) : 1; point <= count; point += step) {
        job *next = &jobs[running];

        if (running == job_count) {
          next = finish(jobs, job_count);
          settle(next, &passed, &failed);
        } else {
          running++;
        }
        start(next, flow, (fault_kind)kind, point);
        if (argc > 5) {
          break;
        }
      }
      for (; running > 0; running--) {
        settle(finish(jobs, job_count), &passed, &failed);
      }
      if (passed + failed == 0) {
        printf("FAILED: %s: nothing was made to fail\n", flow_names[flow]);
        failed = 1;
      }
      record(file, flow, (fault_kind)kind, passed, failed);
      all_passed += passed;
      all_failed += failed;
    }
  }
  fclose(file);
  printf("%ld points passed, %ld failed\n", all_passed, all_failed);
  return all_failed == 0 && all_passed > 0 ? 0 : 1;
}
