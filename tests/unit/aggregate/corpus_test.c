/* Corpus metrics of a run: which answers a corpus holds, in which order, and what its rows say. */
#include "aggregate/corpus.h"

#include "base/mem.h"
#include "metric/homogeneity.h"
#include "metric/mmd.h"
#include "test.h"

enum { ITEMS = 6, ROWS = 32, DIM = 3 };
#define LONG_NAME "an-encoder-whose-name-is-longer-than-sixty-four-bytes:of:which:some:are:colons"

/* Two systems, whose rows lie in two chunks of three items each. */
struct fixture {
    struct ge_run run;
    struct ge_item items[ITEMS];
    struct ge_cell cells[2];
    struct ge_result results[4];
    struct ge_response_row responses[4][ROWS];
    struct ge_error_row errors[4][ROWS];
    struct ge_embedding_row embeddings[4][ROWS];
};

static const char *kind_names[] = {"clip:text",           "clip:image",      LONG_NAME ":text",
                                   LONG_NAME ":image",    "clip2:reference", "clip:reference",
                                   LONG_NAME ":reference"};
enum { CLIP_IMAGE = 1, LONG_IMAGE = 3, CLIP2_REFERENCE, CLIP_REFERENCE, LONG_REFERENCE, KINDS };

static void set_up(struct fixture *f)
{
    static const char *const ids[ITEMS] = {"a", "b", "c", "d", "e", "f"};
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ITEMS; i++) {
        f->items[i] = (struct ge_item){.id = ids[i], .index = i, .category = "c"};
        f->items[i].task[GE_UND] = (struct ge_task){.present = true, .type = "vqa"};
        f->items[i].task[GE_GEN] = (struct ge_task){.present = true, .type = "text"};
    }
    for (uint32_t i = 0; i < 4; i++) {
        f->results[i] = (struct ge_result){.cell = i / 2,
                                           .first = 3 * (i % 2),
                                           .count = 3,
                                           .responses = f->responses[i],
                                           .errors = f->errors[i],
                                           .embeddings = f->embeddings[i]};
    }
    f->cells[0].system = "s";
    f->cells[1].system = "t";
    f->run = (struct ge_run){.items = f->items,
                             .n_items = ITEMS,
                             .cells = f->cells,
                             .n_cells = 2,
                             .embedding_kinds = {kind_names, KINDS},
                             .results = f->results,
                             .n_results = 4};
}

static struct ge_result *chunk_of(struct fixture *f, uint32_t cell, uint32_t item)
{
    return &f->results[2 * cell + item / 3];
}

/* Rows must be added in the order of their keys. */
static void says(struct fixture *f, uint32_t cell, struct ge_key key, const char *text)
{
    struct ge_result *r = chunk_of(f, cell, key.item);
    r->responses[r->n_responses++] = (struct ge_response_row){.key = key, .text = text};
}

static void fails(struct fixture *f, uint32_t cell, struct ge_key key)
{
    struct ge_result *r = chunk_of(f, cell, key.item);
    r->errors[r->n_errors++] = (struct ge_error_row){key, GE_EFORMAT, "broken"};
}

static void embeds(struct fixture *f, uint32_t cell, struct ge_key key, uint16_t kind,
                   const float *values)
{
    struct ge_result *r = chunk_of(f, cell, key.item);
    r->embeddings[r->n_embeddings++] = (struct ge_embedding_row){key, kind, DIM, values};
}

static const struct ge_corpus_row *rows_of(struct fixture *f, const struct ge_corpus_wish *wishes,
                                           size_t n, struct ge_arena **arena, size_t *n_rows)
{
    struct ge_corpus_row *rows = NULL;
    *arena = ge_arena_new();
    assert_non_null(*arena);
    assert_ok(ge_corpus_rows(&f->run, wishes, n, *arena, &rows, n_rows));
    return rows;
}

