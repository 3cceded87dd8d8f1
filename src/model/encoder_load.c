/* Loading an encoder: config.json decides the kind; weights, preprocessing and tokenizer follow. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "model/encoder_internal.h"
#include "model/sentence.h"

enum {
    DEFAULT_BATCH = 16, /* images of a pass: their activations stay in the last-level cache */
    CPU_TOKENS = 1024,  /* packed texts of a pass, for the same reason */
    GPU_TOKENS = 32768  /* enough rows to fill a GPU */
};
/* Passes over texts are not planned shorter than this; it is less than what weights take. */
enum { LEAST_TOKENS = 1024 };

static ge_status check_options(struct ge_device *dev, const struct ge_encoder_options *opt)
{
    if (ge_device_supports(dev, opt->dtype)) return GE_OK;
    return ge_fail(GE_EUNSUPPORTED, "encoder: device %s (%s) does not compute in %s",
                   ge_device_name(dev), ge_device_describe(dev), ge_dtype_name(opt->dtype));
}

/* Better before the weights travel than in the middle of it. */
static ge_status check_memory(const struct ge_encoder *e, const struct ge_model_source *src,
                              size_t may_take)
{
    const double gib = 1 << 30;
    size_t free, total;

    if (!ge_device_memory(src->dev, &free, &total)) return GE_OK;
    if (may_take == 0) may_take = free;
    if (e->weight_bytes <= may_take) return GE_OK;
    return ge_fail(
        GE_ENOMEM,
        "%s: the weights take about %.2f GiB in %s; of the device's %.2f GiB %.2f are left for "
        "them; use a smaller type, another device, or fewer ranks on a node",
        src->folder, (double)e->weight_bytes / gib, ge_dtype_name(src->dtype), (double)total / gib,
        (double)may_take / gib);
}

static ge_status find_kind(struct ge_model_source *src)
{
    if (ge_json_type(src->config) != GE_JSON_OBJECT)
        return ge_fail(GE_EFORMAT, "%s: wanted an object", src->config_path);
    return ge_model_kind(ge_json_string(ge_json_get(src->config, "model_type"), NULL),
                         src->config_path, &src->kind);
}

static ge_status load_model(struct ge_encoder *e, struct ge_model_source *src, size_t memory)
{
    struct ge_checkpoint *checkpoint = NULL;
    ge_status rc = GE_OK;

    GE_TRY(ge_checkpoint_open(src->transformer_folder, &checkpoint));
    e->weight_bytes = ge_checkpoint_elements(checkpoint) * ge_dtype_size(src->dtype);
    GE_TRY(check_memory(e, src, memory));
    ge_checkpoint_describe(checkpoint, src->hasher);
    src->checkpoint = checkpoint;
    GE_TRY(ge_model_new(src, &e->model));
done:
    src->checkpoint = NULL;
    ge_checkpoint_close(&checkpoint);
    return rc;
}

static ge_status check_preprocess(struct ge_encoder *e, const char *folder)
{
    const struct ge_preprocess *p = &e->preprocess;
    const struct ge_model *m = e->model;

    if ((size_t)p->height == m->height && (size_t)p->width == m->width) return GE_OK;
    return ge_fail(GE_EFORMAT,
                   "%s: the preprocessing gives pictures of %dx%d, the model takes %zux%zu", folder,
                   p->height, p->width, m->height, m->width);
}

/* What normalising makes of every grey level, for pictures that come as bytes. */
static ge_status load_table(struct ge_encoder *e)
{
    float table[3][256];
    ge_status rc = GE_OK;

    ge_preprocess_table(&e->preprocess, table);
    GE_TRY(ge_tensor_new(e->dev, 3, 256, GE_F32, &e->table));
    GE_TRY(ge_upload(e->table, table));
done:
    return rc;
}

/* Tokens of a prompt as sentence-transformers counts them: with the specials in front, without one
 * at the end. */
static ge_status count_prompt(struct ge_encoder *e)
{
    struct ge_tokens *t = &e->tokens[0];
    ge_status rc = GE_OK;
    int32_t last;

    if (!e->text.exclude_prompt || e->text.prompt[0] == '\0') return GE_OK;
    GE_TRY(ge_tokenizer_encode(e->tokenizer, e->text.prompt, strlen(e->text.prompt),
                               (int)e->max_tokens, true, t));
    e->prompt_tokens = (int32_t)t->count;
    last = t->count > 0 ? t->ids[t->count - 1] : -1;
    for (int s = 0; s < GE_SPECIAL_TOKENS && last >= 0; s++) {
        if (ge_tokenizer_special(e->tokenizer, (enum ge_special_token)s) == last) {
            e->prompt_tokens--;
            break;
        }
    }
done:
    return rc;
}

/* The pads that fill texts up, for a model that wants them. */
static ge_status load_padding(struct ge_encoder *e, const char *folder, struct ge_hasher *h)
{
    e->pad = ge_tokenizer_special(e->tokenizer, GE_TOKEN_PAD);
    if (e->pad < 0 || (size_t)e->pad >= e->model->vocab) {
        return ge_fail(GE_EFORMAT,
                       "%s: the tokenizer's pad_token, which fills each text up, has id %d, the "
                       "model has %zu token rows",
                       folder, (int)e->pad, e->model->vocab);
    }
    e->pad_left = ge_tokenizer_pads_left(e->tokenizer);
    ge_hasher_add_u64(h, e->pad_left);
    return GE_OK;
}

