#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

enum {
    PATTERN_MAX = 1 << 20,
    TOKENS_MAX = 16384,
    MAX_CONTENT = 1024 /* bytes of a token: searching takes that many steps per byte of a text */
};

const struct added_token *ge_added_find(const struct added *a, const char *content)
{
    int32_t i = ge_vocab_find(&a->index, content, strlen(content));
    return i < 0 ? NULL : &a->tokens[i];
}

const struct added_token *ge_added_find_id(const struct added *a, int32_t id)
{
    size_t low = 0, high = a->by_id == NULL ? 0 : a->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct added_token *t = &a->tokens[a->by_id[mid]];
        if (t->id == id) return t;
        if (t->id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

ge_status ge_added_put(struct added *a, const struct added_token *token)
{
    ge_status rc = GE_OK;
    char *content = NULL;
    if (token->content[0] == '\0') return GE_OK;
    if (strlen(token->content) > MAX_CONTENT)
        GE_TRY(ge_fail(GE_ELIMIT, "the added token \"%.32s…\" has %zu bytes, at most %d are read",
                       token->content, strlen(token->content), MAX_CONTENT));
    const struct added_token *known = ge_added_find(a, token->content);
    if (known != NULL) {
        struct added_token *t = &a->tokens[known - a->tokens];
        struct added_token old = *t;
        *t = *token;
        t->content = old.content;
        t->id = old.id;
        t->special = token->special || old.special;
        return GE_OK;
    }
    if (a->n == TOKENS_MAX) return ge_fail(GE_ELIMIT, "more than %d added tokens", TOKENS_MAX);
    GE_TRY(ge_vocab_add(&a->index, token->content, strlen(token->content), (int64_t)a->n));
    GE_TRY_PTR(content, ge_strdup(token->content));
    GE_GROW(a->tokens, a->n, a->cap);
    a->tokens[a->n] = *token;
    a->tokens[a->n++].content = content;
    if (token->id >= a->end_id) a->end_id = token->id + 1;
    content = NULL;
done:
    free(content);
    return rc;
}

/* ---- finishing ---------------------------------------------------------------------------- */

/* The normalized forms of normalized tokens, where they are not the content itself. */
static ge_status normalize_tokens(struct added *a, const struct normalizer *normalizer)
{
    ge_status rc = GE_OK;
    struct ge_buf form, spare;
    ge_buf_init(&form, PATTERN_MAX);
    ge_buf_init(&spare, PATTERN_MAX);
    for (size_t i = 0; i < a->n; i++) {
        struct added_token *t = &a->tokens[i];
        if (!t->normalized) continue;
        ge_buf_reset(&form);
        ge_buf_str(&form, t->content);
        GE_TRY(ge_buf_status(&form));
        GE_TRY(ge_normalizer_run(normalizer, &form, &spare, NULL));
        const char *text = form.len > 0 ? form.data : "";
        if (strcmp(text, t->content) != 0) GE_TRY_PTR(t->shown, ge_strdup(text));
    }
done:
    ge_buf_free(&form);
    ge_buf_free(&spare);
    return rc;
}

static const char *shown(const struct added_token *t)
{
    return t->shown != NULL ? t->shown : t->content;
}

static ge_status build(struct added *a, bool normalized, struct added_patterns *p)
{
    ge_status rc = GE_OK;
    struct trie_key *keys = NULL;
    size_t n = 0, n_starts = 0;
    GE_NEW(keys, a->n);
    for (size_t i = 0; i < a->n; i++) {
        if (a->tokens[i].normalized != normalized) continue;
        const char *text = shown(&a->tokens[i]);
        keys[n++] = (struct trie_key){.text = text, .len = strlen(text), .value = (int32_t)i};
        if (text[0] != '\0') p->starts[(unsigned char)text[0]] = true;
    }
    p->only = -1;
    for (int byte = 0; byte < 256; byte++) {
        if (!p->starts[byte]) continue;
        p->only = n_starts++ == 0 ? byte : -1;
    }
    GE_TRY(ge_trie_build(&p->trie, keys, n));
done:
    free(keys);
    return rc;
}

struct numbered {
    int32_t id;
    uint32_t index;
};

static int compare_numbered(const void *pa, const void *pb)
{
    const struct numbered *a = pa, *b = pb;
    if (a->id != b->id) return a->id < b->id ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static ge_status sort_by_id(struct added *a)
{
    ge_status rc = GE_OK;
    struct numbered *order = NULL;
    GE_NEW(order, a->n);
    GE_NEW(a->by_id, a->n);
    for (size_t i = 0; i < a->n; i++) {
        order[i] = (struct numbered){.id = a->tokens[i].id, .index = (uint32_t)i};
    }
    if (a->n > 0) qsort(order, a->n, sizeof *order, compare_numbered);
    for (size_t i = 0; i < a->n; i++) a->by_id[i] = order[i].index;
done:
    free(order);
    return rc;
}

ge_status ge_added_finish(struct added *a, const struct normalizer *normalizer)
{
    ge_status rc = GE_OK;
    GE_TRY(normalize_tokens(a, normalizer));
    GE_TRY(build(a, false, &a->raw));
    GE_TRY(build(a, true, &a->normalized));
    GE_TRY(sort_by_id(a));
    for (size_t i = 0; i < a->n; i++) {
        const struct added_token *same = ge_added_find(a, shown(&a->tokens[i]));
        a->tokens[i].skipped = same != NULL && same->special;
    }
done:
    return rc;
}

void ge_added_free(struct added *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->tokens[i].content);
        free(a->tokens[i].shown);
    }
    free(a->tokens);
    free(a->by_id);
    ge_vocab_free(&a->index);
    ge_trie_free(&a->raw.trie);
    ge_trie_free(&a->normalized.trie);
    memset(a, 0, sizeof *a);
}

/* ---- searching ---------------------------------------------------------------------------- */

static unsigned class_before(const char *text, size_t at)
{
    size_t begin = at - 1, n;
    while (begin > 0 && ((unsigned char)text[begin] & 0xC0) == 0x80) begin--;
    return ge_unicode_class(ge_unicode_at(text + begin, at - begin, &n));
}

static unsigned class_after(const char *text, size_t len, size_t at)
{
    size_t n;
    return ge_unicode_class(ge_unicode_at(text + at, len - at, &n));
}

static bool touches_word(const char *text, size_t len, size_t begin, size_t end)
{
    return (begin > 0 && (class_before(text, begin) & GE_CHAR_WORD)) ||
           (end < len && (class_after(text, len, end) & GE_CHAR_WORD));
}

/* First place from pos on where a token may begin. */
static size_t skip_to_candidate(const struct added_patterns *p, const char *text, size_t len,
                                size_t pos)
{
    if (p->only >= 0) {
        const char *at = memchr(text + pos, p->only, len - pos);
        return at == NULL ? len : (size_t)(at - text);
    }
    while (pos < len && !p->starts[(unsigned char)text[pos]]) pos++;
    return pos;
}

bool ge_added_next(const struct added *a, bool normalized, const char *text, size_t len,
                   struct added_search *at, struct added_match *match)
{
    const struct added_patterns *p = normalized ? &a->normalized : &a->raw;
    if (p->trie.nodes == NULL) return false;
    while ((at->pos = skip_to_candidate(p, text, len, at->pos)) < len) {
        size_t n, begin = at->pos;
        int32_t index = ge_trie_longest(&p->trie, text + begin, len - begin, &n);
        if (index < 0) {
            at->pos++;
            continue;
        }
        const struct added_token *t = &a->tokens[index];
        size_t end = begin + n;
        at->pos = end;
        if (t->special && a->ignore_special) continue;
        if (t->single_word && touches_word(text, len, begin, end)) continue;
        /* It may lie in the white space that the match before took, and counts all the same, unless
         * its own white space is what it would begin with. */
        if (t->lstrip) {
            while (begin > at->done && (class_before(text, begin) & GE_CHAR_SPACE)) {
                do begin--;
                while (((unsigned char)text[begin] & 0xC0) == 0x80);
            }
        }
        if (t->rstrip) {
            if (end < at->spaces) end = at->spaces; /* within those that were counted before */
            while (end < len && (class_after(text, len, end) & GE_CHAR_SPACE)) {
                ge_unicode_at(text + end, len - end, &n);
                end += n;
            }
            at->spaces = end;
        }
        if (begin < at->done) {
            begin = at->done;
            if (t->lstrip && begin >= end) continue;
        }
        *match =
            (struct added_match){.begin = begin, .end = end, .id = t->id, .special = t->special};
        at->done = end;
        return true;
    }
    return false;
}

/* The order in the list depends on the files' layout and decides nothing, so the tokens' own hashes
 * are summed. */
void ge_added_hash(const struct added *a, struct ge_hasher *h)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct added_token *t = &a->tokens[i];
        uint64_t words[] = {ge_check64(t->content, strlen(t->content)), (uint64_t)t->id,
                            (uint64_t)t->single_word | (uint64_t)t->lstrip << 1 |
                                (uint64_t)t->rstrip << 2 | (uint64_t)t->normalized << 3 |
                                (uint64_t)t->special << 4};
        sum += ge_check64(words, sizeof words);
    }
    ge_hasher_add_u64(h, a->n);
    ge_hasher_add_u64(h, sum);
}
