/* One chunk: rows, errors, undone samples, and the same bits however it is evaluated. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "fixture.h"
#include "test.h"

static struct fixture f;

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, "cpu");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

/* All items; the result lives in *arena. */
static struct ge_result evaluate(struct ge_arena **arena)
{
    struct ge_result r;
    char *data;
    size_t len;
    *arena = ge_arena_new();
    assert_ok(fixture_run(&f, 0, FIXTURE_ITEMS, &data, &len));
    assert_ok(ge_result_unpack(data, len, *arena, &r));
    free(data);
    return r;
}

static const struct ge_error_row *error_of(const struct ge_result *r, uint32_t item, uint8_t d)
{
    for (size_t i = 0; i < r->n_errors; i++) {
        if (r->errors[i].key.item == item && r->errors[i].key.direction == d) return &r->errors[i];
    }
    return NULL;
}

static void assert_error(const struct ge_result *r, uint32_t item, uint8_t d, ge_status status,
                         const char *reason)
{
    const struct ge_error_row *e = error_of(r, item, d);
    assert_non_null(e);
    assert_int_equal(e->status, status);
    if (strstr(e->reason, reason) == NULL) fail_msg("\"%s\" lacks \"%s\"", e->reason, reason);
}

static void test_rows(void **state)
{
    (void)state;
    struct ge_arena *arena;
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_samples, 21); /* one more than answers: item 4 has none for und */
    assert_int_equal(r.n_verdicts + r.n_errors, 21);
    assert_int_equal(r.n_undone, 0);
    assert_int_equal(r.n_responses, 20);
    assert_int_equal(r.n_embeddings, 0);
    assert_error(&r, 2, GE_UND, GE_EFORMAT, "empty text");
    assert_error(&r, 2, GE_GEN, GE_EFORMAT, "empty.jpg");
    assert_error(&r, 3, GE_GEN, GE_ENOENT, "missing.png");
    assert_error(&r, 4, GE_UND, GE_ENOENT, "no answer");
    assert_error(&r, 4, GE_GEN, GE_EFORMAT, "folder");
    assert_error(&r, 5, GE_GEN, GE_EFORMAT, "regular");
    assert_error(&r, 6, GE_UND, GE_EFORMAT, "text.json: no output_text");
    assert_error(&r, 6, GE_GEN, GE_EFORMAT, "png_cut.png");
    assert_error(&r, 8, GE_UND, GE_EINVAL, "does not say how");
    assert_error(&r, 8, GE_GEN, GE_EINVAL, "text answer");
    for (size_t i = 0; i < r.n_errors; i++) {
        assert_null(strchr(r.errors[i].reason, '\n'));
        assert_null(strstr(r.errors[i].reason, f.folder)); /* paths differ between machines */
    }
    for (size_t i = 1; i < r.n_scores; i++) { /* key order, then metric */
        int c = ge_key_compare(r.scores[i - 1].key, r.scores[i].key);
        assert_true(c < 0 || (c == 0 && r.scores[i - 1].metric < r.scores[i].metric));
    }
    ge_arena_delete(&arena);
}

static int assert_same_values(const struct ge_result *a, const struct ge_result *b)
{
    assert_int_equal(a->n_scores, b->n_scores);
    for (size_t i = 0; i < a->n_scores; i++) {
        assert_int_equal(ge_key_compare(a->scores[i].key, b->scores[i].key), 0);
        assert_int_equal(a->scores[i].metric, b->scores[i].metric);
        assert_memory_equal(&a->scores[i].value, &b->scores[i].value, sizeof(double));
    }
    assert_int_equal(a->n_verdicts, b->n_verdicts);
    for (size_t i = 0; i < a->n_verdicts; i++) {
        assert_memory_equal(&a->verdicts[i].value, &b->verdicts[i].value, sizeof(double));
    }
    assert_int_equal(a->n_errors, b->n_errors);
    for (size_t i = 0; i < a->n_errors; i++) {
        assert_int_equal(a->errors[i].status, b->errors[i].status);
        assert_string_equal(a->errors[i].reason, b->errors[i].reason);
    }
    return 0;
}

static void test_same_bits(void **state)
{
    (void)state;
    struct ge_arena *arena, *other;
    struct ge_result want = evaluate(&arena), got;
    assert_true(want.n_scores > 20);
    static const size_t batches[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        fixture_batch(&f, batches[i]);
        got = evaluate(&other);
        assert_same_values(&want, &got);
        ge_arena_delete(&other);
    }
    assert_ok(ge_pool_new(3, &f.ev.decode_pool));
    got = evaluate(&other);
    assert_same_values(&want, &got);
    ge_arena_delete(&other);
    static const size_t caches[] = {300, 2000, 1 << 20}; /* nearly nothing fits, some, all */
    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++) {
        assert_ok(ge_cache_new(caches[i], &f.ev.cache));
        for (int again = 0; again < 3; again++) {
            got = evaluate(&other);
            assert_same_values(&want, &got);
            ge_arena_delete(&other);
        }
        ge_cache_delete(&f.ev.cache);
    }
    ge_pool_delete(&f.ev.decode_pool);
    f.ev.decode_pool = NULL;
    ge_arena_delete(&arena);
}

