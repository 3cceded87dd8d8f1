/* Which tokens are added to the model's vocabulary, with which properties and ids: transformers 5
 * takes them from up to five files, in an order that this follows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/tokenizer_load.h"

bool ge_loader_read_token(const ge_json *node, bool special, struct added_token *out)
{
    const char *content = ge_json_string(node, NULL);
    if (content != NULL) {
        *out = (struct added_token){.content = (char *)content, .special = true};
        return true;
    }
    content = ge_json_string(ge_json_get(node, "content"), NULL);
    if (content == NULL) return false;
    special = ge_json_bool(ge_json_get(node, "special"), special);
    *out = (struct added_token){
        .content = (char *)content,
        .single_word = ge_json_bool(ge_json_get(node, "single_word"), false),
        .lstrip = ge_json_bool(ge_json_get(node, "lstrip"), false),
        .rstrip = ge_json_bool(ge_json_get(node, "rstrip"), false),
        .normalized = ge_json_bool(ge_json_get(node, "normalized"), !special),
        .special = special,
    };
    return true;
}

ge_status ge_loader_bad_special(const struct loader *l, const char *key)
{
    return ge_fail(GE_EFORMAT, "%s: \"%s\" is neither a string nor an object with \"content\"",
                   l->folder, key);
}

/* ---- added tokens ------------------------------------------------------------------------- */

/* The reference's rule for new tokens: after the highest id of the added ones, but not below the
 * number of the model's tokens (which is not its highest id + 1 if ids are left out). */
static int32_t next_id(const struct ge_tokenizer *t)
{
    int32_t model = (int32_t)(t->model == MODEL_UNIGRAM ? t->vocab.n_ids : t->vocab.n);
    return t->added.end_id > model ? t->added.end_id : model;
}

/* Add one token; a new one gets the model's id for it or the next id. */
static ge_status add_token(struct ge_tokenizer *t, struct added_token token)
{
    ge_status rc = GE_OK;
    if (token.content == NULL || token.content[0] == '\0') return GE_OK;
    token.id = ge_tokenizer_id(t, token.content);
    if (token.id < 0) {
        token.id = next_id(t);
        GE_TRY(ge_vocab_add(&t->extra, token.content, strlen(token.content), token.id));
    }
    GE_TRY(ge_added_put(&t->added, &token));
done:
    return rc;
}

/* An entry of a list that is put in order of ids before its tokens are added. */
struct listed {
    int64_t id;
    size_t order; /* of two entries with one id the later one counts */
    struct added_token token;
};

struct list {
    struct listed *items;
    size_t n, cap;
};

static int compare_listed(const void *pa, const void *pb)
{
    const struct listed *a = pa, *b = pb;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static ge_status list_add(struct list *list, int64_t id, struct added_token token)
{
    ge_status rc = GE_OK;
    GE_GROW(list->items, list->n, list->cap);
    list->items[list->n] = (struct listed){.id = id, .order = list->n, .token = token};
    list->n++;
done:
    return rc;
}

/* added_tokens of tokenizer.json: [{"id": 1, "content": …}, …] */
static ge_status list_json(const struct loader *l, struct list *list)
{
    ge_status rc = GE_OK;
    const ge_json *added = l->files.added;
    if (added != NULL && ge_json_type(added) != GE_JSON_ARRAY &&
        ge_json_type(added) != GE_JSON_NULL) {
        return ge_fail(GE_EFORMAT, "%s/tokenizer.json: added_tokens is not an array", l->folder);
    }
    for (const ge_json *c = added == NULL ? NULL : ge_json_first(added); c != NULL;
         c = ge_json_next(c)) {
        struct added_token token;
        int64_t id;
        rc = ge_json_int(ge_json_get(c, "id"), "added_tokens: id", 0, VOCAB_MAX_ID, &id);
        if (rc == GE_OK &&
            (ge_json_type(c) != GE_JSON_OBJECT || !ge_loader_read_token(c, false, &token))) {
            rc = ge_fail(GE_EFORMAT, "added_tokens: an entry has no \"content\"");
        }
        if (rc != GE_OK) return ge_fail_in(rc, "%s/tokenizer.json", l->folder);
        GE_TRY(list_add(list, id, token));
    }
done:
    return rc;
}

/* added_tokens_decoder of tokenizer_config.json: {"1": {"content": …}, …} */
static ge_status list_config(const struct loader *l, const ge_json *decoder, struct list *list)
{
    ge_status rc = GE_OK;
    if (ge_json_type(decoder) != GE_JSON_OBJECT) {
        return ge_fail(GE_EFORMAT, "%s: added_tokens_decoder is not an object",
                       l->files.config_path);
    }
    for (const ge_json *c = ge_json_first(decoder); c != NULL; c = ge_json_next(c)) {
        struct added_token token;
        char *end;
        const char *key = ge_json_key(c);
        long id = strtol(key, &end, 10);
        if (*key == '\0' || *end != '\0' || id < 0 || id > VOCAB_MAX_ID ||
            ge_json_type(c) != GE_JSON_OBJECT || !ge_loader_read_token(c, false, &token)) {
            return ge_fail(GE_EFORMAT,
                           "%s: added_tokens_decoder: \"%.32s\" is not an id with an object that "
                           "has \"content\"",
                           l->files.config_path, key);
        }
        GE_TRY(list_add(list, id, token));
    }
done:
    return rc;
}

static bool is_special(const struct loader *l, const char *content)
{
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) {
        const char *special = l->special[i].content;
        if (special != NULL && strcmp(special, content) == 0) return true;
    }
    return false;
}

