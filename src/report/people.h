/* The report's parts about human ratings: "People" and "Corrected by human ratings". Private to
 * report/; called for a summary that has ratings. docs/report.md documents both. */
#ifndef GE_REPORT_PEOPLE_H
#define GE_REPORT_PEOPLE_H

#include "aggregate/people.h"
#include "base/buf.h"
#include "base/json.h"

/* The section "Corrected by human ratings" alone. */
void ge_report_correction(const struct ge_summary *s, struct ge_buf *out);

/* The key "people" of summary.json. */
void ge_report_people_json(const struct ge_summary *s, struct ge_jsonw *w);

/* The list "corrections" in it. */
void ge_report_correction_json(const struct ge_people *p, struct ge_jsonw *w);

#endif
