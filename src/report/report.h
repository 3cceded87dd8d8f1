/* Tables for people and programs: Markdown, summary.json, samples.csv. Text only: the caller
 * writes the files. No times, hosts or paths in any of them, so that `gapeval aggregate` rewrites
 * them byte for byte. Used by cli. Local. */
#ifndef GE_REPORT_REPORT_H
#define GE_REPORT_REPORT_H

#include "aggregate/aggregate.h"
#include "aggregate/estimators.h"
#include "base/buf.h"
#include "base/status.h"
#include "record/run.h"

/* Markdown tables: one for each dimension; columns system, group, n, Succ, Und, Gen in percent
 * with ±, Und - Gen in points with its interval, signed delta with its interval, G, p and p
 * adjusted, rank intervals; repeated samples; failures and bounds; arrows say which direction is better. Keys are documented in docs/report.md. */
ge_status ge_report_markdown(const struct ge_run *run, const struct ge_summary *s,
                             struct ge_buf *out);

/* The sections on human ratings alone: "People" and "Corrected by human ratings". Nothing if the
 * summary has no ratings. Part of ge_report_markdown(). Fails through the buffer. */
void ge_report_people(const struct ge_summary *s, struct ge_buf *out);

/* The diagnoses alone, by category, and what the kinds mean. Fails through the buffer. */
void ge_report_diagnoses(const struct ge_summary *s, struct ge_buf *out);

/* summary.json: everything in the summary, keyed by name; documented in docs/report.md. */
ge_status ge_report_json(const struct ge_run *run, const struct ge_summary *s, struct ge_buf *out);

/* The tables and the JSON of `gapeval gap`: the rows of one estimator, which the summary must have;
 * keys in docs/gap.md. */
ge_status ge_report_gap_markdown(const struct ge_summary *s, enum ge_estimator estimator,
                                 struct ge_buf *out);
ge_status ge_report_gap_json(const struct ge_summary *s, enum ge_estimator estimator,
                             struct ge_buf *out);

/* samples.csv (RFC 4180): one line per (system, item, direction, sample): key, category,
 * subcategory, tags, cluster, status, verdict, rule, judges, reason, then one column per metric.
 * GE_EFORMAT: a row names a cell or an item that the run does not have. */
ge_status ge_report_csv(const struct ge_run *run, struct ge_buf *out);

/* A field of a CSV file, quoted when it must be; nothing for NULL. */
void ge_report_csv_field(struct ge_buf *out, const char *s);

#endif
