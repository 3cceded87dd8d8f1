/* Cells of the Markdown tables. */
#include "report/table.h"

#include <math.h>
#include <string.h>

void ge_table_percent(struct ge_buf *out, struct ge_estimate e)
{
    if (isnan(e.value)) {
        ge_buf_str(out, GE_TABLE_MISSING);
        return;
    }
    ge_buf_printf(out, "%.1f", 100 * e.value);
    if (isnan(e.lo)) return;
    ge_buf_printf(out, " ± %.1f", 100 * fmax(e.hi - e.value, e.value - e.lo));
}

void ge_table_decimal(struct ge_buf *out, double v, int digits, bool with_sign)
{
    static const double half[] = {0.5, 0.05, 0.005, 0.0005};
    if (fabs(v) < half[digits]) v = 0;
    ge_buf_printf(out, with_sign ? "%+.*f" : "%.*f", digits, v);
}

void ge_table_number(struct ge_buf *out, double v, int digits, bool with_sign)
{
    ge_table_interval(out, (struct ge_estimate){v, NAN, NAN}, 1, digits, with_sign);
}

void ge_table_interval(struct ge_buf *out, struct ge_estimate e, double factor, int digits,
                       bool with_sign)
{
    if (isnan(e.value)) {
        ge_buf_str(out, GE_TABLE_MISSING);
        return;
    }
    double values[] = {e.value, e.lo, e.hi};
    static const char *const between[] = {"", " [", ", "};
    for (int i = 0; i < (isnan(e.lo) ? 1 : 3); i++) {
        ge_buf_str(out, between[i]);
        ge_table_decimal(out, factor * values[i], digits, with_sign);
    }
    if (!isnan(e.lo)) ge_buf_char(out, ']');
}

void ge_table_p_value(struct ge_buf *out, double p)
{
    if (isnan(p)) {
        ge_buf_str(out, GE_TABLE_MISSING);
    } else if (p < 0.001) {
        ge_buf_str(out, "< 0.001");
    } else {
        ge_buf_printf(out, "%.3f", p);
    }
}

void ge_table_text(struct ge_buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '|') ge_buf_char(out, '\\');
        ge_buf_char(out, *s == '\n' || *s == '\r' ? ' ' : *s);
    }
}

void ge_table_dimension(struct ge_buf *out, const struct ge_summary *s, const char *dimension,
                        const struct ge_table_figures *figures)
{
    bool grouped = strcmp(dimension, "overall") != 0, any = false;
    for (size_t g = 0; g < s->n_groups; g++) {
        if (strcmp(s->rows[g].dimension, dimension) != 0) continue;
        if (!any) {
            ge_buf_printf(out, "\n### %s\n\n| system |%s n | %s\n|:--|%s--:|%s\n",
                          grouped ? dimension : "All items", grouped ? " group |" : "",
                          figures->columns, grouped ? ":--|" : "", figures->alignment);
        }
        any = true;
        for (size_t i = g; i < s->n_rows; i += s->n_groups) {
            ge_buf_str(out, "| ");
            ge_table_text(out, s->rows[i].system);
            if (grouped) {
                ge_buf_str(out, " | ");
                ge_table_text(out, s->rows[i].group);
            }
            ge_buf_printf(out, " | %zu | ", s->rows[i].judged);
            figures->cells(out, s, i);
            ge_buf_str(out, " |\n");
        }
    }
}

void ge_table_groups(struct ge_buf *out, const struct ge_summary *s,
                     const struct ge_table_figures *figures)
{
    ge_table_dimension(out, s, "category", figures);
    ge_table_dimension(out, s, "subcategory", figures);
    ge_table_dimension(out, s, "tag", figures);
}
