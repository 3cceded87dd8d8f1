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
    ge_unigram_free(&(*t)->unigram);
    ge_normalizer_free(&(*t)->normalizer);
    ge_normalizer_free(&(*t)->prepare);
    ge_decoder_free(&(*t)->decoder);
    free((*t)->decoded_suffix);
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
        ge_buf_free(&s->prepared);
        ge_buf_free(&s->text);
        ge_buf_free(&s->spare);
        for (int i = 0; i < PRETOKENIZER_MAX_STEPS; i++) ge_buf_free(&s->rewritten[i]);
        ge_bpe_scratch_delete(&s->bpe);
        ge_unigram_scratch_delete(&s->unigram);
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
    struct ge_tokens_scratch *s = tokens->scratch;
    ge_buf_init(&s->clean, SCRATCH_MAX);
    ge_buf_init(&s->prepared, SCRATCH_MAX);
    ge_buf_init(&s->text, SCRATCH_MAX);
    ge_buf_init(&s->spare, SCRATCH_MAX);
    for (int i = 0; i < PRETOKENIZER_MAX_STEPS; i++) ge_buf_init(&s->rewritten[i], SCRATCH_MAX);
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
    case MODEL_UNIGRAM:
        rc = ge_unigram_encode(&e->t->unigram, word, len, &e->scratch->unigram, &e->ids);
        break;
    }
    *stop = e->ids.full;
    return rc;
}

/* A stretch of normalized text without added tokens. */
static ge_status encode_plain(struct encoding *e, const char *s, size_t len, bool first)
{
    struct pretokenizer_sink sink = {
        .word = encode_word, .ctx = e, .rewritten = e->scratch->rewritten, .stop = e->ids.full};
    return ge_pretokenizer_run(&e->t->pretokenizer, (struct piece){s, len, first}, &sink);
}

/* Take the ids of what the normalizer put in front out of those that were added since. */
static void drop_in_front(struct encoding *e, size_t since)
{
    struct ge_tokens *out = e->ids.out;
    size_t n = e->t->n_in_front, added = out->count - since;
    if (added >= n) {
        memmove(out->ids + since, out->ids + since + n, (added - n) * sizeof *out->ids);
        out->count -= n;
    } else if (e->ids.room >= n) {
        e->ids.room -= n;
    } else { /* too few to drop any, but more than there is room for */
        out->count -= n - e->ids.room;
        e->ids.room = 0;
        e->ids.full = true;
    }
}

/* A stretch of raw text without raw added tokens: normalize it, then look for the others. */
static ge_status encode_raw(struct encoding *e, const char *s, size_t len, bool first)
{
    ge_status rc = GE_OK;
    struct ge_buf *text = &e->scratch->text;
    struct added_search at = {0};
    struct added_match match;
    size_t from = 0, since = e->ids.out->count;
    bool headless = false;
    if (len == 0 || e->ids.full) return GE_OK;
    ge_buf_reset(text);
    ge_buf_add(text, s, len);
    GE_TRY(ge_buf_status(text));
    GE_TRY(ge_normalizer_run(&e->t->normalizer, text, &e->scratch->spare, &headless));
    if (text->len == 0) goto done;
    if (e->t->n_in_front > 0) e->ids.room += e->t->n_in_front;
    first = first && !headless;
    while (!e->ids.full && ge_added_next(&e->t->added, true, text->data, text->len, &at, &match)) {
        GE_TRY(encode_plain(e, text->data + from, match.begin - from, first && from == 0));
        GE_TRY(ge_ids_add(&e->ids, match.id));
        from = match.end;
    }
    GE_TRY(encode_plain(e, text->data + from, text->len - from, first && from == 0));
    if (e->t->n_in_front > 0) drop_in_front(e, since);
done:
    return rc;
}

/* SigLIP: the symbol that was put in front of the text, if it stayed alone before a special. */
static void drop_lone_symbol(struct encoding *e, size_t since)
{
    struct ge_tokens *out = e->ids.out;
    if (e->t->prepare.n == 0 || out->count != since + 1) return;
    const char *token = ge_tokenizer_token(e->t, out->ids[since]);
    if (token == NULL || strcmp(token, SPACE_SYMBOL_TEXT) != 0) return;
    out->count--;
    e->ids.room++;
}

