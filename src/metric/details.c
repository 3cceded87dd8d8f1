#include "metric/details.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "metric/plain.h"

/* A content word of some detail. The same word of two details is one entry. */
struct term {
    const char *text;    /* borrowed from a detail's words */
    size_t said, denied; /* the last sentence, from 1, that has it so */
};

/* A detail's word: an index into the terms. */
struct need {
    size_t term;
    bool denied;
};

struct detail {
    struct need *needs; /* (n), into details.needs */
    size_t n;
    bool negative; /* one of them is denied */
    bool covered;
};

struct details {
    struct ge_plain *words; /* (n), owned */
    struct detail *v;       /* (n) */
    size_t n;
    struct term *terms; /* (n_terms), sorted by text */
    size_t n_terms;
    struct need *needs; /* of all details */
};

static void details_free(struct details *d)
{
    for (size_t i = 0; i < d->n; i++) ge_plain_free(&d->words[i]);
    free(d->words);
    free(d->v);
    free(d->terms);
    free(d->needs);
    *d = (struct details){0};
}

static bool is_content(const struct ge_plain_word *w)
{
    return !w->negates && !ge_plain_joins(w->text);
}

/* Whether the detail is compared by all words that do not negate, for want of content. */
static bool lacks_content(const struct ge_plain *words)
{
    for (size_t i = 0; i < words->n; i++) {
        if (is_content(&words->v[i])) return false;
    }
    return true;
}

static bool counts(const struct ge_plain *words, size_t i, bool all)
{
    return all ? !words->v[i].negates : is_content(&words->v[i]);
}

static int by_text(const void *a, const void *b)
{
    const struct term *s = a, *t = b;
    return strcmp(s->text, t->text);
}

static struct term *find_term(const struct details *d, const char *text)
{
    const struct term key = {.text = text};
    return bsearch(&key, d->terms, d->n_terms, sizeof *d->terms, by_text);
}

/* The different content words of all details, sorted. */
static void collect_terms(struct details *d)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < d->n; i++) {
        bool all = lacks_content(&d->words[i]);
        for (size_t k = 0; k < d->words[i].n; k++) {
            if (counts(&d->words[i], k, all)) {
                d->terms[n++] = (struct term){.text = d->words[i].v[k].text};
            }
        }
    }
    qsort(d->terms, n, sizeof *d->terms, by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || by_text(&d->terms[i], &d->terms[kept - 1]) != 0) {
            d->terms[kept++] = d->terms[i];
        }
    }
    d->n_terms = kept;
}

static ge_status details_init(struct details *d, const struct ge_strings *texts)
{
    ge_status rc = GE_OK;
    size_t total = 0;
    *d = (struct details){0};
    GE_NEW(d->words, texts->n);
    GE_NEW(d->v, texts->n);
    for (; d->n < texts->n; d->n++) {
        GE_TRY(ge_plain_init(&d->words[d->n], texts->v[d->n]));
        total += d->words[d->n].n;
    }
    GE_NEW(d->terms, total);
    GE_NEW(d->needs, total);
    collect_terms(d);
    struct need *next = d->needs;
    for (size_t i = 0; i < d->n; i++) {
        bool all = lacks_content(&d->words[i]);
        d->v[i].needs = next;
        for (size_t k = 0; k < d->words[i].n; k++) {
            const struct ge_plain_word *w = &d->words[i].v[k];
            if (!counts(&d->words[i], k, all)) continue;
            *next++ = (struct need){(size_t)(find_term(d, w->text) - d->terms), w->denied};
            d->v[i].negative = d->v[i].negative || w->denied;
        }
        d->v[i].n = (size_t)(next - d->v[i].needs);
    }
done:
    if (rc != GE_OK) details_free(d);
    return rc;
}

/* Whether the sentence, numbered from 1, covers a detail. */
static bool covers(const struct details *d, const struct detail *x, size_t sentence)
{
    bool denies = false;
    for (size_t i = 0; i < x->n; i++) {
        const struct term *t = &d->terms[x->needs[i].term];
        bool said = t->said == sentence, denied = t->denied == sentence;
        if (!said && !(x->negative && denied)) return false;
        denies = denies || (x->needs[i].denied && denied);
    }
    return x->n > 0 && (!x->negative || denies);
}

/* Read the text sentence by sentence; only sentences with a term are looked at. */
static void cover(struct details *d, const struct ge_plain *text)
{
    bool any = false;
    for (size_t i = 0; i < text->n; i++) {
        const struct ge_plain_word *w = &text->v[i];
        struct term *t = find_term(d, w->text);
        if (t != NULL) *(w->denied ? &t->denied : &t->said) = w->sentence + 1;
        any = any || t != NULL;
        if (i + 1 < text->n && text->v[i + 1].sentence == w->sentence) continue;
        for (size_t k = 0; any && k < d->n; k++) {
            d->v[k].covered = d->v[k].covered || covers(d, &d->v[k], w->sentence + 1);
        }
        any = false;
    }
}

ge_status ge_details_missing(const char *text, const struct ge_task *task, bool *missing,
                             double *recall)
{
    ge_status rc = GE_OK;
    struct details d = {0};
    struct ge_plain words = {0};
    size_t n = 0, covered = 0;
    *recall = NAN;
    if (task->details.n == 0) goto done;
    GE_TRY(details_init(&d, &task->details));
    GE_TRY(ge_plain_init(&words, text));
    cover(&d, &words);
    for (size_t i = 0; i < d.n; i++) {
        missing[i] = d.v[i].n > 0 && !d.v[i].covered;
        n += d.v[i].n > 0;
        covered += d.v[i].covered;
    }
    if (n > 0) *recall = (double)covered / (double)n;
done:
    ge_plain_free(&words);
    details_free(&d);
    return rc;
}

ge_status ge_details_recall(const char *text, const struct ge_task *task, double *value)
{
    ge_status rc = GE_OK;
    bool *missing = NULL;
    GE_NEW(missing, task->details.n);
    GE_TRY(ge_details_missing(text, task, missing, value));
done:
    free(missing);
    return rc;
}
