/* What BERTScore needs beside its encoder: which layer, which tokens are special, how much each counts. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/session.h"
#include "text/tokenizer.h"

/* The layer whose states are compared. */
static ge_status choose_layer(struct ge_session *s, const struct ge_encoder *encoder)
{
    const struct ge_job *job = s->job;
    const char *name = job->scoring.bertscore->name, *kind = ge_encoder_kind(encoder);
    int layer = job->scoring.how_bertscore.layer;
    struct ge_token_shape shape;
    if (!ge_encoder_token_shape(encoder, &shape)) {
        return ge_fail(GE_EUNSUPPORTED,
                       "scoring.roles.bertscore: the encoder \"%s\" is a %s model, which has no "
                       "token states; allowed: one of the BERT family (bert, roberta, "
                       "xlm-roberta, mpnet)",
                       name, kind);
    }
    if (layer > (int)shape.layers) {
        return ge_fail(GE_EINVAL,
                       "scoring.bertscore.layer: found %d, allowed: 0 to %zu, the layers of \"%s\"",
                       layer, shape.layers, name);
    }
    s->evaluator.bertscore_layer =
        layer >= 0 ? (size_t)layer
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

/* Count the references of one task type over the dataset, equal ones each time, as bert_score does
 * with the references that it is given. */
static ge_status count_references(const struct ge_session *s, struct ge_encoder *encoder,
                                  const char *type, struct ge_idf *idf)
{
    ge_status rc = GE_OK;
    struct ge_tokens tokens;
    ge_tokens_init(&tokens);
    for (size_t i = 0; i < s->dataset->n; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            const struct ge_task *task = &s->dataset->items[i].task[d];
            if (!task->present || strcmp(task->type, type) != 0) continue;
            for (size_t k = 0; k < task->references.n; k++) {
                rc = ge_encoder_token_ids(encoder, task->references.v[k], &tokens);
                if (rc != GE_OK) {
                    GE_TRY(ge_fail_in(rc, "item %s: references[%zu]", s->dataset->items[i].id, k));
                }
                ge_idf_add(idf, tokens.ids, tokens.count);
            }
        }
    }
done:
    ge_tokens_free(&tokens);
    return rc;
}

static ge_status count_all(struct ge_session *s, struct ge_encoder *encoder)
{
    ge_status rc = GE_OK;
    struct ge_token_shape shape;
    (void)ge_encoder_token_shape(encoder, &shape); /* has it: choose_layer() */
    GE_NEW(s->idf, s->n_scoring);
    for (size_t i = 0; i < s->n_scoring; i++) {
        if (!wants_bertscore(&s->scoring[i])) continue;
        GE_TRY(ge_idf_new(shape.vocab, &s->idf[i]));
        GE_TRY(count_references(s, encoder, s->scoring[i].task, s->idf[i]));
        s->scoring[i].bertscore.idf = s->idf[i];
    }
done:
    return rc;
}

ge_status ge_session_prepare_bertscore(struct ge_session *s)
{
    ge_status rc = GE_OK;
    const struct ge_job_scoring *job = &s->job->scoring;
    if (job->bertscore == NULL) return GE_OK;
    struct ge_encoder *encoder = s->encoders[job->bertscore - s->job->encoders];
    const struct ge_tokenizer *tokenizer = ge_encoder_tokenizer(encoder);
    GE_TRY(choose_layer(s, encoder));
    for (size_t i = 0; i < s->n_scoring; i++) {
        s->scoring[i].bertscore = (struct ge_bertscore_options){
            .cls = ge_tokenizer_special(tokenizer, GE_TOKEN_CLS),
            .sep = ge_tokenizer_special(tokenizer, GE_TOKEN_SEP),
            .has_baseline = job->how_bertscore.has_baseline,
            .baseline = {job->how_bertscore.p, job->how_bertscore.r, job->how_bertscore.f1},
        };
    }
    if (job->how_bertscore.idf) GE_TRY(count_all(s, encoder));
done:
    return rc;
}
