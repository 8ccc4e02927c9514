/* Signals the group as a whole, and the other processes one by one. */
#include "core/process/tree_signal.h"

#include "core/process/tree_search.h"
#include "core/sys/process.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* Without a pidfd that can stand for the group there is only its number. While the group has
 * members no process can get that number, so a process that has it (the child was reaped) shows
 * that the group has gone. */
static int signal_group_by_number(const cp_tree *tree, int signum)
{
  if (tree->is_reaped && cp_sys_signal(-1, tree->pid, 0) != -ESRCH) {
    return -ESRCH;
  }
  return cp_sys_signal(-1, -tree->pid, signum);
}

static int signal_group(const cp_tree *tree, int signum)
{
  int r = cp_sys_signal_group(tree->pidfd, signum);

  return r == -ENOSYS ? signal_group_by_number(tree, signum) : r;
}

bool cp_tree_has_group(const cp_tree *tree)
{
  return signal_group(tree, 0) != -ESRCH;
}

bool cp_tree_needs_pidfd(const cp_tree *tree)
{
  return cp_sys_signal_group(tree->pidfd, 0) != -ENOSYS;
}

bool cp_tree_is_left(cp_tree *tree)
{
  tree->leads_group = tree->leads_group && cp_tree_has_group(tree);
  return tree->leads_group || (tree->known != NULL && cp_tree_known_is_alive(tree->known));
}

/* Processes are stopped before a signal that may end them. A signal that stops processes would be
 * lost when we continue them. */
static bool needs_holding(int signum)
{
  switch (signum) {
    case 0:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGCONT:
    case SIGWINCH: return false;
    default: return true;
  }
}

/* The result of several signals: success if one of them has arrived, else the first failure other
 * than that a process had ended. */
static int combine(int result, int r)
{
  return r == 0 || result == -ESRCH ? r : result;
}

static bool is_child(const cp_tree *tree, const cp_tree_member *member)
{
  return !tree->is_reaped && member->pid == tree->pid;
}

/* Leaves first: children before their parents, which may react to the end of them. */
static int signal_outside_group(const cp_tree_members *members, int signum)
{
  int result = -ESRCH;

  for (size_t i = members->count; i > 0; i--) {
    const cp_tree_member *member = &members->list[i - 1];

    if (!is_child(members->tree, member) && !cp_tree_member_is_in_group(members, member)) {
      result = combine(result, cp_tree_member_signal(members, member, signum));
    }
  }
  return result;
}

/* The child may have left its group. */
static bool group_has_child(const cp_tree *tree)
{
  return tree->leads_group && getpgid(tree->pid) == tree->pid;
}

/* Whether the group has processes, and we may signal none of them. */
static bool is_refused(const cp_tree_members *members)
{
  int result = -ESRCH;

  for (size_t i = 0; i < members->count && result != 0; i++) {
    const cp_tree_member *member = &members->list[i];

    if (cp_tree_member_is_in_group(members, member)) {
      result = combine(result, cp_tree_member_signal(members, member, 0));
    }
  }
  return result == -EPERM;
}

/* A process that has ended and was not reaped takes any signal, so the system reports success where
 * no other one took it. */
static int signal_found_group(const cp_tree_members *members, int signum)
{
  int r = signal_group(members->tree, signum);

  return r == 0 && members->has_zombies && is_refused(members) ? -EPERM : r;
}

static int signal_all(const cp_tree_members *members, int signum)
{
  const cp_tree *tree = members->tree;
  int result = signal_outside_group(members, signum);
  bool reaches_child = group_has_child(tree);

  if (tree->leads_group) {
    result = combine(result, signal_found_group(members, signum));
  }
  if (!tree->is_reaped && !reaches_child) {
    result = combine(result, cp_sys_signal(tree->pidfd, tree->pid, signum));
  }
  return result;
}

static void let_go(const cp_tree_members *members)
{
  for (size_t i = members->count; i > 0; i--) {
    const cp_tree_member *member = &members->list[i - 1];

    if (member->is_held) {
      (void)cp_tree_member_signal(members, member, SIGCONT);
    }
  }
}

/* Whether all that is left of the tree of a reaped child are processes that have ended and that
 * nobody has reaped. */
static bool has_only_zombies(const cp_tree_members *members)
{
  return members->tree->is_reaped && members->count == 0 && members->has_zombies;
}

static int find_and_signal(const cp_tree *tree, int signum)
{
  cp_tree_members members;
  int error = cp_tree_search(&members, tree, needs_holding(signum) ? signum : 0);
  int r = has_only_zombies(&members) ? -ESRCH : signal_all(&members, signum);

  if (signum != SIGKILL && signum != SIGSTOP) {
    let_go(&members);
  }
  cp_tree_members_remember(&members, error == 0);
  cp_tree_members_free(&members);
  return error < 0 ? error : r;
}

int cp_tree_signal(cp_tree *tree, cp_spawner *spawner, int signum)
{
  bool lent = false;
  int r = 0;

  if (signum == 0 && !tree->is_reaped && cp_sys_signal(tree->pidfd, tree->pid, 0) == 0) {
    return 0;
  }
  if (tree->is_reaped && !cp_tree_is_left(tree)) {
    return -ESRCH;
  }
  lent = cp_spawner_lend(spawner);
  r = find_and_signal(tree, signum);
  if (lent) {
    cp_spawner_take_back(spawner);
  }
  return r;
}
