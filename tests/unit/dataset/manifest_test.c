/* The manifest layout: every key, selection, damaged and hostile files. */
#include <time.h>

#include "base/json.h"
#include "base/rng.h"
#include "unit/dataset/data.h"

/* An item that uses every key, in one line. */
static const char full_item[] =
    "{\"id\": \"x\", \"category\": \"cat\", \"subcategory\": \"sub\", \"tags\": [\"a\", \"b\"],"
    " \"mine\": {\"deep\": [1, 2.5]},"
    " \"und\": {\"task\": \"choice\", \"prompt\": \"which?\", \"images\": [\"i/1.png\", "
    "\"/2.png\"],"
    "  \"references\": [\"r1\", \"r2\"], \"reference_images\": [\"ref.png\"],"
    "  \"choices\": [\"red\", \"blue\"], \"answer\": \"B\", \"labels\": [\"l\"],"
    "  \"objects\": [{\"name\": \"o\", \"number\": 3, \"synonyms\": [\"p\"], \"present\": false},"
    "                {\"name\": \"q\"}],"
    "  \"details\": [\"d\"], \"text_distractors\": [\"t\"], \"image_distractors\": [\"w.png\"],"
    "  \"constraints\": [{\"kind\": \"include\", \"any_of\": [\"a\"]},"
    "                    {\"kind\": \"words\", \"min\": 1}, {\"kind\": \"own\", \"z\": []}],"
    "  \"may_copy\": true, \"hint\": null},"
    " \"gen\": {\"task\": \"generation\", \"prompt\": \"draw\", \"weight\": 2}}";

