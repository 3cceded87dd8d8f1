/* BERT (Devlin et al. 2019) as an encoder of sentences: token rows of the transformer, then the
 * sentence-transformers pipeline. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/sentence.h"

static const struct ge_layer_names names = {
    .qkv = {"attention.self.query", "attention.self.key", "attention.self.value"},
    .out = "attention.output.dense",
    .norm1 = "attention.output.LayerNorm",
    .fc1 = "intermediate.dense",
    .fc2 = "output.dense",
    .norm2 = "output.LayerNorm",
};

struct bert {
    struct ge_model head;
    size_t positions, types;
    struct ge_tensor token_table, position_table; /* (vocab, d), (positions, d) */
    struct ge_tensor type_row;                    /* (1, d): token type 0 */
    struct ge_norm norm;
    struct ge_layers layers;
    struct ge_sentence *sentence;
};

static ge_status read_config(struct bert *bert, const struct ge_model_source *src,
                             struct ge_layers_config *l)
{
    const struct ge_config c = {src->config, src->config_path, ""};
    const char *kind =
        ge_json_string(ge_json_get(src->config, "position_embedding_type"), "absolute");
    bool decoder;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(&c, "hidden_size", 768, 1, GE_MAX_WIDTH, &l->width));
    GE_TRY(ge_config_size(&c, "intermediate_size", 3072, 1, 4 * GE_MAX_WIDTH, &l->ff));
    GE_TRY(ge_config_size(&c, "num_hidden_layers", 12, 0, GE_MAX_LAYERS, &l->layers));
    GE_TRY(ge_config_size(&c, "num_attention_heads", 12, 1, GE_MAX_WIDTH, &l->heads));
    GE_TRY(ge_config_float(&c, "layer_norm_eps", 1e-12, 0, 1, &l->eps));
    GE_TRY(ge_config_activation(&c, "hidden_act", "gelu", &l->act));
    GE_TRY(ge_config_size(&c, "vocab_size", 30522, 1, GE_MAX_VOCAB, &bert->head.vocab));
    GE_TRY(
        ge_config_size(&c, "max_position_embeddings", 512, 1, GE_MAX_POSITIONS, &bert->positions));
    GE_TRY(ge_config_size(&c, "type_vocab_size", 2, 1, GE_MAX_WIDTH, &bert->types));
    GE_TRY(ge_config_bool(&c, "is_decoder", false, &decoder));
    if (l->width % l->heads != 0)
        return ge_fail(GE_EFORMAT, "%s: hidden_size %zu is not a multiple of %zu heads", c.file,
                       l->width, l->heads);
    if (decoder || strcmp(kind, "absolute") != 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "%s: is_decoder and position_embedding_type \"%s\" are not handled; only "
                       "encoders with absolute positions are",
                       c.file, kind);
    l->post_norm = true;
done:
    return rc;
}

static ge_status load_tensors(struct bert *bert, const struct ge_weights *w,
                              const struct ge_layers_config *l)
{
    float *types = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_table(w, "embeddings", "word_embeddings.weight", bert->head.vocab, l->width,
                            &bert->token_table));
    GE_TRY(ge_weights_table(w, "embeddings", "position_embeddings.weight", bert->positions,
                            l->width, &bert->position_table));
    GE_TRY(ge_weights_read(w, "embeddings", "token_type_embeddings.weight", bert->types, l->width,
                           &types));
    GE_TRY(ge_weights_upload(w, types, 1, l->width, w->dtype, &bert->type_row));
    GE_TRY(ge_weights_norm(w, "embeddings", "LayerNorm", l->width, l->eps, &bert->norm));
    GE_TRY(ge_layers_load(&bert->layers, l, &names, w, "encoder.layer"));
done:
    free(types);
    return rc;
}

static void bert_free(struct ge_model *m)
{
    struct bert *bert = (struct bert *)m;

    ge_buffer_delete(&bert->token_table.buf);
    ge_buffer_delete(&bert->position_table.buf);
    ge_buffer_delete(&bert->type_row.buf);
    ge_norm_free(&bert->norm);
    ge_layers_free(&bert->layers);
    ge_sentence_delete(&bert->sentence);
    ge_workspace_free(&m->ws);
    free(bert);
}

static ge_status bert_texts(struct ge_model *m, const struct ge_text_batch *b,
                            struct ge_tensor *out)
{
    struct bert *bert = (struct bert *)m;
    struct ge_workspace *ws = &m->ws;
    struct ge_tensor ids, positions, ends, x;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_IDS, b->ids, b->tokens, &ids));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_POSITIONS, b->positions, b->tokens, &positions));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, b->ends, b->texts, &ends));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, b->tokens, bert->layers.config.width, m->dtype, &x));
    GE_TRY(ge_embed(ws->dev, ids, positions, bert->token_table, bert->type_row,
                    bert->position_table, x));
    GE_TRY(ge_layernorm(ws->dev, x, bert->norm.gain, bert->norm.bias, bert->norm.eps, x));
    GE_TRY(ge_layers_run(&bert->layers, ws, x, ends, b->longest));
    GE_TRY(ge_sentence_run(bert->sentence, ws, b, x, ends, out));
done:
    return rc;
}

static void bert_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    const struct bert *bert = (const struct bert *)m;
    const struct ge_layers_config *c = &bert->layers.config;

    ge_jsonw_object(w, "text");
    ge_layers_describe(c, w);
    ge_jsonw_int(w, "max_tokens", (int64_t)m->max_tokens);
    ge_sentence_describe(bert->sentence, w);
    ge_jsonw_object_end(w);
}

const struct ge_sentence_text *ge_bert_text(const struct ge_model *m)
{
    return ge_sentence_text(((const struct bert *)m)->sentence);
}

static const struct ge_model_ops bert_ops = {
    .kind = "bert",
    .texts = bert_texts,
    .describe = bert_describe,
    .free = bert_free,
};

ge_status ge_bert_load(const struct ge_model_source *src, struct ge_model **m)
{
    struct ge_layers_config layers = {0};
    struct ge_checkpoint *checkpoint = NULL;
    struct bert *bert = NULL;
    struct ge_weights w;
    ge_status rc = GE_OK;

    GE_NEW(bert, 1);
    bert->head.ops = &bert_ops;
    bert->head.ws.dev = src->dev;
    bert->head.dtype = src->dtype;
    bert->head.norm_epsilon = 1e-12f; /* torch's F.normalize */
    GE_TRY(read_config(bert, src, &layers));
    GE_TRY(ge_checkpoint_open(src->transformer_folder, &checkpoint));
    ge_checkpoint_describe(checkpoint, src->hasher);
    w = (struct ge_weights){src->dev, checkpoint, "bert.", src->dtype};
    GE_TRY(load_tensors(bert, &w, &layers));
    GE_TRY(ge_sentence_load(src, layers.width, &bert->sentence));
    bert->head.dim = ge_sentence_dim(bert->sentence);
    bert->head.max_tokens = bert->positions;
    *m = &bert->head;
    bert = NULL;
done:
    ge_checkpoint_close(&checkpoint);
    if (bert != NULL) bert_free(&bert->head);
    return rc;
}
