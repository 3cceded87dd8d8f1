/* BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019), XLM-R (Conneau et al. 2020) and MPNet (Song et al.
 * 2020) as encoders of sentences: token rows of the transformer, then the sentence-transformers
 * pipeline. They are one architecture with other positions, tensor names and, in MPNet, a bias of
 * the attention scores that depends on the distance. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/sentence.h"

enum {
    BUCKETS = 32, /* MPNet's distances */
    MPNET_PAD = 1 /* fixed in its class, whatever the configuration says */
};

static const struct ge_layer_names bert_names = {
    .qkv = {"attention.self.query", "attention.self.key", "attention.self.value"},
    .out = "attention.output.dense",
    .norm1 = "attention.output.LayerNorm",
    .fc1 = "intermediate.dense",
    .fc2 = "output.dense",
    .norm2 = "output.LayerNorm",
};
static const struct ge_layer_names mpnet_names = {
    .qkv = {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
    .out = "attention.attn.o",
    .norm1 = "attention.LayerNorm",
    .fc1 = "intermediate.dense",
    .fc2 = "output.dense",
    .norm2 = "output.LayerNorm",
};
static const char *const prefixes[] = {"", "bert.", "roberta.", "mpnet.", NULL};

struct bert {
    struct ge_model head;
    bool from_pad; /* positions count from the pad's id + 1 */
    bool is_mpnet;
    size_t pad, positions, types;
    struct ge_tensor token_table, position_table; /* (vocab, d), (positions, d) */
    struct ge_tensor type_row;                    /* (1, d): token type 0; absent in MPNet */
    struct ge_tensor distance_bias;               /* (heads, 2*max_tokens-1), in MPNet */
    struct ge_norm norm;
    struct ge_layers layers;
    struct ge_sentence *sentence;
};

/* ---- loading ------------------------------------------------------------------------------ */

static ge_status check_kind(const struct ge_config *c)
{
    const char *kind = ge_json_string(ge_json_get(c->json, "position_embedding_type"), "absolute");
    bool decoder;
    ge_status rc = ge_config_bool(c, "is_decoder", false, &decoder);

    if (rc == GE_OK && (decoder || strcmp(kind, "absolute") != 0))
        rc = ge_fail(GE_EUNSUPPORTED,
                     "%s: is_decoder and position_embedding_type \"%s\" are not handled; only "
                     "encoders with absolute positions are",
                     c->file, kind);
    return rc;
}

static ge_status read_config(struct bert *bert, const struct ge_model_source *src,
                             struct ge_layers_config *l)
{
    const struct ge_config c = {src->config, src->config_path, ""};
    const char *type = src->kind->type;
    size_t vocab = 30522, before = 0;
    ge_status rc = GE_OK;

    bert->is_mpnet = strcmp(type, "mpnet") == 0;
    bert->from_pad = strcmp(type, "bert") != 0;
    if (bert->is_mpnet) vocab = 30527;
    if (strcmp(type, "roberta") == 0) vocab = 50265;
    GE_TRY(ge_layers_configure(&c, "gelu", l));
    GE_TRY(ge_config_size(&c, "vocab_size", vocab, 1, GE_MAX_VOCAB, &bert->head.vocab));
    GE_TRY(
        ge_config_size(&c, "max_position_embeddings", 512, 1, GE_MAX_POSITIONS, &bert->positions));
    GE_TRY(ge_config_size(&c, "type_vocab_size", 2, 1, GE_MAX_WIDTH, &bert->types));
    GE_TRY(ge_config_size(&c, "pad_token_id", 1, 0, GE_MAX_VOCAB, &bert->pad));
    GE_TRY(check_kind(&c));
    if (bert->is_mpnet) bert->pad = MPNET_PAD;
    if (bert->from_pad) before = bert->pad + 1; /* positions that no token gets */
    if (before >= bert->positions)
        return ge_fail(GE_EFORMAT,
                       "%s: max_position_embeddings %zu leaves no position behind pad_token_id %zu",
                       c.file, bert->positions, bert->pad);
    bert->head.max_tokens = bert->positions - before;
done:
    return rc;
}

/* The bucket of a key `distance` places behind the query (Raffel et al. 2020, with 32 buckets up to
 * 128 places): one for each place up to 7, then eight that grow by a factor of sqrt 2. In whole
 * numbers: bucket 8 + i begins at the first a with a^2 >= 64 * 2^i. Equal to the reference's
 * logarithms for every distance up to 5,000. */
static size_t bucket(long distance)
{
    size_t base = distance > 0 ? BUCKETS / 2 : 0, a = (size_t)labs(distance), i = 0;

    if (a < 8) return base + a;
    while (i < 7 && a * a >= (size_t)64 << (i + 1)) i++;
    return base + 8 + i;
}

/* One row of the bias for the longest text: a shorter one's row is the middle of it. */
static ge_status load_distance_bias(struct bert *bert, const struct ge_weights *w,
                                    const struct ge_config *c, size_t heads)
{
    size_t longest = bert->head.max_tokens, n = 2 * longest - 1, buckets, total;
    float *stored = NULL, *rows = NULL;
    ge_status rc = GE_OK;

    GE_TRY(
        ge_config_size(c, "relative_attention_num_buckets", BUCKETS, BUCKETS, 1 << 16, &buckets));
    GE_TRY(
        ge_weights_read(w, "encoder", "relative_attention_bias.weight", buckets, heads, &stored));
    GE_TRY(ge_mul(n, heads, &total));
    GE_NEW(rows, total);
    for (size_t i = 0; i < n; i++) {
        size_t b = bucket((long)i - (long)(longest - 1));
        for (size_t h = 0; h < heads; h++) rows[h * n + i] = stored[b * heads + h];
    }
    GE_TRY(ge_weights_upload(w, rows, heads, n, GE_F32, &bert->distance_bias));
done:
    free(stored);
    free(rows);
    return rc;
}

static ge_status load_tensors(struct bert *bert, const struct ge_weights *w,
                              const struct ge_config *c, const struct ge_layers_config *l)
{
    float *types = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_weights_table(w, "embeddings", "word_embeddings.weight", bert->head.vocab, l->width,
                            &bert->token_table));
    GE_TRY(ge_weights_table(w, "embeddings", "position_embeddings.weight", bert->positions,
                            l->width, &bert->position_table));
    if (bert->is_mpnet) {
        GE_TRY(load_distance_bias(bert, w, c, l->heads));
    } else {
        GE_TRY(ge_weights_read(w, "embeddings", "token_type_embeddings.weight", bert->types,
                               l->width, &types));
        GE_TRY(ge_weights_upload(w, types, 1, l->width, w->dtype, &bert->type_row));
    }
    GE_TRY(ge_weights_norm(w, "embeddings", "LayerNorm", l->width, l->eps, &bert->norm));
    GE_TRY(ge_layers_load(&bert->layers, l, bert->is_mpnet ? &mpnet_names : &bert_names, w,
                          "encoder.layer"));
done:
    free(types);
    return rc;
}

