/* A timerfd. */
#include "core/sys/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct cp_sys_alarm {
  int fd;
};

int cp_sys_alarm_open(cp_sys_alarm **alarm)
{
  cp_sys_alarm *made = malloc(sizeof(*made));
  int r = 0;

  if (made == NULL) {
    return -ENOMEM;
  }
  made->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (made->fd == -1) {
    r = -errno;
    free(made);
    return r;
  }
  *alarm = made;
  return 0;
}

int cp_sys_alarm_descriptor(const cp_sys_alarm *alarm)
{
  return alarm->fd;
}

void cp_sys_alarm_set(cp_sys_alarm *alarm, int timeout)
{
  static const long ms = 1000000; /* nanoseconds */
  struct itimerspec time = {.it_value = {0, 0}};

  if (timeout == 0) {
    time.it_value.tv_nsec = 1;
  } else if (timeout > 0) {
    time.it_value = (struct timespec){timeout / 1000, timeout % 1000 * ms};
  }
  timerfd_settime(alarm->fd, 0, &time, NULL);
}

cp_sys_alarm *cp_sys_alarm_close(cp_sys_alarm *alarm)
{
  if (alarm != NULL) {
    close(alarm->fd);
    free(alarm);
  }
  return NULL;
}
