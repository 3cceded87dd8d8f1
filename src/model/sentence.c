#include "model/sentence.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

enum { MAX_MODULES = 16, MAX_MODES = 16 };

enum pooling_mode { POOL_CLS, POOL_MAX, POOL_MEAN, POOL_MEAN_SQRT_LEN, POOL_WEIGHTED, POOL_LAST };

/* In the order in which the old flags concatenate. */
static const struct {
    const char *name, *flag;
} pooling_modes[] = {{"cls", "pooling_mode_cls_token"},
                     {"max", "pooling_mode_max_tokens"},
                     {"mean", "pooling_mode_mean_tokens"},
                     {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"},
                     {"weightedmean", "pooling_mode_weightedmean_tokens"},
                     {"lasttoken", "pooling_mode_lasttoken"}};
enum { N_MODES = sizeof pooling_modes / sizeof pooling_modes[0] };

enum module_kind { MODULE_DENSE, MODULE_NORMALIZE };

struct module {
    enum module_kind kind;
    struct ge_linear linear; /* (out, in) */
    enum ge_activation act;
    bool residual; /* the input is added to the result */
    size_t out;
};

struct ge_sentence {
    size_t width;
    enum pooling_mode modes[MAX_MODES];
    size_t n_modes;
    struct module modules[MAX_MODULES]; /* after the pooling */
    size_t n_modules, dim;
    struct ge_sentence_text text;
    char *prompt;
};

static const struct ge_tensor none = {0};

/* ---- modules.json ------------------------------------------------------------------------- */

/* Last part of a dotted class path: the layouts differ in what stands before it. */
static const char *class_name(const ge_json *type)
{
    const char *full = ge_json_string(type, ""), *dot = strrchr(full, '.');

    return dot != NULL ? dot + 1 : full;
}

/* `folder` joined with a module's path, which must stay inside it. */
static ge_status module_folder(const char *folder, const ge_json *module, char **out)
{
    const char *path = ge_json_string(ge_json_get(module, "path"), "");

    *out = NULL;
    if (path[0] == '/' || strstr(path, "..") != NULL)
        return ge_fail(GE_EFORMAT, "%s/modules.json: path \"%s\" leads out of the folder", folder,
                       path);
    *out = path[0] != '\0' ? ge_fs_join(folder, path) : ge_strdup(folder);
    return *out != NULL ? GE_OK : GE_ENOMEM;
}

static ge_status read_modules(const char *folder, struct ge_hasher *h, ge_json **modules)
{
    ge_status rc = ge_config_read(folder, "modules.json", true, h, modules);

    if (rc != GE_OK || *modules == NULL) return rc;
    if (ge_json_type(*modules) != GE_JSON_ARRAY ||
        strcmp(class_name(ge_json_get(ge_json_first(*modules), "type")), "Transformer") != 0) {
        ge_json_delete(modules);
        return ge_fail(GE_EFORMAT,
                       "%s/modules.json: wanted a list of modules that begins with a Transformer",
                       folder);
    }
    return GE_OK;
}

ge_status ge_sentence_transformer_folder(const char *folder, char **out)
{
    struct ge_hasher *ignored = NULL;
    ge_json *modules = NULL;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_TRY_PTR(ignored, ge_hasher_new());
    GE_TRY(read_modules(folder, ignored, &modules));
    if (modules != NULL)
        GE_TRY(module_folder(folder, ge_json_first(modules), out));
    else
        GE_TRY_PTR(*out, ge_strdup(folder));
done:
    ge_json_delete(&modules);
    ge_hasher_delete(&ignored);
    return rc;
}

/* ---- pooling ------------------------------------------------------------------------------ */

static ge_status add_mode(struct ge_sentence *s, const char *name, const char *file)
{
    for (size_t i = 0; i < N_MODES && s->n_modes < MAX_MODES; i++) {
        if (strcmp(pooling_modes[i].name, name) == 0) {
            s->modes[s->n_modes++] = (enum pooling_mode)i;
            return GE_OK;
        }
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: pooling_mode \"%s\" is not handled; known, at most %d of them: cls, max, "
                   "mean, mean_sqrt_len_tokens, weightedmean, lasttoken",
                   file, name, MAX_MODES);
}

static ge_status load_pooling(struct ge_sentence *s, const char *folder, struct ge_hasher *h)
{
    ge_json *doc = NULL;
    struct ge_config c;
    const char **names = NULL;
    size_t n = 0, width;
    bool on, include_prompt;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_read(folder, "config.json", false, h, &doc));
    c = (struct ge_config){doc, folder, "config.json: "};
    GE_TRY(ge_config_size(&c, "word_embedding_dimension", s->width, 1, GE_MAX_WIDTH, &width));
    GE_TRY(ge_config_size(&c, "embedding_dimension", width, 1, GE_MAX_WIDTH, &width));
    if (width != s->width) {
        rc = ge_fail(GE_EFORMAT, "%s/config.json: pools rows of %zu, the model has %zu", folder,
                     width, s->width);
        goto done;
    }
    GE_TRY(ge_json_strings(ge_json_get(doc, "pooling_mode"), "pooling_mode", &names, &n));
    for (size_t i = 0; i < n; i++) GE_TRY(add_mode(s, names[i], folder));
    for (size_t i = 0; i < N_MODES && n == 0; i++) {
        GE_TRY(ge_config_bool(&c, pooling_modes[i].flag, false, &on));
        if (on) s->modes[s->n_modes++] = (enum pooling_mode)i;
    }
    if (s->n_modes == 0) s->modes[s->n_modes++] = POOL_MEAN;
    GE_TRY(ge_config_bool(&c, "include_prompt", true, &include_prompt));
    s->text.exclude_prompt = !include_prompt;
    s->dim = s->n_modes * s->width;
done:
    free(names);
    ge_json_delete(&doc);
    return rc;
}

