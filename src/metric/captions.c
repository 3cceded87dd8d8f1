/* Cutting a corpus into words and numbering its n-grams. */
#include "metric/captions.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "metric/ptb.h"
#include "text/unicode.h"

/* Words by content: number -> bytes in `bytes`. Open addressing; a slot holds a number + 1. */
struct words {
    struct ge_buf bytes;
    size_t *begin; /* n + 1 used */
    size_t n, cap;
    uint32_t *slots;
    size_t n_slots; /* a power of 2 */
};

/* n-grams of one order: number -> (number of the n-gram without its last word) << 32 | last word. */
struct pairs {
    uint64_t *key;
    size_t n, cap;
    uint32_t *slots;
    size_t n_slots;
};

struct maker {
    struct ge_caption_corpus *cc;
    struct words words;
    struct pairs pairs[GE_NGRAM_ORDERS]; /* [0] unused */
    size_t cap, refs_cap, n_refs;
    struct ge_buf text; /* the caption at hand, tokenized */
};

/* Spread the bits of a key over a table's index. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ (x >> 29);
}

static uint64_t word_hash(const struct words *w, size_t i)
{
    return ge_check64(w->bytes.data + w->begin[i], w->begin[i + 1] - w->begin[i]);
}

static ge_status grow_words(struct words *w)
{
    size_t n = w->n_slots == 0 ? 64 : 2 * w->n_slots;
    uint32_t *slots;
    ge_status rc = GE_OK;
    GE_NEW(slots, n);
    for (size_t i = 0; i < w->n; i++) {
        size_t at = (size_t)word_hash(w, i) & (n - 1);
        while (slots[at] != 0) at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(w->slots);
    w->slots = slots;
    w->n_slots = n;
done:
    return rc;
}

static ge_status number_word(struct words *w, const char *text, size_t len, uint32_t *number)
{
    size_t at;
    ge_status rc = GE_OK;
    if (4 * w->n >= 3 * w->n_slots) GE_TRY(grow_words(w));
    for (at = (size_t)ge_check64(text, len) & (w->n_slots - 1); w->slots[at] != 0;
         at = (at + 1) & (w->n_slots - 1)) {
        size_t i = w->slots[at] - 1;
        if (w->begin[i + 1] - w->begin[i] == len &&
            (len == 0 || memcmp(w->bytes.data + w->begin[i], text, len) == 0)) {
            *number = (uint32_t)i;
            return GE_OK;
        }
    }
    GE_GROW(w->begin, w->n + 1, w->cap);
    ge_buf_add(&w->bytes, text, len);
    GE_TRY(ge_buf_status(&w->bytes));
    w->begin[w->n + 1] = w->bytes.len;
    w->slots[at] = (uint32_t)w->n + 1;
    *number = (uint32_t)w->n++;
done:
    return rc;
}

static ge_status grow_pairs(struct pairs *t)
{
    size_t n = t->n_slots == 0 ? 64 : 2 * t->n_slots;
    uint32_t *slots;
    ge_status rc = GE_OK;
    GE_NEW(slots, n);
    for (size_t i = 0; i < t->n; i++) {
        size_t at = (size_t)mix(t->key[i]) & (n - 1);
        while (slots[at] != 0) at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(t->slots);
    t->slots = slots;
    t->n_slots = n;
done:
    return rc;
}

static ge_status number_pair(struct pairs *t, uint64_t key, uint32_t *number)
{
    size_t at;
    ge_status rc = GE_OK;
    if (4 * t->n >= 3 * t->n_slots) GE_TRY(grow_pairs(t));
    for (at = (size_t)mix(key) & (t->n_slots - 1); t->slots[at] != 0;
         at = (at + 1) & (t->n_slots - 1)) {
        if (t->key[t->slots[at] - 1] == key) {
            *number = t->slots[at] - 1;
            return GE_OK;
        }
    }
    GE_GROW(t->key, t->n, t->cap);
    t->key[t->n] = key;
    t->slots[at] = (uint32_t)t->n + 1;
    *number = (uint32_t)t->n++;
done:
    return rc;
}

/* ---- captions --------------------------------------------------------------------------------- */

