/* The option table and everything made from it: each row's type, bounds and default are tried on
 * a job, so that a new row is tested by being there. */
#include "base/rng.h"
#include "job/option_walk.h"
#include "unit/job/job.h"

/* A job in which every container has an element, so that every row has a place. */
static const char full_job[] =
    "{\"name\": \"full\", \"dataset\": {\"path\": \"items.jsonl\", \"select\": {}},"
    " \"systems\": [{\"name\": \"even\", \"answers\": \"even.jsonl\"}],"
    " \"encoders\": {\"clip\": {\"model\": \"clip\"}},"
    " \"image\": {}, \"scoring\": {\"roles\": {\"image_text\": \"clip\"},"
    "   \"tasks\": {\"vqa\": {\"metrics\": [], \"verdict\": {\"rule\": \"alias\"}}},"
    "   \"thresholds\": {\"vqa\": {\"m\": {\"min\": 1}}}},"
    " \"aggregation\": {}, \"output\": {}, \"runtime\": {}}";

static const struct {
    const char *pattern, *name;
} places[] = {{"systems[]", "systems[0]"},
              {"encoders.*", "encoders.clip"},
              {"scoring.tasks.*", "scoring.tasks.vqa"},
              {"scoring.thresholds.*.*", "scoring.thresholds.vqa.m"},
              {"scoring.thresholds.*", "scoring.thresholds.vqa"}};

/* Path of a row in full_job. */
static void concrete_path(const char *pattern, char *out, size_t size)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t len = strlen(places[i].pattern);
        if (strncmp(pattern, places[i].pattern, len) != 0) continue;
        (void)snprintf(out, size, "%s%s", places[i].name, pattern + len);
        return;
    }
    (void)snprintf(out, size, "%s", pattern);
}

/* full_job with `value` (JSON) at a row's place, resolved. */
static ge_status resolve_with(const char *path, const char *value, struct ge_buf *out)
{
    ge_json *job = NULL, *node = NULL;
    char inside[256];
    assert_ok(ge_json_parse(full_job, strlen(full_job), "full.json", &job));
    assert_ok(ge_json_parse(value, strlen(value), "value", &node));
    if (strncmp(path, "systems[0]", 10) == 0) {
        /* Paths do not reach into lists: replace the whole list. */
        ge_json *system = NULL, *list = NULL;
        struct ge_buf text;
        ge_buf_init(&text, 1 << 20);
        assert_ok(ge_json_copy(ge_json_first(ge_json_get(job, "systems")), &system));
        if (path[10] != '\0') assert_ok(ge_json_set_path(system, path + 11, node));
        ge_buf_char(&text, '[');
        ge_json_print(path[10] != '\0' ? system : node, &text);
        ge_buf_char(&text, ']');
        assert_ok(ge_json_parse(text.data, text.len, "systems", &list));
        assert_ok(ge_json_set_path(job, "systems", list));
        ge_buf_free(&text);
        ge_json_delete(&list);
        ge_json_delete(&system);
    } else {
        (void)snprintf(inside, sizeof inside, "%s", path);
        assert_ok(ge_json_set_path(job, inside, node));
    }
    ge_buf_reset(out);
    ge_status rc = ge_options_resolve(job, "full.json", NULL, 0, out);
    ge_json_delete(&node);
    ge_json_delete(&job);
    return rc;
}

/* Values of every JSON type; which of them a row takes is known from its type. */
static const struct {
    const char *text;
    enum ge_json_type type;
} values[] = {
    {"true", GE_JSON_BOOL},        {"3.5", GE_JSON_NUMBER},         {"1e300", GE_JSON_NUMBER},
    {"-1e300", GE_JSON_NUMBER},    {"\"zzz\"", GE_JSON_STRING},     {"\"\"", GE_JSON_STRING},
    {"\"a\\nb\"", GE_JSON_STRING}, {"[1]", GE_JSON_ARRAY},          {"[[]]", GE_JSON_ARRAY},
    {"[\"\"]", GE_JSON_ARRAY},     {"{\"zzz\": 1}", GE_JSON_OBJECT}};

static bool takes(const struct ge_option *row, size_t v)
{
    bool plain = strcmp(values[v].text, "\"zzz\"") == 0;
    switch (row->type) {
    case GE_OPT_BOOL:
        return values[v].type == GE_JSON_BOOL;
    case GE_OPT_REAL:
        return v == 1 && row->min <= 3.5 && row->max >= 3.5;
    case GE_OPT_INT:
        return false;
    case GE_OPT_STRING:
    case GE_OPT_NAME:
    case GE_OPT_PATH:
    case GE_OPT_PATHS:
        return plain;
    case GE_OPT_STRINGS:
        return plain && row->allowed == NULL;
    default:
        return false;
    }
}

