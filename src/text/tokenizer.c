#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/ids.h"
#include "text/tokenizer_internal.h"
#include "text/unicode.h"

/* Decomposition makes a text at most four times as long, spaces around ideographs less than that. */
#define SCRATCH_MAX (8 * TOKENIZER_MAX_TEXT)

void ge_tokenizer_delete(struct ge_tokenizer **t)
{
    if (t == NULL || *t == NULL) return;
    ge_bpe_free(&(*t)->bpe);
    ge_wordpiece_free(&(*t)->wordpiece);
    ge_normalizer_free(&(*t)->normalizer);
    ge_pretokenizer_free(&(*t)->pretokenizer);
    ge_added_free(&(*t)->added);
    ge_vocab_free(&(*t)->vocab);
    ge_vocab_free(&(*t)->extra);
    free(*t);
    *t = NULL;
}

/* ---- results ------------------------------------------------------------------------------ */

void ge_tokens_init(struct ge_tokens *tokens)
{
    *tokens = (struct ge_tokens){0};
}

void ge_tokens_free(struct ge_tokens *tokens)
{
    struct ge_tokens_scratch *s = tokens->scratch;
    if (s != NULL) {
        ge_buf_free(&s->clean);
        ge_buf_free(&s->text);
        ge_buf_free(&s->spare);
        ge_buf_free(&s->bytes);
        ge_bpe_scratch_delete(&s->bpe);
        free(s);
    }
    free(tokens->ids);
    ge_tokens_init(tokens);
}

static ge_status make_scratch(struct ge_tokens *tokens)
{
    ge_status rc = GE_OK;
    if (tokens->scratch != NULL) return GE_OK;
    GE_NEW(tokens->scratch, 1);
    ge_buf_init(&tokens->scratch->clean, SCRATCH_MAX);
    ge_buf_init(&tokens->scratch->text, SCRATCH_MAX);
    ge_buf_init(&tokens->scratch->spare, SCRATCH_MAX);
    ge_buf_init(&tokens->scratch->bytes, SCRATCH_MAX);
done:
    return rc;
}

ge_status ge_ids_add(struct ids *ids, int32_t id)
{
    ge_status rc = GE_OK;
    if (ids->room == 0) {
        ids->full = true;
        return GE_OK;
    }
    GE_GROW(ids->out->ids, ids->out->count, ids->out->cap);
    ids->out->ids[ids->out->count++] = id;
    ids->room--;
done:
    return rc;
}

/* ---- encoding ----------------------------------------------------------------------------- */

struct encoding {
    const struct ge_tokenizer *t;
    struct ge_tokens_scratch *scratch;
    struct ids ids;
};

static ge_status encode_word(void *ctx, const char *word, size_t len, bool *stop)
{
    struct encoding *e = ctx;
    ge_status rc = GE_OK;
    switch (e->t->model) {
    case MODEL_BPE:
        rc = ge_bpe_encode(&e->t->bpe, word, len, &e->scratch->bpe, &e->ids);
        break;
    case MODEL_WORDPIECE:
        rc = ge_wordpiece_encode(&e->t->wordpiece, word, len, &e->ids);
        break;
    }
    *stop = e->ids.full;
    return rc;
}

/* A stretch of normalized text without added tokens. */
static ge_status encode_plain(struct encoding *e, const char *s, size_t len)
{
    struct pretokenizer_sink sink = {
        .word = encode_word, .ctx = e, .bytes = &e->scratch->bytes, .stop = e->ids.full};
    return ge_pretokenizer_run(&e->t->pretokenizer, s, len, &sink);
}

/* A stretch of raw text without raw added tokens: normalize it, then look for the others. */
static ge_status encode_raw(struct encoding *e, const char *s, size_t len)
{
    ge_status rc = GE_OK;
    struct ge_buf *text = &e->scratch->text;
    struct added_search at = {0};
    struct added_match match;
    size_t from = 0;
    if (len == 0 || e->ids.full) return GE_OK;
    ge_buf_reset(text);
    ge_buf_add(text, s, len);
    GE_TRY(ge_buf_status(text));
    GE_TRY(ge_normalizer_run(&e->t->normalizer, text, &e->scratch->spare));
    if (text->len == 0) goto done;
    while (!e->ids.full && ge_added_next(&e->t->added, true, text->data, text->len, &at, &match)) {
        GE_TRY(encode_plain(e, text->data + from, match.begin - from));
        GE_TRY(ge_ids_add(&e->ids, match.id));
        from = match.end;
    }
    GE_TRY(encode_plain(e, text->data + from, text->len - from));
done:
    return rc;
}