/* Room for one more word. */
static ge_status grow_grams(struct maker *m)
{
    struct ge_caption_corpus *cc = m->cc;
    size_t cap = m->cap == 0 ? 64 : 2 * m->cap;
    ge_status rc = GE_OK;
    if (cc->words < m->cap) return GE_OK;
    if (cc->words >= UINT32_MAX - 1)
        return ge_fail(GE_ELIMIT, "captions: more than 2^32 words in one corpus; split it");
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) GE_RESIZE(cc->gram[k], cap);
    m->cap = cap;
done:
    return rc;
}

static ge_status add_word(struct maker *m, const char *text, size_t len)
{
    struct ge_caption_corpus *cc = m->cc;
    ge_status rc = GE_OK;
    GE_TRY(grow_grams(m));
    for (int k = 1; k < GE_NGRAM_ORDERS; k++) cc->gram[k][cc->words] = 0;
    GE_TRY(number_word(&m->words, text, len, &cc->gram[0][cc->words]));
    cc->words++;
done:
    return rc;
}

/* Length of a white-space character as Python's str.split() has it; 0: none here. */
static size_t space_at(const char *s, size_t len)
{
    size_t n;
    int32_t c;
    if ((unsigned char)*s < 0x80)
        return *s == ' ' || (*s >= '\t' && *s <= '\r') || (*s >= 0x1C && *s <= 0x1F);
    c = ge_utf8_decode(s, len, &n);
    return c >= 0 && (ge_unicode_class((uint32_t)c) & GE_CHAR_SPACE) ? n : 0;
}

static ge_status split_at_space(struct maker *m, const char *s, size_t len)
{
    ge_status rc = GE_OK;
    for (size_t i = 0, begin; i < len;) {
        size_t n = space_at(s + i, len - i);
        if (n > 0) {
            i += n;
            continue;
        }
        for (begin = i; i < len && space_at(s + i, len - i) == 0;) i++;
        GE_TRY(add_word(m, s + begin, i - begin));
    }
done:
    return rc;
}

static ge_status split_at_single_spaces(struct maker *m, const char *s, size_t len)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i <= len; i++) {
        const char *end = i < len ? memchr(s + i, ' ', len - i) : NULL;
        size_t n = end != NULL ? (size_t)(end - s) - i : len - i;
        GE_TRY(add_word(m, s + i, n));
        i += n;
    }
done:
    return rc;
}

/* Are single spaces all the white space, with a word on either side of each? */
static bool is_evenly_spaced(const char *s, size_t len)
{
    if (len == 0 || s[0] == ' ' || s[len - 1] == ' ') return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == ' ' ? s[i + 1] == ' ' : space_at(s + i, len - i) > 0) return false;
    }
    return true;
}

static ge_status add_caption(struct maker *m, enum ge_caption_words words, struct ge_caption *out)
{
    struct ge_caption_corpus *cc = m->cc;
    const char *s = m->text.len > 0 ? m->text.data : "";
    ge_status rc = GE_OK;
    uint64_t key;
    out->first = cc->words;
    GE_TRY(split_at_space(m, s, m->text.len));
    out->n = cc->words - out->first;
    for (int k = 1; k < GE_NGRAM_ORDERS; k++) {
        for (size_t i = out->first + (size_t)k; i < cc->words; i++) {
            key = (uint64_t)cc->gram[k - 1][i - 1] << 32 | cc->gram[0][i];
            GE_TRY(number_pair(&m->pairs[k], key, &cc->gram[k][i]));
        }
    }
    out->split_first = out->first;
    out->split_n = out->n;
    if (words != GE_CAPTION_PLAIN && !is_evenly_spaced(s, m->text.len)) {
        out->split_first = cc->words;
        GE_TRY(split_at_single_spaces(m, s, m->text.len));
        out->split_n = cc->words - out->split_first;
    }
done:
    return rc;
}

ge_status ge_caption_plain_words(const char *text, struct ge_buf *out)
{
    struct ge_buf valid;
    size_t begin = out->len;
    ge_status rc = GE_OK;
    ge_buf_init(&valid, SIZE_MAX);
    ge_unicode_sanitize(text, strlen(text), &valid);
    GE_TRY(ge_buf_status(&valid));
    for (size_t i = 0, from; i < valid.len;) {
        size_t n = space_at(valid.data + i, valid.len - i);
        if (n > 0) {
            i += n;
            continue;
        }
        for (from = i; i < valid.len && space_at(valid.data + i, valid.len - i) == 0;) i++;
        if (out->len > begin) ge_buf_char(out, ' ');
        ge_unicode_lowercase(valid.data + from, i - from, out);
    }
    GE_TRY(ge_buf_status(out));
done:
    ge_buf_free(&valid);
    return rc;
}