static ge_status load_tokenizer(struct ge_encoder *e, const char *folder, struct ge_hasher *h)
{
    const struct ge_model *m = e->model;
    struct ge_tokenizer_options opt = {.family = m->kind->tokenizer};
    struct ge_hash hash;
    size_t own;
    ge_status rc = GE_OK;

    if (m->sentence != NULL) e->text = *m->sentence;
    opt.prepend_lowercase = e->text.lowercase;
    GE_TRY(ge_tokenizer_load(folder, &opt, &e->tokenizer));
    hash = ge_tokenizer_hash(e->tokenizer);
    ge_hasher_add_u64(h, hash.hi);
    ge_hasher_add_u64(h, hash.lo);
    /* Token states know no sentence encoder: the tokenizer's limit. */
    own = (size_t)ge_tokenizer_max_length(e->tokenizer);
    e->max_states = own > 0 && own < m->max_tokens ? own : m->max_tokens;
    /* A sentence encoder's own limit, else the tokenizer's; never more than there are positions. */
    own = e->text.max_tokens;
    if (own == 0 && m->sentence != NULL) own = (size_t)ge_tokenizer_max_length(e->tokenizer);
    e->max_tokens = own > 0 && own < m->max_tokens ? own : m->max_tokens;
    e->model->max_tokens = e->max_tokens;
    if (m->pad_to > 0) GE_TRY(load_padding(e, folder, h));
    GE_TRY(count_prompt(e));
done:
    return rc;
}

/* Tokenizing threads and what each needs. */
static ge_status make_threads(struct ge_encoder *e, int threads)
{
    ge_status rc = GE_OK;

    if (threads > 1) GE_TRY(ge_pool_new(threads, &e->pool));
    GE_NEW(e->tokens, (size_t)threads);
    for (e->n_tokens = 0; e->n_tokens < threads; e->n_tokens++)
        ge_tokens_init(&e->tokens[e->n_tokens]);
done:
    return rc;
}

/* Plan passes over texts for what the weights leave of the memory; 0: no bound. */
static void fit_texts(struct ge_encoder *e, size_t memory)
{
    const struct ge_model *m = e->model;
    size_t left = memory > e->weight_bytes ? memory - e->weight_bytes : 0;

    while (memory > 0 && e->pass_tokens > LEAST_TOKENS &&
           m->kind->ops->bytes(m, 0, e->pass_tokens) > left)
        e->pass_tokens /= 2;
}

/* The parts of a folder. The order in which they enter the hash is fixed: configuration, weights,
 * preprocessing, tokenizer, type. */
static ge_status load_parts(struct ge_encoder *e, struct ge_model_source *src,
                            const struct ge_encoder_options *opt)
{
    const char *folder = src->transformer_folder;
    ge_status rc = GE_OK;

    GE_TRY(find_kind(src));
    if (src->kind->images) {
        GE_TRY(ge_preprocess_load(folder, opt->switches, &e->preprocess));
        src->preprocess = &e->preprocess;
    }
    GE_TRY(load_model(e, src, opt->memory));
    if (src->kind->images) {
        GE_TRY(check_preprocess(e, folder));
        ge_preprocess_describe(&e->preprocess, src->hasher);
        GE_TRY(load_table(e));
    }
    if (src->kind->texts) {
        GE_TRY(make_threads(e, opt->threads > 1 ? opt->threads : 1));
        GE_TRY(load_tokenizer(e, folder, src->hasher));
        fit_texts(e, opt->memory);
    }
    if (src->dtype != GE_F32) ge_hasher_add_str(src->hasher, ge_dtype_name(src->dtype));
    e->hash = ge_hasher_get(src->hasher);
done:
    return rc;
}

ge_status ge_encoder_load(const char *folder, struct ge_device *dev,
                          const struct ge_encoder_options *opt, struct ge_encoder **enc)
{
    const struct ge_encoder_options o = opt != NULL ? *opt : (struct ge_encoder_options){0};
    struct ge_model_source src = {.folder = folder, .dev = dev, .dtype = o.dtype};
    struct ge_encoder *e = NULL;
    ge_json *config = NULL;
    char *transformer_folder = NULL, *config_path = NULL;
    size_t free_bytes, total;
    ge_status rc = GE_OK;

    *enc = NULL;
    GE_TRY(check_options(dev, &o));
    GE_NEW(e, 1);
    e->dev = dev;
    e->max_batch = e->pass = o.max_batch > 0 ? o.max_batch : DEFAULT_BATCH;
    e->pass_tokens = ge_device_memory(dev, &free_bytes, &total) ? GPU_TOKENS : CPU_TOKENS;
    e->text.prompt = "";
    GE_TRY_PTR(src.hasher, ge_hasher_new());
    GE_TRY(ge_sentence_transformer_folder(folder, &transformer_folder));
    GE_TRY_PTR(config_path, ge_fs_join(transformer_folder, "config.json"));
    GE_TRY(ge_config_read(transformer_folder, "config.json", false, src.hasher, &config));
    src.transformer_folder = transformer_folder;
    src.config = config;
    src.config_path = config_path;
    src.prompt = o.prompt;
    GE_TRY(load_parts(e, &src, &o));
    *enc = e;
    e = NULL;
done:
    ge_hasher_delete(&src.hasher);
    ge_json_delete(&config);
    free(transformer_folder);
    free(config_path);
    ge_encoder_delete(&e);
    return rc;
}

void ge_encoder_delete(struct ge_encoder **enc)
{
    struct ge_encoder *e = *enc;

    if (e == NULL) return;
    ge_encoder_free_images(e);
    ge_encoder_free_texts(e);
    ge_model_delete(&e->model);
    free(e);
    *enc = NULL;
}
