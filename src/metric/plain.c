#include "metric/plain.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "metric/noun.h"
#include "metric/sentence.h"
#include "text/unicode.h"
#include "text/words.h"

#define TEXT_MAX ((size_t)512 << 20)

enum { REACH = 3 /* words that a negating word reaches */ };

/* A text while it is split. */
struct splitter {
    struct ge_plain *out;
    struct ge_buf chars;
    size_t *at; /* where the words begin in chars */
    size_t cap, cap_at;
    int reach;     /* words that are still denied */
    bool negation; /* the word before negates */
};

/* Whether a clause ends in what stands between two words. */
static bool breaks(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr(",;:()[]", s[i]) != NULL) return true;
        if (len - i >= 3 && (memcmp(s + i, "\u2013", 3) == 0 || memcmp(s + i, "\u2014", 3) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is(const struct ge_word *w, const char *word)
{
    return strcmp(w->text, word) == 0;
}

static ge_status add_word(struct splitter *s, const struct ge_word *w, size_t sentence)
{
    ge_status rc = GE_OK;
    struct ge_plain *p = s->out;
    if (is(w, "a") || is(w, "an") || is(w, "the")) goto done;
    GE_GROW(p->v, p->n, s->cap);
    GE_GROW(s->at, p->n, s->cap_at);
    if (is(w, "but") || (s->negation && is(w, "only"))) s->reach = 0;
    s->negation = ge_word_negates(w->text);
    p->v[p->n] = (struct ge_plain_word){
        .sentence = sentence, .denied = s->reach > 0 && !s->negation, .negates = s->negation};
    s->at[p->n++] = s->chars.len;
    if (s->negation) {
        s->reach = REACH;
    } else if (s->reach > 0) {
        s->reach--;
    }
    ge_noun_singular(w->text, w->len, &s->chars);
    ge_buf_char(&s->chars, '\0');
    rc = ge_buf_status(&s->chars);
done:
    return rc;
}

static ge_status add_sentence(struct splitter *s, const char *text, size_t len, size_t sentence)
{
    ge_status rc = GE_OK;
    struct ge_words words;
    struct ge_word w;
    bool found = true;
    size_t end = 0;
    s->reach = 0;
    s->negation = false;
    ge_words_init(&words, text, len);
    while (found) {
        size_t pos = words.pos;
        rc = ge_words_next(&words, &w, &found);
        if (rc == GE_ELIMIT) { /* no name is that long */
            ge_error_clear();
            rc = GE_OK;
            found = true;
            end = words.pos;
            continue;
        }
        GE_TRY(rc);
        if (!found) break;
        if (w.has_value) {
            words.pos = pos;
            GE_TRY(ge_words_next_number(&words, &w, &found));
        }
        if (breaks(text + end, w.begin - end)) s->reach = 0;
        end = w.end;
        GE_TRY(add_word(s, &w, sentence));
    }
done:
    ge_words_free(&words);
    return rc;
}

ge_status ge_plain_init(struct ge_plain *p, const char *text)
{
    ge_status rc = GE_OK;
    struct splitter s = {.out = p};
    struct ge_buf normal;
    size_t begin, end;
    memset(p, 0, sizeof *p);
    ge_buf_init(&normal, TEXT_MAX);
    ge_buf_init(&s.chars, TEXT_MAX);
    GE_TRY(ge_words_normalize(text, strlen(text), GE_WORDS_NFC, &normal));
    struct ge_sentences sentences = {.text = normal.data, .len = normal.len};
    for (size_t k = 0; ge_sentences_next(&sentences, &begin, &end); k++) {
        GE_TRY(add_sentence(&s, normal.data + begin, end - begin, k));
    }
    GE_TRY_PTR(p->chars, ge_buf_take(&s.chars, NULL));
    for (size_t i = 0; i < p->n; i++) p->v[i].text = p->chars + s.at[i];
done:
    ge_buf_free(&normal);
    ge_buf_free(&s.chars);
    free(s.at);
    if (rc != GE_OK) ge_plain_free(p);
    return rc;
}

void ge_plain_free(struct ge_plain *p)
{
    free(p->chars);
    free(p->v);
    memset(p, 0, sizeof *p);
}

bool ge_plain_joins(const char *word)
{
    static const char *const words[] = {
        "and",   "or",    "of",    "in",    "on",   "at",   "to",    "for",  "with",  "by",
        "from",  "as",    "is",    "are",   "was",  "were", "be",    "been", "being", "am",
        "has",   "have",  "had",   "do",    "does", "did",  "it",    "its",  "this",  "that",
        "these", "those", "there", "their", "they", "them", "he",    "she",  "his",   "her",
        "i",     "we",    "you",   "your",  "our",  "my",   "which", "who",  "whose", "also",
        "very",  "some",  "will",  "can",   "may",  "into", "so",    "then", "than",  "but",
        "if",    "while", "when",  "where", "only",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) return true;
    }
    return false;
}
