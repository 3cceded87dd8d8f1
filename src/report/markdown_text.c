/* Figures as text. */
#include <math.h>

#include "report/markdown.h"

static const char missing[] = "–";

/* "61.2 ± 3.1": the larger half of the interval, so that ± never promises too much. */
void ge_md_percent(struct ge_buf *out, struct ge_estimate e)
{
    if (isnan(e.value)) {
        ge_buf_str(out, missing);
        return;
    }
    ge_buf_printf(out, "%.1f", 100 * e.value);
    if (isnan(e.lo)) return;
    ge_buf_printf(out, " ± %.1f", 100 * fmax(e.hi - e.value, e.value - e.lo));
}

/* A number with `digits` (1 to 3) decimals; what rounds to zero is never "-0". */
void ge_md_decimal(struct ge_buf *out, double v, int digits, bool with_sign)
{
    static const double half[] = {0.5, 0.05, 0.005, 0.0005};
    if (fabs(v) < half[digits]) v = 0;
    ge_buf_printf(out, with_sign ? "%+.*f" : "%.*f", digits, v);
}

/* A value and its interval, both times `factor`. */
void ge_md_interval(struct ge_buf *out, struct ge_estimate e, double factor, int digits,
                    bool with_sign)
{
    if (isnan(e.value)) {
        ge_buf_str(out, missing);
        return;
    }
    double values[] = {e.value, e.lo, e.hi};
    static const char *const between[] = {"", " [", ", "};
    for (int i = 0; i < (isnan(e.lo) ? 1 : 3); i++) {
        ge_buf_str(out, between[i]);
        ge_md_decimal(out, factor * values[i], digits, with_sign);
    }
    if (!isnan(e.lo)) ge_buf_char(out, ']');
}

void ge_md_p_value(struct ge_buf *out, double p)
{
    if (isnan(p)) {
        ge_buf_str(out, missing);
    } else if (p < 0.001) {
        ge_buf_str(out, "< 0.001");
    } else {
        ge_buf_printf(out, "%.3f", p);
    }
}

/* Text in a table cell: a bar or a line's end would end it. */
void ge_md_cell(struct ge_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '|') ge_buf_char(out, '\\');
        ge_buf_char(out, *s == '\n' || *s == '\r' ? ' ' : *s);
    }
}