static ge_status encode_text(struct encoding *e, const char *s, size_t len)
{
    ge_status rc = GE_OK;
    struct added_search at = {0};
    struct added_match match;
    size_t from = 0, since = e->ids.out->count;
    while (!e->ids.full && ge_added_next(&e->t->added, false, s, len, &at, &match)) {
        GE_TRY(encode_raw(e, s + from, match.begin - from, from == 0));
        if (from == 0 && match.special) drop_lone_symbol(e, since);
        GE_TRY(ge_ids_add(&e->ids, match.id));
        from = match.end;
    }
    GE_TRY(encode_raw(e, s + from, len - from, from == 0));
done:
    return rc;
}

/* The text in valid UTF-8 and prepared. */
static ge_status prepare(const struct ge_tokenizer *t, struct ge_tokens_scratch *s,
                         const char **text, size_t *len)
{
    ge_status rc = GE_OK;
    if (ge_utf8_valid(*text, *len) != *len) {
        ge_buf_reset(&s->clean);
        ge_unicode_sanitize(*text, *len, &s->clean);
        GE_TRY(ge_buf_status(&s->clean));
        *text = s->clean.data;
        *len = s->clean.len;
    }
    if (t->prepare.n > 0) {
        ge_buf_reset(&s->prepared);
        ge_buf_add(&s->prepared, *text, *len);
        GE_TRY(ge_buf_status(&s->prepared));
        GE_TRY(ge_normalizer_run(&t->prepare, &s->prepared, &s->spare, NULL));
        *text = s->prepared.len > 0 ? s->prepared.data : "";
        *len = s->prepared.len;
    }
done:
    return rc;
}

/* Content of the wrong end goes if it must lose its beginning. */
static void cut_left(struct ge_tokens *out, size_t n_before, size_t room)
{
    size_t content = out->count - n_before;
    if (content <= room) return;
    memmove(out->ids + n_before, out->ids + out->count - room, room * sizeof *out->ids);
    out->count = n_before + room;
    out->truncated = true;
}

/* The ids of a text that is ready, with the specials around them. */
static ge_status encode_wrapped(struct encoding *e, const char *text, size_t len, int max_length,
                                bool add_special)
{
    ge_status rc = GE_OK;
    const struct ge_tokenizer *t = e->t;
    struct ge_tokens *out = e->ids.out;
    size_t n_before = add_special ? t->n_before : 0, n_after = add_special ? t->n_after : 0;
    size_t room = max_length > 0 ? (size_t)max_length - n_before - n_after : SIZE_MAX / 2;
    e->ids.room = SIZE_MAX / 2;
    for (size_t i = 0; i < n_before; i++) GE_TRY(ge_ids_add(&e->ids, t->before[i]));
    if (!t->truncate_left) e->ids.room = room;
    GE_TRY(encode_text(e, text, len));
    out->truncated = e->ids.full;
    if (t->truncate_left) cut_left(out, n_before, room);
    e->ids.room = SIZE_MAX / 2;
    if (t->after_once && n_after == 1 && out->count > n_before &&
        out->ids[out->count - 1] == t->after[0]) {
        goto done;
    }
    for (size_t i = 0; i < n_after; i++) GE_TRY(ge_ids_add(&e->ids, t->after[i]));
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
    GE_TRY(prepare(t, out->scratch, &text, &len));
    struct encoding e = {.t = t, .scratch = out->scratch, .ids = {.out = out}};
    GE_TRY(encode_wrapped(&e, text, len, max_length, add_special));
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

bool ge_tokenizer_pads_left(const struct ge_tokenizer *t)
{
    return t->pads_left;
}

int ge_tokenizer_max_length(const struct ge_tokenizer *t)
{
    return t->max_length;
}

struct ge_hash ge_tokenizer_hash(const struct ge_tokenizer *t)
{
    return t->hash;
}
