/* Reads /proc. */
#include "core/sys/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MICROSECONDS = 1000000 }; /* in a second */

enum { FIRST_CAPACITY = 64 };

/* Files of a process that has ended are missing, or cannot be read. */
static int error_of_file(int error)
{
  return error == ENOENT || error == ESRCH ? -ESRCH : -error;
}

static int open_file(const char *path)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);

  return fd == -1 ? error_of_file(errno) : fd;
}

static ssize_t read_some(int fd, char *text, size_t size)
{
  ssize_t n = 0;

  do {
    n = read(fd, text, size);
  } while (n == -1 && errno == EINTR);
  return n == -1 ? error_of_file(errno) : n;
}

/* Reads a file that fits into the buffer. Returns the length. */
static ssize_t read_file(const char *path, char *text, size_t size)
{
  int fd = open_file(path);
  ssize_t n = fd;

  if (fd >= 0) {
    n = read_some(fd, text, size - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
  }
  return n;
}

/* The name is in brackets and may contain anything, brackets and spaces included. */
static int parse_stat(const char *text, cp_process_info *info)
{
  static const char format[] = " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %llu %llu"
                               " %*d %*d %d %*d %llu %*u %lld"
                               " %*u %*u %*u %*u %*u %*u %*u %llu";
  const char *fields = strrchr(text, ')');
  int parent = 0;
  int group = 0;
  unsigned long long user = 0;
  unsigned long long system = 0;
  unsigned long long start = 0;
  long long pages = 0;
  unsigned long long blocked = 0;

  if (fields == NULL || sscanf(fields + 1, format, &info->state, &parent, &group, &user, &system,
                               &info->threads, &start, &pages, &blocked) != 9) {
    return -ESRCH;
  }
  info->parent = parent;
  info->group = group;
  info->start = start;
  info->blocked = blocked;
  info->resident = pages * (sysconf(_SC_PAGESIZE) / 1024);
  info->waited_time = (int64_t)(user + system) * (MICROSECONDS / sysconf(_SC_CLK_TCK));
  return 0;
}

static int read_stat(const char *path, cp_process_info *info)
{
  char text[1024];
  ssize_t n = read_file(path, text, sizeof(text));

  return n < 0 ? (int)n : parse_stat(text, info);
}

int cp_process_read(pid_t pid, cp_process_info *info)
{
  char path[64];

  snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
  info->pid = pid;
  return read_stat(path, info);
}

bool cp_process_has_ended(const cp_process_info *info)
{
  return info->state == 'Z' || info->state == 'X' || info->state == 'x';
}

/* More precise than /proc, which counts in ticks of 10 ms. */
int64_t cp_process_processor_time(pid_t pid)
{
  clockid_t id;
  struct timespec time;
  int error = clock_getcpuclockid(pid, &id);

  if (error != 0 || clock_gettime(id, &time) == -1) {
    return -ESRCH;
  }
  return (int64_t)time.tv_sec * MICROSECONDS + time.tv_nsec / 1000;
}

/* Lists. No file stays open while another one is read: the program may have no descriptors left but
 * one. */

static int append(cp_process_ids *ids, pid_t id)
{
  if (ids->count == ids->capacity) {
    size_t capacity = ids->capacity == 0 ? FIRST_CAPACITY : ids->capacity * 2;
    void *list = realloc(ids->list, capacity * sizeof(*ids->list));

    if (list == NULL) {
      return -ENOMEM;
    }
    ids->list = list;
    ids->capacity = capacity;
  }
  ids->list[ids->count++] = id;
  return 0;
}

void cp_process_ids_free(cp_process_ids *ids)
{
  free(ids->list);
  *ids = (cp_process_ids){.list = NULL};
}

/* Appends the numbers in a file, which spaces separate. */
static int append_numbers(int fd, cp_process_ids *ids)
{
  char text[4096];
  ssize_t n = 0;
  pid_t id = 0;
  int r = 0;

  while (r == 0 && (n = read_some(fd, text, sizeof(text))) > 0) {
    for (ssize_t i = 0; i < n && r == 0; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        id = id * 10 + (text[i] - '0');
      } else if (id != 0) {
        r = append(ids, id);
        id = 0;
      }
    }
  }
  return r != 0 ? r : (int)n;
}

/* Lists the entries of a directory that are numbers. */
static int list_directory(const char *path, cp_process_ids *ids)
{
  DIR *directory = opendir(path);
  const struct dirent *entry = NULL;
  int r = 0;

  ids->count = 0;
  if (directory == NULL) {
    return error_of_file(errno);
  }
  while (r == 0 && (entry = readdir(directory)) != NULL) {
    long id = strtol(entry->d_name, NULL, 10);

    r = id > 0 ? append(ids, (pid_t)id) : 0;
  }
  closedir(directory);
  return r;
}

static int list_threads(pid_t pid, cp_process_ids *threads)
{
  char path[64];

  snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
  return list_directory(path, threads);
}

/* Whether the kernel was built with the lists of children (CONFIG_PROC_CHILDREN). */
static bool lists_children(void)
{
  return access("/proc/thread-self/children", F_OK) == 0;
}

static int append_children(pid_t pid, pid_t thread, cp_process_ids *ids)
{
  char path[96];
  int fd = -1;
  int r = 0;

  snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)thread);
  fd = open_file(path);
  if (fd < 0) {
    return fd == -ESRCH && !lists_children() ? -ENOTSUP : fd;
  }
  r = append_numbers(fd, ids);
  close(fd);
  return r;
}

int cp_process_children(const cp_process_info *parent, cp_process_ids *ids)
{
  cp_process_ids threads = {.list = NULL};
  int r = 0;

  ids->count = 0;
  if (parent->threads <= 1) {
    return append_children(parent->pid, parent->pid, ids);
  }
  r = list_threads(parent->pid, &threads);
  for (size_t i = 0; i < threads.count && r == 0; i++) {
    r = append_children(parent->pid, threads.list[i], ids);
    r = r == -ESRCH ? 0 : r;
  }
  cp_process_ids_free(&threads);
  return r;
}

int cp_process_list_all(cp_process_ids *ids)
{
  return list_directory("/proc", ids);
}

/* Whether a thread is in one of these states, or has ended. */
static bool is_in_state(pid_t pid, pid_t thread, const char *states)
{
  char path[96];
  cp_process_info info;

  snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)thread);
  return read_stat(path, &info) < 0 || strchr(states, info.state) != NULL;
}

bool cp_process_is_stopped(const cp_process_info *info, bool blocked)
{
  const char *states = blocked ? "TZXxDt" : "TZXx";
  bool stopped = strchr(states, info->state) != NULL;
  cp_process_ids threads = {.list = NULL};

  if (info->threads > 1 && stopped) {
    stopped = list_threads(info->pid, &threads) == 0;
    for (size_t i = 0; i < threads.count && stopped; i++) {
      stopped = is_in_state(info->pid, threads.list[i], states);
    }
    cp_process_ids_free(&threads);
  }
  return stopped;
}

bool cp_process_adopts_orphans(void)
{
  int adopts = 0;

  return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0 && adopts != 0);
}

int cp_process_open(pid_t pid)
{
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);

  return fd == -1 ? -errno : fd;
}
