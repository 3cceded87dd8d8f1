#include "cli/score_pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/mem.h"
#include "cli/show.h"
#include "text/tokenizer.h"

/* The pairs of one metric, in the order of the task. */
struct pairs {
    const struct ge_session *session;
    const struct ge_task_scoring *scoring;
    float *answer, *other; /* (dim) */
    struct ge_arena *arena;
    struct ge_token_states tokens; /* of the answer, in the arena */
    bool answer_failed;
};

/* ---- embeddings --------------------------------------------------------------------------- */

/* Embed one image or text; `v` (dim) is normalised, *norm is the Euclidean norm before. */
static ge_status embed_input(const struct ge_session *s, struct ge_encoder *e,
                             const struct ge_score_input *in, float *v, double *norm)
{
    ge_status rc = GE_OK;
    const struct ge_preprocess *p = ge_encoder_preprocess(e);
    struct ge_image image = {0};
    uint8_t *pixels = NULL;
    char *text = NULL;
    double sum = 0;
    if (in->kind == GE_INPUT_IMAGE) {
        if (p == NULL) GE_TRY(ge_fail(GE_EINVAL, "the encoder takes no images"));
        GE_NEW(pixels, ge_preprocess_size(p));
        GE_TRY(ge_image_decode_file(in->what, &s->switches.image, &image));
        GE_TRY(ge_preprocess_pixels(p, &image, pixels));
    } else {
        GE_TRY_PTR(text, ge_sprintf("%s%s", in->prefix, in->what));
    }
    const uint8_t *picture = pixels;
    const char *words = text;
    for (int normalize = 0; normalize < 2; normalize++) {
        GE_TRY(in->kind == GE_INPUT_IMAGE ? ge_encoder_images(e, &picture, 1, normalize, v)
                                          : ge_encoder_texts(e, &words, 1, normalize, v, NULL));
        if (normalize) break;
        for (size_t i = 0; i < ge_encoder_dim(e); i++) sum += (double)v[i] * (double)v[i];
    }
    *norm = sqrt(sum);
done:
    ge_image_free(&image);
    free(pixels);
    free(text);
    return rc;
}

static ge_status show_vector(struct pairs *p, int index, const struct ge_score_input *in)
{
    struct ge_encoder *e = p->session->encoders[index];
    const char *name = in->kind == GE_INPUT_IMAGE ? "image" : "text";
    float *v = in->is_answer ? p->answer : p->other;
    double norm = NAN, cosine = 0;
    ge_status rc = embed_input(p->session, e, in, v, &norm);
    if (rc == GE_ENOMEM || rc == GE_EDEVICE) return rc;
    if (in->is_answer) {
        p->answer_failed = rc != GE_OK;
        printf("    answer %-5s by %s, norm %.7g%s%s%s\n", name,
               p->session->job->encoders[index].name, norm,
               in->prefix[0] != '\0' ? ", behind \"" : "", in->prefix,
               in->prefix[0] != '\0' ? "\"" : "");
    }
    if (rc != GE_OK) {
        printf("    cannot be embedded: %s\n", ge_error());
        return GE_OK;
    }
    if (in->is_answer || p->answer_failed) return GE_OK;
    for (size_t i = 0; i < ge_encoder_dim(e); i++) {
        cosine += (double)p->answer[i] * (double)p->other[i];
    }
    printf("    cosine %12.9f with %-5s (norm %.7g) ", cosine, name, norm);
    ge_show_text("", in->kind == GE_INPUT_IMAGE ? ge_fs_basename(in->what) : in->what);
    return GE_OK;
}

/* ---- tokens ------------------------------------------------------------------------------- */

static double row_cosine(const float *a, const float *b, size_t dim)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < dim; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static const char *token_text(const struct ge_tokenizer *t, int32_t id)
{
    const char *text = ge_tokenizer_token(t, id);
    return text != NULL ? text : "?";
}

/* Each token of the answer beside the token of the reference that is nearest to it. */
static void show_matches(const struct ge_tokenizer *t, const struct ge_token_states *a,
                         const struct ge_token_states *b, const double *weights)
{
    for (size_t i = 0; i < a->n; i++) {
        double best = -INFINITY;
        size_t at = 0;
        for (size_t j = 0; j < b->n; j++) {
            double c = row_cosine(a->rows + i * a->dim, b->rows + j * b->dim, a->dim);
            if (!(c > best)) continue;
            best = c;
            at = j;
        }
        printf("      %-16s cosine %12.9f with %-16s weight %.7g\n", token_text(t, a->ids[i]), best,
               token_text(t, b->ids[at]), weights[i]);
    }
}

