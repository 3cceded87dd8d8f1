/* Files of predictions: an item and its answer a line, and what is refused. */
#include "base/rng.h"
#include "unit/dataset/data.h"

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = temp_make();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_remove(folder);
    return 0;
}

static ge_status load(const char *text, struct ge_dataset **ds)
{
    temp_file(folder, "p.jsonl", text);
    return load_format(folder, "p.jsonl", GE_DATASET_PREDICTIONS, ds);
}

/* The dataset's own answers. */
static ge_status load_own(const struct ge_dataset *ds, struct ge_answers_file **f)
{
    const struct ge_answers_source source = {0};
    return ge_answers_load(ds, "predictions", &source, f);
}

static void lines_are_items(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\": 7, \"prediction\": \"three\", \"references\": [\"3\", \"three\"],"
        " \"image\": \"a.png\", \"prompt\": \"how many?\", \"other\": {\"x\": 1}}\n"
        "\r\n"
        "{\"id\": \"b\", \"prediction_image\": \"out/b.png\", \"reference_images\": [\"r.png\"],"
        " \"images\": [\"in.png\", \"/abs.png\"], \"task\": \"edit\", \"category\": \"c\","
        " \"cluster\": \"k\", \"may_copy\": true}\n"
        "{\"id\": \"c\", \"prediction\": \"A long text.\", \"direction\": \"gen\","
        " \"task\": \"edit\", \"image\": null, \"prediction_image\": null}\n"
        "{\"id\": \"d\", \"prediction_image\": \"/abs/d.png\", \"direction\": \"und\"}\n"
        "{\"id\": \"e\", \"prediction\": \"\"}\n"
        "{\"id\": \"f\", \"direction\": null, \"prediction_image\": null}\n"
        "{\"id\": \"g\", \"prediction_image\": \"\"}\n";
    static const struct {
        const char *id, *type, *text;
        enum ge_direction d;
    } want[] = {{"7", "text", "three", GE_UND},
                {"b", "edit", NULL, GE_GEN},
                {"c", "edit", "A long text.", GE_GEN},
                {"d", "text", NULL, GE_UND},
                {"e", "text", "", GE_UND},
                {"f", "text", NULL, GE_UND},
                {"g", "image", NULL, GE_GEN}};
    enum { N = sizeof want / sizeof want[0] };
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    assert_ok(load(text, &ds));
    assert_int_equal(ds->n, N);
    assert_int_equal(ds->format, GE_DATASET_PREDICTIONS);
    assert_ok(load_own(ds, &f));
    assert_int_equal(f->answers.n, N);
    assert_string_equal(f->answers.system, "predictions");
    for (uint32_t i = 0; i < N; i++) {
        const struct ge_item *item = &ds->items[i];
        const struct ge_answer *a = &f->answers.v[i];
        assert_string_equal(item->id, want[i].id);
        assert_true(item->task[want[i].d].present);
        assert_false(item->task[!want[i].d].present);
        assert_string_equal(item->task[want[i].d].type, want[i].type);
        assert_int_equal(a->item, i);
        assert_int_equal(a->direction, want[i].d);
        assert_int_equal(a->sample, 0);
        assert_true((a->text == NULL) == (want[i].text == NULL));
        if (a->text != NULL) assert_string_equal(a->text, want[i].text);
    }
    char *picture = temp_path(folder, "a.png"), *out = temp_path(folder, "out/b.png");
    const struct ge_task *t = &ds->items[0].task[GE_UND];
    assert_string_equal(t->prompt, "how many?");
    assert_int_equal(t->references.n, 2);
    assert_int_equal(t->images.n, 1);
    assert_string_equal(t->images.v[0], picture);
    assert_string_equal(ds->items[0].category, "uncategorised");
    assert_string_equal(ds->items[1].category, "c");
    assert_string_equal(ds->items[1].cluster, "k");
    t = &ds->items[1].task[GE_GEN];
    assert_true(t->may_copy);
    assert_int_equal(t->images.n, 2);
    assert_string_equal(t->images.v[1], "/abs.png");
    assert_int_equal(t->reference_images.n, 1);
    assert_string_equal(f->answers.v[1].image, out);
    assert_string_equal(f->answers.v[3].image, "/abs/d.png");
    assert_int_equal(f->problems, 2);
    assert_string_equal(f->answers.v[5].problem, "no prediction");
    assert_string_equal(f->answers.v[6].problem, "prediction_image is empty");
    assert_int_equal(f->missing[GE_UND] + f->missing[GE_GEN], 0);
    free(picture);
    free(out);
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
}

