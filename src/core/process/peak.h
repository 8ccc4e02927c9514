/* The peaks of memory that processes themselves have reached, in KiB.
 *
 * On Linux a child that shares our memory until it executes a program takes over our peak, and one
 * that starts with a copy takes over our size. So its own peak is known only if it is higher. */
#ifndef CP_PEAK_H
#define CP_PEAK_H

#include "core/sys/usage.h"

/* Returns the peak of a child that has ended; -1 if it may not be its own. */
int64_t cp_peak_of_child(const cp_usage *child);

/* Returns the peak of the program that is running, even if this process has taken over a higher
 * one. */
int64_t cp_peak_of_self(const cp_usage *self);

#endif
