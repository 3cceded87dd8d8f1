/* Human ratings from CSV and JSON lines. */
#include "dataset/ratings.h"
#include "unit/dataset/data.h"

static const char header[] = "item,system,direction,rater,dimension,score,sample\n";

struct world {
    char *dir;
    struct ge_dataset *ds;
    struct ge_arena *arena;
    struct ge_cell cells[2];
    struct ge_rated_run about;
};

static void set_up(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->dir = temp_make();
    assert_ok(load_text(w->dir, two_items, &w->ds));
    w->arena = ge_arena_new();
    w->cells[0].system = "s";
    w->cells[1].system = "t";
    w->about = (struct ge_rated_run){.items = w->ds->items,
                                     .n_items = w->ds->n,
                                     .dataset = w->ds,
                                     .cells = w->cells,
                                     .n_cells = 2};
}

static void tear_down(struct world *w)
{
    ge_dataset_delete(&w->ds);
    ge_arena_delete(&w->arena);
    temp_remove(w->dir);
}

/* Load a file with this content. */
static ge_status load(struct world *w, const char *name, const char *text, struct ge_ratings *r,
                      size_t *skipped)
{
    temp_file(w->dir, name, text);
    char *path = temp_path(w->dir, name);
    ge_status rc = ge_ratings_load(path, &w->about, w->arena, r, skipped);
    free(path);
    return rc;
}

static void both_forms_say_the_same(void **state)
{
    (void)state;
    static const char csv[] = "\xef\xbb\xbfsystem,item,direction,score,rater,dimension,sample\r\n"
                              "t,b,gen,4.5,\"Ann, B\",quality,2\r\n"
                              "s,a,und,-1e-1,zed,quality,\r\n"
                              "s,a,und,3,\"Ann, B\",quality,0\r\n"
                              "s,a,und,3,\"Ann, B\",faithful,0\r\n";
    static const char jsonl[] =
        "{\"item\":\"a\",\"system\":\"s\",\"direction\":\"und\",\"rater\":\"Ann, B\","
        "\"dimension\":\"faithful\",\"score\":3}\n\n"
        "{\"item\":\"a\",\"system\":\"s\",\"direction\":\"und\",\"rater\":\"Ann, B\","
        "\"dimension\":\"quality\",\"score\":3.0,\"sample\":0}\n"
        "{\"item\":\"b\",\"system\":\"t\",\"direction\":\"gen\",\"rater\":\"Ann, B\","
        "\"dimension\":\"quality\",\"score\":4.5,\"sample\":2}\n"
        "{\"item\":\"a\",\"system\":\"s\",\"direction\":\"und\",\"rater\":\"zed\","
        "\"dimension\":\"quality\",\"score\":-0.1}\n";
    struct world w;
    struct ge_ratings a, b;
    size_t skipped;
    set_up(&w);
    assert_ok(load(&w, "r.csv", csv, &a, &skipped));
    assert_int_equal(skipped, 0);
    assert_ok(load(&w, "r.JSONL", jsonl, &b, &skipped));
    assert_int_equal(a.n, 4);
    assert_true(ge_ratings_equal(&a, &b));
    assert_ok(ge_ratings_check(&a, 2, 2));
    assert_int_equal(a.raters.n, 2);
    assert_string_equal(a.raters.v[0], "Ann, B");
    assert_string_equal(a.dimensions.v[0], "faithful");
    assert_string_equal(a.dimensions.v[1], "quality");
    /* cell, item, direction, sample, dimension, rater */
    assert_int_equal(a.v[0].dimension, 0);
    assert_int_equal(a.v[2].rater, 1);
    assert_close(a.v[2].score, -0.1, 0);
    assert_int_equal(a.v[3].cell, 1);
    assert_int_equal(a.v[3].key.item, 1);
    assert_int_equal(a.v[3].key.direction, GE_GEN);
    assert_int_equal(a.v[3].key.sample, 2);
    tear_down(&w);
}

/* Items that the dataset has and the selection leaves out are counted; of a store nothing else is
 * known. */
static void selection(void **state)
{
    (void)state;
    struct world w;
    struct ge_ratings r;
    size_t skipped;
    char *text = ge_sprintf("%sa,s,und,x,q,1,\nb,s,und,x,q,2,\n", header);
    set_up(&w);
    char *path = temp_path(w.dir, "items.jsonl");
    struct ge_dataset_options o = {.path = path, .limit = 1};
    ge_dataset_delete(&w.ds);
    assert_ok(ge_dataset_load(&o, &w.ds));
    w.about.items = w.ds->items;
    w.about.n_items = 1;
    w.about.dataset = w.ds;
    assert_ok(load(&w, "r.csv", text, &r, &skipped));
    assert_int_equal(r.n, 1);
    assert_int_equal(skipped, 1);
    w.about.dataset = NULL;
    assert_status(load(&w, "r.csv", text, &r, &skipped), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "line 3: item: found \"b\""));
    w.about.partial = true;
    assert_ok(load(&w, "r.csv", text, &r, &skipped));
    assert_int_equal(skipped, 1);
    free(path);
    free(text);
    tear_down(&w);
}

