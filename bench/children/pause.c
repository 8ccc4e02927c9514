/* Lives until a signal ends it. */
#include "bare.h"

void _start(void)
{
  for (;;) bare_call(SYS_ppoll, 0, 0, 0, 0);
}
