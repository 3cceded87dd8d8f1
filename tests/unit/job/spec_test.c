/* Loading jobs: defaults, paths, overrides, "$file", built-in scoring, checks between settings. */
#include "unit/job/job.h"

static void defaults_are_filled_in(void **state)
{
    (void)state;
    char *dir = job_folder(), *real = realpath(dir, NULL);
    struct ge_job *job;
    assert_ok(load(dir, small_job, NULL, 0, &job));
    assert_string_equal(job->name, "small");
    assert_string_equal(job->folder, real);
    assert_string_equal(job->dataset.format, "auto");
    assert_int_equal(job->dataset.limit, 0);
    assert_int_equal(job->dataset.categories.n, 0);
    assert_int_equal(job->n_systems, 1);
    assert_string_equal(job->systems[0].respond, "recorded");
    assert_int_equal(job->systems[0].answers.n, 1);
    char *answers = temp_path(real, "even.jsonl"), *out = temp_path(real, "out/small");
    assert_string_equal(job->systems[0].answers.v[0], answers);
    assert_string_equal(job->output.dir, out);
    assert_string_equal(job->encoders[0].dtype, "fp32");
    assert_ptr_equal(job->scoring.image_text, &job->encoders[0]);
    assert_null(job->scoring.text_text);
    assert_int_equal(job->image.pillow, 13);
    assert_string_equal(job->image.alpha, "drop");
    assert_close(job->aggregation.level, 0.95, 0);
    assert_int_equal(job->aggregation.by.n, 2);
    assert_true(job->output.responses);
    assert_false(job->output.embeddings);
    assert_int_equal(job->runtime.batch_size, 0);
    assert_int_equal(job->runtime.chunk_items, 0);
    assert_close(job->runtime.lock_stale_s, 60, 0);
    ge_job_delete(&job);
    assert_null(job);
    ge_job_delete(&job);
    free(answers);
    free(out);
    free(real);
    temp_remove(dir);
}

static void resolved_text_is_canonical(void **state)
{
    (void)state;
    static const char shuffled[] =
        "{\"scoring\": {\"roles\": {\"image_text\": \"clip\"}}, \"seed\": 0,"
        " \"systems\": [{\"answers\": [\"even.jsonl\"], \"name\": \"even\"}],"
        " \"encoders\": {\"clip\": {\"dtype\": \"fp32\", \"model\": \"clip\"}},"
        " \"dataset\": {\"limit\": null, \"path\": \"items.jsonl\"}, \"name\": \"small\"}";
    char *dir = job_folder();
    struct ge_job *a, *b, *again;
    assert_ok(load(dir, small_job, NULL, 0, &a));
    assert_ok(load(dir, shuffled, NULL, 0, &b));
    assert_string_equal(a->json, b->json);
    assert_ok(ge_job_parse(a->json, strlen(a->json), "sent", a->folder, NULL, 0, &test_vocabulary,
                           false, &again));
    assert_string_equal(a->json, again->json);
    ge_job_delete(&again);
    assert_ok(
        ge_job_parse(a->json, strlen(a->json), "store", a->folder, NULL, 0, NULL, false, &again));
    assert_string_equal(a->json, again->json);
    ge_job_delete(&again);
    ge_job_delete(&a);
    ge_job_delete(&b);
    temp_remove(dir);
}

