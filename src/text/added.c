#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

enum { PATTERN_MAX = 1 << 20, TOKENS_MAX = 16384 };

const struct added_token *ge_added_find(const struct added *a, const char *content)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->tokens[i].content, content) == 0) return &a->tokens[i];
    }
    return NULL;
}

ge_status ge_added_put(struct added *a, const struct added_token *token)
{
    ge_status rc = GE_OK;
    char *content = NULL;
    if (token->content[0] == '\0') return GE_OK;
    const struct added_token *known = ge_added_find(a, token->content);
    if (known != NULL) {
        struct added_token *t = &a->tokens[known - a->tokens];
        char *kept = t->content;
        int32_t id = t->id;
        *t = *token;
        t->content = kept;
        t->id = id;
        return GE_OK;
    }
    if (a->n == TOKENS_MAX) return ge_fail(GE_ELIMIT, "more than %d added tokens", TOKENS_MAX);
    GE_TRY_PTR(content, ge_strdup(token->content));
    GE_GROW(a->tokens, a->n, a->cap);
    a->tokens[a->n] = *token;
    a->tokens[a->n++].content = content;
    content = NULL;
done:
    free(content);
    return rc;
}

static ge_status build(struct added *a, bool normalized, const struct normalizer *normalizer,
                       struct trie *trie)
{
    ge_status rc = GE_OK;
    struct trie_key *keys = NULL;
    struct ge_buf *forms = NULL;
    struct ge_buf spare;
    size_t n = 0;
    ge_buf_init(&spare, PATTERN_MAX);
    GE_NEW(keys, a->n);
    GE_NEW(forms, a->n);
    for (size_t i = 0; i < a->n; i++) {
        if (a->tokens[i].normalized != normalized) continue;
        ge_buf_init(&forms[n], PATTERN_MAX);
        ge_buf_str(&forms[n], a->tokens[i].content);
        GE_TRY(ge_buf_status(&forms[n]));
        if (normalized) GE_TRY(ge_normalizer_run(normalizer, &forms[n], &spare));
        keys[n] =
            (struct trie_key){.text = forms[n].data, .len = forms[n].len, .value = (int32_t)i};
        n++;
    }
    GE_TRY(ge_trie_build(trie, keys, n));
done:
    for (size_t i = 0; forms != NULL && i < a->n; i++) ge_buf_free(&forms[i]);
    free(forms);
    free(keys);
    ge_buf_free(&spare);
    return rc;
}

ge_status ge_added_finish(struct added *a, const struct normalizer *normalizer)
{
    ge_status rc = GE_OK;
    GE_TRY(build(a, false, normalizer, &a->raw));
    GE_TRY(build(a, true, normalizer, &a->normalized));
done:
    return rc;
}

void ge_added_free(struct added *a)
{
    for (size_t i = 0; i < a->n; i++) free(a->tokens[i].content);
    free(a->tokens);
    ge_trie_free(&a->raw);
    ge_trie_free(&a->normalized);
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

/* First place from pos on where a key may begin. */
static size_t skip_to_candidate(const struct trie *t, const char *text, size_t len, size_t pos)
{
    const struct trie_node *root = t->nodes, *first = t->nodes + root->first_child;
    if (root->n_children == 1) {
        const char *at = memchr(text + pos, first->byte, len - pos);
        return at == NULL ? len : (size_t)(at - text);
    }
    for (; pos < len; pos++) {
        for (unsigned k = 0; k < root->n_children; k++) {
            if (first[k].byte == (unsigned char)text[pos]) return pos;
        }
    }
    return len;
}

bool ge_added_next(const struct added *a, bool normalized, const char *text, size_t len,
                   struct added_search *at, struct added_match *match)
{
    const struct trie *trie = normalized ? &a->normalized : &a->raw;
    if (trie->n < 2) return false;
    while ((at->pos = skip_to_candidate(trie, text, len, at->pos)) < len) {
        size_t n, begin = at->pos;
        int32_t index = ge_trie_longest(trie, text + begin, len - begin, &n);
        if (index < 0) {
            at->pos++;
            continue;
        }
        const struct added_token *t = &a->tokens[index];
        size_t end = begin + n;
        at->pos = end;
        if (t->single_word && touches_word(text, len, begin, end)) continue;
        if (begin < at->done) continue; /* inside the white space that the match before took */
        if (t->lstrip) {
            while (begin > at->done && (class_before(text, begin) & GE_CHAR_SPACE)) {
                do begin--;
                while (((unsigned char)text[begin] & 0xC0) == 0x80);
            }
        }
        if (t->rstrip) {
            while (end < len && (class_after(text, len, end) & GE_CHAR_SPACE)) {
                ge_unicode_at(text + end, len - end, &n);
                end += n;
            }
        }
        at->done = end;
        *match = (struct added_match){.begin = begin, .end = end, .id = t->id};
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
                                (uint64_t)t->rstrip << 2 | (uint64_t)t->normalized << 3};
        sum += ge_check64(words, sizeof words);
    }
    ge_hasher_add_u64(h, a->n);
    ge_hasher_add_u64(h, sum);
}
