#include "metric/constraints.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "metric/chars.h"
#include "metric/constraint_kinds.h"
#include "text/unicode.h"
#include "text/words.h"

#define TEXT_MAX ((size_t)512 << 20)

enum { READINGS = 8 };

struct ge_constraints {
    struct ge_arena *arena;
    struct constraint *v; /* (n) */
    size_t n;
};

/* ---- parsing ------------------------------------------------------------------------------- */

ge_status ge_constraints_parse(const char *json, const char *where, struct ge_constraints **out)
{
    ge_status rc = GE_OK;
    struct ge_constraints *c = NULL;
    ge_json *doc = NULL;
    char *place = NULL;
    *out = NULL;
    GE_TRY(ge_json_parse(json, strlen(json), where, &doc));
    if (ge_json_type(doc) != GE_JSON_ARRAY) {
        rc = ge_fail(GE_EFORMAT, "%s: found %s, allowed: a list of objects with a kind", where,
                     ge_json_type_name(ge_json_type(doc)));
        goto done;
    }
    size_t n = ge_json_count(doc);
    if (n > GE_CONSTRAINTS_MAX) {
        rc = ge_fail(GE_ELIMIT, "%s: found %zu constraints, allowed: at most %d", where, n,
                     GE_CONSTRAINTS_MAX);
        goto done;
    }
    GE_NEW(c, 1);
    GE_TRY_PTR(c->arena, ge_arena_new());
    GE_TRY_PTR(c->v, ge_arena_alloc(c->arena, n, sizeof *c->v));
    for (const ge_json *e = ge_json_first(doc); e != NULL; e = ge_json_next(e)) {
        free(place);
        GE_TRY_PTR(place, ge_sprintf("%s[%zu]", where, c->n));
        GE_TRY(ge_constraint_parse(e, place, c->arena, &c->v[c->n]));
        c->n++;
    }
    *out = c;
    c = NULL;
done:
    free(place);
    ge_json_delete(&doc);
    ge_constraints_delete(&c);
    return rc;
}

void ge_constraints_delete(struct ge_constraints **c)
{
    if (*c == NULL) return;
    ge_arena_delete(&(*c)->arena);
    free(*c);
    *c = NULL;
}

ge_status ge_constraints_check(const char *json, const char *where)
{
    struct ge_constraints *c = NULL;
    ge_status rc = json != NULL ? ge_constraints_parse(json, where, &c) : GE_OK;
    ge_constraints_delete(&c);
    return rc;
}

size_t ge_constraints_count(const struct ge_constraints *c)
{
    return c->n;
}

const char *ge_constraints_label(const struct ge_constraints *c, size_t i)
{
    return c->v[i].label;
}

/* ---- readings ------------------------------------------------------------------------------ */

/* Reading k of an answer, in the order in which IFEval tries them. */
static const struct {
    bool no_first, no_last, no_stars;
} readings[READINGS] = {
    {false, false, false}, {false, false, true}, {true, false, false}, {false, true, false},
    {true, true, false},   {true, false, true},  {false, true, true},  {true, true, true},
};

/* The lines that reading k keeps of a text: bytes [*begin, *end), stripped unless it keeps all. */
static void kept_lines(const char *text, size_t len, int k, size_t *begin, size_t *end)
{
    const char *first = memchr(text, '\n', len), *last = NULL;
    for (size_t i = len; i > 0 && last == NULL; i--) {
        if (text[i - 1] == '\n') last = text + i - 1;
    }
    *begin = 0;
    *end = len;
    if (readings[k].no_first) *begin = first != NULL ? (size_t)(first - text) + 1 : len;
    if (readings[k].no_last) *end = last != NULL ? (size_t)(last - text) : 0;
    if (*end < *begin) *end = *begin;
    if (readings[k].no_first || readings[k].no_last) ge_chars_strip(text, begin, end);
}

/* Reading k of a composed text in `kept` and `lower`; *blank: it says nothing. */
static ge_status make_reading(const struct ge_buf *text, int k, struct ge_buf *kept,
                              struct ge_buf *lower, bool *blank)
{
    size_t begin, end;
    ge_buf_reset(kept);
    ge_buf_reset(lower);
    kept_lines(text->data, text->len, k, &begin, &end);
    for (size_t from = begin; from < end;) {
        const char *star = readings[k].no_stars ? memchr(text->data + from, '*', end - from) : NULL;
        size_t to = star != NULL ? (size_t)(star - text->data) : end;
        ge_buf_add(kept, text->data + from, to - from);
        from = to + (star != NULL);
    }
    begin = 0;
    end = kept->len;
    if (end > 0) ge_chars_strip(kept->data, &begin, &end);
    *blank = begin == end;
    if (kept->len > 0) ge_unicode_lowercase(kept->data, kept->len, lower);
    ge_status rc = ge_buf_status(kept);
    return rc == GE_OK ? ge_buf_status(lower) : rc;
}

