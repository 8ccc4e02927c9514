/* A list of ids, each with the time of its process's start. No descriptor stays open: a pidfd is
 * opened for each signal, and the start compared afterwards. */
#include "core/process/tree_members.h"

#include "core/base/fd.h"
#include "core/sys/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_CAPACITY = 16 };

static bool is_stopped(const cp_process_info *info)
{
  return info->state == 'T' || info->state == 't';
}

const cp_tree_member *cp_tree_members_get(const cp_tree_members *members, pid_t pid)
{
  for (size_t i = members->count; i > 0; i--) {
    if (members->list[i - 1].pid == pid) {
      return &members->list[i - 1];
    }
  }
  return NULL;
}

static int grow(cp_tree_members *members)
{
  size_t capacity = members->capacity == 0 ? FIRST_CAPACITY : members->capacity * 2;
  void *list = realloc(members->list, capacity * sizeof(*members->list));

  if (list == NULL) {
    return -ENOMEM;
  }
  members->list = list;
  members->capacity = capacity;
  return 0;
}

int cp_tree_members_add(cp_tree_members *members, const cp_process_info *info, int pidfd)
{
  cp_tree_member *member = NULL;

  if (members->count == members->capacity) {
    int r = grow(members);

    if (r < 0) {
      return r;
    }
  }
  member = &members->list[members->count++];
  *member = (cp_tree_member){.pid = info->pid, .start = info->start};
  if (members->signum != 0 && !is_stopped(info)) {
    member->is_held = cp_sys_signal(pidfd, info->pid, SIGSTOP) == 0;
    members->held += member->is_held;
  }
  return 0;
}

void cp_tree_members_remember(cp_tree_members *members, bool is_complete)
{
  cp_tree_known *known = members->tree->known;

  if (known != NULL && (is_complete || members->count > known->count)) {
    free(known->list);
    *known = (cp_tree_known){members->list, members->count};
    members->list = NULL;
  }
}

void cp_tree_members_free(cp_tree_members *members)
{
  free(members->list);
  members->list = NULL;
}

/* Reads about a member. Fails with -ESRCH if a later process has its id. */
static int read_member(const cp_tree_member *member, cp_process_info *info)
{
  int r = cp_process_read(member->pid, info);

  return r == 0 && info->start != member->start ? -ESRCH : r;
}

bool cp_tree_member_is_listed(const cp_tree_member *member)
{
  cp_process_info info;

  return read_member(member, &info) == 0;
}

bool cp_tree_member_is_in_group(const cp_tree_members *members, const cp_tree_member *member)
{
  return members->tree->leads_group && getpgid(member->pid) == members->tree->pid;
}

int cp_tree_members_open(const cp_tree_members *members, pid_t pid, int *pidfd,
                         cp_process_info *info)
{
  int r = 0;

  *pidfd = members->tree->uses_pidfds ? cp_process_open(pid) : -1;
  r = cp_process_read(pid, info);
  if (*pidfd < 0) {
    *pidfd = -1;
  } else if (r == -EMFILE || r == -ENFILE) {
    /* This was the last descriptor. */
    *pidfd = cp_fd_close(*pidfd);
    r = cp_process_read(pid, info);
  }
  return r;
}

int cp_tree_member_signal(const cp_tree_members *members, const cp_tree_member *member, int signum)
{
  cp_process_info info;
  int pidfd = -1;
  int r = cp_tree_members_open(members, member->pid, &pidfd, &info);

  if (r == 0) {
    r = info.start == member->start ? cp_sys_signal(pidfd, member->pid, signum) : -ESRCH;
  }
  cp_fd_close(pidfd);
  return r;
}

bool cp_tree_known_is_alive(const cp_tree_known *known)
{
  cp_process_info info;

  for (size_t i = 0; i < known->count; i++) {
    if (read_member(&known->list[i], &info) == 0 && !cp_process_has_ended(&info)) {
      return true;
    }
  }
  return false;
}

void cp_tree_known_clear(cp_tree_known *known)
{
  free(known->list);
  *known = (cp_tree_known){.list = NULL};
}