static ge_status encode_text(struct encoding *e, const char *s, size_t len)
{
    ge_status rc = GE_OK;
    struct added_search at = {0};
    struct added_match match;
    size_t from = 0;
    while (!e->ids.full && ge_added_next(&e->t->added, false, s, len, &at, &match)) {
        GE_TRY(encode_raw(e, s + from, match.begin - from));
        GE_TRY(ge_ids_add(&e->ids, match.id));
        from = match.end;
    }
    GE_TRY(encode_raw(e, s + from, len - from));
done:
    return rc;
}

ge_status ge_tokenizer_encode(const struct ge_tokenizer *t, const char *text, size_t len,
                              int max_length, bool add_special, struct ge_tokens *out)
{
    ge_status rc = GE_OK;
    size_t wrap = add_special ? ge_tokenizer_special_count(t) : 0;
    out->count = 0;
    out->truncated = false;
    if (len == 0) text = ""; /* may be NULL */
    if (max_length < 0 || (max_length > 0 && (size_t)max_length < wrap)) {
        return ge_fail(GE_EINVAL, "a length of %d tokens is too short: %zu are special tokens",
                       max_length, wrap);
    }
    if (len > TOKENIZER_MAX_TEXT) {
        return ge_fail(GE_ELIMIT, "a text of %zu bytes is too long: at most %zu can be tokenized",
                       len, TOKENIZER_MAX_TEXT);
    }
    GE_TRY(make_scratch(out));
    if (ge_utf8_valid(text, len) != len) {
        ge_buf_reset(&out->scratch->clean);
        ge_unicode_sanitize(text, len, &out->scratch->clean);
        GE_TRY(ge_buf_status(&out->scratch->clean));
        text = out->scratch->clean.data;
        len = out->scratch->clean.len;
    }
    struct encoding e = {.t = t, .scratch = out->scratch, .ids = {.out = out, .room = SIZE_MAX}};
    for (size_t i = 0; add_special && i < t->n_before; i++)
        GE_TRY(ge_ids_add(&e.ids, t->before[i]));
    if (max_length > 0) e.ids.room = (size_t)max_length - wrap;
    GE_TRY(encode_text(&e, text, len));
    out->truncated = e.ids.full;
    e.ids.room = SIZE_MAX;
    for (size_t i = 0; add_special && i < t->n_after; i++) GE_TRY(ge_ids_add(&e.ids, t->after[i]));
done:
    if (rc != GE_OK) out->count = 0;
    return rc;
}

/* ---- questions ---------------------------------------------------------------------------- */

int32_t ge_tokenizer_special(const struct ge_tokenizer *t, enum ge_special_token which)
{
    return which < GE_SPECIAL_TOKENS ? t->special[which] : -1;
}

size_t ge_tokenizer_vocab_size(const struct ge_tokenizer *t)
{
    return t->vocab.n_ids > t->extra.n_ids ? t->vocab.n_ids : t->extra.n_ids;
}

int32_t ge_tokenizer_id(const struct ge_tokenizer *t, const char *token)
{
    int32_t id = ge_vocab_find(&t->vocab, token, strlen(token));
    return id >= 0 ? id : ge_vocab_find(&t->extra, token, strlen(token));
}

const char *ge_tokenizer_token(const struct ge_tokenizer *t, int32_t id)
{
    const char *token = ge_vocab_token(&t->extra, id);
    return token != NULL ? token : ge_vocab_token(&t->vocab, id);
}

size_t ge_tokenizer_special_count(const struct ge_tokenizer *t)
{
    return t->n_before + t->n_after;
}

int ge_tokenizer_max_length(const struct ge_tokenizer *t)
{
    return t->max_length;
}

struct ge_hash ge_tokenizer_hash(const struct ge_tokenizer *t)
{
    return t->hash;
}
