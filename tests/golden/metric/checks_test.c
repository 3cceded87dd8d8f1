/* Constraints, languages, plurals and named objects against what IFEval's checkers, langdetect,
 * inflect and the way of the original CHAIR gave (make_checks.py). */
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "metric/chair.h"
#include "metric/constraints.h"
#include "metric/language.h"
#include "metric/noun.h"

#define GOLDEN GE_SOURCE_DIR "/tests/golden/metric/checks.jsonl"

/* What is left over from earlier lines. */
struct state {
    struct ge_arena *arena;
    struct ge_strings texts;
    struct ge_task task; /* with objects */
    size_t constraints, languages, nouns, captions, bad;
};

static const char *string(const ge_json *line, const char *key)
{
    return ge_json_string(ge_json_get(line, key), NULL);
}

static void keep_texts(struct state *s, const ge_json *list)
{
    s->texts.v = ge_arena_alloc(s->arena, ge_json_count(list), sizeof *s->texts.v);
    assert_non_null(s->texts.v);
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        s->texts.v[s->texts.n++] = ge_arena_strdup(s->arena, ge_json_string(e, NULL));
    }
}

static void keep_objects(struct state *s, const ge_json *list)
{
    s->task.objects = ge_arena_alloc(s->arena, ge_json_count(list), sizeof *s->task.objects);
    assert_non_null(s->task.objects);
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        struct ge_object *o = &s->task.objects[s->task.n_objects++];
        const ge_json *synonyms = ge_json_get(e, "synonyms");
        o->name = ge_arena_strdup(s->arena, string(e, "name"));
        o->present = ge_json_bool(ge_json_get(e, "present"), false);
        o->synonyms.v = ge_arena_alloc(s->arena, ge_json_count(synonyms), sizeof *o->synonyms.v);
        assert_non_null(o->synonyms.v);
        for (const ge_json *n = ge_json_first(synonyms); n != NULL; n = ge_json_next(n)) {
            o->synonyms.v[o->synonyms.n++] = ge_arena_strdup(s->arena, ge_json_string(n, NULL));
        }
    }
}

static void check_constraint(struct state *s, const ge_json *line)
{
    struct ge_buf json;
    ge_buf_init(&json, 10000);
    ge_buf_char(&json, '[');
    ge_json_print(ge_json_get(line, "constraint"), &json);
    ge_buf_char(&json, ']');
    const struct ge_task task = {.constraints = json.data, .prompt = string(line, "prompt")};
    const char *strict = string(line, "strict"), *loose = string(line, "loose");
    assert_int_equal(strlen(strict), s->texts.n);
    assert_int_equal(strlen(loose), s->texts.n);
    for (size_t i = 0; i < s->texts.n; i++) {
        double a, b;
        assert_ok(ge_constraints_strict(s->texts.v[i], &task, &a));
        assert_ok(ge_constraints_loose(s->texts.v[i], &task, &b));
        if (a == strict[i] - '0' && b == loose[i] - '0') continue;
        print_error("%s of \"%s\": %g %g, wanted %c %c\n", json.data, s->texts.v[i], a, b,
                    strict[i], loose[i]);
        s->bad++;
    }
    ge_buf_free(&json);
    s->constraints++;
}

static void check_language(struct state *s, const ge_json *line)
{
    bool is;
    const char *text = string(line, "text");
    int language = ge_language_find(string(line, "language"));
    assert_true(language >= 0);
    assert_ok(ge_language_is(text, strlen(text), language, &is));
    if (is != ge_json_bool(ge_json_get(line, "is"), false)) {
        print_error("%s: %d: %s\n", string(line, "language"), is, text);
        s->bad++;
    }
    s->languages++;
}

static void check_noun(struct state *s, const ge_json *line)
{
    struct ge_buf out;
    const char *forms[] = {string(line, "plural"), string(line, "singular")};
    ge_buf_init(&out, 1000);
    for (int i = 0; i < 2; i++) { /* the singular is its own */
        ge_buf_reset(&out);
        ge_noun_singular(forms[i], strlen(forms[i]), &out);
        if (strcmp(out.data, forms[1]) == 0) continue;
        print_error("%s: %s, wanted %s\n", forms[i], out.data, forms[1]);
        s->bad++;
    }
    ge_buf_free(&out);
    s->nouns++;
}

static void check_caption(struct state *s, const ge_json *line)
{
    double i, named, want = ge_json_number(ge_json_get(line, "i"), NAN);
    assert_ok(ge_chair_i(string(line, "text"), &s->task, &i));
    assert_ok(ge_chair_s(string(line, "text"), &s->task, &named));
    bool same = isnan(want) ? isnan(i) : i == want;
    if (!same || named != ge_json_number(ge_json_get(line, "s"), NAN)) {
        print_error("%s: %g %g, wanted %g\n", string(line, "text"), i, named, want);
        s->bad++;
    }
    s->captions++;
}

static void equals_reference(void **state)
{
    (void)state;
    struct state s = {.arena = ge_arena_new()};
    char *data;
    assert_non_null(s.arena);
    assert_ok(ge_fs_read(GOLDEN, 1 << 22, &data, NULL));
    for (char *at = data, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        ge_json *line;
        assert_ok(ge_json_parse(at, (size_t)(end - at), "checks.jsonl", &line));
        if (ge_json_get(line, "texts") != NULL) keep_texts(&s, ge_json_get(line, "texts"));
        if (ge_json_get(line, "objects") != NULL) keep_objects(&s, ge_json_get(line, "objects"));
        if (ge_json_get(line, "constraint") != NULL) check_constraint(&s, line);
        if (ge_json_get(line, "language") != NULL) check_language(&s, line);
        if (ge_json_get(line, "plural") != NULL) check_noun(&s, line);
        if (ge_json_get(line, "i") != NULL) check_caption(&s, line);
        ge_json_delete(&line);
    }
    free(data);
    ge_arena_delete(&s.arena);
    assert_int_equal(s.bad, 0);
    assert_true(s.constraints > 80 && s.languages > 200 && s.nouns > 200 && s.captions == 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
