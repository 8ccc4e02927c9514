/* Converts the C library's struct rusage. */
#ifndef CP_POSIX_USAGE_H
#define CP_POSIX_USAGE_H

#include "core/sys/usage.h"

#include <sys/resource.h>

cp_usage cp_usage_from_library(const struct rusage *usage);

#endif
