/* Reads stdin to its end and discards it. */
#include <unistd.h>

int main(void)
{
  static char buffer[64 * 1024];
  ssize_t got;
  while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
  }
  return got < 0;
}
