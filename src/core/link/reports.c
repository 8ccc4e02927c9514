/* Keeps reports that are due and those that wait in one queue. */
#include "core/link/reports.h"

#include "core/base/assert.h"

#include <errno.h>
#include <stdlib.h>

void cp_link_reports_init(cp_link_reports *reports)
{
  CP_QUEUE_INIT(&reports->queue);
}

void cp_link_reports_free(cp_link_reports *reports)
{
  cp_link_report *next = NULL;

  for (cp_link_report *report = CP_QUEUE_FIRST(&reports->queue); report != NULL; report = next) {
    next = CP_LIST_NEXT(report, entry);
    free(report);
  }
  CP_QUEUE_INIT(&reports->queue);
}

int cp_link_reports_add(cp_link_reports *reports, cp_link_report report)
{
  cp_link_report *copy = malloc(sizeof(*copy));

  if (copy == NULL) {
    return -ENOMEM;
  }
  *copy = report;
  CP_QUEUE_ADD(&reports->queue, copy, entry);
  return 0;
}

static cp_link_report *find_draining(const cp_link_reports *reports, uint32_t child,
                                     unsigned stream)
{
  cp_link_report *report = NULL;

  CP_QUEUE_FOREACH(report, &reports->queue, entry)
  {
    if (report->child == child && report->stream == stream && !report->is_due) {
      return report;
    }
  }
  return NULL;
}

/* The report moves to the end. If the stream was refused, that is reported first: nobody awaits
 * anything of a child that is drained. */
bool cp_link_reports_drained(cp_link_reports *reports, uint32_t child, unsigned stream)
{
  cp_link_report *report = find_draining(reports, child, stream);

  if (report == NULL) {
    return false;
  }
  CP_QUEUE_REMOVE(&reports->queue, report, entry);
  CP_QUEUE_ADD(&reports->queue, report, entry);
  report->is_due = true;
  return true;
}

static cp_link_report *first_due(const cp_link_reports *reports)
{
  cp_link_report *report = NULL;

  CP_QUEUE_FOREACH(report, &reports->queue, entry)
  {
    if (report->is_due) {
      return report;
    }
  }
  return NULL;
}

bool cp_link_reports_are_due(const cp_link_reports *reports)
{
  return first_due(reports) != NULL;
}

cp_link_report cp_link_reports_take(cp_link_reports *reports)
{
  cp_link_report *report = first_due(reports);
  cp_link_report copy;

  CP_ASSERT(report != NULL);
  copy = *report;
  CP_QUEUE_REMOVE(&reports->queue, report, entry);
  free(report);
  return copy;
}