static void every_key_is_read(void **state)
{
    (void)state;
    char *dir = temp_make();
    struct ge_dataset *ds;
    char *text = ge_sprintf("%s%s\n",
                            "{\"gapeval\": \"manifest\", \"version\": 1, \"name\": \"test\","
                            " \"license\": \"MIT\"}\n\n",
                            full_item);
    assert_ok(load_text(dir, text, &ds));
    assert_string_equal(ds->name, "test");
    assert_string_equal(ds->extra, "{\"license\":\"MIT\"}");
    assert_int_equal(ds->format, GE_DATASET_MANIFEST);
    assert_int_equal(ds->n, 1);
    const struct ge_item *x = &ds->items[0];
    const struct ge_task *u = &x->task[GE_UND];
    char *image = temp_path(dir, "i/1.png");
    assert_string_equal(x->id, "x");
    assert_string_equal(x->subcategory, "sub");
    assert_int_equal(x->tags.n, 2);
    assert_string_equal(x->cluster, "i/1.png"); /* without the dataset folder */
    assert_string_equal(x->extra, "{\"mine\":{\"deep\":[1,2.5]},\"und\":{\"hint\":null},"
                                  "\"gen\":{\"weight\":2}}");
    assert_string_equal(u->type, "choice");
    assert_string_equal(u->images.v[0], image);
    assert_string_equal(u->images.v[1], "/2.png");
    assert_int_equal(u->references.n, 2);
    assert_string_equal(u->choices.v[1], "blue");
    assert_string_equal(u->answer, "B");
    assert_string_equal(u->labels.v[0], "l");
    assert_int_equal(u->n_objects, 2);
    assert_int_equal(u->objects[0].number, 3);
    assert_false(u->objects[0].present);
    assert_string_equal(u->objects[0].synonyms.v[0], "p");
    assert_int_equal(u->objects[1].number, -1);
    assert_true(u->objects[1].present);
    assert_string_equal(u->details.v[0], "d");
    assert_string_equal(u->text_distractors.v[0], "t");
    assert_int_equal(u->image_distractors.n, 1);
    assert_string_equal(u->constraints,
                        "[{\"kind\":\"include\",\"any_of\":[\"a\"]},"
                        "{\"kind\":\"words\",\"min\":1},{\"kind\":\"own\",\"z\":[]}]");
    assert_true(u->may_copy);
    assert_true(x->task[GE_GEN].present);
    assert_false(x->task[GE_GEN].may_copy);
    assert_null(x->task[GE_GEN].answer);
    free(image);
    free(text);
    ge_dataset_delete(&ds);
    assert_null(ds);
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void selection_keeps_order(void **state)
{
    (void)state;
    char *dir = temp_make(), *path = temp_path(dir, "items.jsonl");
    struct ge_dataset *ds;
    const char *t1[] = {"t1"}, *t2[] = {"t2"}, *c1[] = {"c1"}, *ba[] = {"b", "a", "b"},
               *none[] = {"zzz"};
    struct ge_dataset_options o = {.path = path};
    bool known;
    temp_file(dir, "items.jsonl", two_items);

    o.tags = (struct ge_strings){t2, 1};
    assert_ok(ge_dataset_load(&o, &ds));
    assert_int_equal(ds->n, 1);
    assert_int_equal(ds->n_total, 2);
    assert_string_equal(ds->items[0].id, "b");
    assert_int_equal(ds->items[0].index, 0);
    assert_ptr_equal(ge_dataset_find(ds, "b", &known), &ds->items[0]);
    assert_true(known);
    assert_null(ge_dataset_find(ds, "a", &known));
    assert_true(known);
    assert_null(ge_dataset_find(ds, "z", &known));
    assert_false(known);
    struct ge_hash content = ds->content;
    ge_dataset_delete(&ds);

    o = (struct ge_dataset_options){.path = path, .items = {ba, 3}};
    assert_ok(ge_dataset_load(&o, &ds));
    assert_int_equal(ds->n, 2);
    assert_string_equal(ds->items[0].id, "a");
    assert_true(ge_hash_equal(content, ds->content));
    ge_dataset_delete(&ds);

    o = (struct ge_dataset_options){.path = path, .tags = {t1, 1}, .limit = 1};
    assert_ok(ge_dataset_load(&o, &ds));
    assert_int_equal(ds->n, 1);
    assert_string_equal(ds->items[0].id, "a");
    ge_dataset_delete(&ds);

    o = (struct ge_dataset_options){.path = path, .tags = {t2, 1}, .categories = {c1, 1}};
    assert_status(ge_dataset_load(&o, &ds), GE_EINVAL);
    assert_says("no item in the selection");
    o = (struct ge_dataset_options){.path = path, .categories = {none, 1}};
    assert_status(ge_dataset_load(&o, &ds), GE_EINVAL);
    assert_says("dataset.select.categories: found \"zzz\"");
    free(path);
    temp_remove(dir);
}

#define ITEM(body)   HEADER "{\"id\": \"a\", \"category\": \"c\", " body "}\n"
#define TASK(body)   ITEM("\"und\": {\"task\": \"t\", \"prompt\": \"p\", " body "}")
#define MINIMAL_TASK "\"und\": {\"task\": \"t\", \"prompt\": \"p\"}"

static void faults_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says[3];
    } cases[] = {
        {"", {"items.jsonl: found an empty file", "a header line", ""}},
        {"\n \n", {"found an empty file", "", ""}},
        {HEADER, {"found no item", "at least one", ""}},
        {"[]\n", {"items.jsonl line 1: found array", "object", ""}},
        {"{\"id\": \"a\"}\n", {"line 1: gapeval: found nothing", "\"manifest\"", "header"}},
        {"{\"gapeval\": \"manifest\"}\n", {"line 1: version: found nothing", "1, the version", ""}},
        {"{\"gapeval\": \"manifest\", \"version\": 2}\n", {"version: found number 2", "1", ""}},
        {"{\"gapeval\": \"manifest\", \"version\": \"1\"}\n", {"version: found string", "", ""}},
        {HEADER "{\"id\": 5, \"category\": \"c\"}\n", {"line 2: id: found number 5", "string", ""}},
        {HEADER "{\"id\": \"\", \"category\": \"c\"}\n", {"line 2: id: found string \"\"", "", ""}},
        {HEADER "{\"id\": \"a\"}\n", {"line 2: category: found nothing", "not empty", ""}},
        {ITEM("\"x\": 1"), {"line 2: und, gen: found nothing", "one of the two", ""}},
        {ITEM("\"und\": []"), {"line 2: und: found array", "an object", ""}},
        {ITEM("\"und\": {\"task\": \"t\"}"), {"line 2: und.prompt: found nothing", "string", ""}},
        {ITEM("\"gen\": {\"prompt\": \"t\"}"), {"line 2: gen.task: found nothing", "string", ""}},
        {TASK("\"images\": \"a\""), {"und.images: found string \"a\"", "list of paths", ""}},
        {TASK("\"images\": [\"\"]"), {"und.images: found string \"\"", "none empty", ""}},
        {TASK("\"references\": [1]"), {"und.references: found number 1", "list of strings", ""}},
        {TASK("\"may_copy\": 1"), {"und.may_copy: found number 1", "true or false", ""}},
        {TASK("\"objects\": {}"), {"und.objects: found object", "list of objects", ""}},
        {TASK("\"objects\": [{\"number\": 1}]"), {"und.objects[].name: found nothing", "", ""}},
        {TASK("\"objects\": [{\"name\": \"o\", \"number\": 1.5}]"),
         {"und.objects[].number: found number 1.5", "whole number from 0", ""}},
        {TASK("\"objects\": [{\"name\": \"o\", \"count\": 1}]"),
         {"und.objects[].: found the key \"count\"", "synonyms", ""}},
        {TASK("\"constraints\": [{}]"), {"und.constraints[].kind: found nothing", "", ""}},
        {TASK("\"constraints\": [{\"kind\": \"include\"}]"),
         {"und.constraints[].text: found nothing", "a string", ""}},
        {TASK("\"constraints\": [{\"kind\": \"words\", \"min\": -1}]"),
         {"und.constraints[].min: found number -1", "", ""}},
        {TASK("\"choices\": [\"r\", \"g\"]"), {"und.answer: found nothing", "letter", ""}},
        {TASK("\"choices\": [\"r\", \"g\"], \"answer\": \"C\""),
         {"und.answer: found string \"C\"", "one of the choices", ""}},
        {TASK("\"labels\": [\"r\", \"g\"], \"answer\": \"x\""),
         {"und.answer: found string \"x\"", "one of the labels", ""}},
        {ITEM(MINIMAL_TASK) "{\"id\": \"a\", \"category\": \"c\", " MINIMAL_TASK "}\n",
         {"items.jsonl line 3: id: found \"a\", which an earlier item has", "once", ""}},
        {ITEM(MINIMAL_TASK ", \"tags\": \"t\""), {"line 2: tags: found string", "list", ""}},
        {ITEM(MINIMAL_TASK ", \"id\": \"b\""), {"items.jsonl line 2", "id", ""}},
        {HEADER "{\"id\": \"a\\u0000b\"}\n", {"items.jsonl line 2", "", ""}},
        {HEADER "{\"id\": \"\xff\"}\n", {"items.jsonl line 2", "", ""}},
        {TASK("\"objects\": [{\"name\": \"o\", \"number\": 1e400}]"), {"line 2", "", ""}},
    };
    char *dir = temp_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ge_dataset *ds;
        assert_status(load_text(dir, cases[i].text, &ds), GE_EFORMAT);
        assert_null(ds);
        for (size_t j = 0; j < 3; j++) assert_says(cases[i].says[j]);
    }
    temp_remove(dir);
}

