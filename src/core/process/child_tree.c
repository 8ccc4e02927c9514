/* Trees move to the end of the queue when they were checked, so each has its turn. */
#include "core/process/child_tree.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/process/tree_members.h"
#include "core/process/tree_signal.h"

#include <errno.h>
#include <signal.h>

/* Called when a child starts and when one ends, so trees that have gone cannot pile up. */
enum { CHECKED_AT_ONCE = 2 };

void cp_left_trees_init(cp_left_trees *queue)
{
  CP_QUEUE_INIT(&queue->entries);
}

static void enlist(cp_child_tree *self, cp_left_trees *queue)
{
  CP_ASSERT(self->queue == NULL);
  CP_QUEUE_ADD(&queue->entries, self, link);
  self->queue = queue;
}

static void unlist(cp_child_tree *self)
{
  if (self->queue != NULL) {
    CP_QUEUE_REMOVE(&self->queue->entries, self, link);
    self->queue = NULL;
  }
}

void cp_child_tree_forget(cp_child_tree *self)
{
  unlist(self);
  cp_tree_known_clear(&self->remembered);
  self->tree.known = NULL;
  self->tree.leads_group = false;
  self->tree.pidfd = self->tree.is_reaped ? cp_fd_close(self->tree.pidfd) : -1;
}

/* Gives up what the tree does not need any more. */
static void update(cp_child_tree *self)
{
  cp_tree *tree = &self->tree;

  if (self->queue == NULL) {
    return;
  }
  tree->leads_group = tree->leads_group && !self->is_killed;
  if (!tree->leads_group) {
    tree->pidfd = cp_fd_close(tree->pidfd);
  }
  if (!tree->leads_group && self->remembered.count == 0) {
    cp_child_tree_forget(self);
  }
}

/* A group lasts until its members are reaped, and only a search, which takes longer, finds out
 * whether one still runs. So it is made at checks 0, 1, 3, 7, and so on. */
static bool may_be_left(cp_child_tree *self, cp_spawner *spawner)
{
  bool searches = (self->checks & (self->checks + 1)) == 0;

  self->checks++;
  return searches ? cp_tree_signal(&self->tree, spawner, 0) != -ESRCH
                  : cp_tree_is_left(&self->tree);
}

static void check(cp_child_tree *self, cp_spawner *spawner)
{
  if (may_be_left(self, spawner)) {
    cp_left_trees *queue = self->queue;

    unlist(self);
    enlist(self, queue);
    update(self);
  } else {
    cp_child_tree_forget(self);
  }
}

void cp_left_trees_check(cp_left_trees *queue, cp_spawner *spawner)
{
  for (int n = 0; n < CHECKED_AT_ONCE && !CP_QUEUE_IS_EMPTY(&queue->entries); n++) {
    check(CP_QUEUE_FIRST(&queue->entries), spawner);
  }
}

void cp_left_trees_give_up(cp_left_trees *queue)
{
  while (!CP_QUEUE_IS_EMPTY(&queue->entries)) {
    cp_child_tree_forget(CP_QUEUE_FIRST(&queue->entries));
  }
}

void cp_child_tree_init(cp_child_tree *self, pid_t pid, int pidfd, bool leads_group)
{
  *self = (cp_child_tree){
      .tree = {.pid = pid, .pidfd = pidfd, .uses_pidfds = pidfd != -1, .leads_group = leads_group},
  };
}

int cp_child_tree_signal(cp_child_tree *self, cp_spawner *spawner, int signum)
{
  int r = 0;

  if (signum == SIGKILL) {
    cp_child_tree_remember(self, true);
  }
  r = cp_tree_signal(&self->tree, spawner, signum);
  /* If the system lists no processes, the group is all that is known. */
  if (signum == SIGKILL && r == 0 && self->remembered.count > 0) {
    self->is_killed = true;
  }
  if (r == -ESRCH && cp_child_tree_is_left(self)) {
    cp_child_tree_forget(self);
  }
  update(self);
  return r;
}

void cp_child_tree_remember(cp_child_tree *self, bool on)
{
  if (on) {
    self->tree.known = &self->remembered;
  } else if (!self->is_killed) {
    cp_tree_known_clear(&self->remembered);
    self->tree.known = NULL;
    update(self);
  }
}

bool cp_child_tree_outlive(cp_child_tree *self, cp_left_trees *queue)
{
  cp_tree *tree = &self->tree;
  bool takes = false;

  tree->is_reaped = true;
  tree->leads_group = tree->leads_group && !self->is_killed && cp_tree_has_group(tree);
  takes = tree->leads_group && cp_tree_needs_pidfd(tree);
  if (!takes) {
    tree->pidfd = -1;
  }
  if (tree->leads_group || self->remembered.count > 0) {
    enlist(self, queue);
  } else {
    cp_child_tree_forget(self);
  }
  return takes;
}

bool cp_child_tree_is_left(const cp_child_tree *self)
{
  return self->queue != NULL;
}