static ge_status add_text(struct maker *m, const char *text, enum ge_caption_words words,
                          struct ge_caption *out)
{
    ge_status rc = GE_OK;
    ge_buf_reset(&m->text);
    switch (words) {
    case GE_CAPTION_PTB:
        GE_TRY(ge_ptb_caption(text, strlen(text), &m->text));
        break;
    case GE_CAPTION_TOKENIZED:
        ge_buf_str(&m->text, text);
        break;
    case GE_CAPTION_PLAIN:
        GE_TRY(ge_caption_plain_words(text, &m->text));
        break;
    }
    GE_TRY(ge_buf_status(&m->text));
    GE_TRY(add_caption(m, words, out));
done:
    return rc;
}

static ge_status add_entry(struct maker *m, const struct ge_corpus *c, size_t i,
                           enum ge_caption_words words)
{
    struct ge_caption_entry *e = &m->cc->entries[i];
    const struct ge_task *task = c->tasks != NULL ? c->tasks[i] : NULL;
    ge_status rc = GE_OK;
    GE_TRY(add_text(m, c->texts[i], words, &e->text));
    if (words == GE_CAPTION_PLAIN || task == NULL) goto done;
    e->n_refs = task->references.n;
    e->first_ref = m->n_refs;
    if (i > 0 && c->tasks[i - 1] == task) { /* samples of one item share its references */
        e->first_ref = e[-1].first_ref;
        goto done;
    }
    for (size_t r = 0; r < task->references.n; r++) {
        GE_GROW(m->cc->refs, m->n_refs, m->refs_cap);
        GE_TRY(add_text(m, task->references.v[r], words, &m->cc->refs[m->n_refs]));
        m->n_refs++;
    }
done:
    return rc;
}

static void free_maker(struct maker *m)
{
    ge_buf_free(&m->text);
    ge_buf_free(&m->words.bytes);
    free(m->words.begin);
    free(m->words.slots);
    for (int k = 1; k < GE_NGRAM_ORDERS; k++) {
        free(m->pairs[k].key);
        free(m->pairs[k].slots);
    }
}

ge_status ge_caption_corpus_new(const struct ge_corpus *c, enum ge_caption_words words,
                                struct ge_caption_corpus **out)
{
    struct maker m = {0};
    ge_status rc = GE_OK;
    *out = NULL;
    ge_buf_init(&m.text, SIZE_MAX);
    ge_buf_init(&m.words.bytes, SIZE_MAX);
    GE_NEW(m.cc, 1);
    GE_NEW(m.cc->entries, c->n);
    m.cc->n = c->n;
    m.words.cap = 64;
    GE_NEW(m.words.begin, m.words.cap);
    for (size_t i = 0; i < c->n; i++) GE_TRY(add_entry(&m, c, i, words));
    m.cc->distinct[0] = m.words.n;
    for (int k = 1; k < GE_NGRAM_ORDERS; k++) m.cc->distinct[k] = m.pairs[k].n;
    *out = m.cc;
    m.cc = NULL;
done:
    ge_caption_corpus_delete(&m.cc);
    free_maker(&m);
    return rc;
}

void ge_caption_corpus_delete(struct ge_caption_corpus **cc)
{
    if (*cc == NULL) return;
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) free((*cc)->gram[k]);
    free((*cc)->entries);
    free((*cc)->refs);
    free(*cc);
    *cc = NULL;
}

size_t ge_caption_most_distinct(const struct ge_caption_corpus *cc)
{
    size_t most = 1;
    for (int k = 0; k < GE_NGRAM_ORDERS; k++)
        if (cc->distinct[k] > most) most = cc->distinct[k];
    return most;
}

/* ---- from a plain corpus ---------------------------------------------------------------------- */

ge_status ge_caption_corpus_take(const struct ge_corpus *c, enum ge_caption_words words,
                                 struct ge_caption_corpus **out)
{
    struct ge_caption_corpus **kept = c->cache != NULL ? &c->cache->made[words] : NULL;
    *out = kept != NULL ? *kept : NULL;
    if (*out != NULL) return GE_OK;
    ge_status rc = ge_caption_corpus_new(c, words, out);
    if (kept != NULL) *kept = *out;
    return rc;
}

