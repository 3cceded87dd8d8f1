/* A CLIP folder of a published model's shape with random weights: speed does not depend on what
 * the weights are, and a download would be needed for the real ones. The text tower has no layers
 * and a vocabulary of four tokens. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench.h"

enum { WIDTH = 768, FF = 3072, LAYERS = 12, SIZE = 224, PATCH = 32, DIM = 512 };
enum { TEXT_WIDTH = 64, TEXT_POSITIONS = 8, VOCAB = 4 };
enum { BLOCK = 1 << 18 }; /* elements written at once */

static const char CONFIG[] =
    "{\"model_type\": \"clip\", \"projection_dim\": 512,\n"
    " \"vision_config\": {\"hidden_size\": 768, \"intermediate_size\": 3072,\n"
    "  \"num_hidden_layers\": 12, \"num_attention_heads\": 12, \"image_size\": 224,\n"
    "  \"patch_size\": 32, \"hidden_act\": \"quick_gelu\"},\n"
    " \"text_config\": {\"hidden_size\": 64, \"intermediate_size\": 64, \"num_hidden_layers\": 0,\n"
    "  \"num_attention_heads\": 1, \"vocab_size\": 4, \"max_position_embeddings\": 8,\n"
    "  \"bos_token_id\": 2, \"eos_token_id\": 3, \"hidden_act\": \"quick_gelu\"}}\n";
static const char PREPROCESSOR[] =
    "{\"image_processor_type\": \"CLIPImageProcessor\", \"do_resize\": true,\n"
    " \"size\": {\"shortest_edge\": 224}, \"resample\": 3, \"do_center_crop\": true,\n"
    " \"crop_size\": {\"height\": 224, \"width\": 224}, \"do_rescale\": true,\n"
    " \"do_normalize\": true, \"do_convert_rgb\": true}\n";
static const char VOCABULARY[] = "{\"a\": 0, \"a</w>\": 1, \"<|startoftext|>\": 2, "
                                 "\"<|endoftext|>\": 3}\n";
static const char TOKENIZER[] =
    "{\"tokenizer_class\": \"CLIPTokenizer\", \"unk_token\": \"<|endoftext|>\",\n"
    " \"bos_token\": \"<|startoftext|>\", \"eos_token\": \"<|endoftext|>\",\n"
    " \"pad_token\": \"<|endoftext|>\", \"model_max_length\": 8}\n";

/* What is being written: the header while `fd` is negative, then the tensors in the same order. */
struct writer {
    struct ge_jsonw header;
    const char *path;
    int fd;
    size_t bytes;    /* of the tensors so far */
    uint64_t stream; /* of random numbers: one per tensor */
    float *block;    /* (BLOCK) */
};

static ge_status describe(struct writer *w, const char *name, size_t rows, size_t cols, size_t n)
{
    struct ge_jsonw *h = &w->header;
    ge_jsonw_object(h, name);
    ge_jsonw_string(h, "dtype", "F32");
    ge_jsonw_array(h, "shape");
    if (rows > 0) ge_jsonw_int(h, NULL, (int64_t)rows);
    if (cols > 0) ge_jsonw_int(h, NULL, (int64_t)cols);
    if (strstr(name, "patch_embedding") != NULL) { /* (width, channels, patch, patch) */
        ge_jsonw_int(h, NULL, PATCH);
        ge_jsonw_int(h, NULL, PATCH);
    }
    ge_jsonw_array_end(h);
    ge_jsonw_array(h, "data_offsets");
    ge_jsonw_int(h, NULL, (int64_t)w->bytes);
    ge_jsonw_int(h, NULL, (int64_t)(w->bytes + n * sizeof(float)));
    ge_jsonw_array_end(h);
    ge_jsonw_object_end(h);
    return ge_buf_status(h->out);
}

/* Uniform with the standard deviation 0.02 of CLIP's initialisation, or all `fixed`. */
static ge_status write_values(struct writer *w, size_t n, bool random, float fixed)
{
    const double half_width = 0.02 * 1.7320508075688772;
    for (size_t at = 0; at < n;) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < m; i += 4) {
            uint32_t word[4];
            if (random) ge_philox(32, w->stream, at + i, word);
            for (size_t k = 0; k < 4 && i + k < m; k++) {
                w->block[i + k] = random ? (float)(half_width * (word[k] * 0x1p-31 - 1)) : fixed;
            }
        }
        ge_status rc = ge_fs_write_all(w->fd, w->block, m * sizeof *w->block, w->path);
        if (rc != GE_OK) return rc;
        at += m;
    }
    return GE_OK;
}

/* One tensor (rows, cols); cols = 0: a vector, rows = 0 too: one number. */
static ge_status add(struct writer *w, const char *prefix, const char *name, size_t rows,
                     size_t cols, bool random, float fixed)
{
    ge_status rc = GE_OK;
    size_t n = (rows > 0 ? rows : 1) * (cols > 0 ? cols : 1);
    char *full = ge_sprintf("%s%s", prefix, name);
    if (full == NULL) return GE_ENOMEM;
    if (strstr(name, "patch_embedding") != NULL) n *= (size_t)PATCH * PATCH;
    rc = w->fd < 0 ? describe(w, full, rows, cols, n) : write_values(w, n, random, fixed);
    w->bytes += n * sizeof(float);
    w->stream++;
    free(full);
    return rc;
}

static ge_status add_norm(struct writer *w, const char *prefix, const char *name, size_t width)
{
    ge_status rc = GE_OK;
    char *full = ge_sprintf("%s%s", prefix, name);
    if (full == NULL) return GE_ENOMEM;
    GE_TRY(add(w, full, ".weight", width, 0, false, 1));
    GE_TRY(add(w, full, ".bias", width, 0, false, 0));
done:
    free(full);
    return rc;
}