ge_status ge_constraints_eval(const struct ge_constraints *c, const char *text,
                              const struct ge_task *task, bool loose, bool *passed)
{
    ge_status rc = GE_OK;
    struct ge_buf normal, kept, lower;
    size_t left = c->n;
    ge_buf_init(&normal, TEXT_MAX);
    ge_buf_init(&kept, TEXT_MAX);
    ge_buf_init(&lower, TEXT_MAX);
    for (size_t i = 0; i < c->n; i++) passed[i] = false;
    GE_TRY(ge_words_normalize(text, strlen(text), GE_WORDS_NFC, &normal));
    if (normal.len == 0) goto done;
    for (int k = 0; k < (loose ? READINGS : 1) && left > 0; k++) {
        bool blank;
        GE_TRY(make_reading(&normal, k, &kept, &lower, &blank));
        if (blank) continue;
        const struct reading r = {.text = kept.data,
                                  .len = kept.len,
                                  .lower = lower.data,
                                  .lower_len = lower.len,
                                  .prompt = task->prompt};
        for (size_t i = 0; i < c->n; i++) {
            if (passed[i]) continue;
            GE_TRY(c->v[i].kind->check(&c->v[i], &r, &passed[i]));
            left -= passed[i];
        }
    }
done:
    ge_buf_free(&normal);
    ge_buf_free(&kept);
    ge_buf_free(&lower);
    return rc;
}

/* ---- metrics ------------------------------------------------------------------------------- */

/* A task's constraints, and what a text keeps to of them. */
struct kept {
    struct ge_constraints *c; /* NULL: the task has none */
    bool *passed;             /* (n) by the reading that came last */
    size_t n, strict, loose;  /* constraints; how many are kept */
};

static void kept_free(struct kept *k)
{
    ge_constraints_delete(&k->c);
    free(k->passed);
}

static ge_status kept_init(struct kept *k, const struct ge_task *task)
{
    ge_status rc = GE_OK;
    *k = (struct kept){0};
    if (task->constraints == NULL) goto done;
    GE_TRY(ge_constraints_parse(task->constraints, "constraints", &k->c));
    k->n = k->c->n;
    GE_NEW(k->passed, k->n);
done:
    return rc;
}

static ge_status kept_count(struct kept *k, const char *text, const struct ge_task *task,
                            bool loose)
{
    ge_status rc = GE_OK;
    size_t *count = loose ? &k->loose : &k->strict;
    if (k->n == 0) goto done;
    GE_TRY(ge_constraints_eval(k->c, text, task, loose, k->passed));
    for (size_t i = 0; i < k->n; i++) *count += k->passed[i];
done:
    return rc;
}

ge_status ge_constraints_failed(const char *text, const struct ge_task *task, bool loose,
                                struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct kept k;
    GE_TRY(kept_init(&k, task));
    GE_TRY(kept_count(&k, text, task, loose));
    for (size_t i = 0; i < k.n; i++) {
        if (k.passed[i]) continue;
        ge_buf_str(out, ge_constraints_label(k.c, i));
        ge_buf_char(out, '\n');
    }
    rc = ge_buf_status(out);
done:
    kept_free(&k);
    return rc;
}

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

enum { STRICT, LOOSE, SHARE_STRICT, SHARE_LOOSE };

ge_status ge_constraints_all(const char *text, const struct ge_task *task, const bool *wanted,
                             double *values)
{
    ge_status rc = GE_OK;
    struct kept k;
    GE_TRY(kept_init(&k, task));
    if (wanted[STRICT] || wanted[SHARE_STRICT]) GE_TRY(kept_count(&k, text, task, false));
    if (wanted[LOOSE] || wanted[SHARE_LOOSE]) GE_TRY(kept_count(&k, text, task, true));
    if (wanted[STRICT]) values[STRICT] = k.n > 0 ? k.strict == k.n : NAN;
    if (wanted[LOOSE]) values[LOOSE] = k.n > 0 ? k.loose == k.n : NAN;
    if (wanted[SHARE_STRICT]) values[SHARE_STRICT] = ratio(k.strict, k.n);
    if (wanted[SHARE_LOOSE]) values[SHARE_LOOSE] = ratio(k.loose, k.n);
done:
    kept_free(&k);
    return rc;
}

ge_status ge_constraints_strict(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_constraints_all, STRICT, text, task, value);
}

ge_status ge_constraints_loose(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_constraints_all, LOOSE, text, task, value);
}

ge_status ge_constraints_share_strict(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_constraints_all, SHARE_STRICT, text, task, value);
}

ge_status ge_constraints_share_loose(const char *text, const struct ge_task *task, double *value)
{
    return ge_text_family_member(ge_constraints_all, SHARE_LOOSE, text, task, value);
}

static ge_status corpus_share(const struct ge_corpus *c, bool loose, double *value,
                              double *per_text)
{
    ge_status rc = GE_OK;
    struct kept k = {0};
    size_t all = 0, all_kept = 0;
    *value = NAN;
    for (size_t i = 0; i < c->n; i++) {
        GE_TRY(kept_init(&k, c->tasks[i]));
        GE_TRY(kept_count(&k, c->texts[i], c->tasks[i], loose));
        size_t kept = loose ? k.loose : k.strict;
        if (per_text != NULL) per_text[i] = ratio(kept, k.n);
        all += k.n;
        all_kept += kept;
        kept_free(&k);
        k = (struct kept){0};
    }
    *value = ratio(all_kept, all);
done:
    kept_free(&k);
    return rc;
}

ge_status ge_corpus_constraints_strict(const struct ge_corpus *c, double *value, double *per_text)
{
    return corpus_share(c, false, value, per_text);
}

ge_status ge_corpus_constraints_loose(const struct ge_corpus *c, double *value, double *per_text)
{
    return corpus_share(c, true, value, per_text);
}