/* ---- dense and normalize ------------------------------------------------------------------ */

static ge_status dense_activation(const ge_json *v, const char *folder, enum ge_activation *act)
{
    static const struct {
        const char *name;
        enum ge_activation act;
    } known[] = {{"Tanh", GE_ACT_TANH},
                 {"Identity", GE_ACT_NONE},
                 {"GELU", GE_ACT_GELU},
                 {"ReLU", GE_ACT_RELU},
                 {"SiLU", GE_ACT_SILU}};

    *act = GE_ACT_TANH; /* the class default */
    if (v == NULL) return GE_OK;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, class_name(v)) == 0) {
            *act = known[i].act;
            return GE_OK;
        }
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s/config.json: activation_function \"%s\" is not handled; known: torch.nn "
                   "Tanh, Identity, GELU, ReLU, SiLU",
                   folder, ge_json_string(v, "?"));
}

static ge_status load_dense(struct ge_sentence *s, const struct ge_model_source *src,
                            const char *folder)
{
    struct module *m = &s->modules[s->n_modules];
    struct ge_checkpoint *checkpoint = NULL;
    struct ge_weights w = {.dev = src->dev, .dtype = src->dtype};
    ge_json *doc = NULL;
    struct ge_config c;
    size_t in;
    bool bias;
    ge_status rc = GE_OK;

    GE_TRY(ge_config_read(folder, "config.json", false, src->hasher, &doc));
    c = (struct ge_config){doc, folder, "config.json: "};
    GE_TRY(ge_config_size(&c, "in_features", s->dim, 1, GE_MAX_WIDTH * MAX_MODES, &in));
    GE_TRY(ge_config_size(&c, "out_features", s->dim, 1, GE_MAX_WIDTH, &m->out));
    GE_TRY(ge_config_bool(&c, "bias", true, &bias));
    GE_TRY(ge_config_bool(&c, "use_residual", false, &m->residual));
    GE_TRY(dense_activation(ge_json_get(doc, "activation_function"), folder, &m->act));
    if (in != s->dim) {
        rc = ge_fail(GE_EFORMAT,
                     "%s/config.json: in_features is %zu, the module before it gives %zu", folder,
                     in, s->dim);
        goto done;
    }
    if ((m->residual && m->out != in) ||
        strcmp(ge_json_string(ge_json_get(doc, "module_input_name"), "sentence_embedding"),
               "sentence_embedding") != 0) {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "%s/config.json: a Dense with another input than the sentence embedding, or "
                     "with a residual of another size, is not handled",
                     folder);
        goto done;
    }
    GE_TRY(ge_checkpoint_open(folder, &checkpoint));
    ge_checkpoint_describe(checkpoint, src->hasher);
    w.checkpoint = checkpoint;
    m->kind = MODULE_DENSE;
    s->n_modules++; /* from here on freed with the pipeline */
    GE_TRY(ge_weights_linear(&w, "", "linear", m->out, in, bias, &m->linear));
    s->dim = m->out;
