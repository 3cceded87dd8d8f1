#include "score/pictures.h"

#include <math.h>
#include <string.h>

#include "metric/picture.h"

static bool wants_pictures(const struct ge_task_scoring *s)
{
    return s->metrics[GE_METRIC_PHASH_DISTANCE] || s->metrics[GE_METRIC_COPY_CORRELATION] ||
           s->metrics[GE_METRIC_COPY_DETECTED];
}

static bool wants_ssim(const struct ge_task_scoring *s)
{
    return s->metrics[GE_METRIC_SSIM_SKIMAGE] || s->metrics[GE_METRIC_SSIM_TORCHMETRICS];
}

static bool applies(const struct ge_task *task, const struct ge_answer *answer)
{
    return answer->image != NULL && task->reference_images.n > 0;
}

static struct ge_score_input picture(const char *path, bool is_answer)
{
    return (struct ge_score_input){GE_ROLE_PIXELS, GE_INPUT_PICTURE, "", path, is_answer};
}

static struct ge_score_input pair(const char *answer, const char *reference)
{
    return (struct ge_score_input){GE_ROLE_PIXELS, GE_INPUT_PAIR, reference, answer, false};
}

ge_status ge_picture_needs(const struct ge_task_scoring *s, const struct ge_task *task,
                           const struct ge_answer *answer, ge_score_need_fn *need, void *ctx)
{
    ge_status rc = GE_OK;
    const struct ge_strings *references = &task->reference_images;
    struct ge_score_input in;
    if (!applies(task, answer)) goto done;
    if (wants_pictures(s)) {
        in = picture(answer->image, true);
        GE_TRY(need(ctx, &in));
        for (size_t i = 0; i < references->n; i++) {
            in = picture(references->v[i], false);
            GE_TRY(need(ctx, &in));
        }
        if (task->images.n > 0) {
            in = picture(task->images.v[0], false);
            GE_TRY(need(ctx, &in));
        }
    }
    for (size_t i = 0; wants_ssim(s) && i < references->n; i++) {
        in = pair(answer->image, references->v[i]);
        GE_TRY(need(ctx, &in));
    }
done:
    return rc;
}

/* ---- values -------------------------------------------------------------------------------- */

/* Numbers of an input; NULL in *out if its content cannot be read. */
static ge_status look_up(ge_score_lookup_fn *lookup, void *ctx, const struct ge_score_input *in,
                         const float **out)
{
    struct ge_embedding e;
    ge_status rc = lookup(ctx, in, &e);
    *out = NULL;
    if (rc == GE_OK) *out = e.rows;
    if (rc != GE_OK && in->is_answer) return ge_fail_in(rc, "answer");
    if (!ge_status_is_content(rc) && rc != GE_ENOENT) return rc;
    ge_error_clear();
    return GE_OK;
}

/* The nearest reference by hash, and the most correlated one. */
static ge_status compare_pictures(const struct ge_task *task, const struct ge_answer *answer,
                                  ge_score_lookup_fn *lookup, void *ctx, double *distance,
                                  double *correlation)
{
    ge_status rc = GE_OK;
    const float *own, *input = NULL, *reference;
    struct ge_score_input in = picture(answer->image, true);
    bool edit = task->images.n > 0;
    GE_TRY(look_up(lookup, ctx, &in, &own));
    if (edit) {
        in = picture(task->images.v[0], false);
        GE_TRY(look_up(lookup, ctx, &in, &input));
    }
    uint64_t hash = ge_picture_phash(own);
    for (size_t i = 0; i < task->reference_images.n; i++) {
        in = picture(task->reference_images.v[i], false);
        GE_TRY(look_up(lookup, ctx, &in, &reference));
        if (reference == NULL) continue;
        double d = ge_phash_distance(hash, ge_picture_phash(reference));
        double c = edit && input == NULL ? NAN : ge_picture_correlation(own, reference, input);
        if (!(*distance <= d)) *distance = d;
        if (!isnan(c) && !(*correlation >= c)) *correlation = c;
    }
done:
    return rc;
}

/* The largest similarity over the references, by dialect. */
static ge_status compare_pixels(const struct ge_task *task, const struct ge_answer *answer,
                                ge_score_lookup_fn *lookup, void *ctx, double best[2])
{
    ge_status rc = GE_OK;
    const float *numbers;
    for (size_t i = 0; i < task->reference_images.n; i++) {
        struct ge_score_input in = pair(answer->image, task->reference_images.v[i]);
        double v[2];
        GE_TRY(look_up(lookup, ctx, &in, &numbers));
        if (numbers == NULL) continue;
        memcpy(v, numbers, sizeof v);
        for (int k = 0; k < 2; k++) {
            if (!isnan(v[k]) && !(best[k] >= v[k])) best[k] = v[k];
        }
    }
done:
    return rc;
}

ge_status ge_picture_values(const struct ge_task_scoring *s, const struct ge_task *task,
                            const struct ge_answer *answer, ge_score_lookup_fn *lookup, void *ctx,
                            double value[GE_METRICS])
{
    ge_status rc = GE_OK;
    double distance = NAN, correlation = NAN, ssim[2] = {NAN, NAN};
    if (!applies(task, answer)) goto done;
    if (wants_pictures(s)) {
        GE_TRY(compare_pictures(task, answer, lookup, ctx, &distance, &correlation));
    }
    if (wants_ssim(s)) GE_TRY(compare_pixels(task, answer, lookup, ctx, ssim));
    double detected = isnan(correlation) ? NAN : correlation >= GE_PICTURE_COPY;
    if (s->metrics[GE_METRIC_PHASH_DISTANCE]) value[GE_METRIC_PHASH_DISTANCE] = distance;
    if (s->metrics[GE_METRIC_COPY_CORRELATION]) value[GE_METRIC_COPY_CORRELATION] = correlation;
    if (s->metrics[GE_METRIC_COPY_DETECTED]) value[GE_METRIC_COPY_DETECTED] = detected;
    if (s->metrics[GE_METRIC_SSIM_SKIMAGE]) value[GE_METRIC_SSIM_SKIMAGE] = ssim[0];
    if (s->metrics[GE_METRIC_SSIM_TORCHMETRICS]) value[GE_METRIC_SSIM_TORCHMETRICS] = ssim[1];
done:
    return rc;
}
