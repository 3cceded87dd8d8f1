/* Words with their place. */
#include "score/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/words.h"

static bool holds_any(const char *from, const char *to, const char *set)
{
    for (; from < to; from++) {
        if (*from != '\0' && strchr(set, *from) != NULL) return true;
    }
    return false;
}

ge_status ge_tokens_make(const char *text, struct ge_arena *arena, struct ge_tokens *out)
{
    ge_status rc = GE_OK;
    struct ge_token *v = NULL;
    size_t n = 0, cap = 0, last = 0;
    struct ge_words words;
    struct ge_word word;
    bool found;
    *out = (struct ge_tokens){.text = text};
    ge_words_init(&words, text, strlen(text));
    for (;;) {
        GE_TRY(ge_words_next(&words, &word, &found));
        if (!found) break;
        if (word.has_value) { /* again, with the words that belong to the number */
            words.pos = word.begin;
            GE_TRY(ge_words_next_number(&words, &word, &found));
            if (!found) break;
        }
        GE_GROW(v, n, cap);
        v[n] = (struct ge_token){.begin = word.begin,
                                 .end = word.end,
                                 .number = word.has_value,
                                 .value = word.value,
                                 .breaks = holds_any(text + last, text + word.begin, ".,;!?\n")};
        GE_TRY_PTR(v[n].word, ge_arena_strndup(arena, word.text, word.len));
        n++;
        last = word.end;
    }
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, n, sizeof *v));
    if (n > 0) memcpy(out->v, v, n * sizeof *v);
    out->n = n;
done:
    ge_words_free(&words);
    free(v);
    return rc;
}

bool ge_token_is(const struct ge_tokens *t, ptrdiff_t i, const char *word)
{
    return i >= 0 && (size_t)i < t->n && strcmp(t->v[i].word, word) == 0;
}

bool ge_token_in(const struct ge_tokens *t, ptrdiff_t i, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (ge_token_is(t, i, *words)) return true;
    }
    return false;
}

bool ge_token_negates(const struct ge_tokens *t, ptrdiff_t i)
{
    return i >= 0 && (size_t)i < t->n && ge_word_negates(t->v[i].word);
}

bool ge_token_after_any(const struct ge_tokens *t, ptrdiff_t i, const char *set)
{
    if (i < 0 || (size_t)i >= t->n) return false;
    size_t from = i == 0 ? 0 : t->v[i - 1].end;
    return holds_any(t->text + from, t->text + t->v[i].begin, set);
}
