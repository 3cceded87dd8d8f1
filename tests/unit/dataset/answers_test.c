/* Recorded answers as JSON lines. */
#include "base/rng.h"
#include "unit/dataset/data.h"

static void answers_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"system\": \"s\", \"item\": \"b\", \"direction\": \"gen\", \"sample\": 2,"
        " \"images\": [\"x.png\", \"/abs/y.png\"], \"verdict\": [1, 0, true, 0.25]}\n"
        "\r\n"
        "{\"item\": \"b\", \"direction\": \"und\", \"text\": \"a cat\", \"note\": 1}\n"
        "{\"item\": \"a\", \"direction\": \"und\", \"sample\": 1, \"text\": \"\", \"verdict\": 0}\n"
        "{\"item\": \"b\", \"direction\": \"gen\", \"image\": null, \"verdict\": []}\n";
    char *dir = temp_make(), *image = temp_path(dir, "x.png");
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    assert_ok(load_text(dir, two_items, &ds));
    assert_ok(load_answers(dir, ds, text, &f));
    const struct ge_answer *v = f->answers.v;
    assert_string_equal(f->answers.system, "s");
    assert_int_equal(f->answers.n, 5);
    assert_int_equal(f->problems, 2);
    assert_int_equal(f->judged, 3);
    assert_int_equal(f->missing[GE_UND], 0);
    assert_int_equal(f->missing[GE_GEN], 0);
    /* item a, und, sample 1 */
    assert_int_equal(v[0].item, 0);
    assert_int_equal(v[0].sample, 1);
    assert_string_equal(v[0].problem, "the recorded text is empty");
    assert_null(v[0].text);
    assert_int_equal(v[0].n_judgements, 1);
    /* item b: und, then gen samples 0, 2, 3 */
    assert_string_equal(v[1].text, "a cat");
    assert_null(v[1].judgements);
    assert_string_equal(v[2].problem, "the recorded image is null");
    assert_null(v[2].judgements);
    assert_int_equal(v[3].sample, 2);
    assert_string_equal(v[3].image, image);
    assert_int_equal(v[4].sample, 3);
    assert_string_equal(v[4].image, "/abs/y.png");
    assert_int_equal(v[4].n_judgements, 4);
    assert_close(v[4].judgements[2], 1, 0);
    assert_close(v[4].judgements[3], 0.25, 0);
    size_t n;
    assert_ptr_equal(ge_answers_find(&f->answers, 1, GE_GEN, &n), &v[2]);
    assert_int_equal(n, 3);
    ge_answers_delete(&f);
    assert_null(f);

    assert_ok(load_answers(dir, ds, "", &f));
    assert_int_equal(f->answers.n, 0);
    assert_int_equal(f->missing[GE_UND], 2);
    assert_int_equal(f->missing[GE_GEN], 1);
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
    free(image);
    temp_remove(dir);
}

static void several_files_make_one_system(void **state)
{
    (void)state;
    char *dir = temp_make(), *first = temp_path(dir, "1.jsonl"),
         *second = temp_path(dir, "2.jsonl");
    const char *files[] = {first, second}, *swapped[] = {second, first};
    struct ge_answers_source source = {.files = {files, 2}};
    struct ge_dataset *ds;
    struct ge_answers_file *f, *g;
    assert_ok(load_text(dir, two_items, &ds));
    temp_file(dir, "1.jsonl", "{\"item\": \"a\", \"direction\": \"und\", \"text\": \"x\"}\n");
    temp_file(dir, "2.jsonl", "{\"item\": \"b\", \"direction\": \"und\", \"text\": \"y\"}\n");
    assert_ok(ge_answers_load(ds, "s", &source, &f));
    assert_int_equal(f->answers.n, 2);
    source.files.v = swapped;
    assert_ok(ge_answers_load(ds, "s", &source, &g));
    assert_false(ge_hash_equal(f->content, g->content));
    ge_answers_delete(&g);
    ge_answers_delete(&f);
    temp_file(dir, "2.jsonl", "\n{\"item\": \"a\", \"direction\": \"und\", \"text\": \"y\"}\n");
    assert_status(ge_answers_load(ds, "s", &source, &f), GE_EFORMAT);
    assert_says("2.jsonl line 2: found a second answer to item \"a\", direction und, sample 0");
    source = (struct ge_answers_source){0};
    assert_status(ge_answers_load(ds, "s", &source, &f), GE_EINVAL);
    assert_says("system \"s\": found no answers");
    source.folder = "x";
    assert_status(ge_answers_load(ds, "s", &source, &f), GE_EINVAL);
    assert_says("found a folder of answers for the manifest dataset");
    ge_dataset_delete(&ds);
    free(first);
    free(second);
    temp_remove(dir);
}

static void selection_skips_answers(void **state)
{
    (void)state;
    char *dir = temp_make(), *path = temp_path(dir, "items.jsonl");
    struct ge_dataset_options o = {.path = path, .limit = 1};
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    temp_file(dir, "items.jsonl", two_items);
    assert_ok(ge_dataset_load(&o, &ds));
    assert_ok(load_answers(dir, ds,
                           "{\"item\": \"b\", \"direction\": \"und\", \"text\": \"x\"}\n"
                           "{\"item\": \"a\", \"direction\": \"und\", \"text\": \"y\"}\n",
                           &f));
    assert_int_equal(f->answers.n, 1);
    assert_int_equal(f->n_skipped, 1);
    ge_answers_delete(&f);
    assert_status(load_answers(dir, ds, "{\"item\": \"c\", \"direction\": \"und\"}\n", &f),
                  GE_EFORMAT);
    assert_says("item: found string \"c\"");
    ge_dataset_delete(&ds);
    free(path);
    temp_remove(dir);
}