static void order(void **state)
{
    (void)state;
    const char *names[] = {"match.alias", "distinct1", "no such metric", "length.words.mean",
                           "distinct1"};
    const char *one[] = {"length.words.mean"};
    const struct ge_corpus_wish wishes[] = {
        {"vqa", {names, 5}}, {"text", {one, 1}}, {"text", {NULL, 0}}, {"other", {names, 4}}};
    static const struct {
        const char *system, *task, *metric;
        int direction;
        double value;
    } want[] = {
        {"s", "vqa", "distinct1", GE_UND, 2.0 / 3},
        {"s", "vqa", "length.words.mean", GE_UND, 1.5},
        {"s", "text", "length.words.mean", GE_GEN, 4},
        {"t", "vqa", "distinct1", GE_UND, 1},
        {"t", "vqa", "length.words.mean", GE_UND, 1},
        {"t", "text", "length.words.mean", GE_GEN, 2},
    };
    struct fixture f;
    struct ge_arena *arena;
    size_t n;
    set_up(&f);
    says(&f, 0, (struct ge_key){0, GE_UND, 0}, "one one");
    says(&f, 0, (struct ge_key){0, GE_GEN, 0}, "one two three four");
    says(&f, 0, (struct ge_key){5, GE_UND, 0}, "two");
    says(&f, 1, (struct ge_key){1, GE_UND, 0}, "one");
    says(&f, 1, (struct ge_key){2, GE_GEN, 0}, "one two");
    const struct ge_corpus_row *rows = rows_of(&f, wishes, 4, &arena, &n);
    assert_int_equal(n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(rows[i].system, want[i].system);
        assert_string_equal(rows[i].task, want[i].task);
        assert_string_equal(rows[i].metric, want[i].metric);
        assert_int_equal(rows[i].direction, want[i].direction);
        assert_close(rows[i].value, want[i].value, 1e-15);
    }
    ge_arena_delete(&arena);
    assert_int_equal((rows_of(&f, NULL, 0, &arena, &n), n), 0);
    ge_arena_delete(&arena);
    f.run.n_cells = f.run.n_results = 0;
    assert_int_equal((rows_of(&f, wishes, 4, &arena, &n), n), 0);
    ge_arena_delete(&arena);
}

/* Samples one by one, over chunks; neither pictures, nor failures, nor other tasks and items without
 * one. */
static void answers(void **state)
{
    (void)state;
    const char *names[] = {"length.words.mean"};
    const struct ge_corpus_wish wish = {"text", {names, 1}};
    static const struct ge_key keys[] = {{0, GE_GEN, 0}, {0, GE_GEN, 2}, {4, GE_GEN, 0}};
    static const double words[] = {1, 2, 4};
    struct fixture f;
    struct ge_arena *arena;
    size_t n;
    set_up(&f);
    f.items[2].task[GE_GEN] = (struct ge_task){0};
    f.items[1].task[GE_GEN].type = NULL; /* as only a damaged store has it */
    f.items[3].task[GE_GEN].type = "other";
    says(&f, 0, (struct ge_key){0, GE_UND, 0}, "of the other direction");
    says(&f, 0, keys[0], "one");
    says(&f, 0, (struct ge_key){0, GE_GEN, 1}, "a sample that ended in an error");
    fails(&f, 0, (struct ge_key){0, GE_UND, 0});
    fails(&f, 0, (struct ge_key){0, GE_GEN, 1});
    says(&f, 0, keys[1], "one two");
    says(&f, 0, (struct ge_key){1, GE_GEN, 0}, "without a type");
    says(&f, 0, (struct ge_key){2, GE_GEN, 0}, NULL);
    says(&f, 0, (struct ge_key){2, GE_GEN, 1}, "an item without the task");
    says(&f, 0, (struct ge_key){3, GE_GEN, 0}, "an item of another type");
    says(&f, 0, keys[2], "one two three four");
    says(&f, 0, (struct ge_key){5, GE_GEN, 0}, "failed");
    fails(&f, 0, (struct ge_key){5, GE_GEN, 0});
    says(&f, 1, (struct ge_key){4, GE_GEN, 0}, "failed");
    fails(&f, 1, (struct ge_key){4, GE_GEN, 0});
    const struct ge_corpus_row *row = rows_of(&f, &wish, 1, &arena, &n);
    assert_int_equal(n, 1); /* nothing is left of the second system: no row */
    assert_int_equal(row->n, 3);
    assert_close(row->value, 7.0 / 3, 1e-15);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ge_key_compare(row->keys[i], keys[i]), 0);
        assert_close(row->per_answer[i], words[i], 0);
    }
    ge_arena_delete(&arena);
}

