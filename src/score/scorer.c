/* From similarities and matches to a verdict. */
#include "score/scorer.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "metric/family.h"
#include "score/compare.h"
#include "score/match.h"
#include "score/pictures.h"

/* ---- margins ------------------------------------------------------------------------------ */

/* The reference and distractor metrics that a margin metric subtracts. The table keeps the three
 * of a role in this order. */
static void margin_parts(enum ge_metric_id margin, enum ge_metric_id *reference,
                         enum ge_metric_id *distractor)
{
    *reference = (enum ge_metric_id)(margin - 2);
    *distractor = (enum ge_metric_id)(margin - 1);
    GE_ASSERT(ge_metric_info(*reference)->role == ge_metric_info(margin)->role);
    GE_ASSERT(ge_metric_info(*reference)->target == GE_TARGET_REFERENCE);
    GE_ASSERT(ge_metric_info(*distractor)->target == GE_TARGET_DISTRACTOR);
}

static bool is_margin(enum ge_metric_id id)
{
    return ge_metric_info(id)->target == GE_TARGET_MARGIN;
}

static void set_margins(const struct ge_task_scoring *s, double value[GE_METRICS])
{
    for (int i = 0; i < GE_METRICS; i++) {
        enum ge_metric_id reference, distractor;
        if (!s->metrics[i] || !is_margin((enum ge_metric_id)i)) continue;
        margin_parts((enum ge_metric_id)i, &reference, &distractor);
        value[i] = value[reference] - value[distractor];
    }
}

/* ---- the rule ------------------------------------------------------------------------------ */

ge_status ge_task_scoring_complete(struct ge_task_scoring *s)
{
    if (s->rule == GE_RULE_CONTRASTIVE && (s->metric >= GE_METRICS || !is_margin(s->metric))) {
        return ge_fail(GE_EINVAL,
                       "task \"%s\": rule \"contrastive\" reads %s; allowed are the margin metrics "
                       "(similarity.image_text.margin, similarity.image_image.margin, "
                       "similarity.text_text.margin)",
                       s->task,
                       s->metric < GE_METRICS ? ge_metric_info(s->metric)->name : "no metric");
    }
    if (s->rule == GE_RULE_THRESHOLD && s->metric >= GE_METRICS) {
        return ge_fail(GE_EINVAL, "task \"%s\": rule \"threshold\" needs a metric", s->task);
    }
    if (s->rule == GE_RULE_RECORDED) s->recorded = GE_RECORDED_REQUIRE;
    enum ge_metric_id matcher = ge_rule_metric(s->rule);
    if (matcher != GE_METRIC_NONE) s->metrics[matcher] = true;
    if (s->rule == GE_RULE_CONTRASTIVE || s->rule == GE_RULE_THRESHOLD) {
        s->metrics[s->metric] = true;
    }
    if (s->rule == GE_RULE_CONTRASTIVE && s->fallback != GE_METRIC_NONE) {
        s->metrics[s->fallback] = true;
    }
    if (s->copies != GE_COPIES_IGNORE) {
        s->metrics[GE_METRIC_COPY_CORRELATION] = s->metrics[GE_METRIC_COPY_DETECTED] = true;
    }
    if (s->metrics[GE_METRIC_CHOICE]) s->metrics[GE_METRIC_CHOICE_ANSWERED] = true;
    if (s->metrics[GE_METRIC_NUMBER]) s->metrics[GE_METRIC_NUMBER_ANSWERED] = true;
    for (int id = 0; id < GE_METRICS; id++) {
        if (!s->metrics[id] || !is_margin((enum ge_metric_id)id)) continue;
        enum ge_metric_id reference, distractor;
        margin_parts((enum ge_metric_id)id, &reference, &distractor);
        s->metrics[reference] = s->metrics[distractor] = true;
    }
    return GE_OK;
}

/* ---- matches ------------------------------------------------------------------------------- */

static void set_answered(double value[GE_METRICS], enum ge_metric_id id, enum ge_match match)
{
    value[id] = match == GE_MATCH_RIGHT;
    if (id == GE_METRIC_CHOICE || id == GE_METRIC_NUMBER) {
        value[id + 1] = match != GE_MATCH_NO_ANSWER; /* the table keeps "answered" next to it */
    }
}

static ge_status text_metrics(const struct ge_task_scoring *s, const struct ge_task *task,
                              const char *text, double value[GE_METRICS])
{
    ge_status rc = GE_OK;
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        size_t place = 0;
        if (!s->metrics[i] || m->text == NULL) continue;
        const struct ge_text_family *f = ge_text_family_find(m->text, &place);
        if (f == NULL) {
            GE_TRY(m->text(text, task, &value[i]));
            continue;
        }
        int first = i - (int)place; /* the table has a family's members one after another */
        GE_TRY(f->all(text, task, &s->metrics[first], &value[first]));
        i = first + (int)f->n - 1;
    }
done:
    return rc;
}