done:
    ge_checkpoint_close(&checkpoint);
    ge_json_delete(&doc);
    return rc;
}

static ge_status load_module(struct ge_sentence *s, const struct ge_model_source *src,
                             const ge_json *module, bool *pooled)
{
    const char *kind = class_name(ge_json_get(module, "type"));
    char *folder = NULL;
    ge_status rc = GE_OK;

    GE_TRY(module_folder(src->folder, module, &folder));
    if (strcmp(kind, "Pooling") == 0 && !*pooled) {
        *pooled = true;
        GE_TRY(load_pooling(s, folder, src->hasher));
    } else if (strcmp(kind, "Dense") == 0 && *pooled && s->n_modules < MAX_MODULES) {
        GE_TRY(load_dense(s, src, folder));
    } else if (strcmp(kind, "Normalize") == 0 && *pooled && s->n_modules < MAX_MODULES) {
        s->modules[s->n_modules++] = (struct module){.kind = MODULE_NORMALIZE, .out = s->dim};
    } else {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "%s/modules.json: module \"%s\" is not handled here; known: Transformer, "
                     "Pooling, then up to %d of Dense and Normalize",
                     src->folder, ge_json_string(ge_json_get(module, "type"), "?"), MAX_MODULES);
    }
done:
    free(folder);
    return rc;
}

/* ---- text settings ------------------------------------------------------------------------ */

static ge_status load_prompt(struct ge_sentence *s, const struct ge_model_source *src)
{
    ge_json *doc = NULL;
    const char *name = src->prompt;
    const ge_json *prompt = NULL;
    ge_status rc = GE_OK;

    GE_TRY(
        ge_config_read(src->folder, "config_sentence_transformers.json", true, src->hasher, &doc));
    if (name == NULL) name = ge_json_string(ge_json_get(doc, "default_prompt_name"), NULL);
    if (name != NULL) {
        prompt = ge_json_get(ge_json_get(doc, "prompts"), name);
        if (prompt == NULL || ge_json_type(prompt) != GE_JSON_STRING) {
            rc = ge_fail(src->prompt != NULL ? GE_EINVAL : GE_EFORMAT,
                         "%s/config_sentence_transformers.json: there is no prompt \"%s\"",
                         src->folder, name);
            goto done;
        }
    }
    GE_TRY_PTR(s->prompt, ge_strdup(ge_json_string(prompt, "")));
    s->text.prompt = s->prompt;
    ge_hasher_add_str(src->hasher, s->prompt);
done:
    ge_json_delete(&doc);
    return rc;
}

static ge_status load_text(struct ge_sentence *s, const struct ge_model_source *src)
{
    ge_json *doc = NULL;
    struct ge_config c;
    ge_status rc = GE_OK;

    GE_TRY(load_prompt(s, src));
    GE_TRY(ge_config_read(src->transformer_folder, "sentence_bert_config.json", true, src->hasher,
                          &doc));
    c = (struct ge_config){doc, src->transformer_folder, "sentence_bert_config.json: "};
    GE_TRY(ge_config_size(&c, "max_seq_length", 0, 1, GE_MAX_POSITIONS, &s->text.max_tokens));
    GE_TRY(ge_config_bool(&c, "do_lower_case", false, &s->text.lowercase));
done:
    ge_json_delete(&doc);
    return rc;
}

ge_status ge_sentence_load(const struct ge_model_source *src, size_t width,
                           struct ge_sentence **out)
{
    struct ge_sentence *s = NULL;
    ge_json *modules = NULL;
    bool pooled = false;
    ge_status rc = GE_OK;

    *out = NULL;
    GE_NEW(s, 1);
    s->width = s->dim = width;
    GE_TRY(load_text(s, src));
    GE_TRY(read_modules(src->folder, src->hasher, &modules));
    if (modules != NULL) /* the first is the transformer itself */
        for (const ge_json *m = ge_json_next(ge_json_first(modules)); m != NULL;
             m = ge_json_next(m))
            GE_TRY(load_module(s, src, m, &pooled));
    if (!pooled) s->modes[s->n_modes++] = POOL_MEAN;
    *out = s;
    s = NULL;
done:
    ge_json_delete(&modules);
    ge_sentence_delete(&s);
    return rc;
}

void ge_sentence_delete(struct ge_sentence **s)
{
    if (*s == NULL) return;
    for (size_t i = 0; i < (*s)->n_modules; i++) ge_linear_free(&(*s)->modules[i].linear);
    free((*s)->prompt);
    free(*s);
    *s = NULL;
}