/* Item by item: the rows of the whole chunk, one after another. */
static void test_chunks_of_one(void **state)
{
    (void)state;
    struct ge_arena *arena;
    struct ge_result whole = evaluate(&arena), part;
    size_t scores = 0;
    for (uint32_t i = 0; i < FIXTURE_ITEMS; i++) {
        struct ge_arena *own = ge_arena_new();
        char *data;
        size_t len;
        assert_ok(fixture_run(&f, i, 1, &data, &len));
        assert_ok(ge_result_unpack(data, len, own, &part));
        for (size_t k = 0; k < part.n_scores; k++, scores++) {
            assert_true(scores < whole.n_scores);
            assert_int_equal(ge_key_compare(part.scores[k].key, whole.scores[scores].key), 0);
            assert_memory_equal(&part.scores[k].value, &whole.scores[scores].value, sizeof(double));
        }
        free(data);
        ge_arena_delete(&own);
    }
    assert_int_equal(scores, whole.n_scores);
    ge_arena_delete(&arena);
}

static void test_cache_is_used(void **state)
{
    (void)state;
    struct ge_eval_chunk *chunk;
    const struct ge_result *result;
    assert_ok(ge_cache_new(1 << 20, &f.ev.cache));
    for (int again = 0; again < 2; again++) {
        assert_ok(ge_eval_prepare(&f.ev, 0, 0, 2, &chunk));
        assert_ok(ge_eval_encode(&f.ev, chunk));
        assert_ok(ge_eval_score(&f.ev, chunk, &result));
        const struct ge_eval_times *t = ge_eval_chunk_times(chunk);
        assert_int_equal(t->images_encoded, again ? 0 : 3); /* each input once */
        assert_int_equal(t->images_read, again ? 0 : 3);
        assert_int_equal(t->texts_encoded, again ? 0 : 3);
        assert_int_equal(t->cache_hits, again ? 6 : 0);
        ge_eval_chunk_delete(&chunk);
    }
    ge_cache_delete(&f.ev.cache);
}

static bool missing_at_plan;
static bool was_missing(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return missing_at_plan;
}

static void test_file_gone_after_plan(void **state)
{
    (void)state;
    struct ge_arena *arena;
    f.ev.was_missing = was_missing;
    missing_at_plan = false;
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_undone, 1);
    assert_int_equal(r.undone[0].key.item, 3);
    assert_int_equal(r.undone[0].status, GE_ENOENT);
    assert_null(error_of(&r, 3, GE_GEN));
    for (size_t i = 0; i < r.n_scores; i++) {
        assert_false(r.scores[i].key.item == 3 && r.scores[i].key.direction == GE_GEN);
    }
    for (size_t i = 0; i < r.n_responses; i++) {
        assert_false(r.responses[i].key.item == 3 && r.responses[i].key.direction == GE_GEN);
    }
    ge_arena_delete(&arena);
    missing_at_plan = true;
    r = evaluate(&arena);
    assert_int_equal(r.n_undone, 0);
    assert_error(&r, 3, GE_GEN, GE_ENOENT, "missing.png");
    ge_arena_delete(&arena);
    f.ev.was_missing = NULL;
}

/* The file comes back while the read is being repeated. */
static void *bring_back(void *arg)
{
    char *data;
    size_t len;
    (void)arg;
    assert_ok(ge_fs_read(GE_SOURCE_DIR "/tests/golden/image/samples/png_c2_d8.png", 1 << 20, &data,
                         &len));
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_ok(ge_fs_replace(f.missing, data, len));
    free(data);
    return NULL;
}

static void test_retry(void **state)
{
    (void)state;
    struct ge_arena *arena;
    pthread_t thread;
    f.ev.was_missing = was_missing;
    f.ev.retry_backoff = 0.5;
    missing_at_plan = false;
    assert_int_equal(pthread_create(&thread, NULL, bring_back, NULL), 0);
    struct ge_result r = evaluate(&arena);
    pthread_join(thread, NULL);
    assert_int_equal(r.n_undone, 0);
    assert_null(error_of(&r, 3, GE_GEN));
    ge_arena_delete(&arena);
    unlink(f.missing);
    f.ev.retry_backoff = 0;
    f.ev.was_missing = NULL;
}

static void test_embedding_rows(void **state)
{
    (void)state;
    struct ge_arena *arena;
    f.ev.keep_embeddings = true;
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_embeddings, 12); /* every usable text, 5 images that could be read */
    size_t images = 0;
    for (size_t i = 0; i < r.n_embeddings; i++) {
        double square = 0;
        images += r.embeddings[i].kind == 1;
        assert_int_equal(r.embeddings[i].dim, ge_encoder_dim(f.encoder));
        for (uint32_t k = 0; k < r.embeddings[i].dim; k++) {
            square += (double)r.embeddings[i].values[k] * (double)r.embeddings[i].values[k];
        }
        assert_close(square, 1, 1e-5);
    }
    assert_int_equal(images, 5);
    f.ev.keep_embeddings = false;
    ge_arena_delete(&arena);
}

