/* An alarm of the system's, which the poller watches. */
#include "core/loop/alarm.h"

#include "core/base/owned.h"
#include "core/loop/iteration.h"
#include "core/loop/poller.h"
#include "core/sys/sys.h"

#include <errno.h>
#include <stdlib.h>

enum { NEVER = -1, AT_ONCE = 0 };

struct cp_alarm {
  cp_loop *loop;
  cp_sys_alarm *clock;
  cp_interest interest;
  int64_t time; /* it is set to, by libuv's clock; or NEVER or AT_ONCE */
};

static void set(cp_alarm *alarm, int64_t time, int timeout)
{
  if (alarm->time != time) {
    alarm->time = time;
    cp_sys_alarm_set(alarm->clock, timeout);
  }
}

/* Sets it to the time at which the loop needs an iteration. */
static void update(cp_loop *loop)
{
  int timeout = cp_loop_timeout(loop);

  set(loop->alarm, timeout > 0 ? (int64_t)uv_now(loop->uv) + timeout : timeout, timeout);
}

/* The iteration for which the alarm was set is running. */
static void on_alarm(void *owner, int events)
{
  cp_alarm *alarm = owner;

  (void)events;
  alarm->time = NEVER;
  cp_sys_alarm_set(alarm->clock, NEVER);
}

static int start(cp_alarm *alarm)
{
  int r = cp_sys_alarm_open(&alarm->clock);

  if (r < 0) {
    return r;
  }
  alarm->time = NEVER;
  alarm->interest = (cp_interest){
      .loop = alarm->loop,
      .fd = cp_sys_alarm_descriptor(alarm->clock),
      .events = CP_POLLER_READ,
      .callback = on_alarm,
      .owner = alarm,
  };
  cp_owned_add(alarm->interest.fd);
  cp_poller_add(&alarm->interest);
  return cp_poller_update(&alarm->interest);
}

static void stop(cp_alarm *alarm)
{
  if (alarm->clock != NULL) {
    cp_poller_forget(&alarm->interest);
    cp_owned_remove(alarm->interest.fd);
    alarm->clock = cp_sys_alarm_close(alarm->clock);
  }
}

static int make(cp_loop *loop)
{
  int r = 0;

  loop->alarm = calloc(1, sizeof(*loop->alarm));
  if (loop->alarm == NULL) {
    return -ENOMEM;
  }
  loop->alarm->loop = loop;
  r = start(loop->alarm);
  if (r < 0) {
    cp_alarm_close(loop);
  } else {
    cp_loop_handle_work(loop, update);
    cp_loop_note_work(loop); /* for work that was added before */
  }
  return r;
}

int cp_alarm_open(cp_loop *loop)
{
  int r = 0;

  if (loop->alarm != NULL || !loop->owned) {
    return 0;
  }
  r = make(loop);
  if (r == 0 && !cp_loop_is_running(loop)) {
    cp_loop_begin_run(loop);
    cp_poller_settle(loop);
    cp_loop_end_run(loop);
  }
  return r;
}

void cp_alarm_close(cp_loop *loop)
{
  if (loop->alarm != NULL) {
    cp_loop_handle_work(loop, NULL);
    stop(loop->alarm);
    free(loop->alarm);
    loop->alarm = NULL;
  }
}

int cp_alarm_renew(cp_loop *loop)
{
  if (loop->alarm == NULL) {
    return 0;
  }
  cp_alarm_close(loop);
  return make(loop);
}
