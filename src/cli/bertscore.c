#include "cli/bertscore.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/tokenizer.h"

/* The layer whose states are compared. */
static ge_status choose_layer(const struct ge_job_bertscore *how, const char *name,
                              const struct ge_encoder *encoder, size_t *layer)
{
    struct ge_token_shape shape;
    const char *kind = ge_encoder_kind(encoder);
    if (!ge_encoder_token_shape(encoder, &shape)) {
        return ge_fail(GE_EUNSUPPORTED,
                       "the encoder \"%s\" in the role bertscore is a %s model, which has no token "
                       "states; allowed: one of the BERT family (bert, roberta, xlm-roberta, "
                       "mpnet)",
                       name, kind);
    }
    if (how->layer > (int)shape.layers) {
        return ge_fail(GE_EINVAL,
                       "the layer of BERTScore: found %d, allowed: 0 to %zu, the layers of \"%s\"",
                       how->layer, shape.layers, name);
    }
    *layer = how->layer >= 0 ? (size_t)how->layer
                             : ge_bertscore_layer(kind, shape.layers, shape.width, shape.vocab);
    return GE_OK;
}

static bool wants_bertscore(const struct ge_task_scoring *scoring)
{
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        if (scoring->metrics[i] && m->role == GE_ROLE_BERTSCORE) return true;
    }
    return false;
}

/* A job is checked for this when it is loaded. */
static ge_status check_baseline(const struct ge_job_bertscore *how,
                                const struct ge_task_scoring *scoring)
{
    for (int i = GE_METRIC_BERTSCORE_P_RESCALED; i <= GE_METRIC_BERTSCORE_F1_RESCALED; i++) {
        if (!scoring->metrics[i] || how->has_baseline) continue;
        return ge_fail(GE_EINVAL, "%s needs a baseline: --bertscore-baseline P,R,F1",
                       ge_metric_info((enum ge_metric_id)i)->name);
    }
    return GE_OK;
}

static ge_status count_task(struct ge_encoder *encoder, const struct ge_item *item,
                            const struct ge_task *task, struct ge_tokens *tokens,
                            struct ge_idf *idf)
{
    for (size_t k = 0; k < task->references.n; k++) {
        ge_status rc = ge_encoder_token_ids(encoder, task->references.v[k], tokens);
        if (rc != GE_OK) return ge_fail_in(rc, "item %s: references[%zu]", item->id, k);
        ge_idf_add(idf, tokens->ids, tokens->count);
    }
    return GE_OK;
}

/* Count the references of one task type, equal ones each time, as bert_score does with those that it
 * is given. */
static ge_status count_references(struct ge_encoder *encoder, const struct ge_item *items,
                                  size_t n_items, const char *type, struct ge_idf *idf)
{
    ge_status rc = GE_OK;
    struct ge_tokens tokens;
    ge_tokens_init(&tokens);
    for (size_t i = 0; i < n_items; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *task = &items[i].task[d];
            if (!task->present || strcmp(task->type, type) != 0) continue;
            GE_TRY(count_task(encoder, &items[i], task, &tokens, idf));
        }
    }
done:
    ge_tokens_free(&tokens);
    return rc;
}

ge_status ge_bertscore_prepare(const struct ge_job_bertscore *how, const char *name,
                               struct ge_encoder *encoder, const struct ge_item *items,
                               size_t n_items, struct ge_task_scoring *scoring, size_t n_scoring,
                               struct ge_idf ***idf, size_t *layer)
{
    ge_status rc = GE_OK;
    const struct ge_tokenizer *tokenizer = ge_encoder_tokenizer(encoder);
    struct ge_token_shape shape;
    GE_TRY(choose_layer(how, name, encoder, layer));
    (void)ge_encoder_token_shape(encoder, &shape);
    GE_NEW(*idf, n_scoring);
    for (size_t i = 0; i < n_scoring; i++) {
        GE_TRY(check_baseline(how, &scoring[i]));
        scoring[i].bertscore = (struct ge_bertscore_options){
            .cls = ge_tokenizer_special(tokenizer, GE_TOKEN_CLS),
            .sep = ge_tokenizer_special(tokenizer, GE_TOKEN_SEP),
            .has_baseline = how->has_baseline,
            .baseline = {how->p, how->r, how->f1},
        };
        if (!how->idf || !wants_bertscore(&scoring[i])) continue;
        GE_TRY(ge_idf_new(shape.vocab, &(*idf)[i]));
        GE_TRY(count_references(encoder, items, n_items, scoring[i].task, (*idf)[i]));
        scoring[i].bertscore.idf = (*idf)[i];
    }
done:
    return rc;
}

void ge_bertscore_free(struct ge_idf ***idf, size_t n_scoring)
{
    for (size_t i = 0; *idf != NULL && i < n_scoring; i++) ge_idf_delete(&(*idf)[i]);
    free(*idf);
    *idf = NULL;
}

/* ---- flags ------------------------------------------------------------------------------------ */

ge_status ge_bertscore_flags_read(const struct ge_bertscore_flags *flags,
                                  struct ge_job_bertscore *how)
{
    double v[3] = {0};
    const char *at = flags->baseline;
    *how = (struct ge_job_bertscore){.layer = (int)flags->layer, .idf = flags->idf};
    if (flags->layer > 1000) {
        return ge_fail(GE_EINVAL, "--bertscore-layer %ld: wanted at most 1000", flags->layer);
    }
    for (int i = 0; at != NULL && i < 3; i++) {
        char *end;
        v[i] = strtod(at, &end);
        if (end == at || *end != (i < 2 ? ',' : '\0') || !(v[i] >= -1 && v[i] <= 0.999999)) {
            return ge_fail(GE_EINVAL,
                           "--bertscore-baseline %s: wanted P,R,F1, three numbers from -1 to "
                           "0.999999",
                           flags->baseline);
        }
        at = end + 1;
    }
    how->has_baseline = flags->baseline != NULL;
    how->p = v[0];
    how->r = v[1];
    how->f1 = v[2];
    return GE_OK;
}
