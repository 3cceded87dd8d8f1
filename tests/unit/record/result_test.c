/* The packed form of a chunk's rows: what is packed comes back, and nothing else gets in. */
#include "test.h"

#include "base/mem.h"
#include "record/result.h"
#include "record/run.h"

static const float vector[] = {0.5f, -0.25f, 3.0e-39f, -0.0f};
static struct ge_response_row responses[] = {
    {.key = {4, GE_UND, 0}, .text = "zwei \xE2\x80\x9EKreise\xE2\x80\x9C", .truncated = 1},
    {.key = {4, GE_GEN, 2}, .image = "a b.png", .image_hash = {7, UINT64_MAX}},
    {.key = {5, GE_UND, 0}, .text = ""},
};
static struct ge_score_row scores[] = {{{4, GE_UND, 0}, 3, 1.0 / 3}, {{4, GE_GEN, 2}, 65535, -1}};
static struct ge_verdict_row verdicts[] = {{{4, GE_UND, 0}, 0.7, 2, 10}};
static struct ge_error_row errors[] = {{{4, GE_GEN, 2}, GE_EFORMAT, "a b.png: broken"}};
static struct ge_embedding_row embeddings[] = {{{4, GE_UND, 0}, 1, 4, vector},
                                               {{4, GE_GEN, 2}, 0, 0, vector}};
static struct ge_undone_row undone[] = {{{5, GE_GEN, 0}, GE_EIO, "disk"}};

static struct ge_result sample(void)
{
    return (struct ge_result){.cell = 3,
                              .first = 4,
                              .count = 2,
                              .n_samples = 5,
                              .responses = responses,
                              .n_responses = 3,
                              .scores = scores,
                              .n_scores = 2,
                              .verdicts = verdicts,
                              .n_verdicts = 1,
                              .errors = errors,
                              .n_errors = 1,
                              .embeddings = embeddings,
                              .n_embeddings = 2,
                              .undone = undone,
                              .n_undone = 1};
}

/* Packed in a block of exactly its size, so that ASan sees every read beyond it. */
static char *packed(const struct ge_result *r, size_t *len)
{
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    ge_result_pack(r, &out);
    assert_ok(ge_buf_status(&out));
    *len = out.len;
    char *copy = malloc(out.len);
    assert_non_null(copy);
    memcpy(copy, out.data, out.len);
    ge_buf_free(&out);
    return copy;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct ge_result r = sample(), back;
    size_t len, again;
    char *data = packed(&r, &len);
    struct ge_arena *arena = ge_arena_new();
    assert_ok(ge_result_unpack(data, len, arena, &back));
    assert_int_equal(back.cell, 3);
    assert_int_equal(back.first, 4);
    assert_int_equal(back.count, 2);
    assert_int_equal(back.n_samples, 5);
    assert_string_equal(back.responses[0].text, responses[0].text);
    assert_null(back.responses[0].image);
    assert_int_equal(back.responses[0].truncated, 1);
    assert_null(back.responses[1].text);
    assert_string_equal(back.responses[1].image, "a b.png");
    assert_true(back.responses[1].image_hash.lo == UINT64_MAX);
    assert_string_equal(back.responses[2].text, "");
    assert_memory_equal(&back.scores[0].value, &scores[0].value, sizeof(double));
    assert_int_equal(back.scores[1].metric, 65535);
    assert_int_equal(back.verdicts[0].judges, 10);
    assert_string_equal(back.errors[0].reason, "a b.png: broken");
    assert_memory_equal(back.embeddings[0].values, vector, sizeof vector);
    assert_int_equal(back.embeddings[1].dim, 0);
    assert_int_equal(back.undone[0].status, GE_EIO);
    char *second = packed(&back, &again);
    assert_int_equal(again, len);
    assert_memory_equal(second, data, len);
    free(second);
    free(data);
    ge_arena_delete(&arena);
}

static void test_empty(void **state)
{
    (void)state;
    struct ge_result r = {0}, back;
    size_t len;
    char *data = packed(&r, &len);
    struct ge_arena *arena = ge_arena_new();
    assert_ok(ge_result_unpack(data, len, arena, &back));
    assert_int_equal(back.n_responses + back.n_scores + back.n_undone, 0);
    assert_status(ge_result_unpack(data, 0, arena, &back), GE_EFORMAT);
    free(data);
    ge_arena_delete(&arena);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct ge_result r = sample(), back;
    size_t len;
    char *data = packed(&r, &len);
    struct ge_arena *arena = ge_arena_new();
    for (size_t n = 0; n < len; n++) {
        char *part = malloc(n + (n == 0));
        assert_non_null(part);
        memcpy(part, data, n);
        assert_status(ge_result_unpack(part, n, arena, &back), GE_EFORMAT);
        free(part);
    }
    char *longer = calloc(1, len + 1);
    assert_non_null(longer);
    memcpy(longer, data, len);
    assert_status(ge_result_unpack(longer, len + 1, arena, &back), GE_EFORMAT);
    free(longer);
    free(data);
    ge_arena_delete(&arena);
}