static ge_status add_linear(struct writer *w, const char *prefix, const char *name, size_t out,
                            size_t in)
{
    ge_status rc = GE_OK;
    char *full = ge_sprintf("%s%s", prefix, name);
    if (full == NULL) return GE_ENOMEM;
    GE_TRY(add(w, full, ".weight", out, in, true, 0));
    GE_TRY(add(w, full, ".bias", out, 0, true, 0));
done:
    free(full);
    return rc;
}

static ge_status add_layer(struct writer *w, int layer)
{
    static const char *const projections[] = {"self_attn.q_proj", "self_attn.k_proj",
                                              "self_attn.v_proj", "self_attn.out_proj"};
    ge_status rc = GE_OK;
    char *prefix = ge_sprintf("vision_model.encoder.layers.%d.", layer);
    if (prefix == NULL) return GE_ENOMEM;
    GE_TRY(add_norm(w, prefix, "layer_norm1", WIDTH));
    for (size_t i = 0; i < sizeof projections / sizeof projections[0]; i++) {
        GE_TRY(add_linear(w, prefix, projections[i], WIDTH, WIDTH));
    }
    GE_TRY(add_norm(w, prefix, "layer_norm2", WIDTH));
    GE_TRY(add_linear(w, prefix, "mlp.fc1", FF, WIDTH));
    GE_TRY(add_linear(w, prefix, "mlp.fc2", WIDTH, FF));
done:
    free(prefix);
    return rc;
}

static ge_status add_tensors(struct writer *w)
{
    const size_t patches = (size_t)(SIZE / PATCH) * (SIZE / PATCH);
    const char *v = "vision_model.", *t = "text_model.";
    ge_status rc = GE_OK;
    w->bytes = 0;
    w->stream = 0;
    GE_TRY(add(w, v, "embeddings.class_embedding", WIDTH, 0, true, 0));
    GE_TRY(add(w, v, "embeddings.patch_embedding.weight", WIDTH, 3, true, 0));
    GE_TRY(add(w, v, "embeddings.position_embedding.weight", patches + 1, WIDTH, true, 0));
    GE_TRY(add_norm(w, v, "pre_layrnorm", WIDTH));
    for (int i = 0; i < LAYERS; i++) GE_TRY(add_layer(w, i));
    GE_TRY(add_norm(w, v, "post_layernorm", WIDTH));
    GE_TRY(add(w, "", "visual_projection.weight", DIM, WIDTH, true, 0));
    GE_TRY(add(w, t, "embeddings.token_embedding.weight", VOCAB, TEXT_WIDTH, true, 0));
    GE_TRY(add(w, t, "embeddings.position_embedding.weight", TEXT_POSITIONS, TEXT_WIDTH, true, 0));
    GE_TRY(add_norm(w, t, "final_layer_norm", TEXT_WIDTH));
    GE_TRY(add(w, "", "text_projection.weight", DIM, TEXT_WIDTH, true, 0));
    GE_TRY(add(w, "", "logit_scale", 0, 0, false, 4.6052F));
done:
    return rc;
}

/* The header: 8 bytes of length, then JSON padded to a multiple of 8. */
static ge_status write_header(struct writer *w, struct ge_buf *json)
{
    unsigned char length[8];
    ge_status rc = GE_OK;
    while (json->status == GE_OK && json->len % 8 != 0) ge_buf_char(json, ' ');
    GE_TRY(ge_buf_status(json));
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)((uint64_t)json->len >> (8 * i));
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        GE_TRY(ge_fail(GE_EIO, "%s cannot be written: %s", w->path, strerror(errno)));
    }
    GE_TRY(ge_fs_write_all(w->fd, length, sizeof length, w->path));
    GE_TRY(ge_fs_write_all(w->fd, json->data, json->len, w->path));
done:
    return rc;
}

static ge_status write_weights(const char *folder)
{
    ge_status rc = GE_OK;
    struct ge_buf json;
    struct writer w = {.fd = -1};
    char *path = NULL;
    ge_buf_init(&json, 1 << 20);
    ge_jsonw_init(&w.header, &json, 0);
    GE_TRY_PTR(path, ge_fs_join(folder, "model.safetensors"));
    w.path = path;
    GE_NEW(w.block, BLOCK);
    ge_jsonw_object(&w.header, NULL);
    GE_TRY(add_tensors(&w));
    ge_jsonw_object_end(&w.header);
    GE_TRY(write_header(&w, &json));
    GE_TRY(add_tensors(&w));
done:
    if (w.fd >= 0) close(w.fd);
    free(w.block);
    free(path);
    ge_buf_free(&json);
    return rc;
}

ge_status ge_bench_make_clip(const char *name, const char *folder)
{
    static const struct {
        const char *name, *text;
    } files[] = {{"config.json", CONFIG},
                 {"preprocessor_config.json", PREPROCESSOR},
                 {"vocab.json", VOCABULARY},
                 {"merges.txt", "#version: 0.2\n"},
                 {"tokenizer_config.json", TOKENIZER}};
    ge_status rc = GE_OK;
    if (strcmp(name, "vit-b-32") != 0) {
        return ge_fail(GE_EINVAL, "--shape %s: wanted vit-b-32", name);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = ge_fs_join(folder, files[i].name);
        if (path == NULL) return GE_ENOMEM;
        rc = ge_fs_replace(path, files[i].text, strlen(files[i].text));
        free(path);
        if (rc != GE_OK) return rc;
    }
    return write_weights(folder);
}
