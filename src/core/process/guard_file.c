/* A line is "KIND ID TIME", where KIND is p for a process and t for a tree, and TIME is that of the
 * system's list of processes when the line was written. A process with the same id that was started
 * later is another one. Without TIME, anyone with this id is meant. */
#include "core/process/guard_file.h"

#include "core/base/assert.h"
#include "core/sys/process.h"
#include "core/sys/processes.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE_SIZE = 32 };

/* These functions need nothing of the C library that a child which shares our memory could not
 * use. */

static size_t write_number(char *text, uint64_t number)
{
  size_t length = 0;
  uint64_t power = 1;

  while (number / power >= 10) {
    power *= 10;
  }
  for (; power > 0; power /= 10) {
    text[length++] = (char)('0' + number / power % 10);
  }
  return length;
}

static void fill(char *line, size_t length)
{
  CP_ASSERT(length < LINE_SIZE);
  while (length < LINE_SIZE - 1) {
    line[length++] = ' ';
  }
  line[length] = '\n';
}

/* `time` may be 0. */
static void make_line(char *line, cp_guard_kind kind, pid_t pid, uint64_t time)
{
  size_t length = 0;

  line[length++] = kind == CP_GUARD_TREE ? 't' : 'p';
  line[length++] = ' ';
  length += write_number(line + length, (uint64_t)pid);
  if (time > 0) {
    line[length++] = ' ';
    length += write_number(line + length, time);
  }
  fill(line, length);
}

static off_t position(size_t place)
{
  return (off_t)(place * LINE_SIZE);
}

int cp_guard_file_write_self(int fd, size_t place, cp_guard_kind kind)
{
  char line[LINE_SIZE];
  ssize_t n = 0;

  make_line(line, kind, getpid(), 0);
  n = cp_sys_child_write_at(fd, line, sizeof(line), position(place));
  return n < 0 ? (int)n : 0;
}

/* In the parent. */

int cp_guard_file_check(size_t place)
{
  struct rlimit limit;

  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
                 limit.rlim_cur < (rlim_t)position(place + 1)
             ? -EFBIG
             : 0;
}

/* This does not fail where the child has written before. */
static void write_at(int fd, size_t place, const char *line)
{
  while (pwrite(fd, line, LINE_SIZE, position(place)) == -1 && errno == EINTR) {
  }
}

void cp_guard_file_write(int fd, size_t place, cp_guard_kind kind, pid_t pid)
{
  char line[LINE_SIZE];

  make_line(line, kind, pid, cp_process_clock());
  write_at(fd, place, line);
}

void cp_guard_file_clear(int fd, size_t place)
{
  char line[LINE_SIZE];

  fill(line, 0);
  write_at(fd, place, line);
}
