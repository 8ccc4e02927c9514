/* source PIECE TOTAL: writes TOTAL bytes to stdout, PIECE (up to 64 KiB) at a time. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc != 3) return 2;
  size_t piece = strtoul(argv[1], NULL, 10);
  size_t left = strtoul(argv[2], NULL, 10);
  static char buffer[64 * 1024];
  if (piece == 0 || piece > sizeof buffer) return 2;
  memset(buffer, 'x', piece);
  while (left > 0) {
    ssize_t written = write(STDOUT_FILENO, buffer, left < piece ? left : piece);
    if (written < 0) return 1;
    left -= (size_t)written;
  }
  return 0;
}
