#include "model/text_tower.h"

static const struct ge_tensor none = {0};

const struct ge_layer_names ge_clip_layer_names = {
    .qkv = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
    .out = "self_attn.out_proj",
    .norm1 = "layer_norm1",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .norm2 = "layer_norm2",
};

ge_status ge_text_tower_load(struct ge_text_tower *t, struct ge_model *m, const struct ge_config *c,
                             const struct ge_layers_config *layers, size_t vocab, size_t positions,
                             const struct ge_weights *w)
{
    size_t d = layers->width;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_size(c, "vocab_size", vocab, 1, GE_MAX_VOCAB, &m->vocab));
    GE_TRY(ge_config_size(c, "max_position_embeddings", positions, 2, GE_MAX_POSITIONS,
                          &m->max_tokens));
    GE_TRY(
        ge_weights_table(w, "embeddings", "token_embedding.weight", m->vocab, d, &t->token_table));
    GE_TRY(ge_weights_table(w, "embeddings", "position_embedding.weight", m->max_tokens, d,
                            &t->position_table));
    GE_TRY(ge_layers_load(&t->layers, layers, &ge_clip_layer_names, w, "encoder.layers"));
    GE_TRY(ge_weights_norm(w, "", "final_layer_norm", d, layers->eps, &t->final_norm));
done:
    return rc;
}

void ge_text_tower_free(struct ge_text_tower *t)
{
    ge_buffer_delete(&t->token_table.buf);
    ge_buffer_delete(&t->position_table.buf);
    ge_layers_free(&t->layers);
    ge_norm_free(&t->final_norm);
    ge_linear_free(&t->projection);
}

static void describe(const struct ge_text_tower *t, const struct ge_model *m, struct ge_jsonw *w)
{
    ge_jsonw_object(w, "text");
    ge_layers_describe(&t->layers.config, w);
    ge_jsonw_int(w, "max_tokens", (int64_t)m->max_tokens);
    ge_jsonw_object_end(w);
}

size_t ge_two_towers_bytes(const struct ge_model *m, const struct ge_vit *vision,
                           const struct ge_text_tower *text, size_t images, size_t tokens)
{
    const struct ge_layers_config *layers = &text->layers.config;
    size_t pictures = m->kind->images ? images * ge_vit_bytes(vision, m->dtype) : 0;
    size_t texts = m->kind->texts ? ge_layers_bytes(layers, tokens, m->dtype) : 0;

    return pictures > texts ? pictures : texts;
}

void ge_two_towers_describe(const struct ge_model *m, const struct ge_vit *vision,
                            const struct ge_text_tower *text, struct ge_jsonw *w)
{
    if (m->kind->images) ge_vit_describe(vision, w);
    if (m->kind->texts) describe(text, m, w);
}

ge_status ge_text_tower_run(const struct ge_text_tower *t, struct ge_model *m,
                            const struct ge_text_batch *b, const int32_t *pick,
                            struct ge_tensor *out)
{
    const struct ge_linear *projection = t->projection.w != NULL ? &t->projection : NULL;
    struct ge_workspace *ws = &m->ws;
    struct ge_sequences s = {.longest = b->longest};
    struct ge_tensor ids, positions, x, rows;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_IDS, b->ids, b->tokens, &ids));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_POSITIONS, b->positions, b->tokens, &positions));
    GE_TRY(ge_workspace_ints(ws, GE_SLOT_ENDS, b->ends, b->texts, &s.ends));
    GE_TRY(ge_workspace_get(ws, GE_SLOT_X, b->tokens, t->layers.config.width, m->dtype, &x));
    GE_TRY(ge_embed(ws->dev, ids, positions, t->token_table, none, t->position_table, x));
    if (t->layers.config.picked) {
        GE_TRY(ge_layers_run_picked(&t->layers, ws, x, &s, pick, b->texts, &rows));
    } else {
        GE_TRY(ge_layers_run(&t->layers, ws, x, &s));
        GE_TRY(ge_pick_rows(ws, x, pick, b->texts, &rows));
    }
    GE_TRY(ge_project_rows(ws, rows, &t->final_norm, projection, out));
done:
    return rc;
}