/* added_tokens.json: {"<extra>": 49408, …} */
static ge_status list_legacy(const struct loader *l, struct list *list)
{
    ge_status rc = GE_OK;
    const ge_json *file = l->files.added_file;
    for (const ge_json *c = file == NULL ? NULL : ge_json_first(file); c != NULL;
         c = ge_json_next(c)) {
        const char *content = ge_json_key(c);
        int64_t id;
        rc = ge_json_int(c, content, 0, VOCAB_MAX_ID, &id);
        if (rc != GE_OK) return ge_fail_in(rc, "%s: added_tokens.json", l->folder);
        GE_TRY(list_add(list, id,
                        (struct added_token){.content = (char *)content,
                                             .normalized = !is_special(l, content),
                                             .special = is_special(l, content)}));
    }
done:
    return rc;
}

/* What the class adds of a sentencepiece model's control and user-defined pieces, if the
 * configuration names no extra tokens. */
static ge_status add_pieces(struct loader *l)
{
    ge_status rc = GE_OK;
    char *content = NULL;
    const struct spm_file *spm = &l->files.spm;
    for (size_t i = 0; i < spm->n; i++) {
        const struct spm_piece *p = &spm->pieces[i];
        if (p->type != SPM_CONTROL && p->type != SPM_USER_DEFINED) continue;
        GE_TRY_PTR(content, ge_strndup(p->text, p->len));
        if (ge_added_find(&l->t->added, content) == NULL) {
            GE_TRY(add_token(
                l->t, (struct added_token){.content = content, .special = p->type == SPM_CONTROL}));
        }
        free(content);
        content = NULL;
    }
done:
    free(content);
    return rc;
}

static ge_status add_extra_specials(struct loader *l)
{
    ge_status rc = GE_OK;
    const ge_json *config = l->files.config;
    const ge_json *extra = ge_json_get(config, "extra_special_tokens");
    if (extra == NULL) extra = ge_json_get(config, "additional_special_tokens");
    enum ge_json_type type = ge_json_type(extra);
    if (l->files.spm_path != NULL && type != GE_JSON_ARRAY) GE_TRY(add_pieces(l));
    if (type != GE_JSON_ARRAY && type != GE_JSON_OBJECT) return GE_OK;
    for (const ge_json *c = ge_json_first(extra); c != NULL; c = ge_json_next(c)) {
        struct added_token token;
        if (!ge_loader_read_token(c, true, &token))
            return ge_loader_bad_special(l, "extra_special_tokens");
        if (ge_added_find(&l->t->added, token.content) == NULL) GE_TRY(add_token(l->t, token));
    }
done:
    return rc;
}