/* A wrong type under every key of full_item, at every level. */
static void wrong_types_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"id",
                                       "category",
                                       "subcategory",
                                       "tags",
                                       "cluster",
                                       "und",
                                       "gen",
                                       "und.task",
                                       "und.prompt",
                                       "und.images",
                                       "und.references",
                                       "und.reference_images",
                                       "und.choices",
                                       "und.answer",
                                       "und.labels",
                                       "und.objects",
                                       "und.details",
                                       "und.constraints",
                                       "und.may_copy",
                                       "und.text_distractors",
                                       "gen.task",
                                       "und.image_distractors"};
    static const char *const values[] = {"7", "[{}]", "{\"x\": 1}", "[[1]]", "\"\\n\"", "true"};
    char *dir = temp_make();
    size_t refused = 0;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            struct ge_buf text;
            ge_json *item = NULL, *value = NULL;
            struct ge_dataset *ds;
            ge_buf_init(&text, 1 << 20);
            assert_ok(ge_json_parse(full_item, strlen(full_item), "item", &item));
            assert_ok(ge_json_parse(values[v], strlen(values[v]), "value", &value));
            assert_ok(ge_json_set_path(item, keys[k], value));
            ge_buf_str(&text, HEADER);
            ge_json_print(item, &text);
            ge_error_clear();
            ge_status rc = load_text(dir, text.data, &ds);
            if (rc != GE_OK) {
                assert_int_equal(rc, GE_EFORMAT);
                assert_says("items.jsonl line 2: ");
                assert_says("found ");
                assert_says("allowed: ");
                refused++;
            }
            /* Only a string may be "\n", only a bool true. */
            bool string = v == 4 && (ge_json_type(value) == GE_JSON_STRING);
            bool flag = v == 5 && strcmp(keys[k], "und.may_copy") == 0;
            if (!string && !flag) assert_int_equal(rc, GE_EFORMAT);
            ge_dataset_delete(&ds);
            ge_json_delete(&item);
            ge_json_delete(&value);
            ge_buf_free(&text);
        }
    }
    assert_true(refused > 100);
    temp_remove(dir);
}

