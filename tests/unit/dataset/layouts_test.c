/* The two published layouts, with the inconsistencies that they are known for. */
#include "base/log.h"
#include "base/rng.h"
#include "unit/dataset/data.h"

static const struct ge_item *item(const struct ge_dataset *ds, const char *id)
{
    const struct ge_item *i = ge_dataset_find(ds, id, NULL);
    if (i == NULL) fail_msg("no item %s", id);
    return i;
}

static void ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    if (n < m || strcmp(s + n - m, tail) != 0) fail_msg("\"%s\" does not end in \"%s\"", s, tail);
}

/* Five items, one of each category, in the ways that the published snapshot has them. */
static void make_folders(const char *dir)
{
    temp_file(dir, "data_1/prompt.json",
              "{\"id\": 1, \"category\": \"counting\", \"subcategory\": \"Animals Counting\","
              " \"subsubcategory\": \"cats\", \"und_prompt\": \"How many cats?\","
              " \"gen_prompt\": \"Add a cat.\", \"reference\": [\"three cats\", \"no dog\"],"
              " \"img\": \"image/b.png\", \"expect_image\": \"ref/r.png\","
              " \"task\": {\"objects\": [\"cats\", \"dogs\"], \"number\": [3, \"0\"]},"
              " \"explain\": \"because\"}");
    temp_file(dir, "data_1/image/a.png", "x");
    temp_file(dir, "data_1/image/b.png", "x");
    temp_file(dir, "data_1/ref/r.png", "x");
    temp_file(dir, "data_2/prompt.json",
              "[{\"id\": 2, \"category\": \"reasoning\", \"subcategory\": \"mmlu/mmmu\","
              " \"problem\": \"Which?\\nA. red\\n(B) blue \\nC: green\", \"gen_prompt\": \"Draw\","
              " \"answer\": \"(B)\", \"expect_text\": null}]");
    temp_file(dir, "data_2/inage/z.JPG", "x");
    temp_file(dir, "data_2/inage/notes.txt", "x");
    temp_file(dir, "data_2/ref/2.webp", "x");
    temp_file(dir, "data_2/ref/1.jpeg", "x");
    temp_file(dir, "data_3/prompt.json",
              "{\"category\": \"Multi Hop\", \"und_prompt\": \"Who?\", \"gen_prompt\": \"Draw\","
              " \"expect_text\": \"a person\", \"gt_prompt\": \"kept\", \"image\": \"q.png\"}");
    temp_file(dir, "data_3/image/q.png", "x");
    temp_file(dir, "data_4/prompt.json",
              "{\"category\": \"rule_based\", \"und_prompt\": \"?\\nA. go\", \"gen_prompt\": \"!\","
              " \"gt_prompt\": \"A\", \"task\": \"maze\"}");
    temp_file(dir, "data_5/prompt.json",
              "{\"category\": \"Own Thing\", \"und_prompt\": \"?\", \"gen_prompt\": \"!\"}");
    temp_file(dir, "data_6/readme.txt", "no prompt.json: no item");
    temp_file(dir, "scripts/prompt.json", "{}");
}

