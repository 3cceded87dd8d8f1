/* Cells of the Markdown tables, and rows of gap figures in JSON. For report/ and the
 * tables of cli/. */
#ifndef GE_REPORT_TABLE_H
#define GE_REPORT_TABLE_H

#include <stdbool.h>

#include "aggregate/aggregate.h"
#include "base/buf.h"
#include "base/json.h"

#define GE_TABLE_MISSING "–"

/* "61.2 ± 3.1" of a share, in percent: the larger half of the interval, so that ± never promises too
 * much. GE_TABLE_MISSING for NaN, here and below. */
void ge_table_percent(struct ge_buf *out, struct ge_estimate e);

/* A number with `digits` (1 to 3) decimals; what rounds to zero is never "-0". */
void ge_table_decimal(struct ge_buf *out, double v, int digits, bool with_sign);

/* The same, where there may be none. */
void ge_table_number(struct ge_buf *out, double v, int digits, bool with_sign);

/* A value and its interval, both times `factor`: "0.52 [0.31, 0.73]". */
void ge_table_interval(struct ge_buf *out, struct ge_estimate e, double factor, int digits,
                       bool with_sign);

void ge_table_p_value(struct ge_buf *out, double p);

/* Text: a bar or a line's end would end the cell. */
void ge_table_text(struct ge_buf *out, const char *s);

/* An estimator's table: behind system, group and n, the heads and alignments of its columns, each with
 * the bar behind it, and the cells of the summary's row i without the last bar. */
struct ge_table_figures {
    const char *columns, *alignment;
    void (*cells)(struct ge_buf *out, const struct ge_summary *s, size_t i);
};

/* A dimension's groups one after the other, the systems of each together; nothing without such groups.
 * ge_table_groups(): all dimensions but "overall". */
void ge_table_dimension(struct ge_buf *out, const struct ge_summary *s, const char *dimension,
                        const struct ge_table_figures *figures);
void ge_table_groups(struct ge_buf *out, const struct ge_summary *s,
                     const struct ge_table_figures *figures);

/* Failures and what they could mean for the rates (with_gap: and for logit's G), for the systems that have
 * any; nothing if none has. */
void ge_table_failures(struct ge_buf *out, const struct ge_summary *s, bool with_gap);

/* One object of summary.json's "gap" (docs/report.md): all figures of logit. */
void ge_json_gap_row(struct ge_jsonw *w, const struct ge_gap_row *r);

/* The members of such an object that do not depend on the estimator: who and how many; rates and
 * Und - Gen with logit's intervals; what failures could make of them (with_gap: of logit's G too). */
void ge_json_counts(struct ge_jsonw *w, const struct ge_gap_row *r);
void ge_json_rates(struct ge_jsonw *w, const struct ge_gap_row *r);
void ge_json_bounds(struct ge_jsonw *w, const struct ge_gap_row *r, bool with_gap);

void ge_json_estimate(struct ge_jsonw *w, const char *key, struct ge_estimate e);

/* Metrics over all answers, and diagnoses: of all categories together, or of each too, with more items. */
void ge_table_corpus(struct ge_buf *out, const struct ge_summary *s);
void ge_table_diagnoses(struct ge_buf *out, const struct ge_summary *s, bool by_category);

/* logit's tables: what the figures are, all items, each dimension. */
void ge_table_logit(struct ge_buf *out, const struct ge_summary *s);

/* The member "estimators": an object for each estimator beside logit that the job asks for; nothing if
 * it asks for none. And their tables. */
void ge_json_estimators(struct ge_jsonw *w, const struct ge_summary *s);
void ge_table_estimators(struct ge_buf *out, const struct ge_summary *s);

#endif