static void tables_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *says;
    } bad[] = {
        {"", "found no rating"},
        {"c,s,und,x,q,1,\n",
         "line 2: item: found \"c\", allowed: the id of an item in the dataset"},
        {"a,s,und,x,q,1,\na,u,und,x,q,1,\n", "line 3: system: found \"u\""},
        {"a,s,UND,x,q,1,\n", "line 2: direction: found \"UND\", allowed: und or gen"},
        {"a,s,gen,x,q,1,\n", "a direction that the item has"},
        {"a,s,und,,q,1,\n", "line 2: rater: found \"\""},
        {"a,s,und,x,,1,\n", "line 2: dimension: found \"\""},
        {"a,s,und,x,q,,\n", "score"},
        {"a,s,und,x,q,nan,\n", "score"},
        {"a,s,und,x,q,1e999,\n", "score"},
        {"a,s,und,x,q,four,\n", "score"},
        {"a,s,und,x,q,1,1.5\n", "line 2: sample: found \"1.5\""},
        {"a,s,und,x,q,1,-1\n", "line 2: sample: found \"-1\""},
        {"a,s,und,x,q,1,1000001\n", "line 2: sample"},
        {"a,s,und,x,q,1\n", "line 2"},
        {"a,s,und,\xff,q,1,\n", "UTF-8"},
        {"a,s,und,x,q,1,\nb,s,und,x,q,1,\na,s,und,x,q,2,0\n",
         "line 4: found the rating of line 2 again (item \"a\", rater \"x\", dimension \"q\")"},
    };
    struct world w;
    struct ge_ratings r;
    size_t skipped;
    set_up(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *text = ge_sprintf("%s%s", header, bad[i].rows);
        assert_status(load(&w, "r.csv", text, &r, &skipped), GE_EFORMAT);
        if (strstr(ge_error(), bad[i].says) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", ge_error(), bad[i].says);
        }
        assert_null(r.v);
        free(text);
    }
    assert_status(
        load(&w, "r.csv", "item,system,direction,rater,score\na,s,und,x,1\n", &r, &skipped),
        GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "dimension"));
    assert_status(
        load(&w, "r.csv", "item,system,direction,rater,dimension,score,smaple\n", &r, &skipped),
        GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "found the column \"smaple\""));
    assert_status(load(&w, "r.txt", header, &r, &skipped), GE_EINVAL);
    assert_status(ge_ratings_load("/no/such/r.csv", &w.about, w.arena, &r, &skipped), GE_ENOENT);
    assert_status(ge_ratings_load("/no/such/r.jsonl", &w.about, w.arena, &r, &skipped), GE_ENOENT);
    tear_down(&w);
}

static void lines_are_refused(void **state)
{
    (void)state;
#define ROW "\"item\":\"a\",\"system\":\"s\",\"direction\":\"und\",\"dimension\":\"q\""
    static const char *const bad[][2] = {
        {"[1]", "a JSON object"},
        {"{" ROW ",\"rater\":\"x\"}", "score: found nothing"},
        {"{" ROW ",\"rater\":\"x\",\"score\":\"5\"}", "score: found string"},
        {"{" ROW ",\"rater\":\"x\",\"score\":null}", "score"},
        {"{" ROW ",\"rater\":\"\",\"score\":1}", "rater"},
        {"{" ROW ",\"score\":1}", "rater: found nothing"},
        {"{" ROW ",\"rater\":\"x\",\"score\":1,\"sample\":-1}", "sample"},
        {"{" ROW ",\"rater\":\"x\",\"score\":1,\"note\":\"\"}", "found the key \"note\""},
        {"{" ROW ",\"rater\":\"x\",\"score\":1", "line 1"},
        {"{" ROW ",\"rater\":\"\xff\",\"score\":1}", "UTF-8"},
    };
#undef ROW
    struct world w;
    struct ge_ratings r;
    size_t skipped;
    set_up(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(load(&w, "r.jsonl", bad[i][0], &r, &skipped), GE_EFORMAT);
        if (strstr(ge_error(), bad[i][1]) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", ge_error(), bad[i][1]);
        }
    }
    assert_status(load(&w, "r.jsonl", "\n\n", &r, &skipped), GE_EFORMAT);
    tear_down(&w);
}

static void memory_failures(void **state)
{
    (void)state;
    static const char *const names[] = {"r.csv", "r.jsonl"};
    static const char jsonl[] =
        "{\"item\":\"a\",\"system\":\"s\",\"direction\":\"und\",\"rater\":1,"
        "\"dimension\":\"q\",\"score\":3}\n"
        "{\"item\":\"b\",\"system\":\"s\",\"direction\":\"gen\",\"rater\":\"y\","
        "\"dimension\":\"p\",\"score\":3}\n";
    struct world w;
    struct ge_ratings r;
    size_t skipped;
    char *csv = ge_sprintf("%sa,s,und,x,q,1,\nb,t,gen,y,p,2,\n", header);
    set_up(&w);
    for (int form = 0; form < 2; form++) {
        bool pending = false;
        temp_file(w.dir, names[form], form == 0 ? csv : jsonl);
        char *path = temp_path(w.dir, names[form]);
        for (uint64_t n = 1; !pending; n++) {
            ge_mem_fail_at(n, 0);
            ge_status rc = ge_ratings_load(path, &w.about, w.arena, &r, &skipped);
            pending = ge_mem_fault_pending() != 0;
            ge_mem_fail_at(0, 0);
            assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        }
        assert_int_equal(r.n, 2);
        free(path);
    }
    free(csv);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_say_the_same), cmocka_unit_test(selection),
        cmocka_unit_test(tables_are_refused),      cmocka_unit_test(lines_are_refused),
        cmocka_unit_test(memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