static void overrides_win(void **state)
{
    (void)state;
    static const struct ge_override sets[] = {
        {"dataset.limit", "5", NULL},
        {"dataset.limit", "7", "--limit"},
        {"name", "123", NULL},
        {"dataset.select.tags", "counting", NULL},
        {"dataset.select.items", "[\"a\", \"b\"]", NULL},
        {"output.dir", "elsewhere", "--output"},
        {"encoders.second.model", "clip", NULL},
        {"output.embeddings", "true", NULL},
        {"scoring.thresholds.vqa", "{\"similarity.text_text.reference\": {\"min\": 0.5}}", NULL},
    };
    char *dir = job_folder(), *cwd = realpath(".", NULL);
    struct ge_job *job = NULL;
    char *model = temp_path(cwd, "clip");
    /* A path from the command line is relative to the current folder, where there is no clip. */
    assert_status(load(dir, small_job, sets, sizeof sets / sizeof *sets, &job), GE_ENOENT);
    assert_says("encoders.second.model");
    assert_says(model);
    struct ge_override fixed[sizeof sets / sizeof *sets];
    memcpy(fixed, sets, sizeof sets);
    char *there = temp_path(dir, "clip");
    fixed[6].value = there;
    assert_ok(load(dir, small_job, fixed, sizeof sets / sizeof *sets, &job));
    assert_int_equal(job->dataset.limit, 7);
    assert_string_equal(job->name, "123");
    assert_string_equal(job->dataset.tags.v[0], "counting");
    assert_int_equal(job->dataset.items.n, 2);
    assert_int_equal(job->n_encoders, 2);
    assert_true(job->output.embeddings);
    char *out = temp_path(cwd, "elsewhere/123");
    assert_string_equal(job->output.dir, out);
    const struct ge_job_task *task;
    assert_ok(ge_job_require_task(job, "vqa", &task));
    const struct ge_job_threshold *t =
        ge_job_find_threshold(task, "similarity.text_text.reference");
    assert_non_null(t);
    assert_true(t->higher);
    assert_close(t->value, 0.5, 0);
    ge_job_delete(&job);
    free(out);
    free(there);
    free(model);
    free(cwd);
    temp_remove(dir);
}

static void overrides_name_their_place(void **state)
{
    (void)state;
    static const struct {
        struct ge_override set;
        const char *says[3];
    } cases[] = {
        {{"dataset.limit", "-1", "--limit"}, {"--limit", "dataset.limit", "from 0 to 4294967295"}},
        {{"dataset.limit", "many", NULL}, {"--set dataset.limit", "\"many\"", "whole number"}},
        {{"runtime.device", "tpu", "--device"}, {"--device", "\"tpu\"", "\"cuda\""}},
        {{"dataset.path.x", "1", NULL}, {"--set dataset.path.x", "", ""}},
        {{"runtime.batch_size", "1e99", NULL}, {"runtime.batch_size", "number", "4096"}},
    };
    char *dir = job_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ge_job *job;
        assert_status(load(dir, small_job, &cases[i].set, 1, &job), GE_EINVAL);
        assert_null(job);
        for (size_t j = 0; j < 3; j++) assert_says(cases[i].says[j]);
    }
    /* Of two settings of one option the later one counts, and is named. */
    const struct ge_override twice[] = {{"dataset.limit", "1", NULL},
                                        {"dataset.limit", "-1", "--limit"}};
    struct ge_job *job;
    assert_status(load(dir, small_job, twice, 2, &job), GE_EINVAL);
    assert_says("--limit: dataset.limit");
    temp_remove(dir);
}

