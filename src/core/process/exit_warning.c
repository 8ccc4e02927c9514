/* Writes the text from an exit handler that receives the status of the process. */
#include "core/process/exit_warning.h"

#include "core/sys/own_process.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static char text_to_write[512];
static pid_t process;
static atomic_flag taken = ATOMIC_FLAG_INIT;

static void write_text(int status)
{
  if (status == 0 && getpid() == process) {
    (void)fputs(text_to_write, stderr);
  }
}

/* The stock interpreter handles SIGINT only while it runs code. */
static bool runs_code(void)
{
  struct sigaction action;

  return sigaction(SIGINT, NULL, &action) != 0 || action.sa_handler != SIG_DFL;
}

void cp_exit_warning_set(const char *text)
{
  if (runs_code() || atomic_flag_test_and_set(&taken)) {
    return;
  }
  (void)snprintf(text_to_write, sizeof(text_to_write), "%s", text);
  process = getpid();
  (void)cp_own_process_on_exit(write_text);
}
