/* Looks below each process that was found, until no process is new and all of them stand still. */
#include "core/process/tree_search.h"

#include "core/base/fd.h"
#include "core/sys/process.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum {
  FIRST_PROCESS = 1,
  MOST_ROUNDS = 100,
  /* How long we wait for a process to stop, which takes it no time unless the processors are busy:
   * then it stops when it gets one, and seconds may pass if it runs with a low priority. A process
   * that is blocked in the kernel may at first be starting another one; later it is waiting for
   * something else, such as the program of its child (vfork) or a disk. */
  LONGEST_BLOCK_US = 10000,
  LONGEST_WAIT_US = 5000000,
  LONGEST_GOING_ON_US = 1000000, /* of a process that blocks the signal */
  FIRST_NAP_US = 50,
  LONGEST_NAP_US = 2000,
};

typedef struct tree_search {
  cp_tree_members *members;
  cp_process_ids ids; /* what is being looked at */
  pid_t own_pid;
  bool scans; /* all processes, since the system does not list the children of one */
  int waited; /* microseconds */
} tree_search;

static bool is_in_group(const cp_tree *tree, const cp_process_info *info)
{
  return tree->leads_group && info->group == tree->pid;
}

/* The parent is looked at after the process: if it is alive then, it was alive when the process had
 * it as its parent. */
static bool belongs(const cp_tree_members *members, const cp_process_info *info)
{
  const cp_tree_member *parent = NULL;

  if (is_in_group(members->tree, info)) {
    return true;
  }
  parent = cp_tree_members_get(members, info->parent);
  return parent != NULL && cp_tree_member_is_listed(parent);
}

/* Whether stopping the process has no other effect. When the end of a process leaves a group
 * without a parent outside of it, and a member of the group is stopped, the system sends SIGHUP to
 * all of them. So those that could end wait or have ended before. */
static bool may_be_stopped(const cp_tree_members *members, const cp_process_info *info)
{
  const cp_tree_member *parent = cp_tree_members_get(members, info->parent);
  const cp_tree_member *leader =
      is_in_group(members->tree, info) ? cp_tree_members_get(members, info->group) : NULL;

  return members->signum == 0 ||
         ((parent == NULL || parent->stands_still) && (leader == NULL || leader->stands_still));
}

/* Failures that end the search. Others only mean that a process has ended, or is hidden. */
static int serious(int r)
{
  return r == -ENOMEM || r == -EMFILE || r == -ENFILE ? r : 0;
}

/* Adds a process, unless it has ended. */
static int add(tree_search *search, const cp_process_info *info, int pidfd)
{
  if (cp_process_has_ended(info)) {
    search->members->has_zombies = true;
    return 0;
  }
  return cp_tree_members_add(search->members, info, pidfd);
}

/* Adds a process if it belongs to the tree. */
static int examine(tree_search *search, pid_t pid)
{
  cp_tree_members *members = search->members;
  cp_process_info info;
  int pidfd = -1;
  int r = 0;

  if (pid == search->own_pid || cp_tree_members_get(members, pid) != NULL) {
    return 0;
  }
  r = cp_tree_members_open(members, pid, &pidfd, &info);
  if (r == 0 && belongs(members, &info) && may_be_stopped(members, &info)) {
    r = add(search, &info, pidfd);
  }
  cp_fd_close(pidfd);
  return serious(r);
}

static int examine_all(tree_search *search)
{
  int r = 0;

  for (size_t i = 0; i < search->ids.count && r == 0; i++) {
    r = examine(search, search->ids.list[i]);
  }
  return r;
}

static int examine_all_processes(tree_search *search)
{
  int r = cp_process_list_all(&search->ids);

  return r < 0 ? serious(r) : examine_all(search);
}

static bool blocks(const cp_process_info *info, int signum)
{
  return (info->blocked >> (signum - 1) & 1) != 0;
}