static void selection(void **state)
{
    (void)state;
    char *path = temp_path(folder, "p.jsonl");
    struct ge_dataset_options o = {.format = GE_DATASET_PREDICTIONS, .path = path, .limit = 1};
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    temp_file(folder, "p.jsonl",
              "{\"id\": \"a\", \"prediction\": \"x\"}\n{\"id\": \"b\", \"prediction\": \"y\"}\n");
    assert_ok(ge_dataset_load(&o, &ds));
    assert_int_equal(ds->n_total, 2);
    assert_ok(load_own(ds, &f));
    assert_int_equal(f->answers.n, 1);
    assert_int_equal(f->n_skipped, 1);
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
    free(path);
}

/* Another answer is another content of the answers; of the dataset too, for it is one file. */
static void content(void **state)
{
    (void)state;
    struct ge_dataset *a, *b;
    struct ge_answers_file *f, *g;
    assert_ok(load("{\"id\": \"a\", \"prediction\": \"x\"}\n", &a));
    assert_ok(load_own(a, &f));
    assert_ok(load("{\"id\": \"a\", \"prediction\": \"y\"}\n", &b));
    assert_ok(load_own(b, &g));
    assert_false(ge_hash_equal(f->content, g->content));
    assert_false(ge_hash_equal(a->content, b->content));
    assert_false(ge_hash_is_zero(a->content));
    ge_answers_delete(&f);
    ge_answers_delete(&g);
    ge_dataset_delete(&a);
    ge_dataset_delete(&b);
}

#define LINE(body) "{\"id\": \"a\", " body "}\n"

static void faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says[2];
        bool answers; /* the items are sound, the answers are not */
    } cases[] = {
        {"", {"p.jsonl: found an empty file", "a JSON object a line"}, false},
        {"\n \r\n", {"p.jsonl: found an empty file", "a JSON object a line"}, false},
        {"[1]\n", {"p.jsonl line 1: found array", "object"}, false},
        {LINE("\"prediction\": \"x\"") "\n{\"id\":\n", {"p.jsonl line 3", ""}, false},
        {LINE("\"prediction\": \"\xff\""), {"p.jsonl line 1", "UTF-8"}, false},
        {"{\"prediction\": \"x\"}\n", {"line 1: id: found nothing", "an id"}, false},
        {"{\"id\": \"\", \"prediction\": \"x\"}\n", {"id: found string", "an id"}, false},
        {"{\"id\": 1.5, \"prediction\": \"x\"}\n", {"id: found number 1.5", "an id"}, false},
        {"{\"id\": 3, \"prediction\": \"x\"}\n{\"id\": \"3\", \"prediction\": \"y\"}\n",
         {"line 2", "\"3\""},
         false},
        {LINE("\"prediction\": \"x\", \"prediction\": \"y\""), {"line 1", "prediction"}, false},
        {LINE("\"direction\": \"up\""), {"direction: found string \"up\"", "und, gen"}, false},
        {LINE("\"direction\": 1"), {"direction: found number 1", "a string"}, false},
        {LINE("\"image\": \"x\", \"images\": [\"y\"]"),
         {"found both image and images", "one of the two"},
         false},
        {LINE("\"image\": [\"x\"]"), {"image: found array", "a string"}, false},
        {LINE("\"image\": \"\""), {"image: found string \"\"", "not empty"}, false},
        {LINE("\"images\": [\"\"]"), {"images: found string", "none empty"}, false},
        {LINE("\"task\": \"\""), {"task: found string \"\"", "not empty"}, false},
        {LINE("\"task\": 5"), {"task: found number 5", "a string"}, false},
        {LINE("\"category\": \"\""), {"category: found string \"\"", "not empty"}, false},
        {LINE("\"prompt\": {}"), {"prompt: found object", "a string"}, false},
        {LINE("\"references\": \"x\""), {"references: found string", "list of strings"}, false},
        {LINE("\"references\": [1]"), {"references: found number 1", "list of strings"}, false},
        {LINE("\"objects\": [1]"), {"objects: found number 1", "list of objects"}, false},
        {LINE("\"may_copy\": \"no\""), {"may_copy: found string", "true or false"}, false},
        {LINE("\"choices\": [\"x\"], \"answer\": \"B\""),
         {"answer: found string", "choices"},
         false},
        {LINE("\"prediction\": \"x\", \"prediction_image\": \"y\""),
         {"line 1: found both prediction and prediction_image", "one of the two"},
         true},
        {LINE("\"prediction\": 5"), {"prediction: found number 5", "a string"}, true},
        {LINE("\"prediction_image\": [\"x\"]"), {"prediction_image: found array", "string"}, true},
    };
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].answers) {
            assert_ok(load(cases[i].text, &ds));
            assert_status(load_own(ds, &f), GE_EFORMAT);
            assert_null(f);
            ge_dataset_delete(&ds);
        } else {
            assert_status(load(cases[i].text, &ds), GE_EFORMAT);
            assert_null(ds);
        }
        for (size_t j = 0; j < 2; j++) assert_says(cases[i].says[j]);
    }
    assert_status(load_format(folder, "none.jsonl", GE_DATASET_PREDICTIONS, &ds), GE_ENOENT);
}