static void wrong_values_are_refused(void **state)
{
    (void)state;
    size_t n, refused = 0;
    const struct ge_option *rows = ge_options(&n);
    struct ge_buf out;
    char path[256];
    ge_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].path, "sweep") == 0) continue;
        concrete_path(rows[i].path, path, sizeof path);
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            if (takes(&rows[i], v)) {
                assert_ok(resolve_with(path, values[v].text, &out));
                continue;
            }
            assert_status(resolve_with(path, values[v].text, &out), GE_EINVAL);
            assert_says("full.json: ");
            assert_says(path);
            assert_says("found ");
            assert_says("allowed: ");
            refused++;
        }
    }
    assert_true(refused > 500);
    ge_buf_free(&out);
}

static void bounds_hold(void **state)
{
    (void)state;
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    struct ge_buf out;
    char path[256], value[64];
    ge_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].type != GE_OPT_INT && rows[i].type != GE_OPT_REAL) continue;
        concrete_path(rows[i].path, path, sizeof path);
        const double inside[] = {rows[i].min, rows[i].max};
        const double outside[] = {rows[i].min - 1, nextafter(rows[i].max, INFINITY) + 1};
        for (size_t j = 0; j < 2; j++) {
            (void)snprintf(value, sizeof value, "%.17g", inside[j]);
            assert_ok(resolve_with(path, value, &out));
            (void)snprintf(value, sizeof value, "%.17g", outside[j]);
            assert_status(resolve_with(path, value, &out), GE_EINVAL);
        }
    }
    ge_buf_free(&out);
}

static void the_table_is_sound(void **state)
{
    (void)state;
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    struct ge_buf out;
    char path[256];
    ge_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(rows[i].help);
        concrete_path(rows[i].path, path, sizeof path);
        assert_ptr_equal(ge_option_find(path), &rows[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(rows[i].path, rows[j].path);
            if (rows[i].flag != NULL && rows[j].flag != NULL) {
                assert_string_not_equal(rows[i].flag, rows[j].flag);
            }
        }
        if (rows[i].type == GE_OPT_ENUM) assert_non_null(rows[i].allowed);
        if (rows[i].type == GE_OPT_INT) assert_true(rows[i].max <= 9007199254740992.0);
        if (rows[i].def == NULL) continue;
        /* A default is a value that the row takes. */
        assert_ok(resolve_with(path, rows[i].def, &out));
    }
    ge_buf_free(&out);
}

static void unknown_keys_get_a_suggestion(void **state)
{
    (void)state;
    static const struct {
        const char *path, *says;
    } cases[] = {
        {"dataset.limt", "dataset: found unknown key \"limt\" (did you mean \"limit\"?)"},
        {"runtime.batchsize", "did you mean \"batch_size\"?"},
        {"scoring.tasks.vqa.verdict.thing", "scoring.tasks.vqa.verdict: found unknown key"},
        {"encoders.clip.dytpe", "did you mean \"dtype\"?"},
        {"databse", "full.json: found unknown key \"databse\" (did you mean \"dataset\"?)"},
        {"systems[0].nmae", "systems[0]: found unknown key \"nmae\" (did you mean \"name\"?)"},
        {"qqqqqqqqqqqqqqqq", "\"qqqqqqqqqqqqqqqq\", allowed: name, seed, dataset"},
    };
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_status(resolve_with(cases[i].path, "1", &out), GE_EINVAL);
        assert_says(cases[i].says);
    }
    ge_buf_free(&out);
}

static void names_and_keys_are_limited(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"..\"", "\".x\"", "\"a/b\"", "\"a b\"", "\"\\u00e9\""};
    struct ge_buf out;
    char key[256] = "encoders.";
    ge_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(resolve_with("name", bad[i], &out), GE_EINVAL);
        assert_says("name: found string");
    }
    memset(key + 9, 'x', 201);
    assert_status(resolve_with(key, "{\"model\": \"clip\"}", &out), GE_EINVAL);
    assert_says("more than 200 bytes");
    assert_status(resolve_with("systems", "[]", &out), GE_EINVAL);
    assert_says("at least one object");
    ge_buf_free(&out);
}

