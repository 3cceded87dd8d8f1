/* upstream and irt beside logit, in tables and in JSON; and the reports of one estimator alone. */
#include "aggregate/estimators.h"

#include <math.h>
#include <string.h>

#include "report/report.h"
#include "report/table.h"

/* ---- upstream ---------------------------------------------------------------------------------------- */

static void upstream_cells(struct ge_buf *out, const struct ge_summary *s, size_t i)
{
    ge_table_number(out, s->estimates->upstream[i], 3, false);
}

static const struct ge_table_figures upstream = {"G ↓ |", "--:|", upstream_cells};

static void upstream_tables(struct ge_buf *out, const struct ge_summary *s)
{
    ge_buf_str(out,
               "Estimator `upstream`: the published script's procedure. Its loss does not identify "
               "the gap; for comparison with published figures only, without intervals. G of all "
               "items is the mean over categories.\n");
    ge_table_dimension(out, s, "overall", &upstream);
    ge_table_dimension(out, s, "category", &upstream);
}

static bool has_upstream(const struct ge_gap_row *r)
{
    return strcmp(r->dimension, "overall") == 0 || strcmp(r->dimension, "category") == 0;
}

static void upstream_rows(struct ge_jsonw *w, const struct ge_summary *s, const char *key)
{
    ge_jsonw_array(w, key);
    for (size_t i = 0; i < s->n_rows; i++) {
        if (!has_upstream(&s->rows[i])) continue;
        ge_jsonw_object(w, NULL);
        ge_json_counts(w, &s->rows[i]);
        ge_json_rates(w, &s->rows[i]);
        ge_jsonw_double(w, "gap", s->estimates->upstream[i]);
        ge_json_bounds(w, &s->rows[i], false);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_array_end(w);
}

/* ---- irt ------------------------------------------------------------------------------------------------ */

static void ability_cell(struct ge_buf *out, const struct ge_irt_ability *a)
{
    ge_table_number(out, a->theta, 2, true);
    if (a->reason == GE_IRT_ESTIMATED) {
        ge_buf_printf(out, " (%.2f)", a->se);
    } else {
        ge_buf_printf(out, " %s", ge_irt_reason_name(a->reason));
    }
}

static void irt_cells(struct ge_buf *out, const struct ge_summary *s, size_t i)
{
    const struct ge_irt_row *r = &s->estimates->irt[i];
    ability_cell(out, &r->model.und);
    ge_buf_str(out, " | ");
    ability_cell(out, &r->model.gen);
    ge_buf_str(out, " | ");
    ge_table_interval(out, r->delta, 1, 2, true);
    ge_buf_str(out, " | ");
    ge_table_number(out, r->gap, 3, false);
    ge_buf_str(out, " | ");
    ge_table_p_value(out, r->p_value);
}

static const struct ge_table_figures irt = {"θ und ↑ | θ gen ↑ | Δ logit | G ↓ | p |",
                                            "--:|--:|--:|--:|--:|", irt_cells};

static void irt_tables(struct ge_buf *out, const struct ge_summary *s)
{
    const struct ge_estimates *e = s->estimates;
    if (e->irt_refused != NULL) {
        ge_buf_str(out, "Estimator `irt`: not computed: ");
        ge_table_text(out, e->irt_refused);
        ge_buf_char(out, '\n');
        return;
    }
    ge_buf_printf(
        out,
        "Estimator `irt`: abilities θ of all systems on one scale of logits (standard error), "
        "item difficulties N(0, sd²) shared by both directions, Δ = θ und − θ gen with %g %% "
        "intervals, %d quadrature nodes. Over all items sd = ",
        100 * s->options.level, e->irt_nodes);
    ge_table_number(out, s->n_groups > 0 ? e->groups[0].sd_item : NAN, 2, false);
    ge_buf_str(out, ".\n");
    ge_table_dimension(out, s, "overall", &irt);
    ge_table_groups(out, s, &irt);
}

static void ability(struct ge_jsonw *w, const char *key, const struct ge_irt_ability *a)
{
    ge_jsonw_object(w, key);
    ge_jsonw_double(w, "value", a->theta);
    ge_jsonw_double(w, "se", a->se);
    ge_jsonw_string(w, "reason",
                    a->reason == GE_IRT_ESTIMATED ? NULL : ge_irt_reason_name(a->reason));
    ge_jsonw_object_end(w);
}

static void irt_rows(struct ge_jsonw *w, const struct ge_summary *s, const char *key)
{
    ge_jsonw_array(w, key);
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ge_irt_row *r = &s->estimates->irt[i];
        ge_jsonw_object(w, NULL);
        ge_json_counts(w, &s->rows[i]);
        ge_json_rates(w, &s->rows[i]);
        ability(w, "theta_und", &r->model.und);
        ability(w, "theta_gen", &r->model.gen);
        ge_jsonw_double(w, "covariance", r->model.covariance);
        ge_json_estimate(w, "delta", r->delta);
        ge_jsonw_double(w, "delta_se", r->model.se_delta);
        ge_jsonw_double(w, "p_value", r->p_value);
        ge_jsonw_double(w, "gap", r->gap);
        ge_json_bounds(w, &s->rows[i], false);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_array_end(w);
}

static void irt_fits(struct ge_jsonw *w, const struct ge_summary *s)
{
    const struct ge_estimates *e = s->estimates;
    ge_jsonw_int(w, "nodes", e->irt_nodes);
    ge_jsonw_array(w, "fits");
    for (size_t g = 0; g < s->n_groups; g++) {
        const struct ge_irt_group *fit = &e->groups[g];
        ge_jsonw_object(w, NULL);
        ge_jsonw_string(w, "dimension", fit->dimension);
        ge_jsonw_string(w, "group", fit->group);
        ge_jsonw_int(w, "items", (int64_t)fit->items);
        ge_jsonw_int(w, "judgements", (int64_t)fit->judgements);
        ge_jsonw_double(w, "sd_item", fit->sd_item);
        ge_jsonw_double(w, "loglik", fit->loglik);
        ge_jsonw_object_end(w);
    }
    ge_jsonw_array_end(w);
}

/* ---- in a run's report ------------------------------------------------------------------------------------ */

void ge_table_estimators(struct ge_buf *out, const struct ge_summary *s)
{
    if (s->estimates == NULL) return;
    if (s->estimates->has_upstream) {
        ge_buf_char(out, '\n');
        upstream_tables(out, s);
    }
    if (s->options.irt) {
        ge_buf_char(out, '\n');
        irt_tables(out, s);
    }
}

void ge_json_estimators(struct ge_jsonw *w, const struct ge_summary *s)
{
    if (s->estimates == NULL) return;
    ge_jsonw_object(w, "estimators");
    if (s->estimates->has_upstream) {
        ge_jsonw_object(w, "upstream");
        upstream_rows(w, s, "rows");
        ge_jsonw_object_end(w);
    }
    if (s->options.irt) {
        ge_jsonw_object(w, "irt");
        ge_jsonw_string(w, "refused", s->estimates->irt_refused);
        if (s->estimates->has_irt) {
            irt_fits(w, s);
            irt_rows(w, s, "rows");
        }
        ge_jsonw_object_end(w);
    }
    ge_jsonw_object_end(w);
}

/* ---- one estimator alone ------------------------------------------------------------------------------------ */

ge_status ge_report_gap_markdown(const struct ge_summary *s, enum ge_estimator estimator,
                                 struct ge_buf *out)
{
    if (estimator == GE_LOGIT) ge_table_logit(out, s);
    if (estimator == GE_UPSTREAM) upstream_tables(out, s);
    if (estimator == GE_IRT) irt_tables(out, s);
    ge_table_failures(out, s, estimator == GE_LOGIT);
    return ge_buf_status(out);
}

ge_status ge_report_gap_json(const struct ge_summary *s, enum ge_estimator estimator,
                             struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 1);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_int(&w, "version", 1);
    ge_jsonw_string(&w, "estimator", ge_estimator_name(estimator));
    ge_jsonw_double(&w, "level", s->options.level);
    ge_jsonw_string(&w, "failures", s->options.failures_wrong ? "wrong" : "exclude");
    if (estimator == GE_LOGIT) {
        ge_jsonw_array(&w, "rows");
        for (size_t i = 0; i < s->n_rows; i++) ge_json_gap_row(&w, &s->rows[i]);
        ge_jsonw_array_end(&w);
    } else if (estimator == GE_UPSTREAM) {
        upstream_rows(&w, s, "rows");
    } else {
        irt_fits(&w, s);
        irt_rows(&w, s, "rows");
    }
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
    return ge_buf_status(out);
}