static ge_status bert_load(struct ge_model *m, const struct ge_model_source *src)
{
    const struct ge_weights w = ge_model_weights(src, prefixes);
    const struct ge_config c = {src->config, src->config_path, ""};
    struct ge_layers_config layers = {
        .width = 768, .heads = 12, .ff = 3072, .layers = 12, .eps = 1e-12f, .post_norm = true};
    struct bert *bert = (struct bert *)m;
    ge_status rc = GE_OK;

    m->norm_epsilon = 1e-12f; /* torch's F.normalize */
    GE_TRY(read_config(bert, src, &layers));
    GE_TRY(load_tensors(bert, &w, &c, &layers));
    GE_TRY(ge_sentence_load(src, layers.width, &bert->sentence));
    m->dim = ge_sentence_dim(bert->sentence);
    m->sentence = ge_sentence_text(bert->sentence);
    m->token_layers = layers.layers;
    m->token_width = layers.width;
done:
    return rc;
}

static void bert_free(struct ge_model *m)
{
    struct bert *bert = (struct bert *)m;

    ge_buffer_delete(&bert->token_table.buf);
    ge_buffer_delete(&bert->position_table.buf);
    ge_buffer_delete(&bert->type_row.buf);
    ge_buffer_delete(&bert->distance_bias.buf);
    ge_norm_free(&bert->norm);
    ge_layers_free(&bert->layers);
    ge_sentence_delete(&bert->sentence);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* RoBERTa's rule: a token that is no pad has the place behind the last such token, counted from pad + 1;
 * one that is (a text may spell it out) has the pad's own place. */
static void count_from_pad(const struct bert *bert, const struct ge_text_batch *b, int32_t *out)
{
    size_t at = 0;

    for (size_t text = 0; text < b->texts; text++) {
        int32_t next = (int32_t)bert->pad + 1;
        for (; at < (size_t)b->ends[text]; at++)
            out[at] = (size_t)b->ids[at] == bert->pad ? (int32_t)bert->pad : next++;
    }
}

static ge_status upload_positions(struct bert *bert, const struct ge_text_batch *b,
                                  struct ge_tensor *out)
{
    struct ge_workspace *ws = &bert->head.ws;
    const int32_t *positions = b->positions;
    int32_t *counted;
    ge_status rc = GE_OK;

    if (bert->from_pad) {
        GE_TRY(ge_workspace_host(ws, GE_SLOT_POSITIONS, b->tokens, &counted));
        count_from_pad(bert, b, counted);
        positions = counted;
    }
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_POSITIONS, positions, b->tokens, out));
done:
    return rc;
}

