/* What the owner of a link is to be told about streams, in the order in which it happens. The loop
 * tells it, not the relay, which may be in the middle of something. */
#ifndef CP_LINK_REPORTS_H
#define CP_LINK_REPORTS_H

#include "core/base/list.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct cp_link_report {
  uint32_t child;
  unsigned stream;
  int error; /* with which it was refused; 0: it is drained */
  bool is_due;
  CP_QUEUE_ENTRY(cp_link_report) entry;
} cp_link_report;

/* Must be initialized by cp_link_reports_init. */
typedef struct cp_link_reports {
  CP_QUEUE(cp_link_report) queue;
} cp_link_reports;

void cp_link_reports_init(cp_link_reports *reports);

/* Drops all reports. May be called again. */
void cp_link_reports_free(cp_link_reports *reports);

/* Adds a copy of a report. If it is not due, it waits for cp_link_reports_drained. Returns 0 or
 * -ENOMEM. */
int cp_link_reports_add(cp_link_reports *reports, cp_link_report report);

/* Makes the report due that waits for this stream to be drained. Returns false if there is none. */
bool cp_link_reports_drained(cp_link_reports *reports, uint32_t child, unsigned stream);

/* Whether a report is due. */
bool cp_link_reports_are_due(const cp_link_reports *reports);

/* Takes the first report that is due. There must be one. */
cp_link_report cp_link_reports_take(cp_link_reports *reports);

#endif