/* Cut at every byte, and one byte changed: an error or a job, never more. */
static void damaged_jobs_are_refused(void **state)
{
    (void)state;
    size_t len = strlen(full_job);
    struct ge_job *job;
    char copy[sizeof full_job];
    for (size_t cut = 0; cut < len; cut++) {
        assert_status(ge_job_parse(full_job, cut, "cut", "/", NULL, 0, NULL, false, &job),
                      GE_EFORMAT);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        memcpy(copy, full_job, sizeof full_job);
        for (uint64_t flips = 0; flips < 1 + i % 3; flips++) {
            size_t at = (size_t)(ge_uniform(1, i, 2 * flips) * (double)len);
            copy[at] = (char)(unsigned char)(ge_uniform(1, i, 2 * flips + 1) * 256);
        }
        ge_error_clear();
        ge_status rc = ge_job_parse(copy, len, "flip", "/", NULL, 0, NULL, false, &job);
        if (rc != GE_OK) assert_true(ge_error()[0] != '\0');
        ge_job_delete(&job);
    }
}

static void overrides_are_parsed(void **state)
{
    (void)state;
    struct ge_arena *arena = ge_arena_new();
    struct ge_override o;
    assert_ok(ge_override_parse("dataset.limit=5", arena, &o));
    assert_string_equal(o.path, "dataset.limit");
    assert_string_equal(o.value, "5");
    assert_ok(ge_override_parse("encoders.clip.model=a=b", arena, &o));
    assert_string_equal(o.value, "a=b");
    assert_status(ge_override_parse("dataset.limit", arena, &o), GE_EINVAL);
    assert_says("key.path=value");
    assert_status(ge_override_parse("=5", arena, &o), GE_EINVAL);
    assert_status(ge_override_parse("dataset.limits=5", arena, &o), GE_EINVAL);
    assert_says("did you mean \"dataset.limit\"?");
    assert_status(ge_override_parse("systems[0].name=x", arena, &o), GE_EINVAL);
    assert_says("the whole list");
    ge_arena_delete(&arena);
}

static void flags_are_read(void **state)
{
    (void)state;
    char *argv[] = {"run",          "job.json", "--limit",      "5",       "--device=cpu",
                    "--embeddings", "--set",    "image.exif=x", "--quiet", "--seed"};
    int argc = sizeof argv / sizeof *argv;
    static const struct {
        const char *path, *value;
    } want[] = {{"dataset.limit", "5"},
                {"runtime.device", "cpu"},
                {"output.embeddings", "true"},
                {"image.exif", "x"}};
    struct ge_arena *arena = ge_arena_new();
    size_t n = 0, others = 0;
    for (int i = 0; i < argc - 1; i++) {
        struct ge_override o;
        bool found;
        assert_ok(ge_override_from_args(argc, argv, &i, arena, &found, &o));
        if (!found) {
            others++;
            continue;
        }
        assert_string_equal(o.path, want[n].path);
        assert_string_equal(o.value, want[n].value);
        n++;
    }
    assert_int_equal(n, 4);
    assert_int_equal(others, 3);
    int last = argc - 1;
    bool found;
    struct ge_override o;
    assert_status(ge_override_from_args(argc, argv, &last, arena, &found, &o), GE_EINVAL);
    assert_says("--seed: found nothing after it");
    assert_null(ge_option_by_flag("--lim"));
    ge_arena_delete(&arena);
}

static void docs_are_the_table(void **state)
{
    (void)state;
    struct ge_buf text, help;
    char *file;
    ge_buf_init(&text, 1 << 20);
    ge_buf_init(&help, 1 << 20);
    ge_options_markdown(&text);
    assert_ok(ge_buf_status(&text));
    assert_ok(ge_fs_read(GE_SOURCE_DIR "/docs/job.md", 1 << 20, &file, NULL));
    if (strcmp(file, text.data) != 0) {
        print_error("docs/job.md differs from the option table: write it again\n");
        fail();
    }
    free(file);
    ge_options_help(&help);
    assert_ok(ge_buf_status(&help));
    size_t n;
    const struct ge_option *rows = ge_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].flag != NULL) assert_non_null(strstr(help.data, rows[i].flag));
    }
    for (const char *line = help.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_true(strcspn(line, "\n") <= 110); /* bytes; some characters have several */
    }
    ge_buf_free(&help);
    ge_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(bounds_hold),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(unknown_keys_get_a_suggestion),
        cmocka_unit_test(names_and_keys_are_limited),
        cmocka_unit_test(damaged_jobs_are_refused),
        cmocka_unit_test(overrides_are_parsed),
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(docs_are_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