/* P, R and F1 against one reference, and how the answer's tokens are matched. */
static ge_status show_reference(const struct pairs *p, const struct ge_tokenizer *t,
                                const struct ge_token_states *b, const char *text)
{
    ge_status rc = GE_OK;
    const struct ge_token_states *a = &p->tokens;
    const struct ge_bertscore_options *o = &p->scoring->bertscore;
    struct ge_bertscore score;
    double *weights = NULL, *other = NULL;
    GE_NEW(weights, a->n);
    GE_NEW(other, b->n);
    ge_bertscore_weights(o, a->ids, a->n, weights);
    ge_bertscore_weights(o, b->ids, b->n, other);
    const struct ge_bertscore_text answer = {a->rows, weights, a->n};
    const struct ge_bertscore_text reference = {b->rows, other, b->n};
    GE_TRY(ge_bertscore_pair(&answer, &reference, a->dim, &score));
    printf("    P %.9f, R %.9f, F1 %.9f with %zu tokens ", score.p, score.r, score.f1, b->n);
    ge_show_text("", text);
    show_matches(t, a, b, weights);
done:
    free(weights);
    free(other);
    return rc;
}

static ge_status show_tokens(struct pairs *p, int index, const struct ge_score_input *in)
{
    struct ge_encoder *e = p->session->encoders[index];
    size_t layer = p->session->evaluator.bertscore_layer;
    struct ge_token_states states;
    ge_status rc = ge_encoder_token_states(e, &in->what, 1, layer, p->arena, &states);
    if (rc == GE_ENOMEM || rc == GE_EDEVICE) return rc;
    if (in->is_answer) {
        p->answer_failed = rc != GE_OK;
        if (rc == GE_OK) {
            p->tokens = states;
            printf("    answer by %s, layer %zu: %zu tokens%s\n",
                   p->session->job->encoders[index].name, layer, states.n,
                   states.truncated ? ", cut" : "");
        }
    }
    if (rc != GE_OK) {
        printf("    cannot be embedded: %s\n", ge_error());
        return GE_OK;
    }
    if (in->is_answer || p->answer_failed) return GE_OK;
    return show_reference(p, ge_encoder_tokenizer(e), &states, in->what);
}

/* ---- all ---------------------------------------------------------------------------------- */

/* A ge_score_need_fn that shows what it is asked for. */
static ge_status show_input(void *ctx, const struct ge_score_input *in)
{
    struct pairs *p = ctx;
    if (!ge_role_needs_encoder(in->role)) return GE_OK; /* compared by their pixels */
    int index = p->session->evaluator.role_encoder[in->role];
    if (index < 0) {
        printf("    no encoder for %s (scoring.roles.%s)\n", ge_role_name(in->role),
               ge_role_name(in->role));
        return GE_EINVAL;
    }
    return in->kind == GE_INPUT_TOKENS ? show_tokens(p, index, in) : show_vector(p, index, in);
}

/* Whether a metric has pairs of its own: pixel metrics, margins and all of BERTScore's but the first have not. */
static bool has_pairs(const struct ge_metric_info *m, bool *tokens_shown)
{
    if (!ge_role_needs_encoder(m->role) || m->target == GE_TARGET_MARGIN) return false;
    if (m->target != GE_TARGET_TOKENS) return true;
    bool first = !*tokens_shown;
    *tokens_shown = true;
    return first;
}

ge_status ge_show_pairs(const struct ge_session *s, const struct ge_task_scoring *scoring,
                        const struct ge_task *task, const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    struct pairs p = {.session = s, .scoring = scoring};
    bool tokens_shown = false;
    size_t dim = 1;
    for (size_t i = 0; i < s->job->n_encoders; i++) {
        size_t d = ge_encoder_dim(s->encoders[i]);
        if (d > dim) dim = d;
    }
    GE_TRY_PTR(p.arena, ge_arena_new());
    GE_NEW(p.answer, dim);
    GE_NEW(p.other, dim);
    for (int m = 0; m < GE_METRICS; m++) {
        const struct ge_metric_info *info = ge_metric_info((enum ge_metric_id)m);
        if (!scoring->metrics[m] || !has_pairs(info, &tokens_shown)) continue;
        struct ge_task_scoring one = *scoring;
        memset(one.metrics, 0, sizeof one.metrics);
        one.metrics[m] = true;
        printf("  %s: %s\n", info->name, info->help);
        rc = ge_score_needs(&one, task, answer, show_input, &p);
        if (rc == GE_EINVAL) rc = GE_OK; /* said above; the sample's row has it as an error */
        if (rc != GE_OK) goto done;
    }
done:
    ge_arena_delete(&p.arena);
    free(p.answer);
    free(p.other);
    return rc;
}
