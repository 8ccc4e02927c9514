/* A program without a C library: the library's own start takes several times as long as the kernel
 * takes to start and end a program (it asks the processor for its features, which is slow in a
 * virtual machine). */
#ifndef BARE_H
#define BARE_H

#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long bare_call(long number, long a, long b, long c, long d)
{
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long bare_call(long number, long a, long b, long c, long d)
{
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "bare_call knows x86_64 and aarch64"
#endif

#endif
