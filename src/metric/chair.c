#include "metric/chair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "metric/plain.h"

/* A name or synonym of an object. */
struct phrase {
    struct ge_plain words;
    size_t object;
};

struct phrases {
    struct phrase *v; /* (n), sorted by their first word */
    size_t n;
};

static void phrases_free(struct phrases *p)
{
    for (size_t i = 0; i < p->n; i++) ge_plain_free(&p->v[i].words);
    free(p->v);
    *p = (struct phrases){0};
}

static ge_status add_phrase(struct phrases *p, const char *text, size_t object)
{
    ge_status rc = ge_plain_init(&p->v[p->n].words, text);
    if (rc != GE_OK) return rc;
    if (p->v[p->n].words.n == 0) { /* "?" names nothing */
        ge_plain_free(&p->v[p->n].words);
        return GE_OK;
    }
    p->v[p->n++].object = object;
    return GE_OK;
}

static int by_first_word(const void *a, const void *b)
{
    const struct phrase *p = a, *q = b;
    return strcmp(p->words.v[0].text, q->words.v[0].text);
}

static ge_status phrases_init(struct phrases *p, const struct ge_task *task)
{
    ge_status rc = GE_OK;
    size_t n = task->n_objects;
    *p = (struct phrases){0};
    for (size_t i = 0; i < task->n_objects; i++) n += task->objects[i].synonyms.n;
    GE_NEW(p->v, n);
    for (size_t i = 0; i < task->n_objects; i++) {
        const struct ge_object *o = &task->objects[i];
        GE_TRY(add_phrase(p, o->name, i));
        for (size_t k = 0; k < o->synonyms.n; k++) GE_TRY(add_phrase(p, o->synonyms.v[k], i));
    }
    qsort(p->v, p->n, sizeof *p->v, by_first_word);
done:
    if (rc != GE_OK) phrases_free(p);
    return rc;
}

/* Number of words of a phrase if it stands at word `at`, else 0. */
static size_t length_at(const struct ge_plain *text, size_t at, const struct ge_plain *phrase)
{
    if (phrase->n > text->n - at) return 0;
    for (size_t i = 0; i < phrase->n; i++) {
        const struct ge_plain_word *w = &text->v[at + i];
        if (w->sentence != text->v[at].sentence) return 0;
        if (strcmp(w->text, phrase->v[i].text) != 0) return 0;
    }
    return phrase->n;
}

/* The longest phrase at word `at`, of equally long ones that of a present object, of these the one
 * listed first; NULL if there is none. */
static const struct phrase *longest_at(const struct phrases *p, const struct ge_task *task,
                                       const struct ge_plain *text, size_t at)
{
    const struct phrase *best = NULL;
    size_t low = 0, high = p->n, length = 0;
    const char *first = text->v[at].text;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(p->v[mid].words.v[0].text, first) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    for (; low < p->n && strcmp(p->v[low].words.v[0].text, first) == 0; low++) {
        const struct phrase *q = &p->v[low];
        size_t n = length_at(text, at, &q->words);
        if (n == 0 || n < length) continue;
        if (n == length) {
            bool present = task->objects[q->object].present;
            bool best_present = task->objects[best->object].present;
            if (present != best_present ? best_present : q->object > best->object) continue;
        }
        best = q;
        length = n;
    }
    return best;
}

ge_status ge_chair_mentions(const char *text, const struct ge_task *task, size_t *mentions)
{
    ge_status rc = GE_OK;
    struct phrases phrases = {0};
    struct ge_plain words = {0};
    for (size_t i = 0; i < task->n_objects; i++) mentions[i] = 0;
    GE_TRY(phrases_init(&phrases, task));
    GE_TRY(ge_plain_init(&words, text));
    for (size_t at = 0; at < words.n;) {
        const struct phrase *p = longest_at(&phrases, task, &words, at);
        if (p != NULL) mentions[p->object]++;
        at += p != NULL ? p->words.n : 1;
    }
done:
    ge_plain_free(&words);
    phrases_free(&phrases);
    return rc;
}

/* What the metrics are made of. */
struct tally {
    bool judged;                   /* an absent object is listed, so that a mention can be wrong */
    size_t mentions, hallucinated; /* mentions; 0 if not judged */
    size_t present, named;         /* objects */
};

static ge_status count(const char *text, const struct ge_task *task, struct tally *t)
{
    ge_status rc = GE_OK;
    size_t *mentions = NULL;
    *t = (struct tally){0};
    if (task->n_objects == 0) goto done;
    GE_NEW(mentions, task->n_objects);
    GE_TRY(ge_chair_mentions(text, task, mentions));
    for (size_t i = 0; i < task->n_objects; i++) {
        bool present = task->objects[i].present;
        t->mentions += mentions[i];
        if (!present) t->hallucinated += mentions[i];
        t->judged = t->judged || !present;
        t->present += present;
        t->named += present && mentions[i] > 0;
    }
    if (!t->judged) t->mentions = 0;
done:
    free(mentions);
    return rc;
}

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

enum { MENTIONS, TEXTS, RECALL };

ge_status ge_chair_all(const char *text, const struct ge_task *task, const bool *wanted,
                       double *values)
{
    struct tally t;
    ge_status rc = count(text, task, &t);
    if (rc != GE_OK) return rc;
    if (wanted[MENTIONS]) values[MENTIONS] = ratio(t.hallucinated, t.mentions);
    if (wanted[TEXTS]) values[TEXTS] = t.judged ? t.hallucinated > 0 : NAN;
    if (wanted[RECALL]) values[RECALL] = ratio(t.named, t.present);
    return GE_OK;
}

ge_status ge_chair_i(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_chair_all, MENTIONS, text, task, value);
}

ge_status ge_chair_s(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_chair_all, TEXTS, text, task, value);
}

ge_status ge_objects_recall(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_chair_all, RECALL, text, task, value);
}

ge_status ge_corpus_chair_i(const struct ge_corpus *c, double *value, double *per_text)
{
    ge_status rc = GE_OK;
    struct tally t;
    size_t mentions = 0, hallucinated = 0;
    *value = NAN;
    for (size_t i = 0; i < c->n; i++) {
        GE_TRY(count(c->texts[i], c->tasks[i], &t));
        if (per_text != NULL) per_text[i] = ratio(t.hallucinated, t.mentions);
        mentions += t.mentions;
        hallucinated += t.hallucinated;
    }
    *value = ratio(hallucinated, mentions);
done:
    return rc;
}