const struct ge_sentence_text *ge_sentence_text(const struct ge_sentence *s)
{
    return &s->text;
}

size_t ge_sentence_dim(const struct ge_sentence *s)
{
    return s->dim;
}

void ge_sentence_describe(const struct ge_sentence *s, struct ge_jsonw *w)
{
    ge_jsonw_array(w, "pooling");
    for (size_t i = 0; i < s->n_modes; i++)
        ge_jsonw_string(w, NULL, pooling_modes[s->modes[i]].name);
    ge_jsonw_array_end(w);
    ge_jsonw_array(w, "modules");
    for (size_t i = 0; i < s->n_modules; i++)
        ge_jsonw_string(w, NULL, s->modules[i].kind == MODULE_DENSE ? "dense" : "normalize");
    ge_jsonw_array_end(w);
    ge_jsonw_string(w, "prompt", s->prompt);
}

/* ---- forward ------------------------------------------------------------------------------ */

/* Rows of the first or the last token that is pooled. */
static ge_status pick_rows(struct ge_workspace *ws, bool last, const struct ge_text_batch *b,
                           struct ge_tensor x, struct ge_tensor out)
{
    enum ge_slot slot = last ? GE_SLOT_PICK_LAST : GE_SLOT_PICK;
    struct ge_tensor rows;
    int32_t begin = 0, *pick;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_host(ws, slot, b->texts, &pick));
    for (size_t i = 0; i < b->texts; i++) {
        int32_t skip = b->skip[i] < b->ends[i] - begin ? b->skip[i] : 0;
        pick[i] = last ? b->ends[i] - 1 : begin + skip;
        begin = b->ends[i];
    }
    GE_TRY(ge_workspace_ints(ws, slot, pick, b->texts, &rows));
    GE_TRY(ge_gather(ws->dev, x, rows, out));
done:
    return rc;
}

static ge_status run_pooling(struct ge_sentence *s, struct ge_workspace *ws,
                             const struct ge_text_batch *b, struct ge_tensor x,
                             struct ge_tensor ends, struct ge_tensor out)
{
    static const enum ge_pooling op[N_MODES] = {[POOL_MAX] = GE_POOL_MAX,
                                                [POOL_MEAN] = GE_POOL_MEAN,
                                                [POOL_MEAN_SQRT_LEN] = GE_POOL_MEAN_SQRT_LEN,
                                                [POOL_WEIGHTED] = GE_POOL_WEIGHTED_MEAN};
    struct ge_tensor skip;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_ints(ws, GE_SLOT_SKIP, b->skip, b->texts, &skip));
    for (size_t i = 0; i < s->n_modes; i++) {
        struct ge_tensor part = ge_tensor_cols(out, i * s->width, s->width);
        if (s->modes[i] == POOL_CLS || s->modes[i] == POOL_LAST)
            GE_TRY(pick_rows(ws, s->modes[i] == POOL_LAST, b, x, part));
        else
            GE_TRY(ge_pool_rows(ws->dev, op[s->modes[i]], x, ends, skip, part));
    }
done:
    return rc;
}

ge_status ge_sentence_run(struct ge_sentence *s, struct ge_workspace *ws,
                          const struct ge_text_batch *b, struct ge_tensor x, struct ge_tensor ends,
                          struct ge_tensor *out)
{
    enum ge_slot slot = GE_SLOT_POOLED;
    struct ge_tensor now, next;
    ge_status rc = GE_OK;

    GE_TRY(ge_workspace_get(ws, slot, b->texts, s->n_modes * s->width, x.dtype, &now));
    GE_TRY(run_pooling(s, ws, b, x, ends, now));
    for (size_t i = 0; i < s->n_modules; i++) {
        const struct module *m = &s->modules[i];
        if (m->kind == MODULE_NORMALIZE) {
            GE_TRY(ge_l2_normalize(ws->dev, now, 1e-12f, now));
            continue;
        }
        slot = slot == GE_SLOT_POOLED ? GE_SLOT_POOLED2 : GE_SLOT_POOLED;
        GE_TRY(ge_workspace_get(ws, slot, b->texts, m->out, x.dtype, &next));
        GE_TRY(ge_linear_run(&m->linear, ws->dev, now, m->act, m->residual ? now : none, next));
        now = next;
    }
    *out = now;
done:
    return rc;
}
