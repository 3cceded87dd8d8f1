/* Tables of corpus metrics and of diagnoses. */
#include <math.h>
#include <string.h>

#include "report/report.h"
#include "report/table.h"

void ge_table_corpus(struct ge_buf *out, const struct ge_summary *s)
{
    if (s->n_corpus == 0) return;
    ge_buf_str(out, "\n### Metrics over all answers\n\n| system | direction | task | metric | n | "
                    "value |\n|:--|:--|:--|:--|--:|--:|\n");
    for (size_t i = 0; i < s->n_corpus; i++) {
        const struct ge_corpus_row *c = &s->corpus[i];
        ge_buf_str(out, "| ");
        ge_table_text(out, c->system);
        ge_buf_printf(out, " | %s | ", ge_direction_name(c->direction));
        ge_table_text(out, c->task);
        ge_buf_printf(out, " | `%s` | %zu | ", c->metric, c->n);
        if (isnan(c->value)) {
            ge_buf_str(out, GE_TABLE_MISSING);
        } else {
            ge_buf_printf(out, "%.4f", c->value);
        }
        ge_buf_str(out, " |\n");
    }
}

/* ---- diagnoses ----------------------------------------------------------------------------- */

/* The first few items with what was found there. */
static void diagnosed_items(const struct ge_diagnosis *d, size_t most, struct ge_buf *out)
{
    for (size_t i = 0; i < d->n_items && i < most; i++) {
        if (i > 0) ge_buf_str(out, ", ");
        ge_table_text(out, d->items[i].id);
        if (d->items[i].note[0] == '\0') continue;
        ge_buf_str(out, " (");
        ge_table_text(out, d->items[i].note);
        ge_buf_char(out, ')');
    }
}

static void diagnosis(struct ge_buf *out, const struct ge_diagnosis *d, bool by_category)
{
    enum { SHORT = 3 };
    ge_buf_str(out, "| ");
    ge_table_text(out, d->system != NULL ? d->system : "all");
    if (by_category) {
        ge_buf_str(out, " | ");
        ge_table_text(out, d->category != NULL ? d->category : "all");
    }
    ge_buf_printf(out, " | %s | %zu | %.1f | ", d->kind, d->n, 100 * d->share);
    diagnosed_items(d, by_category ? GE_DIAGNOSIS_ITEMS : SHORT, out);
    ge_buf_str(out, " |\n");
}

void ge_table_diagnoses(struct ge_buf *out, const struct ge_summary *s, bool by_category)
{
    bool any = false;
    for (size_t i = 0; i < s->n_diagnoses; i++) {
        const struct ge_diagnosis *d = &s->diagnoses[i];
        if (d->category != NULL && !by_category) continue;
        if (!any) {
            ge_buf_printf(
                out,
                "\n### Diagnoses\n\n| system |%s diagnosis | of n | share %% | most in |\n"
                "|:--|%s:--|--:|--:|:--|\n",
                by_category ? " category |" : "", by_category ? ":--|" : "");
        }
        any = true;
        diagnosis(out, d, by_category);
    }
}

void ge_report_diagnoses(const struct ge_summary *s, struct ge_buf *out)
{
    size_t n;
    const struct ge_diagnosis_kind *kinds = ge_diagnosis_kinds(&n);
    ge_table_diagnoses(out, s, true);
    if (s->n_diagnoses == 0) ge_buf_str(out, "Nothing was diagnosed.\n");
    ge_buf_char(out, '\n');
    for (size_t i = 0; i < n; i++) ge_buf_printf(out, "- %s: %s\n", kinds[i].name, kinds[i].help);
}
