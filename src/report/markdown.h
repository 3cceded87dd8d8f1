/* What the Markdown tables are put together from. Private to report/. */
#ifndef GE_REPORT_MARKDOWN_H
#define GE_REPORT_MARKDOWN_H

#include <stdbool.h>

#include "aggregate/aggregate.h"
#include "base/buf.h"

/* "61.2 ± 3.1": a share in percent with the larger half of its interval, so that ± never promises too
 * much; "–" for NaN. */
void ge_md_percent(struct ge_buf *out, struct ge_estimate e);

/* A number with `digits` (1 to 3) decimals; what rounds to zero is never "-0". */
void ge_md_decimal(struct ge_buf *out, double v, int digits, bool with_sign);

/* "1.2 [0.3, 2.1]": a value and its interval, both times `factor`; "–" for NaN. */
void ge_md_interval(struct ge_buf *out, struct ge_estimate e, double factor, int digits,
                    bool with_sign);

void ge_md_p_value(struct ge_buf *out, double p);

/* Text in a table cell: a bar or a line's end would end it. */
void ge_md_cell(struct ge_buf *out, const char *s);

#endif
