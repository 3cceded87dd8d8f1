#include "text/postprocessor.h"

#include <stdbool.h>
#include <string.h>

#include "text/tokenizer_internal.h"

/* What one processor puts around a text. */
struct wrap {
    int32_t before[TOKENIZER_MAX_WRAP], after[TOKENIZER_MAX_WRAP];
    size_t n_before, n_after;
};

static ge_status too_many(const char *path)
{
    return ge_fail(GE_ELIMIT, "%s: post_processor: more than %d special tokens", path,
                   TOKENIZER_MAX_WRAP);
}

static ge_status add_id(const struct ge_tokenizer *t, const ge_json *node, bool after,
                        struct wrap *w, const char *path)
{
    int64_t id;
    ge_status rc = ge_json_int(node, "an id", 0, VOCAB_MAX_ID, &id);
    if (rc != GE_OK) return ge_fail_in(rc, "%s: post_processor", path);
    if (ge_tokenizer_token(t, (int32_t)id) == NULL) {
        return ge_fail(GE_EFORMAT, "%s: post_processor: id %d is not in the vocabulary", path,
                       (int)id);
    }
    size_t *n = after ? &w->n_after : &w->n_before;
    if (*n == TOKENIZER_MAX_WRAP) return too_many(path);
    (after ? w->after : w->before)[(*n)++] = (int32_t)id;
    return GE_OK;
}

/* Put them around what stands around the text already. */
static ge_status apply(struct ge_tokenizer *t, const struct wrap *w, const char *path)
{
    if (t->n_before + w->n_before > TOKENIZER_MAX_WRAP ||
        t->n_after + w->n_after > TOKENIZER_MAX_WRAP) {
        return too_many(path);
    }
    memmove(t->before + w->n_before, t->before, t->n_before * sizeof *t->before);
    memcpy(t->before, w->before, w->n_before * sizeof *t->before);
    memcpy(t->after + t->n_after, w->after, w->n_after * sizeof *t->after);
    t->n_before += w->n_before;
    t->n_after += w->n_after;
    return GE_OK;
}

/* ["[SEP]", 102] */
static ge_status add_pair(const struct ge_tokenizer *t, const ge_json *node, const char *key,
                          bool after, struct wrap *w, const char *path)
{
    const ge_json *pair = ge_json_get(node, key);
    if (ge_json_type(pair) != GE_JSON_ARRAY || ge_json_count(pair) != 2) {
        return ge_fail(GE_EFORMAT, "%s: post_processor: \"%s\" is not [token, id]", path, key);
    }
    return add_id(t, ge_json_next(ge_json_first(pair)), after, w, path);
}

/* BertProcessing and RobertaProcessing: cls text sep. */
static ge_status parse_pair(struct ge_tokenizer *t, const ge_json *node, const char *path)
{
    ge_status rc = GE_OK;
    struct wrap w = {0};
    GE_TRY(add_pair(t, node, "cls", false, &w, path));
    GE_TRY(add_pair(t, node, "sep", true, &w, path));
    GE_TRY(apply(t, &w, path));
done:
    return rc;
}

static ge_status add_template_special(const struct ge_tokenizer *t, const ge_json *specials,
                                      const char *name, bool after, struct wrap *w,
                                      const char *path)
{
    ge_status rc = GE_OK;
    const ge_json *ids = ge_json_get(ge_json_get(specials, name), "ids");
    if (ge_json_type(ids) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: post_processor: special_tokens has no ids for \"%.64s\"",
                       path, name);
    }
    for (const ge_json *c = ge_json_first(ids); c != NULL; c = ge_json_next(c)) {
        GE_TRY(add_id(t, c, after, w, path));
    }
done:
    return rc;
}

/* TemplateProcessing: "single" lists entries {"SpecialToken": …} around one
 * {"Sequence": {"id": "A"}}. */
static ge_status parse_template(struct ge_tokenizer *t, const ge_json *node, const char *path)
{
    ge_status rc = GE_OK;
    const ge_json *single = ge_json_get(node, "single");
    const ge_json *specials = ge_json_get(node, "special_tokens");
    struct wrap w = {0};
    bool after = false;
    if (ge_json_type(single) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: post_processor: \"single\" is not an array", path);
    }
    for (const ge_json *c = ge_json_first(single); c != NULL; c = ge_json_next(c)) {
        const ge_json *special = ge_json_get(c, "SpecialToken");
        const char *name = ge_json_string(ge_json_get(special, "id"), NULL);
        const char *text = ge_json_string(ge_json_get(ge_json_get(c, "Sequence"), "id"), NULL);
        if (name != NULL) {
            GE_TRY(add_template_special(t, specials, name, after, &w, path));
        } else if (text != NULL && strcmp(text, "A") == 0 && !after) {
            after = true;
        } else {
            return ge_fail(GE_EFORMAT,
                           "%s: post_processor: \"single\" wants special tokens and one sequence "
                           "\"A\"",
                           path);
        }
    }
    if (after) return apply(t, &w, path);
    return ge_fail(GE_EFORMAT, "%s: post_processor: \"single\" leaves the text out", path);
done:
    return rc;
}

/* ByteLevel only corrects offsets, which nobody asks for here. */
static ge_status parse_byte_level(struct ge_tokenizer *t, const ge_json *node, const char *path)
{
    (void)t;
    (void)node;
    (void)path;
    return GE_OK;
}

static ge_status parse_sequence(struct ge_tokenizer *t, const ge_json *node, const char *path)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "processors");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: post_processor: a Sequence needs \"processors\"", path);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_postprocessor_parse(t, c, path));
    }
done:
    return rc;
}

static const struct {
    const char *kind;
    ge_status (*parse)(struct ge_tokenizer *t, const ge_json *node, const char *path);
} kinds[] = {{"TemplateProcessing", parse_template},
             {"BertProcessing", parse_pair},
             {"RobertaProcessing", parse_pair},
             {"ByteLevel", parse_byte_level},
             {"Sequence", parse_sequence}};

ge_status ge_postprocessor_parse(struct ge_tokenizer *t, const ge_json *node, const char *path)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: post_processor has no \"type\"", path);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(t, node, path);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: post_processor: kind \"%.64s\" is not supported (known: "
                   "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence)",
                   path, kind);
}
