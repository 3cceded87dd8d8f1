/* summary.json: the summary for programs. Keys are documented in docs/report.md. */
#include <math.h>

#include "base/json.h"
#include "report/people.h"
#include "report/report.h"
#include "report/table.h"

void ge_json_estimate(struct ge_jsonw *w, const char *key, struct ge_estimate e)
{
    ge_jsonw_object(w, key);
    ge_jsonw_double(w, "value", e.value);
    ge_jsonw_double(w, "lo", e.lo);
    ge_jsonw_double(w, "hi", e.hi);
    ge_jsonw_object_end(w);
}

static void bounds(struct ge_jsonw *w, const char *key, struct ge_bounds b)
{
    ge_jsonw_object(w, key);
    ge_jsonw_double(w, "lo", b.lo);
    ge_jsonw_double(w, "hi", b.hi);
    ge_jsonw_object_end(w);
}

void ge_json_counts(struct ge_jsonw *w, const struct ge_gap_row *r)
{
    ge_jsonw_string(w, "system", r->system);
    ge_jsonw_string(w, "dimension", r->dimension);
    ge_jsonw_string(w, "group", r->group);
    ge_jsonw_int(w, "items", (int64_t)r->items);
    ge_jsonw_int(w, "judged", (int64_t)r->judged);
    ge_jsonw_int(w, "clusters", (int64_t)r->clusters);
    ge_jsonw_int(w, "failed_und", (int64_t)r->failed_und);
    ge_jsonw_int(w, "failed_gen", (int64_t)r->failed_gen);
    ge_jsonw_int(w, "failed_samples", (int64_t)r->failed_samples);
    ge_jsonw_int(w, "undone", (int64_t)r->undone);
    ge_jsonw_object(w, "table");
    ge_jsonw_double(w, "k11", r->k11);
    ge_jsonw_double(w, "k10", r->k10);
    ge_jsonw_double(w, "k01", r->k01);
    ge_jsonw_double(w, "k00", r->k00);
    ge_jsonw_object_end(w);
}

static void ranks(struct ge_jsonw *w, const struct ge_rank *r)
{
    if (r->rank == 0) return;
    ge_jsonw_object(w, "rank");
    ge_jsonw_int(w, "value", (int64_t)r->rank);
    ge_jsonw_int(w, "lo", (int64_t)r->lo);
    ge_jsonw_int(w, "hi", (int64_t)r->hi);
    ge_jsonw_object_end(w);
}

static void repeats(struct ge_jsonw *w, const struct ge_gap_row *r)
{
    if (r->repeats[GE_UND].items + r->repeats[GE_GEN].items == 0) return;
    ge_jsonw_object(w, "repeats");
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        const struct ge_repeats *e = &r->repeats[d];
        if (e->items == 0) continue;
        ge_jsonw_object(w, ge_direction_name((enum ge_direction)d));
        ge_jsonw_int(w, "items", (int64_t)e->items);
        ge_jsonw_int(w, "samples", (int64_t)e->samples);
        ge_jsonw_double(w, "pass_1", e->pass_1);
        ge_jsonw_double(w, "pass_k", e->pass_k);
        ge_jsonw_double(w, "seed_sd", e->seed_sd);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_object_end(w);
}

void ge_json_rates(struct ge_jsonw *w, const struct ge_gap_row *r)
{
    ge_json_estimate(w, "succ", r->succ);
    ge_json_estimate(w, "und", r->und);
    ge_json_estimate(w, "gen", r->gen);
    ge_json_estimate(w, "points", r->points);
}

void ge_json_bounds(struct ge_jsonw *w, const struct ge_gap_row *r, bool with_gap)
{
    ge_jsonw_object(w, "bounds");
    bounds(w, "succ", r->succ_bounds);
    bounds(w, "und", r->und_bounds);
    bounds(w, "gen", r->gen_bounds);
    bounds(w, "points", r->points_bounds);
    if (with_gap) bounds(w, "gap", r->gap_bounds);
    ge_jsonw_object_end(w);
}