/* A recorded verdict needs no embedding, but a picture that is not there or no picture is an error
 * row all the same. */
static void test_recorded_verdicts(void **state)
{
    (void)state;
    static const double right = 1;
    struct ge_arena *arena;
    struct ge_task_scoring edit = f.scoring[0];
    f.scoring[0] = (struct ge_task_scoring){.task = "edit",
                                            .rule = GE_RULE_RECORDED,
                                            .metric = GE_METRIC_NONE,
                                            .fallback = GE_METRIC_NONE};
    assert_ok(ge_task_scoring_complete(&f.scoring[0]));
    for (size_t i = 0; i < f.recorded.n; i++) {
        f.answers[i].judgements = &right;
        f.answers[i].n_judgements = 1;
    }
    struct ge_result r = evaluate(&arena);
    assert_error(&r, 3, GE_GEN, GE_ENOENT, "answer: missing.png: ");
    size_t hashed = 0, judged = 0;
    for (size_t i = 0; i < r.n_responses; i++) {
        hashed += !ge_hash_is_zero(r.responses[i].image_hash) && r.responses[i].image != NULL;
    }
    for (size_t i = 0; i < r.n_verdicts; i++) {
        bool gen = r.verdicts[i].key.direction == GE_GEN;
        judged += gen && r.verdicts[i].rule == GE_RULE_RECORDED && r.verdicts[i].value == 1;
    }
    assert_true(judged > 0);
    assert_true(hashed >= judged);
    for (size_t i = 0; i < f.recorded.n; i++) f.answers[i].n_judgements = 0;
    f.scoring[0] = edit;
    ge_arena_delete(&arena);
}

/* Metrics whose role has no encoder: every sample says so, none is lost. */
static void test_no_encoder(void **state)
{
    (void)state;
    struct ge_arena *arena;
    f.ev.role_encoder[GE_ROLE_IMAGE_TEXT] = -1;
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_verdicts + r.n_errors, 21);
    assert_error(&r, 0, GE_GEN, GE_EINVAL, "scoring.roles.image_text");
    f.ev.role_encoder[GE_ROLE_IMAGE_TEXT] = 0;
    ge_arena_delete(&arena);
}

static void test_cancel(void **state)
{
    (void)state;
    atomic_bool cancel = true;
    char *data;
    size_t len;
    f.ev.cancel = &cancel;
    assert_status(fixture_run(&f, 0, FIXTURE_ITEMS, &data, &len), GE_EINTERRUPTED);
    assert_status(fixture_run(&f, 6, 1, &data, &len), GE_EINTERRUPTED);
    f.ev.cancel = NULL;
}

/* Every allocation fails once: out of memory, or a whole result, or samples left undone. */
static void test_out_of_memory(void **state)
{
    (void)state;
    size_t failed = 0;
    for (uint64_t n = 1; n < 400; n += n < 60 ? 1 : 7) {
        char *data;
        size_t len;
        ge_mem_fail_at(n, 0);
        ge_status rc = fixture_run(&f, 0, 4, &data, &len);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) {
            assert_int_equal(rc, GE_ENOMEM);
            failed++;
            continue;
        }
        struct ge_arena *arena = ge_arena_new();
        struct ge_result r;
        assert_ok(ge_result_unpack(data, len, arena, &r));
        assert_int_equal(r.n_verdicts + r.n_errors + r.n_undone, r.n_samples);
        for (size_t i = 0; i < r.n_errors; i++) {
            assert_int_not_equal(r.errors[i].status, GE_ENOMEM); /* never blamed on the answer */
        }
        free(data);
        ge_arena_delete(&arena);
    }
    assert_true(failed > 5);
}

static void test_golden_batch(void **state)
{
    (void)state;
    struct ge_hash a, b, none;
    assert_ok(ge_eval_golden(&f.encoder, 1, false, &a));
    assert_ok(ge_eval_golden(&f.encoder, 1, true, &b));
    assert_true(ge_hash_equal(a, b));
    assert_ok(ge_eval_golden(&f.encoder, 0, false, &none));
    assert_false(ge_hash_equal(a, none));
    struct ge_encoder *other;
    assert_ok(
        ge_encoder_load(GE_SOURCE_DIR "/tests/golden/model/clip_gelu", f.device, NULL, &other));
    assert_ok(ge_eval_golden(&other, 1, false, &b));
    assert_false(ge_hash_equal(a, b));
    ge_encoder_delete(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_chunks_of_one),
        cmocka_unit_test(test_cache_is_used),
        cmocka_unit_test(test_file_gone_after_plan),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_embedding_rows),
        cmocka_unit_test(test_recorded_verdicts),
        cmocka_unit_test(test_no_encoder),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_golden_batch),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
