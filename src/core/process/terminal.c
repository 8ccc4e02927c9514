/* Opens terminals, and changes their settings by termios(3). */
#include "core/process/terminal.h"

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* What not all systems have. */
#ifndef IUTF8
#define IUTF8 0
#endif
#ifndef IMAXBEL
#define IMAXBEL 0
#endif
#ifndef ECHOCTL
#define ECHOCTL 0
#endif
#ifndef ECHOKE
#define ECHOKE 0
#endif

/* Of a terminal that is not raw. */
static const tcflag_t INPUT = BRKINT | ICRNL | IXON | IMAXBEL | IUTF8;
static const tcflag_t OUTPUT = OPOST | ONLCR;
static const tcflag_t LOCAL = ICANON | ISIG | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;

static int negative_errno(int result)
{
  return result == -1 ? -errno : 0;
}

int cp_terminal_set_settings(int fd, const struct termios *settings)
{
  int r = 0;

  do {
    r = negative_errno(tcsetattr(fd, TCSANOW, settings));
  } while (r == -EINTR);
  return r;
}

static int initialise(const cp_terminal *terminal)
{
  struct termios settings;
  int r = negative_errno(tcgetattr(terminal->theirs, &settings));

  if (r < 0) {
    return r;
  }
  if (terminal->raw) {
    cfmakeraw(&settings);
  } else {
    settings.c_iflag |= IUTF8; /* erasing removes a character, not a byte */
    settings.c_lflag = terminal->echo ? settings.c_lflag : settings.c_lflag & ~(tcflag_t)ECHO;
  }
  r = cp_terminal_set_settings(terminal->theirs, &settings);
  return r < 0 ? r : cp_terminal_set_size(terminal->theirs, terminal->columns, terminal->rows);
}

int cp_terminal_open(cp_terminal *terminal)
{
  int r = 0;

  if (terminal->is_shared) {
    return 0;
  }
  CP_ASSERT(terminal->ours == -1 && terminal->theirs == -1);
  r = cp_sys_open_terminal(&terminal->ours, &terminal->theirs);
  if (r < 0) {
    return r;
  }
  r = initialise(terminal);
  if (r == 0) {
    r = negative_errno(fcntl(terminal->ours, F_SETFL, O_RDWR | O_NONBLOCK));
  }
  if (r < 0) {
    cp_terminal_close(terminal);
  }
  return r;
}

void cp_terminal_close_theirs(cp_terminal *terminal)
{
  if (terminal->ours != -1) {
    terminal->theirs = cp_fd_close(terminal->theirs);
  }
}

void cp_terminal_close(cp_terminal *terminal)
{
  cp_terminal_close_theirs(terminal);
  terminal->ours = cp_fd_close(terminal->ours);
}

void cp_terminal_give(const cp_terminal *terminal, uid_t uid)
{
  if (!terminal->is_shared) {
    (void)!fchown(terminal->theirs, uid, (gid_t)-1);
  }
}

int cp_terminal_get_size(int fd, int *columns, int *rows)
{
  struct winsize size = {.ws_col = 0};
  int r = negative_errno(ioctl(fd, TIOCGWINSZ, &size));

  *columns = size.ws_col;
  *rows = size.ws_row;
  return r;
}

int cp_terminal_set_size(int fd, int columns, int rows)
{
  const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};

  CP_ASSERT(columns >= 0 && columns <= CP_TERMINAL_LARGEST);
  CP_ASSERT(rows >= 0 && rows <= CP_TERMINAL_LARGEST);
  return negative_errno(ioctl(fd, TIOCSWINSZ, &size));
}

int cp_terminal_set_raw(int fd, bool on)
{
  struct termios settings;
  int r = negative_errno(tcgetattr(fd, &settings));

  if (r < 0) {
    return r;
  }
  if (on) {
    cfmakeraw(&settings);
  } else {
    settings.c_iflag = (settings.c_iflag & ~(tcflag_t)(IGNBRK | PARMRK | INLCR | IGNCR)) | INPUT;
    settings.c_oflag |= OUTPUT;
    settings.c_lflag |= LOCAL;
  }
  return cp_terminal_set_settings(fd, &settings);
}

int cp_terminal_set_echo(int fd, bool on)
{
  struct termios settings;
  int r = negative_errno(tcgetattr(fd, &settings));

  if (r < 0) {
    return r;
  }
  settings.c_lflag = on ? settings.c_lflag | ECHO : settings.c_lflag & ~(tcflag_t)ECHO;
  return cp_terminal_set_settings(fd, &settings);
}

int cp_terminal_end_of_file(int fd, char *character)
{
  struct termios settings;
  int r = negative_errno(tcgetattr(fd, &settings));

  if (r < 0) {
    return r;
  }
  *character = (char)settings.c_cc[VEOF];
  return (settings.c_lflag & ICANON) != 0 && settings.c_cc[VEOF] != _POSIX_VDISABLE ? 1 : 0;
}