static void folders_are_read(void **state)
{
    (void)state;
    char *dir = temp_make();
    struct ge_dataset *ds;
    make_folders(dir);
    ge_log_set_level(GE_LOG_ERROR);
    assert_ok(load_format(dir, "", GE_DATASET_AUTO, &ds));
    assert_int_equal(ds->format, GE_DATASET_GAPEVAL);
    assert_int_equal(ds->n, 5);

    const struct ge_item *x = item(ds, "data_1");
    const struct ge_task *und = &x->task[GE_UND], *gen = &x->task[GE_GEN];
    assert_string_equal(x->category, "counting");
    assert_string_equal(x->subcategory, "Animals Counting");
    assert_string_equal(x->tags.v[0], "paper:Numerical Perception");
    assert_string_equal(x->tags.v[1], "subsubcategory:cats");
    assert_string_equal(x->extra, "{\"id\":1,\"explain\":\"because\"}");
    assert_string_equal(und->type, "counting");
    assert_string_equal(gen->type, "edit");
    assert_string_equal(und->references.v[0], "three cats\nno dog");
    ends_with(und->images.v[0], "data_1/image/b.png");
    ends_with(gen->reference_images.v[0], "data_1/ref/r.png");
    assert_int_equal(und->n_objects, 2);
    assert_int_equal(und->objects[0].number, 3);
    assert_int_equal(und->objects[1].number, 0);
    assert_string_equal(x->cluster, "data_1/image/b.png"); /* without the dataset folder */

    x = item(ds, "data_2");
    und = &x->task[GE_UND];
    assert_string_equal(und->type, "choice");
    assert_string_equal(und->answer, "B");
    assert_int_equal(und->choices.n, 3);
    assert_string_equal(und->choices.v[1], "blue");
    assert_string_equal(und->choices.v[2], "green");
    assert_string_equal(x->tags.v[0], "paper:Reasoning");
    ends_with(und->images.v[0], "inage/z.JPG");
    assert_int_equal(x->task[GE_GEN].reference_images.n, 2);
    ends_with(x->task[GE_GEN].reference_images.v[0], "ref/1.jpeg");

    x = item(ds, "data_3");
    assert_string_equal(x->task[GE_UND].type, "world-knowledge");
    ends_with(x->task[GE_UND].images.v[0], "image/q.png"); /* named without its folder */
    assert_string_equal(x->task[GE_GEN].type, "generation");
    assert_int_equal(x->task[GE_GEN].images.n, 0);
    assert_string_equal(x->task[GE_UND].references.v[0], "a person");
    assert_string_equal(x->extra, "{\"gt_prompt\":\"kept\"}");

    x = item(ds, "data_4");
    assert_string_equal(x->task[GE_UND].type, "rule-based"); /* a letter, but no choice */
    assert_string_equal(x->tags.v[0], "paper:Instruction Following");
    assert_string_equal(x->extra, "{\"task\":\"maze\"}");

    x = item(ds, "data_5");
    assert_string_equal(x->tags.v[0], "paper:Own Thing");
    assert_string_equal(x->task[GE_UND].type, "vqa");
    assert_int_equal(x->task[GE_UND].references.n, 0);
    assert_string_equal(x->cluster, "data_5");

    struct ge_hash before = ds->content;
    ge_dataset_delete(&ds);
    temp_file(dir, "data_1/image/0.png", "x"); /* does not change which image is asked about */
    assert_ok(load_format(dir, "", GE_DATASET_GAPEVAL, &ds));
    assert_true(ge_hash_equal(before, ds->content));
    ge_dataset_delete(&ds);
    temp_file(dir, "data_2/inage/a.png", "x"); /* does */
    assert_ok(load_format(dir, "", GE_DATASET_GAPEVAL, &ds));
    assert_false(ge_hash_equal(before, ds->content));
    assert_int_equal(item(ds, "data_2")->task[GE_UND].images.n, 1);
    ends_with(item(ds, "data_2")->task[GE_UND].images.v[0], "inage/a.png");
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void folder_faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says[2];
    } cases[] = {
        {"", {"data_1/prompt.json", ""}},
        {"{\"category\": ", {"data_1/prompt.json", ""}},
        {"[]", {"prompt.json: found array", "a list that holds one object"}},
        {"[{}, {}]", {"prompt.json: found array", "a list that holds one object"}},
        {"{}", {"prompt.json: category: found nothing", "a string"}},
        {"{\"category\": \"c\", \"gen_prompt\": \"g\"}", {"und_prompt: found nothing", "string"}},
        {"{\"category\": \"c\", \"problem\": 4, \"gen_prompt\": \"g\"}",
         {"problem: found number 4", "a string"}},
        {"{\"category\": \"c\", \"und_prompt\": \"u\"}", {"gen_prompt: found nothing", "string"}},
        {"{\"category\": \"c\", \"und_prompt\": \"u\", \"gen_prompt\": \"g\", \"reference\": {}}",
         {"reference: found object", "a string"}},
        {"{\"category\": \"c\", \"und_prompt\": \"u\", \"gen_prompt\": \"g\", \"img\": 3}",
         {"img: found number 3", "a string"}},
        {"{\"category\": \"c\", \"und_prompt\": \"u\", \"gen_prompt\": \"g\","
         " \"task\": {\"objects\": [\"a\"], \"number\": []}}",
         {"task: found object", "equally long"}},
        {"{\"category\": \"c\", \"und_prompt\": \"u\", \"gen_prompt\": \"g\","
         " \"task\": {\"objects\": [\"a\"], \"number\": [1.5]}}",
         {"task: found number 1.5", "whole numbers"}},
    };
    char *dir = temp_make();
    struct ge_dataset *ds;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        temp_file(dir, "data_1/prompt.json", cases[i].text);
        assert_status(load_format(dir, "", GE_DATASET_AUTO, &ds), GE_EFORMAT);
        assert_null(ds);
        for (size_t j = 0; j < 2; j++) assert_says(cases[i].says[j]);
    }
    char *path = temp_path(dir, "data_1/prompt.json");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_status(load_format(dir, "", GE_DATASET_AUTO, &ds), GE_EFORMAT);
    assert_status(load_format(dir, "nothing", GE_DATASET_GAPEVAL, &ds), GE_ENOENT);
    free(path);
    temp_remove(dir);
}

