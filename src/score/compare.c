/* From embeddings to values. A metric makes one comparison or two: the answer with a list of inputs. */
#include "score/compare.h"

#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "metric/clipscore.h"
#include "score/match.h"
#include "score/pictures.h"

/* ---- what is compared with what ----------------------------------------------------------- */

struct comparison {
    struct ge_score_input answer;
    struct ge_score_input other; /* its `what` is one of … */
    const char *const *v;        /* … these (n) */
    size_t n;
};

/* Kind of answer that a metric compares: image_text compares an answer image with texts, except that
 * against the input image it compares an answer text. */
static enum ge_input_kind answer_kind(const struct ge_metric_info *m,
                                      const struct ge_answer *answer)
{
    switch (m->target) {
    case GE_TARGET_TOKENS:
        return GE_INPUT_TOKENS;
    case GE_TARGET_DEPICTED:
        return answer->text != NULL ? GE_INPUT_TEXT : GE_INPUT_IMAGE;
    case GE_TARGET_DEPICTED_REFERENCE:
        return GE_INPUT_TEXT;
    case GE_TARGET_INPUT:
        return m->role == GE_ROLE_IMAGE_IMAGE ? GE_INPUT_IMAGE : GE_INPUT_TEXT;
    default:
        return m->role == GE_ROLE_TEXT_TEXT ? GE_INPUT_TEXT : GE_INPUT_IMAGE;
    }
}

static void against_list(struct comparison *c, const struct ge_strings *list,
                         enum ge_input_kind kind)
{
    c->v = list->v;
    c->n = list->n;
    c->other.kind = kind;
}

static void against_prompt(struct comparison *c, const struct ge_task *task)
{
    c->v = &task->prompt;
    c->n = task->prompt != NULL;
    c->other.kind = GE_INPUT_TEXT;
}

/* The inputs that the metric's target means. */
static void set_others(struct comparison *c, const struct ge_metric_info *m,
                       const struct ge_task *task)
{
    bool images = m->role == GE_ROLE_IMAGE_IMAGE;
    enum ge_input_kind kind = images ? GE_INPUT_IMAGE : GE_INPUT_TEXT;
    switch (m->target) {
    case GE_TARGET_REFERENCE:
        against_list(c, images ? &task->reference_images : &task->references, kind);
        break;
    case GE_TARGET_DISTRACTOR:
        against_list(c, images ? &task->image_distractors : &task->text_distractors, kind);
        break;
    case GE_TARGET_LABELS:
        if (task->answer != NULL) against_list(c, &task->labels, GE_INPUT_TEXT);
        break;
    case GE_TARGET_TOKENS:
        against_list(c, &task->references, GE_INPUT_TOKENS);
        break;
    case GE_TARGET_DEPICTED:
        if (c->answer.kind == GE_INPUT_IMAGE) {
            against_prompt(c, task);
        } else {
            against_list(c, &task->images, GE_INPUT_IMAGE);
        }
        break;
    case GE_TARGET_DEPICTED_REFERENCE:
    case GE_TARGET_INPUT:
        against_list(c, &task->images, GE_INPUT_IMAGE);
        break;
    case GE_TARGET_PROMPT:
        against_prompt(c, task);
        break;
    case GE_TARGET_MARGIN:
    case GE_TARGET_NONE:
        break;
    }
}

/* The comparisons of an enabled metric, into out[2]: how many there are. None if it has no encoder's
 * role, the answer is not of the kind that it compares, or the task lacks what it is compared with. */