static void no_value(void **state)
{
    (void)state;
    const char *names[] = {"self_bleu3.first500", "compression.ratio"};
    const struct ge_corpus_wish wish = {"vqa", {names, 2}};
    struct fixture f;
    struct ge_arena *arena;
    size_t n;
    set_up(&f);
    says(&f, 0, (struct ge_key){3, GE_UND, 0}, "alone");
    const struct ge_corpus_row *rows = rows_of(&f, &wish, 1, &arena, &n);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].n, 1);
    assert_true(isnan(rows[0].value)); /* of one text: there, and not defined */
    assert_true(isnan(rows[0].per_answer[0]));
    assert_true(rows[1].value > 0);
    assert_true(isnan(rows[1].per_answer[0])); /* has none by answer */
    ge_arena_delete(&arena);
}

/* ---- sets ---------------------------------------------------------------------------------- */

static const float answer_values[][DIM] = {{1, 0, 0}, {0.6f, 0.8f, 0}, {0, 0, 1}};
static const float reference_values[][DIM] = {{0, 1, 0}, {0, 0.6f, 0.8f}};
static const float elsewhere[DIM] = {-1, 0, 0}, longer[DIM + 1] = {0, 0, 1, 0};

/* Items 1 (two samples) and 4 of system t count, by both encoders; all else does not. */
static void add_sets(struct fixture *f)
{
    static const uint16_t images[] = {CLIP_IMAGE, LONG_IMAGE},
                          references[] = {CLIP_REFERENCE, LONG_REFERENCE};
    static const struct ge_key keys[] = {{1, GE_GEN, 0}, {1, GE_GEN, 3}, {4, GE_GEN, 0}};
    f->items[2].task[GE_GEN].type = "other";
    f->items[5].task[GE_GEN] = (struct ge_task){0};
    fails(f, 1, (struct ge_key){0, GE_GEN, 0});
    for (int e = 0; e < 2; e++) {
        embeds(f, 1, (struct ge_key){0, GE_GEN, 0}, images[e], elsewhere);
        embeds(f, 1, (struct ge_key){0, GE_GEN, 0}, references[e], elsewhere);
        embeds(f, 1, (struct ge_key){1, GE_UND, 0}, images[e], elsewhere);
    }
    for (size_t i = 0; i < 3; i++) {
        for (int e = 0; e < 2; e++) embeds(f, 1, keys[i], images[e], answer_values[i]);
        for (int e = 0; e < 2; e++) embeds(f, 1, keys[i], references[e], reference_values[i / 2]);
        embeds(f, 1, keys[i], CLIP2_REFERENCE, elsewhere);
    }
    embeds(f, 1, (struct ge_key){2, GE_GEN, 0}, CLIP_IMAGE, elsewhere);
    embeds(f, 1, (struct ge_key){5, GE_GEN, 0}, CLIP_IMAGE, elsewhere);
}

