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

/* Constraints of a task and how many a text keeps to; the labels of the others, one a line, in
 * `failed` unless that is NULL. */
static ge_status count(const char *text, const struct ge_task *task, bool loose, size_t *n,
                       size_t *kept, struct ge_buf *failed)
{
    ge_status rc = GE_OK;
    struct ge_constraints *c = NULL;
    bool *passed = NULL;
    *n = *kept = 0;
    if (task->constraints == NULL) goto done;
    GE_TRY(ge_constraints_parse(task->constraints, "constraints", &c));
    GE_NEW(passed, c->n);
    GE_TRY(ge_constraints_eval(c, text, task, loose, passed));
    *n = c->n;
    for (size_t i = 0; i < c->n; i++) {
        *kept += passed[i];
        if (passed[i] || failed == NULL) continue;
        ge_buf_str(failed, ge_constraints_label(c, i));
        ge_buf_char(failed, '\n');
    }
    if (failed != NULL) rc = ge_buf_status(failed);
done:
    free(passed);
    ge_constraints_delete(&c);
    return rc;
}

ge_status ge_constraints_failed(const char *text, const struct ge_task *task, bool loose,
                                struct ge_buf *out)
{
    size_t n, kept;
    return count(text, task, loose, &n, &kept, out);
}

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

static ge_status all_kept(const char *text, const struct ge_task *task, bool loose, double *value)
{
    size_t n, kept;
    ge_status rc = count(text, task, loose, &n, &kept, NULL);
    *value = n > 0 ? kept == n : NAN;
    return rc;
}

static ge_status share_kept(const char *text, const struct ge_task *task, bool loose, double *value)
{
    size_t n, kept;
    ge_status rc = count(text, task, loose, &n, &kept, NULL);
    *value = ratio(kept, n);
    return rc;
}

ge_status ge_constraints_strict(const char *text, const struct ge_task *task, double *value)
{
    return all_kept(text, task, false, value);
}

ge_status ge_constraints_loose(const char *text, const struct ge_task *task, double *value)
{
    return all_kept(text, task, true, value);
}

ge_status ge_constraints_share_strict(const char *text, const struct ge_task *task, double *value)
{
    return share_kept(text, task, false, value);
}

ge_status ge_constraints_share_loose(const char *text, const struct ge_task *task, double *value)
{
    return share_kept(text, task, true, value);
}

static ge_status corpus_share(const struct ge_corpus *c, bool loose, double *value,
                              double *per_text)
{
    ge_status rc = GE_OK;
    size_t n, kept, all = 0, all_kept_to = 0;
    *value = NAN;
    for (size_t i = 0; i < c->n; i++) {
        GE_TRY(count(c->texts[i], c->tasks[i], loose, &n, &kept, NULL));
        if (per_text != NULL) per_text[i] = ratio(kept, n);
        all += n;
        all_kept_to += kept;
    }
    *value = ratio(all_kept_to, all);
done:
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
