/* Intrusive lists and queues. An element has a field of the type CP_LIST_ENTRY or CP_QUEUE_ENTRY,
 * which the parameter `field` names, and is in one list at a time. All operations take constant
 * time. (<sys/queue.h> has the same, but musl lacks it.) */
#ifndef CP_LIST_H
#define CP_LIST_H

#include <stddef.h>

/* A list that is all zeros is empty. Elements are added at the front. */
#define CP_LIST(type)                                                                              \
  struct {                                                                                         \
    struct type *first;                                                                            \
  }

#define CP_LIST_ENTRY(type)                                                                        \
  struct {                                                                                         \
    struct type *next;                                                                             \
    struct type **link; /* the pointer to this element */                                          \
  }

#define CP_LIST_INIT(list) ((void)((list)->first = NULL))
#define CP_LIST_FIRST(list) ((list)->first)
#define CP_LIST_NEXT(element, field) ((element)->field.next)
#define CP_LIST_IS_EMPTY(list) ((list)->first == NULL)

/* The loop's body may not remove elements. */
#define CP_LIST_FOREACH(element, list, field)                                                      \
  for ((element) = (list)->first; (element) != NULL; (element) = (element)->field.next)

#define CP_LIST_INSERT(list, element, field)                                                       \
  do {                                                                                             \
    (element)->field.next = (list)->first;                                                         \
    (element)->field.link = &(list)->first;                                                        \
    if ((list)->first != NULL) {                                                                   \
      (list)->first->field.link = &(element)->field.next;                                          \
    }                                                                                              \
    (list)->first = (element);                                                                     \
  } while (0)

#define CP_LIST_REMOVE(element, field)                                                             \
  do {                                                                                             \
    if ((element)->field.next != NULL) {                                                           \
      (element)->field.next->field.link = (element)->field.link;                                   \
    }                                                                                              \
    *(element)->field.link = (element)->field.next;                                                \
  } while (0)

/* Moves all elements of a list to `to`, which is empty. */
#define CP_LIST_MOVE(list, to, field)                                                              \
  do {                                                                                             \
    (to)->first = (list)->first;                                                                   \
    if ((to)->first != NULL) {                                                                     \
      (to)->first->field.link = &(to)->first;                                                      \
    }                                                                                              \
    (list)->first = NULL;                                                                          \
  } while (0)

/* A queue must be initialized. Elements are added at the end. */
#define CP_QUEUE(type)                                                                             \
  struct {                                                                                         \
    struct type *first;                                                                            \
    struct type **end; /* the pointer that the next element goes to */                             \
  }

#define CP_QUEUE_ENTRY(type) CP_LIST_ENTRY(type)

#define CP_QUEUE_INIT(queue) ((void)((queue)->first = NULL, (queue)->end = &(queue)->first))
#define CP_QUEUE_FIRST(queue) CP_LIST_FIRST(queue)
#define CP_QUEUE_IS_EMPTY(queue) CP_LIST_IS_EMPTY(queue)
#define CP_QUEUE_FOREACH(element, queue, field) CP_LIST_FOREACH(element, queue, field)

#define CP_QUEUE_ADD(queue, element, field)                                                        \
  do {                                                                                             \
    (element)->field.next = NULL;                                                                  \
    (element)->field.link = (queue)->end;                                                          \
    *(queue)->end = (element);                                                                     \
    (queue)->end = &(element)->field.next;                                                         \
  } while (0)

#define CP_QUEUE_REMOVE(queue, element, field)                                                     \
  do {                                                                                             \
    if ((element)->field.next != NULL) {                                                           \
      (element)->field.next->field.link = (element)->field.link;                                   \
    } else {                                                                                       \
      (queue)->end = (element)->field.link;                                                        \
    }                                                                                              \
    *(element)->field.link = (element)->field.next;                                                \
  } while (0)

#endif