static const char sample[] =
    "{\"id\": 1, \"prediction\": \"x\", \"references\": [\"y\"], \"image\": \"a.png\", "
    "\"task\": \"vqa\", \"objects\": [{\"name\": \"cat\", \"number\": 2}], \"cluster\": \"k\"}\n"
    "{\"id\": \"b\", \"prediction_image\": \"b.png\", \"reference_images\": [\"r.png\"]}\n";

static ge_status load_both(const char *text)
{
    struct ge_dataset *ds = NULL;
    struct ge_answers_file *f = NULL;
    ge_status rc = load(text, &ds);
    if (rc == GE_OK) rc = load_own(ds, &f);
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
    return rc;
}

static void damaged_files(void **state)
{
    (void)state;
    char copy[sizeof sample];
    const char *second = strchr(sample, '\n') + 1;
    for (size_t cut = 1; cut + 2 < sizeof sample; cut++) {
        bool whole = sample + cut == second || sample + cut + 1 == second;
        memcpy(copy, sample, cut);
        copy[cut] = '\0';
        assert_int_equal(load_both(copy), whole ? GE_OK : GE_EFORMAT);
    }
    for (uint64_t i = 0; i < 300; i++) {
        memcpy(copy, sample, sizeof sample);
        size_t at = (size_t)(ge_uniform(5, i, 0) * (double)(sizeof sample - 1));
        copy[at] = (char)(unsigned char)(1 + ge_uniform(5, i, 1) * 255);
        ge_error_clear();
        ge_status rc = load_both(copy);
        assert_true(rc == GE_OK || ge_error()[0] != '\0');
    }
}

static void memory(void **state)
{
    (void)state;
    char *path = temp_path(folder, "p.jsonl");
    const struct ge_dataset_options o = {.format = GE_DATASET_PREDICTIONS, .path = path};
    uint64_t failed = 0;
    temp_file(folder, "p.jsonl", sample);
    for (bool pending = false; !pending;) {
        struct ge_dataset *ds = NULL;
        struct ge_answers_file *f = NULL;
        ge_mem_fail_at(failed + 1, 0);
        ge_status rc = ge_dataset_load(&o, &ds);
        if (rc == GE_OK) rc = load_own(ds, &f);
        pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        failed += !pending;
        ge_answers_delete(&f);
        ge_dataset_delete(&ds);
    }
    assert_true(failed > 50);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_items), cmocka_unit_test(selection),
        cmocka_unit_test(content),         cmocka_unit_test(faults_are_named),
        cmocka_unit_test(damaged_files),   cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
