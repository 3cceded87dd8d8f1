/* The kinds of models, and what is the same for all of them. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The tokenizer of a kind without texts is never asked for. */
static const struct ge_model_kind kinds[] = {
    {"clip", &ge_clip_ops, true, true, GE_TOKENIZER_CLIP},
    {"clip_text_model", &ge_clip_ops, false, true, GE_TOKENIZER_CLIP},
    {"clip_vision_model", &ge_clip_ops, true, false, GE_TOKENIZER_CLIP},
    {"siglip", &ge_siglip_ops, true, true, GE_TOKENIZER_SIGLIP},
    {"siglip_text_model", &ge_siglip_ops, false, true, GE_TOKENIZER_SIGLIP},
    {"siglip_vision_model", &ge_siglip_ops, true, false, GE_TOKENIZER_SIGLIP},
    {"dinov2", &ge_dinov2_ops, true, false, GE_TOKENIZER_CLIP},
    {"dinov2_with_registers", &ge_dinov2_ops, true, false, GE_TOKENIZER_CLIP},
    {"bert", &ge_bert_ops, false, true, GE_TOKENIZER_BERT},
    {"roberta", &ge_bert_ops, false, true, GE_TOKENIZER_ROBERTA},
    {"xlm-roberta", &ge_bert_ops, false, true, GE_TOKENIZER_XLM_ROBERTA},
    {"mpnet", &ge_bert_ops, false, true, GE_TOKENIZER_MPNET},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

ge_status ge_model_kind(const char *type, const char *file, const struct ge_model_kind **out)
{
    struct ge_buf known;
    ge_status rc = GE_EUNSUPPORTED;

    for (size_t i = 0; i < KINDS; i++) {
        if (type == NULL || strcmp(type, kinds[i].type) != 0) continue;
        *out = &kinds[i];
        return GE_OK;
    }
    if (type != NULL && strcmp(type, "siglip2") == 0)
        return ge_fail(rc,
                       "%s: model_type \"siglip2\" is NaFlex, SigLIP 2 for pictures of any shape, "
                       "which is not handled; the SigLIP 2 models of fixed resolution are",
                       file);
    ge_buf_init(&known, 4096);
    for (size_t i = 0; i < KINDS; i++)
        ge_buf_printf(&known, "%s%s", i > 0 ? ", " : "", kinds[i].type);
    rc = ge_fail(rc, "%s: model_type \"%.64s\" is not handled; known: %s", file,
                 type != NULL ? type : "(none)", known.data != NULL ? known.data : "?");
    ge_buf_free(&known);
    return rc;
}

struct ge_weights ge_model_weights(const struct ge_model_source *src, const char *const *prefixes)
{
    return (struct ge_weights){src->dev, src->checkpoint, prefixes, src->dtype};
}

ge_status ge_model_tower(const struct ge_model_source *src, const char *key, const char *override,
                         const char *section, struct ge_config *out)
{
    const ge_json *v = override != NULL ? ge_json_get(src->config, override) : NULL;

    if (v == NULL || ge_json_type(v) == GE_JSON_NULL) v = ge_json_get(src->config, key);
    if (v != NULL && ge_json_type(v) == GE_JSON_NULL) v = NULL;
    *out = (struct ge_config){v, src->config_path, section};
    if (!src->kind->images || !src->kind->texts)
        *out = (struct ge_config){src->config, src->config_path, ""};
    else if (v != NULL && ge_json_type(v) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: %s: wanted an object, found %s", src->config_path, key,
                       ge_json_type_name(ge_json_type(v)));
    return GE_OK;
}

ge_status ge_model_load_scale(struct ge_model *m, const struct ge_weights *w)
{
    float *scale = NULL;
    ge_status rc = ge_weights_read(w, "", "logit_scale", 1, 1, &scale);

    if (rc == GE_OK) {
        m->has_scale = true;
        m->logit_scale = scale[0];
    }
    free(scale);
    return rc;
}

ge_status ge_model_new(const struct ge_model_source *src, struct ge_model **out)
{
    struct ge_model *m = ge_calloc(1, src->kind->ops->size);
    ge_status rc;

    *out = NULL;
    if (m == NULL) return GE_ENOMEM;
    m->kind = src->kind;
    m->dtype = src->dtype;
    m->ws.dev = src->dev;
    rc = m->kind->ops->load(m, src);
    if (rc == GE_OK)
        *out = m;
    else
        ge_model_delete(&m);
    return rc;
}

void ge_model_delete(struct ge_model **m)
{
    if (*m == NULL) return;
    (*m)->kind->ops->free(*m);
    ge_workspace_free(&(*m)->ws);
    free(*m);
    *m = NULL;
}