/* Token rows behind the first `layer` layers; *ends: of the texts among them. */
static ge_status run_tokens(struct bert *bert, const struct ge_text_batch *b, size_t layer,
                            struct ge_tensor *rows, struct ge_tensor *ends)
{
    struct ge_workspace *ws = &bert->head.ws;
    struct ge_sequences s = {.longest = b->longest};
    size_t longest = b->longest, middle = (bert->distance_bias.cols + 1) / 2;
    struct ge_tensor ids, positions, x;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_IDS, b->ids, b->tokens, &ids));
    GE_TRY(upload_positions(bert, b, &positions));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, b->ends, b->texts, &s.ends));
    if (bert->is_mpnet)
        s.bias = ge_tensor_cols(bert->distance_bias, middle - longest, 2 * longest - 1);
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, b->tokens, bert->layers.config.width, bert->head.dtype,
                            &x));
    GE_TRY(ge_embed(ws->dev, ids, positions, bert->token_table, bert->type_row,
                    bert->position_table, x));
    GE_TRY(ge_norm_run(&bert->norm, ws->dev, x, x));
    GE_TRY(ge_layers_run_first(&bert->layers, ws, x, &s, layer));
    *rows = x;
    *ends = s.ends;
done:
    return rc;
}

static ge_status bert_texts(struct ge_model *m, const struct ge_text_batch *b,
                            struct ge_tensor *out)
{
    struct bert *bert = (struct bert *)m;
    struct ge_tensor rows, ends;
    ge_status rc = GE_OK;

    GE_TRY(run_tokens(bert, b, bert->layers.config.layers, &rows, &ends));
    GE_TRY(ge_sentence_run(bert->sentence, &m->ws, b, rows, ends, out));
done:
    return rc;
}

static ge_status bert_states(struct ge_model *m, const struct ge_text_batch *b, size_t layer,
                             struct ge_tensor *out)
{
    struct ge_tensor ends;

    return run_tokens((struct bert *)m, b, layer, out, &ends);
}

static size_t bert_bytes(const struct ge_model *m, size_t images, size_t tokens)
{
    (void)images;
    return ge_layers_bytes(&((const struct bert *)m)->layers.config, tokens, m->dtype);
}

static void bert_describe(const struct ge_model *m, struct ge_jsonw *w)
{
    const struct bert *bert = (const struct bert *)m;

    ge_jsonw_object(w, "text");
    ge_layers_describe(&bert->layers.config, w);
    ge_jsonw_int(w, "max_tokens", (int64_t)m->max_tokens);
    ge_sentence_describe(bert->sentence, w);
    ge_jsonw_object_end(w);
}

const struct ge_model_ops ge_bert_ops = {
    .size = sizeof(struct bert),
    .load = bert_load,
    .texts = bert_texts,
    .states = bert_states,
    .bytes = bert_bytes,
    .describe = bert_describe,
    .free = bert_free,
};