static void files_are_inlined(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\": \"small\", \"dataset\": {\"path\": \"items.jsonl\"},"
        " \"systems\": [{\"$file\": \"system.json\"}], \"encoders\": {\"$file\": \"enc.json\"},"
        " \"scoring\": {\"roles\": {\"image_text\": \"clip\"},"
        "              \"thresholds\": {\"$file\": \"thresholds.json\"}}}";
    char *dir = job_folder();
    struct ge_job *job;
    temp_file(dir, "system.json", "{\"name\": \"even\", \"answers\": \"even.jsonl\"}");
    temp_file(dir, "enc.json", "{\"clip\": {\"model\": \"clip\"}}");
    temp_file(dir, "thresholds.json",
              "{\"edit\": {\"similarity.image_text.reference\": {\"min\": 0.25}}}");
    assert_ok(load(dir, text, NULL, 0, &job));
    const struct ge_job_task *task;
    assert_ok(ge_job_require_task(job, "edit", &task));
    assert_close(task->thresholds[0].value, 0.25, 0);
    assert_string_equal(task->fallback_metric, "similarity.image_text.reference");
    ge_job_delete(&job);

    temp_file(dir, "thresholds.json",
              "{\"edit\": {\"similarity.image_text.reference\": {\"min\": \"high\"}}}");
    assert_status(load(dir, text, NULL, 0, &job), GE_EINVAL);
    assert_says("thresholds.json: scoring.thresholds.edit.similarity.image_text.reference.min");
    assert_says("string \"high\"");
    temp_file(dir, "thresholds.json", "[1]");
    assert_status(load(dir, text, NULL, 0, &job), GE_EINVAL);
    assert_says("scoring.thresholds");
    assert_says("found array");
    temp_file(dir, "thresholds.json", "{\"a\": {\"$file\": \"thresholds.json\"}}");
    assert_status(load(dir, text, NULL, 0, &job), GE_EINVAL);
    assert_says("another \"$file\"");
    temp_file(dir, "thresholds.json", "{\"a\": ");
    assert_status(load(dir, text, NULL, 0, &job), GE_EFORMAT);
    assert_says("job.json: scoring.thresholds: ");
    char *path = temp_path(dir, "thresholds.json");
    assert_int_equal(unlink(path), 0);
    assert_status(load(dir, text, NULL, 0, &job), GE_ENOENT);
    assert_says("thresholds.json");
    assert_int_equal(mkdir(path, 0755), 0);
    assert_status(load(dir, text, NULL, 0, &job), GE_EFORMAT);
    free(path);
    temp_remove(dir);
}

static void known_tasks_have_scoring(void **state)
{
    (void)state;
    char *dir = job_folder();
    struct ge_job *job;
    const struct ge_job_task *t;
    assert_ok(load(dir, small_job, NULL, 0, &job));
    assert_ok(ge_job_require_task(job, "vqa", &t));
    assert_string_equal(t->rule, "alias");
    assert_int_equal(t->metrics.n, 0); /* no encoder for text and text */
    assert_ok(ge_job_require_task(job, "generation", &t));
    assert_string_equal(t->rule, "contrastive");
    assert_string_equal(t->metric, "similarity.image_text.margin");
    assert_string_equal(t->role, "image_text");
    assert_string_equal(t->fallback, "threshold");
    assert_int_equal(t->metrics.n, 1);
    assert_string_equal(t->metrics.v[0], "similarity.image_text.reference");
    assert_status(ge_job_require_task(job, "description", &t), GE_EINVAL);
    assert_says("scoring.roles.text_text");
    assert_status(ge_job_require_task(job, "juggling", &t), GE_EINVAL);
    assert_says("\"juggling\"");
    ge_job_delete(&job);

    static const struct ge_override sets[] = {
        {"scoring.roles.text_text", "clip", NULL},
        {"scoring.tasks.vqa", "{\"metrics\": [\"match.alias\"]}", NULL},
        {"scoring.tasks.choice.verdict",
         "{\"rule\": \"threshold\", \"metric\": \"similarity.text_text.reference\"}", NULL},
    };
    assert_ok(load(dir, small_job, sets, 3, &job));
    assert_ok(ge_job_require_task(job, "vqa", &t));
    assert_string_equal(t->metrics.v[0], "match.alias");
    assert_string_equal(t->rule, "alias");
    assert_status(ge_job_require_task(job, "choice", &t), GE_EINVAL);
    assert_says("scoring.thresholds.choice.similarity.text_text.reference");
    ge_job_delete(&job);
    temp_remove(dir);
}