static ge_status matches(const struct ge_task_scoring *s, const struct ge_task *task,
                         const char *text, double value[GE_METRICS])
{
    ge_status rc = GE_OK;
    enum ge_match m;
    int chosen;
    if (s->metrics[GE_METRIC_EXACT] && task->references.n > 0) {
        GE_TRY(ge_match_exact(text, task, &m));
        set_answered(value, GE_METRIC_EXACT, m);
    }
    if (s->metrics[GE_METRIC_ALIAS] && task->references.n > 0) {
        GE_TRY(ge_match_alias(text, task, &m));
        set_answered(value, GE_METRIC_ALIAS, m);
    }
    if (s->metrics[GE_METRIC_LABEL] && task->labels.n > 0 && task->answer != NULL) {
        GE_TRY(ge_match_label(text, task, &m));
        set_answered(value, GE_METRIC_LABEL, m);
    }
    if (s->metrics[GE_METRIC_CHOICE] && task->choices.n > 0 && task->answer != NULL) {
        GE_TRY(ge_match_choice(text, task, &chosen, &m));
        set_answered(value, GE_METRIC_CHOICE, m);
    }
    if (s->metrics[GE_METRIC_NUMBER] && task->n_objects > 0) {
        GE_TRY(ge_match_number(text, task, &m));
        set_answered(value, GE_METRIC_NUMBER, m);
    }
done:
    return rc;
}

/* ---- the verdict --------------------------------------------------------------------------- */

static ge_status recorded_verdict(const struct ge_answer *answer, struct ge_score *out)
{
    double sum = 0;
    for (uint32_t i = 0; i < answer->n_judgements; i++) {
        if (!(answer->judgements[i] >= 0 && answer->judgements[i] <= 1)) {
            return ge_fail(GE_EFORMAT, "a recorded verdict is %g; allowed is 0 to 1",
                           answer->judgements[i]);
        }
        sum += answer->judgements[i];
    }
    out->verdict = sum / answer->n_judgements;
    out->rule = GE_RULE_RECORDED;
    out->judges = answer->n_judgements;
    return GE_OK;
}

static bool beyond_threshold(const struct ge_task_scoring *s, double v)
{
    return s->lower_is_better ? v <= s->threshold : v >= s->threshold;
}

/* The metric that the rule reads must have a value; says what the item lacks if it has none. */
static ge_status rule_verdict(const struct ge_task_scoring *s, const struct ge_answer *answer,
                              struct ge_score *out)
{
    enum ge_rule rule = s->rule;
    enum ge_metric_id id = ge_rule_metric(rule);
    if (id == GE_METRIC_NONE) id = s->metric;
    if (rule == GE_RULE_CONTRASTIVE && isnan(out->value[id]) && s->fallback != GE_METRIC_NONE) {
        rule = GE_RULE_THRESHOLD;
        id = s->fallback;
    }
    double v = out->value[id];
    if (isnan(v)) {
        return ge_fail(GE_EINVAL,
                       "rule \"%s\" of task \"%s\" needs %s, which this %s answer and item do not "
                       "give: see docs/dataset.md for the keys that the rule reads",
                       ge_rule_name(s->rule), s->task, ge_metric_info(id)->name,
                       answer->text != NULL ? "text" : "image");
    }
    bool right;
    switch (rule) {
    case GE_RULE_CONTRASTIVE:
        right = v > s->margin;
        break;
    case GE_RULE_THRESHOLD:
        right = beyond_threshold(s, v);
        break;
    default:
        right = v == 1;
        break;
    }
    out->verdict = right;
    out->rule = (uint16_t)rule;
    out->judges = 1;
    return GE_OK;
}

ge_status ge_score_sample(const struct ge_task_scoring *s, const struct ge_task *task,
                          const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                          struct ge_score *out)
{
    ge_status rc = GE_OK;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < GE_METRICS; i++) out->value[i] = NAN;
    if (answer->text != NULL) {
        GE_TRY(matches(s, task, answer->text, out->value));
        GE_TRY(text_metrics(s, task, answer->text, out->value));
    }
    GE_TRY(ge_compare_values(s, task, answer, lookup, ctx, out->value));
    GE_TRY(ge_picture_values(s, task, answer, lookup, ctx, out->value));
    set_margins(s, out->value);
    bool has_recorded = answer->n_judgements > 0 && s->recorded != GE_RECORDED_IGNORE;
    if (s->recorded == GE_RECORDED_REQUIRE && !has_recorded) {
        GE_TRY(ge_fail(GE_EFORMAT, "the answer carries no verdict, and the job requires one"));
    }
    if (s->rule == GE_RULE_NONE) {
        out->verdict = NAN;
    } else if (has_recorded) {
        GE_TRY(recorded_verdict(answer, out));
    } else if (s->copies == GE_COPIES_ZERO && !task->may_copy &&
               out->value[GE_METRIC_COPY_DETECTED] == 1) {
        out->rule = GE_RULE_COPY;
        out->judges = 1;
    } else {
        GE_TRY(rule_verdict(s, answer, out));
    }
done:
    return rc;
}
