/* A line is "KIND ID TIME !": KIND is p for a process and t for a tree, and TIME is when the line
 * was written, as cp_process_clock counts. A process with this id that was started later is another
 * one. Without TIME or the last sign, whoever has the id is meant. Other lines are blank.
 *
 * We may be killed while we write a line. So KIND is written after ID, and the last sign after
 * TIME, and a line that a child has written is not taken back. */
#include "core/process/guard_table.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/owned.h"
#include "core/sys/processes.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
  LINE_SIZE = 32,
  LINES_AT_ONCE = 128, /* that are added to the file */
  MOST_LINES = 128 * 1024,
  SIGN = LINE_SIZE - 2, /* the place of the last sign */
};

static const size_t most_bytes = (size_t)MOST_LINES * LINE_SIZE;

int cp_guard_table_open(cp_guard_table *table)
{
  int fd = cp_sys_open_unnamed();
  void *lines = NULL;

  CP_ASSERT(table->lines == NULL);
  if (fd < 0) {
    return fd;
  }
  lines = mmap(NULL, most_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (lines == MAP_FAILED) {
    int error = -errno;

    close(fd);
    return error;
  }
  cp_owned_add(fd);
  *table = (cp_guard_table){.fd = fd, .lines = lines, .knows_time = cp_process_clock_is_shared()};
  return 0;
}

void cp_guard_table_close(cp_guard_table *table)
{
  if (table->lines != NULL) {
    munmap(table->lines, most_bytes);
    cp_fd_close(table->fd);
    *table = (cp_guard_table){0};
  }
}

/* Writing beyond the limit raises SIGXFSZ. */
static bool may_have(size_t size)
{
  struct rlimit limit;

  return getrlimit(RLIMIT_FSIZE, &limit) == -1 || limit.rlim_cur == RLIM_INFINITY ||
         size <= limit.rlim_cur;
}

static int write_at(int fd, const char *bytes, size_t size, size_t position)
{
  while (size > 0) {
    ssize_t n = pwrite(fd, bytes, size, (off_t)position);

    if (n == -1 && errno != EINTR) {
      return -errno;
    }
    if (n > 0) {
      bytes += n;
      size -= (size_t)n;
      position += (size_t)n;
    }
  }
  return 0;
}

/* Writes them first, since using a mapped page raises SIGBUS if the file system is full. */
static int add_lines(cp_guard_table *table)
{
  char lines[LINES_AT_ONCE * LINE_SIZE];
  size_t position = table->room * LINE_SIZE;
  int r = 0;

  if (!may_have(position + sizeof(lines))) {
    return -EFBIG;
  }
  memset(lines, ' ', sizeof(lines));
  for (size_t end = LINE_SIZE; end <= sizeof(lines); end += LINE_SIZE) {
    lines[end - 1] = '\n';
  }
  r = write_at(table->fd, lines, sizeof(lines), position);
  table->room += r == 0 ? LINES_AT_ONCE : 0;
  return r;
}

int cp_guard_table_make_room(cp_guard_table *table, size_t place)
{
  int r = 0;

  while (r == 0 && place >= table->room) {
    r = table->room < MOST_LINES ? add_lines(table) : -ENOMEM;
  }
  return r;
}

char *cp_guard_table_line(const cp_guard_table *table, size_t place)
{
  CP_ASSERT(place < table->room);
  return table->lines + place * LINE_SIZE;
}

void cp_guard_table_note_reader(cp_guard_table *table)
{
  table->knows_time = cp_process_clock() > 0 && cp_process_clock_is_shared();
  for (size_t i = 0; i < table->room && !table->knows_time; i++) {
    table->lines[i * LINE_SIZE + SIGN] = ' ';
  }
}

/* The functions from here to cp_guard_line_write need nothing of the C library that a child which
 * shares our memory could not use. */

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

/* Keeps the compiler from changing the order in which a line is written. */
static void keep_order(void)
{
  atomic_signal_fence(memory_order_seq_cst);
}

void cp_guard_line_write(char *line, cp_guard_kind kind, pid_t pid)
{
  size_t length = 2 + write_number(line + 2, (uint64_t)pid);

  CP_ASSERT(length < SIGN);
  keep_order();
  *line = kind == CP_GUARD_TREE ? 't' : 'p';
}

bool cp_guard_line_is_blank(const char *line)
{
  return *line == ' ';
}

void cp_guard_table_add_time(const cp_guard_table *table, char *line)
{
  size_t length = 2;

  CP_ASSERT(!cp_guard_line_is_blank(line));
  if (!table->knows_time) {
    return;
  }
  while (line[length] != ' ') {
    length++;
  }
  length++;
  length += write_number(line + length, cp_process_clock());
  CP_ASSERT(length < SIGN);
  keep_order();
  line[SIGN] = '!';
}

void cp_guard_line_clear(char *line)
{
  *line = ' ';
  keep_order();
  memset(line + 1, ' ', LINE_SIZE - 2);
}