static void bertscore_settings(void **state)
{
    (void)state;
    static const struct ge_override sets[] = {
        {"scoring.roles.bertscore", "clip", NULL},
        {"scoring.bertscore",
         "{\"layer\": 0, \"idf\": true, \"baseline\": {\"p\": 0.5, \"r\": 0.25, \"f1\": 0.125}}",
         NULL},
        {"scoring.tasks.vqa", "{\"metrics\": [\"bertscore.f1\", \"bertscore.f1.rescaled\"]}", NULL},
    };
    char *dir = job_folder();
    struct ge_job *job;
    assert_ok(load(dir, small_job, NULL, 0, &job));
    assert_null(job->scoring.bertscore);
    assert_int_equal(job->scoring.how_bertscore.layer, -1);
    assert_false(job->scoring.how_bertscore.idf);
    assert_false(job->scoring.how_bertscore.has_baseline);
    ge_job_delete(&job);
    assert_ok(load(dir, small_job, sets, 3, &job));
    const struct ge_job_bertscore *b = &job->scoring.how_bertscore;
    assert_ptr_equal(job->scoring.bertscore, &job->encoders[0]);
    assert_int_equal(b->layer, 0);
    assert_true(b->idf && b->has_baseline);
    assert_close(b->p, 0.5, 0);
    assert_close(b->r, 0.25, 0);
    assert_close(b->f1, 0.125, 0);
    ge_job_delete(&job);
    temp_remove(dir);
}

static void built_in_names_exist(void **state)
{
    (void)state;
    size_t n;
    const struct ge_task_default *d = ge_task_defaults(&n);
    for (size_t i = 0; i < n; i++) {
        bool rule = false;
        for (size_t j = 0; j < test_vocabulary.n_rules; j++) {
            rule = rule || strcmp(test_rules[j], d[i].rule) == 0;
        }
        assert_true(rule);
        if (i > 0) assert_true(strcmp(d[i - 1].type, d[i].type) < 0);
    }
}