/* Whether the process, which is held, runs until it does not block the signal any more. */
static bool goes_on(const tree_search *search, cp_tree_member *member, const cp_process_info *info)
{
  const cp_tree_members *members = search->members;
  bool may_go_on = blocks(info, members->signum) && search->waited < LONGEST_GOING_ON_US;

  if (!member->goes_on) {
    member->goes_on = may_go_on && !member->waits && cp_process_is_stopped(info, false) &&
                      cp_tree_member_signal(members, member, SIGCONT) == 0;
  } else if (!may_go_on || info->state == 'S') {
    member->waits = may_go_on;
    member->goes_on = false;
    (void)cp_tree_member_signal(members, member, SIGSTOP);
    return true; /* it stops now, unless it has become a process that we may not signal */
  }
  return member->goes_on;
}

/* Whether the process cannot start another one from now on. */
static bool stands_still(const tree_search *search, cp_tree_member *member,
                         const cp_process_info *info)
{
  if (member->is_held && !cp_process_has_ended(info) && goes_on(search, member, info)) {
    return false;
  }
  return !member->is_held || cp_process_has_ended(info) || search->waited >= LONGEST_WAIT_US ||
         cp_process_is_stopped(info, search->waited >= LONGEST_BLOCK_US);
}

/* Looks for children of a member that were not found yet. */
static int search_below(tree_search *search, size_t i)
{
  cp_tree_member *member = &search->members->list[i];
  cp_process_info info;
  int r = cp_process_read(member->pid, &info);

  if (r < 0 || info.start != member->start) {
    member->stands_still = true;
    return serious(r);
  }
  member->stands_still = stands_still(search, member, &info);
  if (search->scans || !member->stands_still) {
    return 0;
  }
  r = cp_process_children(&info, &search->ids);
  search->scans = r == -ENOTSUP;
  return r < 0 ? serious(r) : examine_all(search);
}

/* Searches below all members that may have started processes since the last time. */
static int search_below_all(tree_search *search)
{
  size_t count = search->members->count;
  int r = 0;

  for (size_t i = 0; i < count && r == 0; i++) {
    if (!search->members->list[i].is_done) {
      r = search_below(search, i);
    }
  }
  if (search->scans && r == 0) {
    r = examine_all_processes(search);
  }
  for (size_t i = 0; i < count && r == 0; i++) {
    search->members->list[i].is_done = search->members->list[i].stands_still;
  }
  return r;
}

static bool some_go_on(const cp_tree_members *members)
{
  for (size_t i = 0; i < members->count; i++) {
    if (members->list[i].goes_on) {
      return true;
    }
  }
  return false;
}

static bool is_done(const cp_tree_members *members)
{
  for (size_t i = 0; i < members->count; i++) {
    if (!members->list[i].is_done) {
      return false;
    }
  }
  return true;
}

/* Lets the processes that we have stopped notice that. */
static void nap(tree_search *search)
{
  int time = search->waited < FIRST_NAP_US ? FIRST_NAP_US : search->waited;
  struct timespec rest = {0};

  time = time > LONGEST_NAP_US ? LONGEST_NAP_US : time;
  rest.tv_nsec = time * 1000L;
  nanosleep(&rest, NULL);
  search->waited += time;
}

/* Searches below the members until no process is new. Processes that we may not stop could go on
 * forever. */
static int search_until_done(tree_search *search)
{
  int r = 0;

  for (int rounds = 0; rounds < MOST_ROUNDS && r == 0 && !is_done(search->members); rounds++) {
    size_t count = search->members->count;
    size_t held = search->members->held;

    r = search_below_all(search);
    if (search->members->held > held) {
      rounds = 0;
      search->waited = 0;
    }
    if (some_go_on(search->members)) {
      rounds = 0; /* LONGEST_GOING_ON_US is their limit */
    }
    if (search->members->count == count && !is_done(search->members)) {
      nap(search);
    }
  }
  return r;
}