static int comparisons(const struct ge_task_scoring *s, enum ge_metric_id id,
                       const struct ge_task *task, const struct ge_answer *answer,
                       struct comparison out[2])
{
    const struct ge_metric_info *m = ge_metric_info(id);
    if (!s->metrics[id] || !ge_role_needs_encoder(m->role)) return 0;
    enum ge_input_kind kind = answer_kind(m, answer);
    const char *what = kind == GE_INPUT_IMAGE ? answer->image : answer->text;
    const char *prefix = m->prefix != NULL ? m->prefix : "";
    if (what == NULL) return 0;
    out[0] = (struct comparison){
        .answer = {m->role, kind, kind == GE_INPUT_IMAGE ? "" : prefix, what, true},
        .other = {.role = m->role},
    };
    set_others(&out[0], m, task);
    out[0].other.prefix = out[0].other.kind == GE_INPUT_IMAGE ? "" : prefix;
    if (out[0].n == 0) return 0;
    if (m->target != GE_TARGET_DEPICTED_REFERENCE) return 1;
    out[1] = out[0];
    out[1].other.prefix = prefix;
    against_list(&out[1], &task->references, GE_INPUT_TEXT);
    return out[1].n == 0 ? 0 : 2;
}

ge_status ge_score_needs(const struct ge_task_scoring *s, const struct ge_task *task,
                         const struct ge_answer *answer, ge_score_need_fn *need, void *ctx)
{
    ge_status rc = GE_OK;
    struct comparison c[2];
    for (int i = 0; i < GE_METRICS; i++) {
        int n = comparisons(s, (enum ge_metric_id)i, task, answer, c);
        for (int k = 0; k < n; k++) {
            GE_TRY(need(ctx, &c[k].answer));
            for (size_t j = 0; j < c[k].n; j++) {
                c[k].other.what = c[k].v[j];
                GE_TRY(need(ctx, &c[k].other));
            }
        }
    }
    GE_TRY(ge_picture_needs(s, task, answer, need, ctx));
done:
    return rc;
}

/* ---- cosines ------------------------------------------------------------------------------ */

struct compare {
    const struct ge_task_scoring *s;
    const struct ge_task *task;
    ge_score_lookup_fn *lookup;
    void *ctx;
};