#define LINE(body) "{\"item\": \"b\", \"direction\": \"und\", " body "}\n"

static void faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says[2];
    } cases[] = {
        {"[1]\n", {"s.jsonl line 1: found array", "object"}},
        {"{\"direction\": \"und\", \"text\": \"x\"}\n", {"line 1: item: found nothing", "an id"}},
        {"{\"item\": \"zz\", \"direction\": \"und\", \"text\": \"x\"}\n",
         {"item: found string \"zz\"", "an item in the dataset"}},
        {"{\"item\": \"b\", \"text\": \"x\"}\n",
         {"direction: found nothing", "\"und\" or \"gen\""}},
        {"{\"item\": \"b\", \"direction\": \"up\", \"text\": \"x\"}\n",
         {"direction: found string \"up\"", "\"und\" or \"gen\""}},
        {"{\"item\": \"a\", \"direction\": \"gen\", \"text\": \"x\"}\n",
         {"direction: found string \"gen\"", "a direction that the item has"}},
        {LINE("\"x\": 1"), {"found no answer", "exactly one of text, image, images"}},
        {LINE("\"text\": \"x\", \"image\": \"y\""), {"found several answers", "exactly one"}},
        {LINE("\"text\": 5"), {"text: found number 5", "a string"}},
        {LINE("\"images\": []"), {"images: found array", "at least one path"}},
        {LINE("\"images\": \"a.png\""), {"images: found string", "at least one path"}},
        {LINE("\"images\": [[]]"), {"image: found array", "a string"}},
        {LINE("\"text\": \"x\", \"sample\": -1"), {"sample: found number -1", "from 0"}},
        {LINE("\"text\": \"x\", \"sample\": 1e9"), {"sample: found number", "to 1000000"}},
        {LINE("\"text\": \"x\", \"verdict\": 2"), {"verdict: found number 2", "from 0 to 1"}},
        {LINE("\"text\": \"x\", \"verdict\": [1, \"yes\"]"), {"verdict: found string", "list"}},
        {LINE("\"text\": \"x\", \"system\": \"t\""), {"system: found string \"t\"", "\"s\""}},
        {LINE("\"text\": \"x\", \"system\": null"), {"system: found null", "\"s\""}},
        {LINE("\"text\": \"x\"") LINE("\"image\": \"x\""),
         {"line 2: found a second answer", "one"}},
        {LINE("\"text\": \"x\", \"text\": \"y\""), {"s.jsonl line 1", "text"}},
    };
    char *dir = temp_make();
    struct ge_dataset *ds;
    assert_ok(load_text(dir, two_items, &ds));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ge_answers_file *f;
        assert_status(load_answers(dir, ds, cases[i].text, &f), GE_EFORMAT);
        assert_null(f);
        for (size_t j = 0; j < 2; j++) assert_says(cases[i].says[j]);
    }
    struct ge_answers_source source = {.files = {(const char *[]){"/nonexistent.jsonl"}, 1}};
    struct ge_answers_file *f;
    assert_status(ge_answers_load(ds, "s", &source, &f), GE_ENOENT);
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void damaged_files_are_errors(void **state)
{
    (void)state;
    static const char text[] = "{\"system\": \"s\", \"item\": \"b\", \"direction\": \"gen\", "
                               "\"images\": [\"x.png\"], \"verdict\": [1, 0.5]}";
    char *dir = temp_make(), copy[sizeof text];
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    assert_ok(load_text(dir, two_items, &ds));
    for (size_t cut = 1; cut + 1 < sizeof text; cut++) {
        memcpy(copy, text, cut);
        copy[cut] = '\0';
        assert_status(load_answers(dir, ds, copy, &f), GE_EFORMAT);
    }
    for (uint64_t i = 0; i < 2000; i++) {
        memcpy(copy, text, sizeof text);
        size_t at = (size_t)(ge_uniform(3, i, 0) * (double)(sizeof text - 1));
        copy[at] = (char)(unsigned char)(1 + ge_uniform(3, i, 1) * 255);
        ge_error_clear();
        ge_status rc = load_answers(dir, ds, copy, &f);
        assert_true(rc == GE_OK || ge_error()[0] != '\0');
        ge_answers_delete(&f);
    }
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    static const char text[] = "{\"item\": \"b\", \"direction\": \"gen\", \"image\": \"x.png\","
                               " \"verdict\": [1, 0]}\n"
                               "{\"item\": \"b\", \"direction\": \"und\", \"text\": \"x\"}\n";
    char *dir = temp_make(), *path = temp_path(dir, "s.jsonl");
    const char *files[] = {path};
    struct ge_answers_source source = {.files = {files, 1}};
    struct ge_dataset *ds;
    struct ge_answers_file *f = NULL;
    ge_status rc = GE_ENOMEM;
    assert_ok(load_text(dir, two_items, &ds));
    temp_file(dir, "s.jsonl", text);
    for (uint64_t n = 1; rc != GE_OK && n < 10000; n++) {
        ge_mem_fail_at(n, 0);
        rc = ge_answers_load(ds, "s", &source, &f);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
    }
    assert_int_equal(rc, GE_OK);
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
    free(path);
    temp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read),         cmocka_unit_test(several_files_make_one_system),
        cmocka_unit_test(selection_skips_answers),  cmocka_unit_test(faults_are_named),
        cmocka_unit_test(damaged_files_are_errors), cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