/* Members of the group whose parents have ended. They are children of one of our ancestors, or
 * ours, if that one adopts orphans, and otherwise of the first process of the system. */

static int examine_orphans(tree_search *search)
{
  const cp_tree *tree = search->members->tree;
  int r = 0;

  for (size_t i = 0; i < search->ids.count && r == 0; i++) {
    pid_t pid = search->ids.list[i];

    r = getpgid(pid) == tree->pid ? examine(search, pid) : 0;
  }
  return r;
}

/* Returns the parent of the process whose children were looked at, or a negative errno. */
static pid_t search_orphans_of(tree_search *search, pid_t pid)
{
  cp_process_info info;
  int r = cp_process_read(pid, &info);

  r = r < 0 ? r : cp_process_children(&info, &search->ids);
  r = r < 0 ? r : examine_orphans(search);
  return r < 0 ? r : info.parent;
}

static int search_orphans(tree_search *search)
{
  pid_t pid = cp_process_adopts_orphans() ? search->own_pid : getppid();

  while (pid > FIRST_PROCESS) {
    pid = search_orphans_of(search, pid);
  }
  if (serious(pid) == 0) {
    pid = search_orphans_of(search, FIRST_PROCESS);
  }
  if (pid < 0 && serious(pid) == 0) {
    /* There are no lists of children; or processes of other users are hidden, as the first one. */
    search->scans = pid == -ENOTSUP;
    pid = cp_process_list_all(&search->ids);
    pid = pid < 0 ? serious(pid) : examine_orphans(search);
  }
  return pid < 0 ? pid : 0;
}

/* Other code may have reaped the child, and its id may belong to another process. That was not so
 * when the process was read if the pidfd still works afterwards. */
static bool is_child(const tree_search *search, const cp_process_info *info)
{
  const cp_tree *tree = search->members->tree;

  return info->parent == search->own_pid && cp_sys_signal(tree->pidfd, tree->pid, 0) != -ESRCH;
}

static int add_child(tree_search *search)
{
  const cp_tree *tree = search->members->tree;
  cp_process_info info;
  int r = cp_process_read(tree->pid, &info);

  if (r == 0 && is_child(search, &info)) {
    r = add(search, &info, tree->pidfd);
  }
  return serious(r);
}

/* Adds a member that an earlier search has found, unless it has to wait for another one. */
static int add_again(tree_search *search, const cp_tree_member *member)
{
  cp_process_info info;
  int pidfd = -1;
  int r = 0;

  if (cp_tree_members_get(search->members, member->pid) != NULL) {
    return 0;
  }
  r = cp_tree_members_open(search->members, member->pid, &pidfd, &info);
  if (r == 0 && info.start == member->start && !cp_process_has_ended(&info) &&
      may_be_stopped(search->members, &info)) {
    r = cp_tree_members_add(search->members, &info, pidfd);
  }
  cp_fd_close(pidfd);
  return serious(r);
}

static int add_known(tree_search *search)
{
  const cp_tree_known *known = search->members->tree->known;
  int r = 0;

  for (size_t i = 0; known != NULL && i < known->count && r == 0; i++) {
    r = add_again(search, &known->list[i]);
  }
  return r;
}

int cp_tree_search(cp_tree_members *members, const cp_tree *tree, int signum)
{
  tree_search search = {.members = members, .own_pid = getpid()};
  size_t count = 0;
  int r = 0;

  *members = (cp_tree_members){.tree = tree, .signum = signum};
  r = tree->is_reaped ? 0 : add_child(&search);
  do {
    r = r == 0 ? search_until_done(&search) : r;
    count = members->count;
    r = r == 0 ? add_known(&search) : r;
    /* Searched last: while we looked below the members, a process that was not found yet may have
     * ended and left its children behind. */
    if (tree->leads_group && r == 0 && !search.scans) {
      r = search_orphans(&search);
    }
  } while (members->count > count);
  cp_process_ids_free(&search.ids);
  return r;
}