static void damaged_files_are_errors(void **state)
{
    (void)state;
    char *dir = temp_make(), *text = ge_sprintf("%s%s", HEADER, full_item);
    size_t len = strlen(text), loaded = 0;
    struct ge_dataset *ds;
    for (size_t cut = 0; cut < len; cut++) {
        temp_bytes(dir, "items.jsonl", text, cut);
        assert_status(load_format(dir, "items.jsonl", GE_DATASET_MANIFEST, &ds), GE_EFORMAT);
        assert_null(ds);
    }
    char *copy = ge_strdup(text);
    for (uint64_t i = 0; i < 3000; i++) {
        memcpy(copy, text, len);
        for (uint64_t j = 0; j < 1 + i % 4; j++) {
            size_t at = (size_t)(ge_uniform(2, i, 2 * j) * (double)len);
            copy[at] = (char)(unsigned char)(ge_uniform(2, i, 2 * j + 1) * 256);
        }
        temp_bytes(dir, "items.jsonl", copy, len);
        ge_error_clear();
        ge_status rc = load_format(dir, "items.jsonl", GE_DATASET_MANIFEST, &ds);
        assert_true(rc == GE_OK || ge_error()[0] != '\0');
        loaded += rc == GE_OK;
        ge_dataset_delete(&ds);
    }
    assert_true(loaded > 0 && loaded < 3000);
    free(copy);
    free(text);
    temp_remove(dir);
}

static void other_things_than_files(void **state)
{
    (void)state;
    char *dir = temp_make(), *link = temp_path(dir, "link"), *fifo = temp_path(dir, "fifo");
    char *loop = temp_path(dir, "loop");
    struct ge_dataset *ds;
    assert_status(load_format(dir, "none.jsonl", GE_DATASET_AUTO, &ds), GE_ENOENT);
    assert_says("none.jsonl");
    assert_status(load_format(dir, "", GE_DATASET_MANIFEST, &ds), GE_EFORMAT);
    assert_says("found a folder");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_status(load_format(dir, "fifo", GE_DATASET_AUTO, &ds), GE_EFORMAT);
    assert_says("neither file nor folder");
    assert_int_equal(symlink("loop", loop), 0);
    assert_int_not_equal(load_format(dir, "loop", GE_DATASET_AUTO, &ds), GE_OK);
    assert_null(ds);
    assert_status(load_format(dir, "", GE_DATASET_AUTO, &ds), GE_EFORMAT); /* no data_* inside */
    temp_file(dir, "items.jsonl", two_items);
    assert_int_equal(symlink("items.jsonl", link), 0);
    assert_ok(load_format(dir, "link", GE_DATASET_AUTO, &ds));
    assert_int_equal(ds->n, 2);
    ge_dataset_delete(&ds);
    free(loop);
    free(fifo);
    free(link);
    temp_remove(dir);
}

static void long_lines_are_refused(void **state)
{
    (void)state;
    char *dir = temp_make();
    size_t len = ((size_t)16 << 20) + 100;
    char *text = ge_calloc(len, 1);
    struct ge_dataset *ds;
    memset(text, ' ', len);
    memcpy(text, HEADER, strlen(HEADER));
    text[len - 1] = 'x';
    temp_bytes(dir, "items.jsonl", text, len);
    assert_status(load_format(dir, "items.jsonl", GE_DATASET_AUTO, &ds), GE_ELIMIT);
    assert_says("items.jsonl line 2");
    free(text);
    temp_remove(dir);
}