/* The tokens that the files list, in order of ids; of two with one id the later one. */
static ge_status read_list(const struct loader *l, struct list *list)
{
    ge_status rc = GE_OK;
    size_t n = 0;
    const ge_json *decoder = ge_json_get(l->files.config, "added_tokens_decoder");
    if (decoder != NULL) {
        GE_TRY(list_config(l, decoder, list));
    } else {
        GE_TRY(list_legacy(l, list));
        GE_TRY(list_json(l, list));
    }
    if (list->n > 0) qsort(list->items, list->n, sizeof *list->items, compare_listed);
    for (size_t i = 0; i < list->n; i++) {
        if (i + 1 < list->n && list->items[i + 1].id == list->items[i].id) continue;
        list->items[n++] = list->items[i];
    }
    list->n = n;
done:
    return rc;
}

/* ---- SentencePiece ------------------------------------------------------------------------ */

/* SigLIP's class looks for all of them in the raw text. A listed token has the id that the list
 * gives; another one the model's, or one after all others. */
static ge_status add_raw_token(struct loader *l, struct added_token token, int64_t id)
{
    ge_status rc = GE_OK;
    struct ge_tokenizer *t = l->t;
    if (token.content == NULL || token.content[0] == '\0') return GE_OK;
    if (token.single_word) {
        return ge_fail(GE_EUNSUPPORTED, "%s: single_word of \"%.64s\" is not supported here",
                       l->folder, token.content);
    }
    int32_t known = ge_tokenizer_id(t, token.content);
    if (known >= 0 && id >= 0 && id != known) {
        return ge_fail(GE_EFORMAT,
                       "%s: the added token \"%.64s\" has id %lld, but the model has %d", l->folder,
                       token.content, (long long)id, (int)known);
    }
    if (known < 0) {
        known = (int32_t)(id >= 0 ? id : (int64_t)(t->vocab.n + t->extra.n));
        GE_TRY(ge_vocab_add(&t->extra, token.content, strlen(token.content), known));
    }
    token.id = known;
    token.normalized = token.lstrip = token.rstrip = false; /* spaces are stripped anyway */
    GE_TRY(ge_added_put(&t->added, &token));
done:
    return rc;
}

static ge_status add_raw_tokens(struct loader *l)
{
    ge_status rc = GE_OK;
    struct list list = {0};
    const ge_json *extra = ge_json_get(l->files.config, "extra_special_tokens");
    if (extra == NULL) extra = ge_json_get(l->files.config, "additional_special_tokens");
    GE_TRY(read_list(l, &list));
    for (size_t i = 0; i < list.n; i++) {
        GE_TRY(add_raw_token(l, list.items[i].token, list.items[i].id));
    }
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) GE_TRY(add_raw_token(l, l->special[i], -1));
    bool some = ge_json_type(extra) == GE_JSON_ARRAY || ge_json_type(extra) == GE_JSON_OBJECT;
    for (const ge_json *c = some ? ge_json_first(extra) : NULL; c != NULL; c = ge_json_next(c)) {
        struct added_token token;
        if (!ge_loader_read_token(c, true, &token))
            return ge_loader_bad_special(l, "extra_special_tokens");
        GE_TRY(add_raw_token(l, token, -1));
    }
done:
    free(list.items);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------- */

ge_status ge_loader_add_tokens(struct loader *l)
{
    ge_status rc = GE_OK;
    struct list list = {0};
    if (l->class->sentencepiece && l->files.spm_path != NULL) return add_raw_tokens(l);
    if (l->literal) GE_TRY(list_json(l, &list));
    for (size_t i = 0; i < list.n; i++) GE_TRY(add_token(l->t, list.items[i].token));
    list.n = 0;
    GE_TRY(read_list(l, &list));
    for (size_t i = 0; i < list.n; i++) GE_TRY(add_token(l->t, list.items[i].token));
    /* The named ones that no list has; of two entries with one content the later one counts. */
    size_t listed = l->t->added.n;
    for (int i = 0; i < GE_SPECIAL_TOKENS; i++) {
        const char *content = l->special[i].content;
        const struct added_token *known =
            content == NULL ? NULL : ge_added_find(&l->t->added, content);
        if (known != NULL && (size_t)(known - l->t->added.tokens) < listed) continue;
        GE_TRY(add_token(l->t, l->special[i]));
    }
    GE_TRY(add_extra_specials(l));
done:
    free(list.items);
    return rc;
}
