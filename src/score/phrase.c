/* Normalised words of a text. */
#include "score/phrase.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/words.h"

#define MAX_TEXT ((size_t)16 << 20)

ge_status ge_phrase_init(struct ge_phrase *p, const char *text)
{
    ge_status rc = GE_OK;
    struct ge_buf normal;
    ge_buf_init(&normal, MAX_TEXT);
    memset(p, 0, sizeof *p);
    GE_TRY(ge_words_normalize(text, strlen(text), GE_WORDS_ANSWER, &normal));
    GE_TRY_PTR(p->text, ge_buf_take(&normal, NULL));
    size_t n = p->text[0] != '\0';
    for (const char *c = p->text; *c != '\0'; c++) n += *c == ' ';
    GE_NEW(p->words, n);
    for (char *word = p->text; p->n < n; p->n++) {
        p->words[p->n] = word;
        char *space = strchr(word, ' ');
        if (space != NULL) {
            *space = '\0';
            word = space + 1;
        }
    }
done:
    ge_buf_free(&normal);
    if (rc != GE_OK) ge_phrase_free(p);
    return rc;
}

void ge_phrase_free(struct ge_phrase *p)
{
    free(p->text);
    free(p->words);
    memset(p, 0, sizeof *p);
}

bool ge_phrase_at(const struct ge_phrase *whole, size_t at, const struct ge_phrase *part)
{
    if (part->n == 0 || at > whole->n || part->n > whole->n - at) return false;
    for (size_t i = 0; i < part->n; i++) {
        if (strcmp(whole->words[at + i], part->words[i]) != 0) return false;
    }
    return true;
}

bool ge_phrase_equal(const struct ge_phrase *a, const struct ge_phrase *b)
{
    return a->n == b->n && ge_phrase_at(a, 0, b);
}