static void many_items_load_in_time(void **state)
{
    (void)state;
    enum { ITEMS = 100000 };
    char *dir = temp_make();
    struct ge_buf text;
    struct ge_dataset *ds;
    ge_buf_init(&text, (size_t)1 << 30);
    ge_buf_str(&text, HEADER);
    for (int i = 0; i < ITEMS; i++) {
        ge_buf_printf(&text,
                      "{\"id\": \"item-%d\", \"category\": \"c%d\", \"tags\": [\"t%d\"], \"und\": "
                      "{\"task\": \"vqa\", \"prompt\": \"how many?\", \"references\": [\"%d\"], "
                      "\"images\": [\"images/%d.png\"]}}\n",
                      i, i % 7, i % 11, i, i / 2);
    }
    assert_ok(ge_buf_status(&text));
    clock_t start = clock();
    assert_ok(load_text(dir, text.data, &ds));
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(ds->n, ITEMS);
    assert_string_equal(ds->items[ITEMS - 1].id, "item-99999");
    assert_ptr_equal(ge_dataset_find(ds, "item-5000", NULL), &ds->items[5000]);
    print_message("%d items in %.2f s\n", ITEMS, seconds);
    assert_true(seconds < 30); /* quadratic work would take minutes */
    ge_dataset_delete(&ds);
    ge_buf_free(&text);
    temp_remove(dir);
}

static void missing_images_are_counted(void **state)
{
    (void)state;
    char *dir = temp_make();
    struct ge_dataset *ds;
    struct ge_answers_file *answers;
    struct ge_dataset_check c;
    assert_ok(load_text(dir, two_items, &ds));
    assert_ok(ge_dataset_check_files(ds, NULL, 0, &c));
    assert_int_equal(c.images, 1);
    assert_int_equal(c.missing_images, 1);
    assert_string_equal(c.first_missing, ds->items[0].task[GE_UND].images.v[0]);
    temp_file(dir, "a.png", "x");
    temp_file(dir, "made.png", "x");
    assert_ok(load_answers(dir, ds,
                           "{\"item\": \"b\", \"direction\": \"gen\","
                           " \"images\": [\"made.png\", \"not.png\", \"made.png\"]}\n",
                           &answers));
    assert_ok(ge_dataset_check_files(ds, &answers, 1, &c));
    assert_int_equal(c.missing_images, 0);
    assert_int_equal(c.answer_images, 2);
    assert_int_equal(c.missing_answer_images, 1);
    ge_answers_delete(&answers);
    ge_dataset_delete(&ds);
    temp_remove(dir);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    char *dir = temp_make(), *text = ge_sprintf("%s%s\n", HEADER, full_item);
    struct ge_dataset *ds = NULL;
    ge_status rc = GE_ENOMEM;
    uint64_t n = 1;
    temp_file(dir, "items.jsonl", text);
    char *path = temp_path(dir, "items.jsonl");
    struct ge_dataset_options o = {.path = path};
    for (; rc != GE_OK && n < 100000; n++) {
        ge_mem_fail_at(n, 0);
        rc = ge_dataset_load(&o, &ds);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
    }
    assert_int_equal(rc, GE_OK);
    assert_true(n > 10);
    ge_dataset_delete(&ds);
    free(path);
    free(text);
    temp_remove(dir);
}

static void formats_have_names(void **state)
{
    (void)state;
    enum ge_dataset_format f;
    for (int i = 0; i < 4; i++) {
        assert_ok(ge_dataset_format_parse(ge_dataset_format_name((enum ge_dataset_format)i), &f));
        assert_int_equal(f, i);
    }
    assert_status(ge_dataset_format_parse("csv", &f), GE_EINVAL);
    assert_says("gapeval-jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),          cmocka_unit_test(selection_keeps_order),
        cmocka_unit_test(faults_are_named),           cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(damaged_files_are_errors),   cmocka_unit_test(other_things_than_files),
        cmocka_unit_test(long_lines_are_refused),     cmocka_unit_test(many_items_load_in_time),
        cmocka_unit_test(missing_images_are_counted), cmocka_unit_test(allocations_may_fail),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