static void sets(void **state)
{
    (void)state;
    const char *names[] = {"cmmd", "length.words.mean", "pairwise_cosine", "cmmd"};
    const struct ge_corpus_wish wish = {"text", {names, 4}};
    static const char *const metrics[] = {"cmmd.clip", "pairwise_cosine.clip", "cmmd." LONG_NAME,
                                          "pairwise_cosine." LONG_NAME};
    const struct ge_embedding_set set = {answer_values[0], reference_values[0], 3, 2, DIM};
    struct fixture f;
    struct ge_arena *arena;
    size_t n;
    double want[2];
    set_up(&f);
    add_sets(&f);
    says(&f, 1, (struct ge_key){3, GE_GEN, 0}, "one");
    assert_ok(ge_cmmd(&set, &want[0]));
    assert_ok(ge_set_pairwise_cosine(&set, &want[1]));
    const struct ge_corpus_row *rows = rows_of(&f, &wish, 1, &arena, &n);
    assert_int_equal(n, 5);
    assert_string_equal(rows[0].metric, "length.words.mean"); /* texts come first */
    for (size_t i = 0; i < 4; i++) {
        const struct ge_corpus_row *row = &rows[1 + i];
        assert_string_equal(row->metric, metrics[i]);
        assert_string_equal(row->system, "t");
        assert_string_equal(row->task, "text");
        assert_int_equal(row->direction, GE_GEN);
        assert_int_equal(row->n, 3);
        assert_memory_equal(&row->value, &want[i % 2], sizeof(double));
        assert_null(row->keys);
        assert_null(row->per_answer);
    }
    ge_arena_delete(&arena);
}

/* ---- what is refused ----------------------------------------------------------------------- */

static void refuses(struct fixture *f, const char *words)
{
    const char *names[] = {"length.words.mean", "pairwise_cosine"};
    const struct ge_corpus_wish wish = {"text", {names, 2}};
    struct ge_corpus_row *rows;
    size_t n;
    struct ge_arena *arena = ge_arena_new();
    assert_non_null(arena);
    assert_status(ge_corpus_rows(&f->run, &wish, 1, arena, &rows, &n), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), words));
    assert_int_equal(n, 0);
    ge_arena_delete(&arena);
}

static void bad_rows(void **state)
{
    (void)state;
    struct fixture f;
    for (int i = 0; i < 2; i++) { /* a picture's row too */
        set_up(&f);
        says(&f, 0, (struct ge_key){1, GE_GEN, 0}, i == 0 ? "text" : NULL);
        f.responses[0][0].key.item = ITEMS;
        refuses(&f, "response row names item 6 of 6");
    }
    set_up(&f);
    add_sets(&f);
    f.embeddings[3][0].key.item = 1000;
    refuses(&f, "embedding row names item 1000 of 6");
    for (uint32_t i = 0; i < 2; i++) {
        set_up(&f);
        add_sets(&f);
        f.embeddings[3][0] =
            (struct ge_embedding_row){{4, GE_GEN, 0}, CLIP_IMAGE, i == 0 ? 0 : DIM + 1, longer};
        refuses(&f, i == 0 ? "have 0 and 3" : "have 4 and 3");
    }
}

static void memory(void **state)
{
    (void)state;
    const char *names[] = {"length.words.mean", "distinct2", "cmmd"};
    const struct ge_corpus_wish wish = {"text", {names, 3}};
    struct fixture f;
    uint64_t failed = 0;
    set_up(&f);
    add_sets(&f);
    for (uint32_t i = 0; i < 20; i++) says(&f, 0, (struct ge_key){3, GE_GEN, i}, "a b c");
    for (uint64_t at = 1;; at++) {
        struct ge_corpus_row *rows;
        size_t n;
        struct ge_arena *arena = ge_arena_new();
        assert_non_null(arena);
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_corpus_rows(&f.run, &wish, 1, arena, &rows, &n);
        int pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_ok(rc);
            assert_int_equal(n, 4);
        } else {
            assert_int_equal(rc, GE_ENOMEM);
            assert_int_equal(n, 0);
            failed++;
        }
        ge_arena_delete(&arena);
        if (pending) break;
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order), cmocka_unit_test(answers),  cmocka_unit_test(no_value),
        cmocka_unit_test(sets),  cmocka_unit_test(bad_rows), cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