void ge_json_gap_row(struct ge_jsonw *w, const struct ge_gap_row *r)
{
    ge_jsonw_object(w, NULL);
    ge_json_counts(w, r);
    ge_json_rates(w, r);
    ge_json_estimate(w, "delta", r->delta);
    ge_json_estimate(w, "gap", r->gap);
    ge_json_bounds(w, r, true);
    ge_jsonw_string(w, "test", r->test);
    ge_jsonw_double(w, "p_value", r->p_value);
    ge_jsonw_double(w, "p_holm", r->p_holm);
    ranks(w, &r->rank);
    ge_jsonw_double(w, "phi", r->phi);
    ge_jsonw_double(w, "kappa", r->kappa);
    ge_jsonw_double(w, "sample_spread", r->sample_spread);
    repeats(w, r);
    ge_jsonw_object_end(w);
}

static void metric_row(struct ge_jsonw *w, const struct ge_metric_row *m)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "system", m->system);
    ge_jsonw_string(w, "dimension", m->dimension);
    ge_jsonw_string(w, "group", m->group);
    ge_jsonw_string(w, "direction", ge_direction_name(m->direction));
    ge_jsonw_string(w, "metric", m->metric);
    ge_jsonw_int(w, "n", (int64_t)m->n);
    ge_json_estimate(w, "mean", m->mean);
    ge_jsonw_object_end(w);
}

static void corpus_row(struct ge_jsonw *w, const struct ge_corpus_row *c)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "system", c->system);
    ge_jsonw_string(w, "direction", ge_direction_name(c->direction));
    ge_jsonw_string(w, "task", c->task);
    ge_jsonw_string(w, "metric", c->metric);
    ge_jsonw_int(w, "n", (int64_t)c->n);
    ge_jsonw_double(w, "value", c->value);
    ge_jsonw_object_end(w);
}

static void diagnosis(struct ge_jsonw *w, const struct ge_diagnosis *d)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "kind", d->kind);
    ge_jsonw_string(w, "system", d->system);
    ge_jsonw_string(w, "category", d->category);
    ge_jsonw_int(w, "n", (int64_t)d->n);
    ge_jsonw_int(w, "shown", (int64_t)d->shown);
    ge_jsonw_double(w, "share", d->share);
    ge_jsonw_array(w, "items");
    for (size_t i = 0; i < d->n_items; i++) {
        ge_jsonw_object(w, NULL);
        ge_jsonw_string(w, "item", d->items[i].id);
        ge_jsonw_double(w, "strength", d->items[i].strength);
        ge_jsonw_string(w, "note", d->items[i].note);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_array_end(w);
    ge_jsonw_object_end(w);
}

ge_status ge_report_json(const struct ge_run *run, const struct ge_summary *s, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 1);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_int(&w, "version", 1);
    ge_jsonw_string(&w, "estimator", "logit");
    ge_jsonw_double(&w, "level", s->options.level);
    ge_jsonw_string(&w, "interval", ge_interval_name(s->options.interval));
    if (s->options.interval == GE_INTERVAL_BCA) {
        ge_jsonw_int(&w, "resamples", (int64_t)s->options.resamples);
    }
    ge_jsonw_string(&w, "failures", s->options.failures_wrong ? "wrong" : "exclude");
    ge_jsonw_string(&w, "numerics", run->numerics_id);
    ge_jsonw_int(&w, "items", (int64_t)run->n_items);
    ge_jsonw_int(&w, "errors", (int64_t)s->errors);
    ge_jsonw_int(&w, "undone", (int64_t)s->undone);
    ge_jsonw_array(&w, "gap");
    for (size_t i = 0; i < s->n_rows; i++) ge_json_gap_row(&w, &s->rows[i]);
    ge_jsonw_array_end(&w);
    ge_jsonw_array(&w, "metrics");
    for (size_t i = 0; i < s->n_metrics; i++) metric_row(&w, &s->metrics[i]);
    ge_jsonw_array_end(&w);
    ge_json_estimators(&w, s);
    ge_jsonw_array(&w, "corpus");
    for (size_t i = 0; i < s->n_corpus; i++) corpus_row(&w, &s->corpus[i]);
    ge_jsonw_array_end(&w);
    ge_jsonw_array(&w, "diagnoses");
    for (size_t i = 0; i < s->n_diagnoses; i++) diagnosis(&w, &s->diagnoses[i]);
    ge_jsonw_array_end(&w);
    if (s->people != NULL) ge_report_people_json(s, &w);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
    return ge_buf_status(out);
}