static double cosine(const float *a, const float *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static ge_status look_up(const struct compare *c, const struct ge_score_input *in,
                         struct ge_embedding *out)
{
    ge_status rc = c->lookup(c->ctx, in, out);
    return rc == GE_OK || !in->is_answer ? rc : ge_fail_in(rc, "answer");
}

/* Largest cosine of the answer and the others, and where; *tied: it is not the only one. */
static ge_status nearest(const struct compare *c, const struct ge_metric_info *m,
                         struct comparison *with, double *best, size_t *at, bool *tied)
{
    struct ge_embedding a, b;
    ge_status rc = GE_OK;
    *best = -INFINITY;
    *tied = false;
    GE_TRY(look_up(c, &with->answer, &a));
    for (size_t k = 0; k < with->n; k++) {
        with->other.what = with->v[k];
        rc = look_up(c, &with->other, &b);
        if (rc != GE_OK) return ge_fail_in(rc, "%s", m->name);
        GE_ASSERT(a.dim == b.dim);
        double v = cosine(a.rows, b.rows, a.dim);
        if (!isfinite(v)) return ge_fail(GE_EFORMAT, "%s is not finite", m->name);
        if (v == *best) *tied = true;
        if (v <= *best) continue;
        *best = v;
        *at = k;
        *tied = false;
    }
done:
    return rc;
}

/* 1 if the right label is the nearest one. */
static ge_status label_value(const struct compare *c, const struct ge_metric_info *m,
                             struct comparison *with, double *value)
{
    ge_status rc = GE_OK;
    double best;
    size_t at = 0;
    bool tied;
    int right;
    GE_TRY(ge_match_find(&c->task->labels, c->task->answer, &right));
    if (right < 0) {
        return ge_fail(GE_EINVAL, "answer \"%s\" is not among the task's %zu labels",
                       c->task->answer, c->task->labels.n);
    }
    GE_TRY(nearest(c, m, with, &best, &at, &tied));
    *value = tied ? NAN : at == (size_t)right;
done:
    return rc;
}

static ge_status cosine_value(const struct compare *c, const struct ge_metric_info *m,
                              struct comparison *with, int n, double *value)
{
    ge_status rc = GE_OK;
    double best, other;
    size_t at;
    bool tied;
    GE_TRY(nearest(c, m, &with[0], &best, &at, &tied));
    if (m->of_cosine != NULL) best = m->of_cosine(best);
    if (n == 2) {
        GE_TRY(nearest(c, m, &with[1], &other, &at, &tied));
        best = ge_refclipscore_25(best, other);
    }
    *value = best;
done:
    return rc;
}

/* ---- tokens ------------------------------------------------------------------------------- */

/* Weights of an embedded text's tokens, in *weights (heap). */
static ge_status weigh(const struct compare *c, const struct ge_embedding *e, double **weights,
                       struct ge_bertscore_text *out)
{
    ge_status rc = GE_OK;
    free(*weights);
    *weights = NULL;
    GE_NEW(*weights, e->n);
    ge_bertscore_weights(&c->s->bertscore, e->ids, e->n, *weights);
    *out = (struct ge_bertscore_text){e->rows, *weights, e->n};
done:
    return rc;
}

/* The best P, R and F1 over the references. */
static ge_status best_bertscore(const struct compare *c, struct comparison *with,
                                struct ge_bertscore *best)
{
    ge_status rc = GE_OK;
    struct ge_embedding a, b;
    struct ge_bertscore_text answer, reference;
    double *answer_weights = NULL, *weights = NULL;
    GE_TRY(look_up(c, &with->answer, &a));
    GE_TRY(weigh(c, &a, &answer_weights, &answer));
    for (size_t k = 0; k < with->n; k++) {
        struct ge_bertscore one;
        with->other.what = with->v[k];
        rc = look_up(c, &with->other, &b);
        if (rc != GE_OK) GE_TRY(ge_fail_in(rc, "reference %zu", k));
        GE_ASSERT(a.dim == b.dim);
        GE_TRY(weigh(c, &b, &weights, &reference));
        GE_TRY(ge_bertscore_pair(&answer, &reference, a.dim, &one));
        if (k == 0) *best = one;
        ge_bertscore_max(best, &one);
    }
done:
    free(answer_weights);
    free(weights);
    return rc;
}

/* All six at once; `with` is the comparison of any of them. */
static ge_status bertscore_values(const struct compare *c, struct comparison *with,
                                  double value[GE_METRICS])
{
    const struct ge_bertscore_options *o = &c->s->bertscore;
    struct ge_bertscore best, rescaled = {NAN, NAN, NAN};
    ge_status rc = best_bertscore(c, with, &best);
    if (rc != GE_OK) return rc;
    if (o->has_baseline) rescaled = ge_bertscore_rescale(&best, &o->baseline);
    const double six[] = {best.p, best.r, best.f1, rescaled.p, rescaled.r, rescaled.f1};
    for (int i = 0; i < 6; i++) {
        int id = GE_METRIC_BERTSCORE_P + i;
        if (c->s->metrics[id] && isfinite(six[i])) value[id] = six[i];
    }
    return GE_OK;
}

/* ---- all ---------------------------------------------------------------------------------- */

ge_status ge_compare_values(const struct ge_task_scoring *s, const struct ge_task *task,
                            const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                            double value[GE_METRICS])
{
    ge_status rc = GE_OK;
    const struct compare c = {s, task, lookup, ctx};
    struct comparison with[2];
    bool tokens_done = false;
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        int n = comparisons(s, (enum ge_metric_id)i, task, answer, with);
        if (n == 0) continue;
        if (m->target == GE_TARGET_LABELS) {
            GE_TRY(label_value(&c, m, with, &value[i]));
        } else if (m->target != GE_TARGET_TOKENS) {
            GE_TRY(cosine_value(&c, m, with, n, &value[i]));
        } else if (!tokens_done) {
            tokens_done = true;
            GE_TRY(bertscore_values(&c, with, value));
        }
    }
done:
    return rc;
}
