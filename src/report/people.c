/* What people said, as tables and as JSON. */
#include "report/people.h"

#include "report/report.h"
#include "report/table.h"

/* ---- Markdown -------------------------------------------------------------------------------- */

static void dimensions(const struct ge_people *p, struct ge_buf *out)
{
    ge_buf_str(out, "\n| dimension | ratings | raters | answers | α nominal | α ordinal | "
                    "α interval |\n|:--|--:|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < p->n_dimensions; i++) {
        const struct ge_people_dimension *d = &p->dimensions[i];
        ge_buf_str(out, "| ");
        ge_table_text(out, d->name);
        ge_buf_printf(out, " | %zu | %zu | %zu", d->ratings, d->raters, d->answers);
        for (int m = 0; m < GE_ALPHA_METRICS; m++) {
            const struct ge_alpha *a = &d->alpha[m];
            ge_buf_str(out, " | ");
            ge_table_interval(out, (struct ge_estimate){a->value, a->lo, a->hi}, 1, 3, false);
        }
        ge_buf_str(out, " |\n");
    }
}

static void means(const struct ge_people *p, struct ge_buf *out)
{
    ge_buf_str(out, "\n| system | direction | dimension | answers | ratings | mean score |\n"
                    "|:--|:--|:--|--:|--:|--:|\n");
    for (size_t i = 0; i < p->n_means; i++) {
        const struct ge_people_mean *m = &p->means[i];
        ge_buf_str(out, "| ");
        ge_table_text(out, m->system);
        ge_buf_printf(out, " | %s | ", ge_direction_name(m->direction));
        ge_table_text(out, m->dimension);
        ge_buf_printf(out, " | %zu | %zu | ", m->answers, m->ratings);
        ge_table_interval(out, m->mean, 1, 3, false);
        ge_buf_str(out, " |\n");
    }
}

static void verdicts(const struct ge_people *p, struct ge_buf *out)
{
    char least[32];
    ge_double_text(p->min, least);
    ge_buf_str(out, "\nVerdict of people: the share of raters with ");
    ge_table_text(out, p->dimension);
    ge_buf_printf(out,
                  " ≥ %s.\n\n| system | direction | answers | people right %% | verdict right %% | "
                  "agreement %% | κ |\n|:--|:--|--:|--:|--:|--:|--:|\n",
                  least);
    for (size_t i = 0; i < p->n_verdicts; i++) {
        const struct ge_people_verdicts *v = &p->verdicts[i];
        ge_buf_str(out, "| ");
        ge_table_text(out, v->system);
        ge_buf_printf(out, " | %s | %zu | ", ge_direction_name(v->direction), v->answers);
        ge_table_number(out, 100 * v->people, 1, false);
        ge_buf_str(out, " | ");
        ge_table_number(out, 100 * v->automatic, 1, false);
        ge_buf_str(out, " | ");
        ge_table_percent(out, v->agreement);
        ge_buf_str(out, " | ");
        ge_table_number(out, v->kappa, 3, false);
        ge_buf_str(out, " |\n");
    }
}

void ge_report_people(const struct ge_summary *s, struct ge_buf *out)
{
    const struct ge_people *p = s->people;
    if (p == NULL) return;
    ge_buf_printf(out, "\n### People\n\n%zu ratings by %zu raters. α: Krippendorff's alpha.\n",
                  p->ratings, p->raters);
    dimensions(p, out);
    means(p, out);
    if (p->dimension == NULL) {
        ge_buf_str(out, "\nNo verdicts of people and no correction: the job has no "
                        "ratings.verdict.\n");
        return;
    }
    verdicts(p, out);
    ge_report_correction(s, out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void dimension_json(const struct ge_people_dimension *d, struct ge_jsonw *w)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "dimension", d->name);
    ge_jsonw_int(w, "ratings", (int64_t)d->ratings);
    ge_jsonw_int(w, "raters", (int64_t)d->raters);
    ge_jsonw_int(w, "answers", (int64_t)d->answers);
    ge_jsonw_int(w, "pairable", (int64_t)d->alpha[0].values);
    ge_jsonw_object(w, "alpha");
    for (int m = 0; m < GE_ALPHA_METRICS; m++) {
        const struct ge_alpha *a = &d->alpha[m];
        ge_json_estimate(w, ge_alpha_metric_name((enum ge_alpha_metric)m),
                         (struct ge_estimate){a->value, a->lo, a->hi});
    }
    ge_jsonw_object_end(w);
    ge_jsonw_object_end(w);
}

static void mean_json(const struct ge_people_mean *m, struct ge_jsonw *w)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "system", m->system);
    ge_jsonw_string(w, "direction", ge_direction_name(m->direction));
    ge_jsonw_string(w, "dimension", m->dimension);
    ge_jsonw_int(w, "answers", (int64_t)m->answers);
    ge_jsonw_int(w, "ratings", (int64_t)m->ratings);
    ge_json_estimate(w, "mean", m->mean);
    ge_jsonw_object_end(w);
}

static void verdict_json(const struct ge_people_verdicts *v, struct ge_jsonw *w)
{
    ge_jsonw_object(w, NULL);
    ge_jsonw_string(w, "system", v->system);
    ge_jsonw_string(w, "direction", ge_direction_name(v->direction));
    ge_jsonw_int(w, "answers", (int64_t)v->answers);
    ge_jsonw_double(w, "people", v->people);
    ge_jsonw_double(w, "automatic", v->automatic);
    ge_json_estimate(w, "agreement", v->agreement);
    ge_jsonw_int(w, "decided", (int64_t)v->decided);
    ge_jsonw_double(w, "kappa", v->kappa);
    ge_jsonw_object_end(w);
}

void ge_report_people_json(const struct ge_summary *s, struct ge_jsonw *w)
{
    const struct ge_people *p = s->people;
    ge_jsonw_object(w, "people");
    ge_jsonw_int(w, "ratings", (int64_t)p->ratings);
    ge_jsonw_int(w, "raters", (int64_t)p->raters);
    ge_jsonw_string(w, "drawn", s->options.ratings.drawn);
    ge_jsonw_array(w, "dimensions");
    for (size_t i = 0; i < p->n_dimensions; i++) dimension_json(&p->dimensions[i], w);
    ge_jsonw_array_end(w);
    ge_jsonw_array(w, "means");
    for (size_t i = 0; i < p->n_means; i++) mean_json(&p->means[i], w);
    ge_jsonw_array_end(w);
    if (p->dimension != NULL) {
        ge_jsonw_object(w, "verdict");
        ge_jsonw_string(w, "dimension", p->dimension);
        ge_jsonw_double(w, "min", p->min);
        ge_jsonw_object_end(w);
        ge_jsonw_array(w, "verdicts");
        for (size_t i = 0; i < p->n_verdicts; i++) verdict_json(&p->verdicts[i], w);
        ge_jsonw_array_end(w);
        ge_report_correction_json(p, w);
    }
    ge_jsonw_object_end(w);
}