/* Any bit flipped: refused, or read as rows that hold what a row must hold. */
static void test_bit_flips(void **state)
{
    (void)state;
    struct ge_result r = sample(), back;
    size_t len, refused = 0;
    char *data = packed(&r, &len);
    struct ge_arena *arena = ge_arena_new();
    for (size_t bit = 0; bit < 8 * len; bit++) {
        data[bit / 8] = (char)(data[bit / 8] ^ (1 << bit % 8));
        ge_arena_reset(arena);
        ge_status rc = ge_result_unpack(data, len, arena, &back);
        assert_true(rc == GE_OK || rc == GE_EFORMAT);
        refused += rc != GE_OK;
        for (size_t i = 0; rc == GE_OK && i < back.n_verdicts; i++) {
            assert_true(back.verdicts[i].value >= 0 && back.verdicts[i].value <= 1);
            assert_true(back.verdicts[i].key.direction < GE_DIRECTIONS);
        }
        for (size_t i = 0; rc == GE_OK && i < back.n_scores; i++) {
            assert_true(isfinite(back.scores[i].value));
        }
        data[bit / 8] = (char)(data[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(refused > (size_t)6 * 60); /* nearly every bit of the six counts, for one */
    free(data);
    ge_arena_delete(&arena);
}

static void refuse_with(double *field, double bad)
{
    double good = *field;
    struct ge_result r = sample(), back;
    size_t len;
    *field = bad;
    char *data = packed(&r, &len);
    struct ge_arena *arena = ge_arena_new();
    assert_status(ge_result_unpack(data, len, arena, &back), GE_EFORMAT);
    *field = good;
    free(data);
    ge_arena_delete(&arena);
}

static void test_bad_values(void **state)
{
    (void)state;
    refuse_with(&verdicts[0].value, NAN);
    refuse_with(&verdicts[0].value, 1.5);
    refuse_with(&verdicts[0].value, -0.5);
    refuse_with(&scores[0].value, INFINITY);
    refuse_with(&scores[0].value, NAN);
}

/* Every allocation fails once: GE_ENOMEM, or the rows. */
static void test_out_of_memory(void **state)
{
    (void)state;
    struct ge_result r = sample(), back;
    size_t len, failed = 0;
    char *data = packed(&r, &len);
    for (uint64_t n = 1; n < 40; n++) {
        struct ge_arena *arena = ge_arena_new();
        assert_non_null(arena);
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_result_unpack(data, len, arena, &back);
        ge_mem_fail_at(0, 0);
        assert_true(rc == GE_OK || rc == GE_ENOMEM);
        failed += rc != GE_OK;
        ge_arena_delete(&arena);
    }
    assert_true(failed > 0);
    free(data);
}

static void test_keys_and_answers(void **state)
{
    (void)state;
    struct ge_key keys[] = {{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {UINT32_MAX, 1, 5}};
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 5; k++) {
            assert_int_equal(ge_key_compare(keys[i], keys[k]), (i > k) - (i < k));
        }
    }
    struct ge_answer v[] = {{.item = 1, .direction = GE_UND},
                            {.item = 1, .direction = GE_GEN, .sample = 0},
                            {.item = 1, .direction = GE_GEN, .sample = 1},
                            {.item = 4, .direction = GE_UND}};
    struct ge_answers a = {.system = "s", .v = v, .n = 4};
    size_t n;
    assert_ptr_equal(ge_answers_find(&a, 1, GE_GEN, &n), &v[1]);
    assert_int_equal(n, 2);
    assert_ptr_equal(ge_answers_find(&a, 4, GE_UND, &n), &v[3]);
    assert_int_equal(n, 1);
    assert_null(ge_answers_find(&a, 4, GE_GEN, &n));
    assert_int_equal(n, 0);
    assert_null(ge_answers_find(&a, 0, GE_UND, &n));
    a.n = 0;
    assert_null(ge_answers_find(&a, 1, GE_UND, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_cut_at_every_byte), cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_bad_values),        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_keys_and_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
