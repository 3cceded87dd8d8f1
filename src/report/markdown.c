/* Tables for people. */
#include <math.h>
#include <string.h>

#include "report/report.h"
#include "report/table.h"

static bool has_failures(const struct ge_gap_row *r)
{
    return r->failed_samples > 0;
}

static void heading(struct ge_buf *out, const char *dimension, bool grouped)
{
    ge_buf_printf(out,
                  "\n### %s\n\n| system |%s n | Succ ↑ %% | Und ↑ %% | Gen ↑ %% | "
                  "Und − Gen, points | Δ logit | G ↓ | p |\n|:--|%s--:|--:|--:|--:|--:|--:|"
                  "--:|--:|\n",
                  grouped ? dimension : "All items", grouped ? " group |" : "",
                  grouped ? ":--|" : "");
}

static void table_row(struct ge_buf *out, const struct ge_gap_row *r, bool grouped)
{
    ge_buf_str(out, "| ");
    ge_table_text(out, r->system);
    if (grouped) {
        ge_buf_str(out, " | ");
        ge_table_text(out, r->group);
    }
    ge_buf_printf(out, " | %zu | ", r->judged);
    ge_table_percent(out, r->succ);
    ge_buf_str(out, " | ");
    ge_table_percent(out, r->und);
    ge_buf_str(out, " | ");
    ge_table_percent(out, r->gen);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->points, 100, 1, true);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->delta, 1, 2, true);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->gap, 1, 3, false);
    ge_buf_str(out, " | ");
    ge_table_p_value(out, r->p_value);
    ge_buf_str(out, " |\n");
}

static void range(struct ge_buf *out, struct ge_bounds b, double factor, int digits)
{
    ge_buf_char(out, ' ');
    ge_table_decimal(out, factor * b.lo, digits, false);
    ge_buf_str(out, " … ");
    ge_table_decimal(out, factor * b.hi, digits, false);
    ge_buf_str(out, " |");
}

void ge_table_failures(struct ge_buf *out, const struct ge_summary *s, bool with_gap)
{
    bool any = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->dimension, "overall") != 0 || (!has_failures(r) && r->undone == 0)) continue;
        if (!any) {
            ge_buf_printf(out,
                          "\n### Failures, and the figures with every failure decided against or "
                          "for the system\n\n| system | items | und failed | gen failed | undone "
                          "| Succ %% | Und %% | Gen %% | Und − Gen, points |%s\n"
                          "|:--|--:|--:|--:|--:|--:|--:|--:|--:|%s\n",
                          with_gap ? " G |" : "", with_gap ? "--:|" : "");
        }
        any = true;
        ge_buf_str(out, "| ");
        ge_table_text(out, r->system);
        ge_buf_printf(out, " | %zu | %zu | %zu | %zu |", r->items, r->failed_und, r->failed_gen,
                      r->undone);
        range(out, r->succ_bounds, 100, 1);
        range(out, r->und_bounds, 100, 1);
        range(out, r->gen_bounds, 100, 1);
        range(out, r->points_bounds, 100, 1);
        if (with_gap) range(out, r->gap_bounds, 1, 3);
        ge_buf_char(out, '\n');
    }
}

/* Rows are ordered by system; a table shows one dimension with the groups together. */
static void dimension_table(const struct ge_summary *s, const char *dimension, struct ge_buf *out)
{
    bool grouped = strcmp(dimension, "overall") != 0, any = false;
    const char *done = NULL; /* groups come in byte order, so the next one is the next larger */
    for (;;) {
        const char *next = NULL;
        for (size_t i = 0; i < s->n_rows; i++) {
            const struct ge_gap_row *r = &s->rows[i];
            if (strcmp(r->dimension, dimension) != 0) continue;
            if (done != NULL && strcmp(r->group, done) <= 0) continue;
            if (next == NULL || strcmp(r->group, next) < 0) next = r->group;
        }
        if (next == NULL) return;
        if (!any) heading(out, dimension, grouped);
        any = true;
        for (size_t i = 0; i < s->n_rows; i++) {
            const struct ge_gap_row *r = &s->rows[i];
            if (strcmp(r->dimension, dimension) == 0 && strcmp(r->group, next) == 0) {
                table_row(out, r, grouped);
            }
        }
        done = next;
    }
}

static void corpus_metrics(const struct ge_summary *s, struct ge_buf *out)
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

/* The first few items with what was found there. */
static void diagnosed_items(const struct ge_diagnosis *d, struct ge_buf *out)
{
    enum { SHOWN = 3 };
    for (size_t i = 0; i < d->n_items && i < SHOWN; i++) {
        if (i > 0) ge_buf_str(out, ", ");
        ge_table_text(out, d->items[i].id);
        if (d->items[i].note[0] == '\0') continue;
        ge_buf_str(out, " (");
        ge_table_text(out, d->items[i].note);
        ge_buf_char(out, ')');
    }
}

/* All categories together; summary.json has each. */
static void diagnoses(const struct ge_summary *s, struct ge_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < s->n_diagnoses; i++) {
        const struct ge_diagnosis *d = &s->diagnoses[i];
        if (d->category != NULL) continue;
        if (!any) {
            ge_buf_str(out, "\n### Diagnoses\n\n| system | diagnosis | of n | share % | most in |\n"
                            "|:--|:--|--:|--:|:--|\n");
        }
        any = true;
        ge_buf_str(out, "| ");
        ge_table_text(out, d->system != NULL ? d->system : "all");
        ge_buf_printf(out, " | %s | %zu | %.1f | ", d->kind, d->n, 100 * d->share);
        diagnosed_items(d, out);
        ge_buf_str(out, " |\n");
    }
}

void ge_table_logit(struct ge_buf *out, const struct ge_summary *s)
{
    ge_buf_printf(out,
                  "Estimator `logit`, %g %% intervals, failures %s. Und − Gen and Δ are signed "
                  "(positive: understands better than it generates); G is the unsigned Gap "
                  "Score.\n",
                  100 * s->options.level,
                  s->options.failures_wrong ? "count as wrong" : "left out");
    static const char *const dimensions[] = {"overall", "category", "subcategory", "tag"};
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
        dimension_table(s, dimensions[i], out);
    }
}

ge_status ge_report_markdown(const struct ge_run *run, const struct ge_summary *s,
                             struct ge_buf *out)
{
    (void)run;
    ge_table_logit(out, s);
    ge_table_failures(out, s, true);
    ge_table_estimators(out, s);
    corpus_metrics(s, out);
    diagnoses(s, out);
    ge_report_people(s, out);
    return ge_buf_status(out);
}