/* A change to small_job and what the refusal says beside the file's name. */
static void faults_between_settings(void **state)
{
    (void)state;
    static const struct {
        struct ge_override set;
        ge_status status;
        const char *says[3];
    } cases[] = {
        {{"scoring.roles.text_text", "clop", NULL},
         GE_EINVAL,
         {"scoring.roles.text_text", "\"clop\"", "such as \"clip\""}},
        {{"scoring.roles.bertscore", "clop", NULL},
         GE_EINVAL,
         {"scoring.roles.bertscore", "\"clop\"", "such as \"clip\""}},
        {{"scoring.tasks.vqa", "{\"metrics\": [\"bertscore.f1\"]}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.metrics[0]", "role bertscore", "scoring.roles.bertscore"}},
        {{"scoring.tasks.vqa", "{\"metrics\": [\"bertscore.f1.rescaled\"]}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.metrics[0]", "bertscore.f1.rescaled", "scoring.bertscore.baseline"}},
        {{"scoring.bertscore.baseline", "{\"p\": 0.8, \"f1\": 0.8}", NULL},
         GE_EINVAL,
         {"scoring.bertscore.baseline.r", "found nothing", "all three or none"}},
        {{"scoring.bertscore.baseline", "{\"p\": 1, \"r\": 0.8, \"f1\": 0.8}", NULL},
         GE_EINVAL,
         {"scoring.bertscore.baseline.p", "number 1", "0.999999"}},
        {{"scoring.bertscore.layer", "-1", NULL},
         GE_EINVAL,
         {"scoring.bertscore.layer", "number -1", "0"}},
        {{"systems", "[{\"name\": \"a\", \"answers\": \"x\"}, {\"name\": \"a\"}]", NULL},
         GE_EINVAL,
         {"systems", "two systems named \"a\"", "once"}},
        {{"systems", "[{\"name\": \"a\", \"answers\": \"x\", \"folder\": \"y\"}]", NULL},
         GE_EINVAL,
         {"systems[0]", "both answers and folder", "one of them"}},
        {{"scoring.tasks.vqa", "{\"metrics\": [\"match.alais\"]}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.metrics[0]", "match.alais", "did you mean \"match.alias\""}},
        {{"scoring.tasks.vqa", "{\"metrics\": [\"similarity.text_text.reference\"]}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.metrics[0]", "role text_text", "scoring.roles.text_text"}},
        {{"scoring.tasks.mine", "{\"metrics\": []}", NULL},
         GE_EINVAL,
         {"scoring.tasks.mine.verdict.rule", "found nothing", "\"exact\""}},
        {{"scoring.tasks.vqa.verdict", "{\"rule\": \"threshold\"}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.verdict.metric", "found nothing", "a metric"}},
        {{"scoring.tasks.vqa.verdict", "{\"rule\": \"alias\", \"metric\": \"match.alias\"}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.verdict.metric", "match.alias", "nothing with the rule"}},
        {{"scoring.tasks.vqa.verdict", "{\"rule\": \"contrastive\", \"metric\": \"match.alias\"}",
          NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.verdict.metric", "match.alias", "a margin metric"}},
        {{"scoring.tasks.vqa.verdict", "{\"rule\": \"alias\", \"fallback\": \"threshold\"}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.verdict.fallback", "threshold", "none"}},
        {{"scoring.tasks.vqa.verdict", "{\"rule\": \"recorded\"}", NULL},
         GE_EINVAL,
         {"scoring.tasks.vqa.verdict.rule", "\"recorded\"", "require"}},
        {{"scoring.thresholds", "{\"nosuch\": {}}", NULL},
         GE_EINVAL,
         {"scoring.thresholds", "nosuch", "scoring.tasks"}},
        {{"scoring.thresholds", "{\"vqa\": {\"match.alias\": {}}}", NULL},
         GE_EINVAL,
         {"scoring.thresholds.vqa.match.alias", "neither min nor max", "either"}},
        {{"scoring.thresholds", "{\"vqa\": {\"match.alias\": {\"min\": 1, \"max\": 2}}}", NULL},
         GE_EINVAL,
         {"scoring.thresholds.vqa.match.alias", "both min and max", "either"}},
        {{"scoring.thresholds",
          "{\"vqa\": {\"match.alias\": {\"max\": 1, \"direction\": \"higher\"}}}", NULL},
         GE_EINVAL,
         {"scoring.thresholds.vqa.match.alias.direction", "\"higher\"", "\"lower\""}},
        {{"scoring.thresholds", "{\"vqa\": {\"match.zzz\": {\"min\": 1}}}", NULL},
         GE_EINVAL,
         {"scoring.thresholds.vqa.match.zzz", "unknown metric", "gapeval docs metrics"}},
        {{"runtime.heartbeat_s", "60", NULL},
         GE_EINVAL,
         {"runtime.heartbeat_s", "found 60", "runtime.silence_s"}},
        {{"sweep", "{\"grid\": {}}", NULL}, GE_EUNSUPPORTED, {"sweep", "found", "allowed"}},
        {{"dataset.path", "/nonexistent/items", NULL},
         GE_ENOENT,
         {"dataset.path", "nothing at /nonexistent/items", "exists"}},
        {{"encoders.clip.model", "/dev/null", NULL},
         GE_ENOENT,
         {"encoders.clip.model", "/dev/null", "a folder that exists"}},
        {{"systems", "[{\"name\": \"a\", \"answers\": \"clip\"}]", NULL},
         GE_ENOENT,
         {"systems[0].answers[0]", "found a folder", "a file that exists"}},
    };
    char *dir = job_folder();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ge_job *job;
        assert_status(load(dir, small_job, &cases[i].set, 1, &job), cases[i].status);
        assert_null(job);
        if (strncmp(ge_error(), "--set ", 6) != 0) assert_says("job.json: ");
        for (size_t j = 0; j < 3; j++) assert_says(cases[i].says[j]);
    }
    temp_remove(dir);
}

static void answers_must_be_named(void **state)
{
    (void)state;
    static const struct ge_override no_answers = {"systems", "[{\"name\": \"a\"}]", NULL};
    char *dir = job_folder();
    struct ge_job *job;
    struct ge_override sets[2] = {no_answers, {"dataset.format", "manifest", NULL}};
    assert_status(load(dir, small_job, sets, 2, &job), GE_EINVAL);
    assert_says("systems[0].answers: found nothing");
    sets[1].value = "gapeval";
    assert_status(load(dir, small_job, sets, 2, &job), GE_EINVAL);
    assert_says("systems[0].folder: found nothing");
    sets[1].value = "gapeval-jsonl";
    assert_ok(load(dir, small_job, sets, 2, &job));
    ge_job_delete(&job);
    sets[0].value = "[{\"name\": \"a\", \"folder\": \"nowhere\"}]";
    assert_status(load(dir, small_job, sets, 2, &job), GE_ENOENT);
    assert_says("systems[0].folder");
    temp_remove(dir);
}

static void ratings_are_viewed_and_checked(void **state)
{
    (void)state;
    static const struct {
        const char *ratings, *says;
    } bad[] = {
        {"{\"drawn\": \"random\"}", "ratings.file: found nothing"},
        {"{\"verdict\": {\"dimension\": \"q\", \"min\": 3}}", "ratings.file: found nothing"},
        {"{\"file\": \"/\", \"drawn\": \"chosen\"}", "ratings.drawn: found \"chosen\""},
        {"{\"file\": \"/\", \"drawn\": \"random_within:\"}", "ratings.drawn: found"},
        {"{\"file\": \"/\", \"verdict\": {\"dimension\": \"q\"}}", "ratings.verdict.min"},
        {"{\"file\": \"/\", \"verdict\": {\"min\": 3}}", "ratings.verdict.dimension"},
        {"{\"file\": \"/\"}", "ratings.file: found a folder"},
        {"{\"file\": \"/\", \"verdict\": {\"min\": \"3\"}}", "ratings.verdict.min: found string"},
        {"{\"file\": \"/\", \"rater\": \"x\"}", "found unknown key \"rater\""},
    };
    char *dir = job_folder();
    struct ge_job *job;
    struct ge_override set = {"ratings", NULL, NULL};
    temp_file(dir, "people.csv", "item\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        set.value = bad[i].ratings;
        ge_status want = strstr(bad[i].says, "a folder") != NULL ? GE_ENOENT : GE_EINVAL;
        assert_status(load(dir, small_job, &set, 1, &job), want);
        assert_says(bad[i].says);
    }
    char *people = temp_path(dir, "people.csv");
    char *text = ge_sprintf("{\"file\": \"%s\", \"drawn\": \"random_within:skill\", "
                            "\"verdict\": {\"dimension\": \"quality\", \"min\": 3.5}}",
                            people);
    set.value = text;
    assert_ok(load(dir, small_job, &set, 1, &job));
    assert_string_equal(job->ratings.file, people);
    assert_string_equal(job->ratings.drawn, "random_within:skill");
    assert_string_equal(job->ratings.dimension, "quality");
    assert_close(job->ratings.min, 3.5, 0);
    ge_job_delete(&job);
    free(text);
    free(people);
    temp_remove(dir);
}

static void settings_hold_what_affects_results(void **state)
{
    (void)state;
    static const struct {
        struct ge_override set;
        bool affects;
    } cases[] = {
        {{"runtime.threads", "3", NULL}, false},
        {{"runtime.batch_size", "7", NULL}, false},
        {{"output.dir", "/tmp/x", NULL}, false},
        {{"aggregation.level", "0.9", NULL}, false},
        {{"name", "other", NULL}, false},
        {{"ratings.file", GE_SOURCE_DIR "/CHANGELOG.md", NULL}, false},
        {{"image.alpha", "white", NULL}, true},
        {{"image.pillow", "12", NULL}, true},
        {{"dataset.limit", "3", NULL}, true},
        {{"seed", "1", NULL}, true},
        {{"scoring.recorded_verdicts", "prefer", NULL}, true},
        {{"scoring.thresholds.vqa", "{\"match.alias\": {\"min\": 1}}", NULL}, true},
    };
    char *dir = job_folder();
    struct ge_job *job, *other;
    assert_ok(load(dir, small_job, NULL, 0, &job));
    char *settings = ge_job_cell_settings(job, 0);
    assert_non_null(settings);
    assert_non_null(strstr(settings, "\"system\":{\"name\":\"even\""));
    assert_null(strstr(settings, "items.jsonl"));
    assert_null(strstr(settings, "even.jsonl"));
    assert_null(strstr(settings, "runtime"));
    assert_null(ge_job_cell_settings(job, 1));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ge_arena *arena = ge_arena_new();
        struct ge_option_change *changes;
        size_t n;
        assert_ok(load(dir, small_job, &cases[i].set, 1, &other));
        char *changed = ge_job_cell_settings(other, 0);
        assert_int_equal(strcmp(settings, changed) != 0, cases[i].affects);
        assert_ok(ge_options_diff(job->doc, other->doc, arena, &changes, &n));
        assert_int_equal(n, 1);
        assert_int_equal(changes[0].affects_results, cases[i].affects);
        assert_int_equal(strncmp(changes[0].path, cases[i].set.path, strlen(cases[i].set.path)), 0);
        free(changed);
        ge_arena_delete(&arena);
        ge_job_delete(&other);
    }
    free(settings);
    ge_job_delete(&job);
    temp_remove(dir);
}

