/* Figures corrected by human ratings, beside the uncorrected ones. */
#include <math.h>
#include <string.h>

#include "report/people.h"
#include "report/table.h"

/* ---- Markdown -------------------------------------------------------------------------------- */

/* A system's row over all items. */
static const struct ge_gap_row *overall(const struct ge_summary *s, const char *system)
{
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_gap_row *r = &s->rows[i];
        if (strcmp(r->dimension, "overall") == 0 && strcmp(r->system, system) == 0) return r;
    }
    return NULL;
}

/* The uncorrected row in the form of the others; its cells have no intervals of their own. */
static struct ge_ppi_figures uncorrected(const struct ge_gap_row *r)
{
    double n = (double)r->judged;
    return (struct ge_ppi_figures){.und = r->und,
                                   .gen = r->gen,
                                   .p11 = r->succ,
                                   .p10 = {r->k10 / n, NAN, NAN},
                                   .p01 = {r->k01 / n, NAN, NAN},
                                   .p00 = {r->k00 / n, NAN, NAN},
                                   .points = r->points,
                                   .delta = r->delta};
}

static void line(struct ge_buf *out, const char *system, const char *what, size_t n,
                 const struct ge_ppi_figures *f)
{
    const struct ge_estimate shares[] = {f->und, f->gen, f->p11, f->p10, f->p01, f->p00};
    ge_buf_str(out, "| ");
    ge_table_text(out, system);
    ge_buf_printf(out, " | %s | %zu", what, n);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        ge_buf_str(out, " | ");
        ge_table_percent(out, shares[i]);
    }
    ge_buf_str(out, " | ");
    ge_table_interval(out, f->points, 100, 1, true);
    ge_buf_str(out, " | ");
    ge_table_interval(out, f->delta, 1, 2, true);
    ge_buf_str(out, " |\n");
}

static void table(const struct ge_summary *s, struct ge_buf *out)
{
    const struct ge_people *p = s->people;
    ge_buf_str(out,
               "\nPrediction-powered estimates: the verdicts make them precise, the ratings make "
               "them right.\nn: items judged; rated in both directions for the last line.\n\n"
               "| system | figures | n | Und % | Gen % | both % | und only % | gen only % | "
               "neither % | Und − Gen, points | Δ logit |\n"
               "|:--|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < p->n_corrections; i++) {
        const struct ge_correction *c = &p->corrections[i];
        const struct ge_gap_row *r = overall(s, c->system);
        if (!c->corrected || r == NULL) continue;
        struct ge_ppi_figures plain = uncorrected(r);
        line(out, c->system, "uncorrected", r->judged, &plain);
        line(out, c->system, "corrected", c->gap.items, &c->gap.corrected);
        line(out, c->system, "people alone", c->gap.labelled, &c->gap.human);
    }
}

/* The reason that all systems share, or NULL. */
static const char *common_reason(const struct ge_people *p)
{
    const char *reason = p->n_corrections > 0 ? p->corrections[0].reason : NULL;
    for (size_t i = 0; i < p->n_corrections; i++) {
        const struct ge_correction *c = &p->corrections[i];
        if (c->corrected || c->reason == NULL || strcmp(c->reason, reason) != 0) return NULL;
    }
    return reason;
}

void ge_report_correction(const struct ge_summary *s, struct ge_buf *out)
{
    const struct ge_people *p = s->people;
    const char *reason = common_reason(p);
    bool any = false;
    ge_buf_str(out, "\n### Corrected by human ratings\n");
    if (reason != NULL) {
        ge_buf_printf(out, "\nNo correction: %s.\n", reason);
        return;
    }
    for (size_t i = 0; i < p->n_corrections; i++) any |= p->corrections[i].corrected;
    if (any) table(s, out);
    for (size_t i = 0, notes = 0; i < p->n_corrections; i++) {
        const struct ge_correction *c = &p->corrections[i];
        if (c->reason == NULL) continue;
        ge_buf_str(out, notes++ == 0 ? "\n- " : "- ");
        ge_table_text(out, c->system);
        ge_buf_printf(out, ": %s%s.\n", c->corrected ? "" : "no correction: ", c->reason);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void figures(struct ge_jsonw *w, const char *key, const struct ge_ppi_figures *f)
{
    ge_jsonw_object(w, key);
    ge_json_estimate(w, "und", f->und);
    ge_json_estimate(w, "gen", f->gen);
    ge_json_estimate(w, "p11", f->p11);
    ge_json_estimate(w, "p10", f->p10);
    ge_json_estimate(w, "p01", f->p01);
    ge_json_estimate(w, "p00", f->p00);
    ge_json_estimate(w, "points", f->points);
    ge_json_estimate(w, "delta", f->delta);
    ge_jsonw_object_end(w);
}

static void correction(struct ge_jsonw *w, const struct ge_correction *c)
{
    const struct ge_ppi_gap *g = &c->gap;
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "system", c->system);
    ge_jsonw_string(w, "reason", c->reason);
    if (c->corrected) {
        ge_jsonw_int(w, "strata", (int64_t)c->strata);
        ge_jsonw_int(w, "items", (int64_t)g->items);
        ge_jsonw_int(w, "rated_und", (int64_t)g->labelled_und);
        ge_jsonw_int(w, "rated_gen", (int64_t)g->labelled_gen);
        ge_jsonw_int(w, "rated_both", (int64_t)g->labelled);
        ge_jsonw_int(w, "rated_clusters", (int64_t)g->labelled_clusters);
        ge_jsonw_double(w, "lambda_und", g->lambda_und);
        ge_jsonw_double(w, "lambda_gen", g->lambda_gen);
        figures(w, "corrected", &g->corrected);
        figures(w, "people", &g->human);
    }
    ge_jsonw_object_end(w);
}

void ge_report_correction_json(const struct ge_people *p, struct ge_jsonw *w)
{
    ge_jsonw_array(w, "corrections");
    for (size_t i = 0; i < p->n_corrections; i++) correction(w, &p->corrections[i]);
    ge_jsonw_array_end(w);
}