void ge_caption_corpus_put(const struct ge_corpus *c, struct ge_caption_corpus **cc)
{
    if (c->cache == NULL) ge_caption_corpus_delete(cc);
    *cc = NULL;
}

void ge_caption_cache_clear(struct ge_caption_cache *cache)
{
    for (int k = 0; k < GE_CAPTION_KINDS; k++) ge_caption_corpus_delete(&cache->made[k]);
}

static ge_status bleu(const struct ge_corpus *c, int k, double *value, double *per_text)
{
    struct ge_caption_corpus *cc = NULL;
    double all[GE_NGRAM_ORDERS], *each[GE_NGRAM_ORDERS] = {NULL};
    ge_status rc = GE_OK;
    each[k] = per_text;
    GE_TRY(ge_caption_corpus_take(c, GE_CAPTION_PTB, &cc));
    GE_TRY(ge_caption_bleu(cc, all, each));
    *value = all[k];
done:
    ge_caption_corpus_put(c, &cc);
    return rc;
}

ge_status ge_corpus_bleu1(const struct ge_corpus *c, double *value, double *per_text)
{
    return bleu(c, 0, value, per_text);
}

ge_status ge_corpus_bleu2(const struct ge_corpus *c, double *value, double *per_text)
{
    return bleu(c, 1, value, per_text);
}

ge_status ge_corpus_bleu3(const struct ge_corpus *c, double *value, double *per_text)
{
    return bleu(c, 2, value, per_text);
}

ge_status ge_corpus_bleu4(const struct ge_corpus *c, double *value, double *per_text)
{
    return bleu(c, 3, value, per_text);
}

typedef ge_status mean_fn(const struct ge_caption_corpus *cc, double *mean, double *per_text);

static ge_status mean_of(mean_fn *metric, const struct ge_corpus *c, double *value,
                         double *per_text)
{
    struct ge_caption_corpus *cc = NULL;
    ge_status rc = GE_OK;
    GE_TRY(ge_caption_corpus_take(c, GE_CAPTION_PTB, &cc));
    GE_TRY(metric(cc, value, per_text));
done:
    ge_caption_corpus_put(c, &cc);
    return rc;
}

ge_status ge_corpus_rouge_l(const struct ge_corpus *c, double *value, double *per_text)
{
    return mean_of(ge_caption_rouge_l, c, value, per_text);
}

ge_status ge_corpus_cider_d(const struct ge_corpus *c, double *value, double *per_text)
{
    return mean_of(ge_caption_cider_d, c, value, per_text);
}

/* ---- of one text ------------------------------------------------------------------------------ */

ge_status ge_text_captions(const char *text, const struct ge_task *task, const bool *wanted,
                           double *values)
{
    const struct ge_corpus alone = {.texts = &text, .tasks = &task, .n = 1};
    struct ge_caption_corpus *cc = NULL;
    double bleu[GE_NGRAM_ORDERS];
    bool any_bleu = false;
    ge_status rc = GE_OK;
    GE_TRY(ge_caption_corpus_new(&alone, GE_CAPTION_PTB, &cc));
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) any_bleu = any_bleu || wanted[k];
    if (any_bleu) GE_TRY(ge_caption_bleu(cc, bleu, NULL));
    for (int k = 0; k < GE_NGRAM_ORDERS; k++)
        if (wanted[k]) values[k] = bleu[k];
    if (wanted[GE_NGRAM_ORDERS]) {
        GE_TRY(ge_caption_rouge_l(cc, &values[GE_NGRAM_ORDERS], NULL));
    }
done:
    ge_caption_corpus_delete(&cc);
    return rc;
}

ge_status ge_text_bleu1(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_text_captions, 0, text, task, value);
}

ge_status ge_text_bleu2(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_text_captions, 1, text, task, value);
}

ge_status ge_text_bleu3(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_text_captions, 2, text, task, value);
}

ge_status ge_text_bleu4(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_text_captions, 3, text, task, value);
}

ge_status ge_text_rouge_l(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_text_captions, GE_NGRAM_ORDERS, text, task, value);
}