static void diff_matches_systems_by_name(void **state)
{
    (void)state;
    static const struct ge_override two = {
        "systems",
        "[{\"name\": \"odd\", \"answers\": \"/dev/null\"}, {\"name\": \"even\", \"answers\": "
        "\"even.jsonl\"}]",
        NULL};
    char *dir = job_folder();
    struct ge_job *a, *b;
    struct ge_option_change *changes;
    size_t n;
    struct ge_arena *arena = ge_arena_new();
    assert_ok(load(dir, small_job, NULL, 0, &a));
    temp_file(dir, "job.json", small_job);
    assert_ok(ge_job_parse(small_job, strlen(small_job), "b", dir, &two, 1, NULL, false, &b));
    assert_ok(ge_options_diff(a->doc, b->doc, arena, &changes, &n));
    size_t systems = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(changes[i].path, "systems[0]") != 0) continue;
        assert_null(changes[i].old_value);
        assert_non_null(strstr(changes[i].new_value, "odd"));
        systems++;
    }
    assert_int_equal(systems, 1);
    ge_arena_delete(&arena);
    ge_job_delete(&a);
    ge_job_delete(&b);
    temp_remove(dir);
}

/* Every allocation of a load fails once: an error each time, and no leak (under ASan). */
static void allocations_may_fail(void **state)
{
    (void)state;
    char *dir = job_folder(), *real = realpath(dir, NULL);
    struct ge_job *job = NULL;
    ge_status rc = GE_ENOMEM;
    uint64_t n = 1;
    for (; rc != GE_OK && n < 100000; n++) {
        ge_mem_fail_at(n, 0);
        rc = ge_job_parse(small_job, strlen(small_job), "job", real, NULL, 0, &test_vocabulary,
                          true, &job);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) {
            assert_int_equal(rc, GE_ENOMEM);
            assert_null(job);
        }
    }
    assert_int_equal(rc, GE_OK);
    assert_true(n > 20);
    ge_job_delete(&job);
    free(real);
    temp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(resolved_text_is_canonical),
        cmocka_unit_test(overrides_win),
        cmocka_unit_test(overrides_name_their_place),
        cmocka_unit_test(files_are_inlined),
        cmocka_unit_test(known_tasks_have_scoring),
        cmocka_unit_test(bertscore_settings),
        cmocka_unit_test(built_in_names_exist),
        cmocka_unit_test(faults_between_settings),
        cmocka_unit_test(answers_must_be_named),
        cmocka_unit_test(ratings_are_viewed_and_checked),
        cmocka_unit_test(settings_hold_what_affects_results),
        cmocka_unit_test(diff_matches_systems_by_name),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