static ge_status load_system(const struct ge_dataset *ds, const char *folder,
                             struct ge_answers_file **f)
{
    struct ge_answers_source source = {.folder = folder, .folder_path = folder};
    return ge_answers_load(ds, "m", &source, f);
}

static void folder_answers_are_read(void **state)
{
    (void)state;
    char *dir = temp_make();
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    size_t n;
    make_folders(dir);
    /* data_1: text and two images, judged by name, one judged in prose around JSON */
    temp_file(dir, "data_1/m/text.json", "{\"output_text\": \"three\"}");
    temp_file(dir, "data_1/m/out_2.png", "x");
    temp_file(dir, "data_1/m/out_1.jpg", "x");
    temp_file(dir, "data_1/m/new_res.json",
              "{\"text_eval\": {\"status\": \"ok\", \"parsed\": {\"judeg_result\": \"Yes\"}},"
              " \"image_eval\": [{\"status\": \"ok\", \"generated_image\": \"/x/out_2.png\","
              "   \"parsed\": {\"score\": 0, \"reason\": \"no\"}},"
              "  {\"status\": \"ok\", \"generated_image\": \"out_1.jpg\", \"parsed\": null,"
              "   \"raw_response\": \"I think {\\\"score\\\": true} is it\"}]}");
    /* data_2: no text, an image judged by position; the judge's status is an error for the text */
    temp_file(dir, "data_2/m/p.png", "x");
    temp_file(dir, "data_2/m/new_res.json",
              "{\"text_eval\": {\"status\": \"error\", \"parsed\": {\"score\": 1}},"
              " \"image_eval\": [{\"parsed\": {\"score\": \"no\"}}]}");
    /* data_3: broken files are problems of this answer alone */
    temp_file(dir, "data_3/m/text.json", "{\"output_text\": ");
    temp_file(dir, "data_3/m/new_res.json", "not json");
    temp_file(dir, "data_4/m/text.json", "[{\"output_text\": \"  \"}]");
    temp_file(dir, "data_4/m/new_res.json",
              "{\"text_eval\": {\"status\": \"error\", \"parsed\": {\"score\": 1}}}");
    assert_ok(load_format(dir, "", GE_DATASET_GAPEVAL, &ds));
    assert_ok(load_system(ds, "m", &f));
    assert_int_equal(f->missing[GE_UND], 2); /* data_2, data_5 */
    assert_int_equal(f->missing[GE_GEN], 3);
    assert_int_equal(f->problems, 2);
    assert_int_equal(f->judged, 4);

    const struct ge_answer *a = ge_answers_find(&f->answers, 0, GE_UND, &n);
    assert_int_equal(n, 1);
    assert_string_equal(a->text, "three");
    assert_close(a->judgements[0], 1, 0);
    a = ge_answers_find(&f->answers, 0, GE_GEN, &n);
    assert_int_equal(n, 2);
    ends_with(a[0].image, "m/out_1.jpg");
    assert_close(a[0].judgements[0], 1, 0);
    assert_close(a[1].judgements[0], 0, 0);
    a = ge_answers_find(&f->answers, 1, GE_GEN, &n);
    assert_int_equal(n, 1);
    assert_close(a[0].judgements[0], 0, 0);
    assert_null(ge_answers_find(&f->answers, 1, GE_UND, &n));
    a = ge_answers_find(&f->answers, 2, GE_UND, &n);
    assert_non_null(strstr(a->problem, "data_3/m/text.json"));
    a = ge_answers_find(&f->answers, 3, GE_UND, &n);
    ends_with(a->problem, "output_text is empty");
    ge_answers_delete(&f);

    assert_status(load_system(ds, "nobody", &f), GE_ENOENT);
    assert_says("found no folder \"nobody\"");
    static const char *const others[] = {"image", "inage", "ref", "lumoo",
                                         ".git",  "",      "a/b", "output_2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_status(load_system(ds, others[i], &f), GE_EINVAL);
    }
    temp_file(dir, "data_5/output_1/text.json", "{\"output_text\": \"x\"}");
    assert_ok(load_system(ds, "output_1", &f));
    ge_answers_delete(&f);
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

/* Any damage to a judge's or a system's file leaves the load standing. */
static void damaged_answer_folders_load(void **state)
{
    (void)state;
    static const char text[] =
        "{\"text_eval\": {\"status\": \"ok\", \"parsed\": null, \"raw_response\": \"{}}{{\"},"
        " \"image_eval\": [{\"generated_image\": \"p.png\", \"parsed\": {\"score\": 1}}, 3, []]}";
    char *dir = temp_make(), copy[sizeof text];
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    temp_file(dir, "data_1/prompt.json",
              "{\"category\": \"c\", \"und_prompt\": \"?\", \"gen_prompt\": \"!\"}");
    temp_file(dir, "data_1/m/p.png", "x");
    assert_ok(load_format(dir, "", GE_DATASET_GAPEVAL, &ds));
    for (uint64_t i = 0; i < 2000; i++) {
        size_t len = sizeof text - 1;
        memcpy(copy, text, sizeof text);
        copy[(size_t)(ge_uniform(4, i, 0) * (double)len)] =
            (char)(unsigned char)(ge_uniform(4, i, 1) * 256);
        if (i % 2 == 0) len = (size_t)(ge_uniform(4, i, 2) * (double)len);
        temp_bytes(dir, "data_1/m/new_res.json", copy, len);
        temp_bytes(dir, "data_1/m/text.json", copy, len);
        assert_ok(load_system(ds, "m", &f));
        ge_answers_delete(&f);
    }
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void make_jsonl(const char *dir)
{
    temp_file(dir, "d/und_outputs.jsonl",
              "{\"id\": 1, \"und_prompt\": \"how many?\", \"answer\": \"two\"}\n"
              "{\"id\": \"x2\", \"und_prompt\": \"who?\", \"answer\": null}\n");
    temp_file(dir, "d/gen_outputs.jsonl",
              "{\"id\": \"1\", \"gen_prompt\": \"draw\", \"image_path\": \"img/1.png\"}\n"
              "{\"id\": 3, \"gen_prompt\": \"draw\", \"image_path\": \"img/3.png\"}\n");
    temp_file(dir, "d/und_judged.jsonl",
              "{\"id\": 1, \"category\": \"counting\", \"score\": 1, \"reason\": \"\"}\n"
              "{\"id\": 1, \"category\": \"counting\", \"score\": 0, \"reason\": \"\"}\n");
    temp_file(dir, "d/gen_judged.jsonl",
              "{\"id\": 3, \"category\": \"physics\", \"score\": \"true\", \"reason\": \"\"}\n");
    temp_file(dir, "other/und_outputs.jsonl",
              "{\"id\": 1, \"und_prompt\": \"how many?\", \"answer\": \"three\"}\n");
}

static void jsonl_is_read(void **state)
{
    (void)state;
    char *dir = temp_make(), *other = temp_path(dir, "other");
    struct ge_dataset *ds;
    struct ge_answers_file *f;
    size_t n;
    make_jsonl(dir);
    assert_ok(load_format(dir, "d", GE_DATASET_AUTO, &ds));
    assert_int_equal(ds->format, GE_DATASET_GAPEVAL_JSONL);
    assert_int_equal(ds->n, 3);
    assert_string_equal(ds->items[0].id, "1");
    assert_string_equal(ds->items[0].category, "counting");
    assert_string_equal(ds->items[0].task[GE_UND].type, "counting");
    assert_true(ds->items[0].task[GE_GEN].present);
    assert_string_equal(ds->items[0].tags.v[0], "paper:Numerical Perception");
    assert_string_equal(ds->items[1].category, "uncategorised");
    assert_false(ds->items[1].task[GE_GEN].present);
    assert_false(ds->items[2].task[GE_UND].present);
    assert_string_equal(ds->items[2].category, "physics");

    assert_ok(load_system(ds, NULL, &f)); /* the dataset's own answers */
    assert_int_equal(f->answers.n, 4);
    assert_int_equal(f->problems, 1);
    const struct ge_answer *a = ge_answers_find(&f->answers, 0, GE_UND, &n);
    assert_string_equal(a->text, "two");
    assert_int_equal(a->n_judgements, 2);
    assert_close(a->judgements[0] + a->judgements[1], 1, 0);
    a = ge_answers_find(&f->answers, 2, GE_GEN, &n);
    ends_with(a->image, "d/img/3.png");
    assert_close(a->judgements[0], 1, 0);
    ge_answers_delete(&f);

    assert_ok(load_system(ds, other, &f));
    assert_int_equal(f->answers.n, 1);
    assert_string_equal(f->answers.v[0].text, "three");
    assert_int_equal(f->missing[GE_GEN], 2);
    ge_answers_delete(&f);
    assert_status(load_system(ds, dir, &f), GE_ENOENT);
    assert_says("und_outputs.jsonl");
    ge_dataset_delete(&ds);
    free(other);
    temp_remove(dir);
}

static void jsonl_faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text, *says[2];
    } cases[] = {
        {"d/und_outputs.jsonl",
         "{\"und_prompt\": \"x\"}\n",
         {"und_outputs.jsonl line 1: id: found nothing", "an id"}},
        {"d/und_outputs.jsonl",
         "{\"id\": 1.5, \"und_prompt\": \"x\"}\n",
         {"line 1: id: found number 1.5", "whole number"}},
        {"d/und_outputs.jsonl", "{\"id\": 1}\n", {"und_prompt: found nothing", "a string"}},
        {"d/gen_outputs.jsonl",
         "{\"id\": 1, \"gen_prompt\": \"x\"}\n{\"id\": \"1\", \"gen_prompt\": \"x\"}\n",
         {"line 2: id: found \"1\" for the second time", "once"}},
        {"d/und_judged.jsonl",
         "{\"id\": 1, \"category\": \"a\"}\n{\"id\": 1, \"category\": \"b\"}\n",
         {"line 2: category: found \"b\"", "allowed: \"a\""}},
        {"d/und_judged.jsonl", "{\"id\": 1, \"category\": 4}\n", {"category: found number 4", ""}},
    };
    struct ge_dataset *ds;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = temp_make();
        make_jsonl(dir);
        temp_file(dir, cases[i].file, cases[i].text);
        assert_status(load_format(dir, "d", GE_DATASET_AUTO, &ds), GE_EFORMAT);
        assert_null(ds);
        for (size_t j = 0; j < 2; j++) assert_says(cases[i].says[j]);
        temp_remove(dir);
    }
    char *dir = temp_make();
    assert_status(load_format(dir, "", GE_DATASET_GAPEVAL_JSONL, &ds), GE_ENOENT);
    temp_remove(dir);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    char *dir = temp_make(), *jsonl = temp_path(dir, "d");
    make_folders(dir);
    make_jsonl(dir);
    temp_file(dir, "data_1/m/text.json", "{\"output_text\": \"three\"}");
    temp_file(dir, "data_1/m/o.png", "x");
    temp_file(dir, "data_1/m/new_res.json", "{\"text_eval\": {\"raw_response\": \"{}\"}}");
    const char *paths[] = {dir, jsonl}, *folders[] = {"m", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct ge_dataset_options o = {.path = paths[i]};
        struct ge_answers_source source = {.folder = folders[i]};
        struct ge_dataset *ds = NULL;
        struct ge_answers_file *f = NULL;
        ge_status rc = GE_ENOMEM;
        for (uint64_t n = 1; rc != GE_OK && n < 20000; n++) {
            ge_mem_fail_at(n, 0);
            rc = ge_dataset_load(&o, &ds);
            if (rc == GE_OK) rc = ge_answers_load(ds, "m", &source, &f);
            ge_mem_fail_at(0, 0);
            if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
            ge_answers_delete(&f);
            ge_dataset_delete(&ds);
        }
        assert_int_equal(rc, GE_OK);
    }
    free(jsonl);
    temp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_read),        cmocka_unit_test(folder_faults_are_named),
        cmocka_unit_test(folder_answers_are_read), cmocka_unit_test(damaged_answer_folders_load),
        cmocka_unit_test(jsonl_is_read),           cmocka_unit_test(jsonl_faults_are_named),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
