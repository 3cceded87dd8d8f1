/* Which algorithms products run: one per shape whatever the rows, steady ones only, those of a tuned
 * table where there is one; what makes a table bad; TF32; measuring. */
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "emulator/emulator.h"
#include "program.h"
#include "test.h"

static int setup(void **state)
{
    (void)state;
    emu_reset();
    return ge_device_register(ge_device_module()) != GE_OK;
}

static int reset(void **state)
{
    (void)state;
    emu_reset();
    return 0;
}

enum { N = 48, K = 200, MOST = 1200 };

/* Rows [0, m) of a product on a device of its own, fp32; x's row r depends on r alone. */
static float *product(const struct ge_device_options *opt, size_t m)
{
    float *host = ge_calloc(MOST * K + N * K, sizeof *host), *out = ge_calloc(m * N, sizeof *out);
    struct ge_tensor x, y;
    struct ge_weight *w;
    struct ge_device *dev;

    assert_true(host != NULL && out != NULL);
    for (size_t i = 0; i < MOST * K + N * K; i++) host[i] = (float)ge_uniform(5, 1, i) - 0.5f;
    assert_ok(ge_device_open("cuda", opt, &dev));
    assert_ok(ge_tensor_new(dev, m, K, GE_F32, &x));
    assert_ok(ge_tensor_new(dev, m, N, GE_F32, &y));
    assert_ok(ge_weight_new(dev, host + MOST * K, NULL, N, K, GE_F32, &w));
    assert_ok(ge_upload(x, host));
    assert_ok(ge_matmul(dev, x, w, GE_ACT_NONE, (struct ge_tensor){0}, y));
    assert_ok(ge_download(y, out));
    ge_weight_delete(&w);
    ge_buffer_delete(&x.buf);
    ge_buffer_delete(&y.buf);
    ge_device_close(&dev);
    free(host);
    return out;
}

/* The library's own best would be another algorithm for few rows, with other digits; and it may name
 * one for many rows that gives other digits to few, or does not run on them at all. */
static void test_one_algorithm(void **state)
{
    static const size_t ms[] = {1, 2, 63, 300, 900};

    (void)state;
    for (int odd = 0; odd < 4; odd++) {
        emu_lt_unsteady(odd & 1);
        emu_lt_tall(odd & 2);
        float *all = product(NULL, MOST);
        for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
            float *some = product(NULL, ms[i]);
            assert_memory_equal(some, all, ms[i] * N * sizeof *all);
            free(some);
        }
        free(all);
    }
}

/* The heuristic is asked once for a shape, not at every call. */
static void test_asked_once(void **state)
{
    struct ge_tensor x, y;
    struct ge_weight *w[2];
    struct ge_device *dev;
    float host[64 * 64] = {1};

    (void)state;
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_ok(ge_tensor_new(dev, 10, 64, GE_F32, &x));
    assert_ok(ge_tensor_new(dev, 10, 64, GE_F32, &y));
    for (int i = 0; i < 2; i++) assert_ok(ge_weight_new(dev, host, NULL, 64, 64, GE_F32, &w[i]));
    long before = emu_count().heuristics;
    for (size_t m = 1; m <= 10; m++)
        for (int i = 0; i < 2; i++)
            assert_ok(ge_matmul(dev, ge_tensor_rows(x, 0, m), w[i], GE_ACT_GELU,
                                (struct ge_tensor){0}, ge_tensor_rows(y, 0, m)));
    assert_int_equal(emu_count().heuristics - before, 1);
    for (int i = 0; i < 2; i++) ge_weight_delete(&w[i]);
    ge_buffer_delete(&x.buf);
    ge_buffer_delete(&y.buf);
    ge_device_close(&dev);
}

static void test_tf32(void **state)
{
    struct ge_device_options tf32 = {.dtype = GE_F32, .tf32 = true};
    float *exact = product(NULL, 5), *rounded = product(&tf32, 5);
    bool differ = false;

    (void)state;
    for (size_t i = 0; i < 5 * N; i++) {
        assert_close(rounded[i], exact[i], 1e-2);
        differ = differ || fabs((double)rounded[i] - exact[i]) > 1e-5;
    }
    assert_true(differ);
    free(exact);
    free(rounded);
}

/* ---- tuned tables ------------------------------------------------------------------------- */

static const struct ge_tune_shape shapes[] = {
    {512, N, K, GE_F32, GE_ACT_NONE, false, false},
    {512, N, K, GE_F32, GE_ACT_NONE, false, false}, /* again: one entry */
    {4096, 112, 80, GE_BF16, GE_ACT_GELU_TANH, true, false},
    {64, 80, 112, GE_F16, GE_ACT_NONE, true, true},
};

static char *tuned_table(void)
{
    struct ge_device *dev;
    struct ge_buf json;

    ge_buf_init(&json, 1 << 16);
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_ok(ge_device_tune(dev, shapes, 4, &json));
    ge_device_close(&dev);
    assert_int_equal(emu_count().live_blocks, 0);
    return ge_buf_take(&json, NULL);
}

static void test_tuning(void **state)
{
    char *table = tuned_table();
    struct ge_device_options opt = {.tuned = table};
    struct ge_device *plain, *tuned;
    const ge_json *e;
    ge_json *doc;

    (void)state;
    assert_ok(ge_json_parse(table, strlen(table), "table", &doc));
    e = ge_json_get(doc, "entries");
    assert_int_equal(ge_json_count(e), 3);
    e = ge_json_first(e);
    /* The emulated clock: fast for 512 rows, though not for the canonical number. */
    assert_true(ge_json_number(ge_json_get_path(e, "algorithm.id"), 0) == 20);
    e = ge_json_next(e);
    assert_string_equal(ge_json_string(ge_json_get(e, "epilogue"), ""), "bias+gelu_tanh");
    assert_true(ge_json_number(ge_json_get_path(e, "algorithm.id"), 0) == 66);
    e = ge_json_next(e);
    assert_string_equal(ge_json_string(ge_json_get(e, "epilogue"), ""), "bias+residual");
    ge_json_delete(&doc);

    /* It is used: other digits than without it, the same at every number of rows. */
    float *by_heuristic = product(NULL, MOST), *by_table = product(&opt, MOST);
    float *one = product(&opt, 1);
    assert_memory_not_equal(by_heuristic, by_table, MOST * N * sizeof(float));
    assert_memory_equal(one, by_table, N * sizeof(float));
    assert_ok(ge_device_open("cuda", NULL, &plain));
    assert_ok(ge_device_open("cuda", &opt, &tuned));
    assert_string_not_equal(ge_device_numerics(plain), ge_device_numerics(tuned));
    ge_device_close(&plain);
    ge_device_close(&tuned);
    free(by_heuristic);
    free(by_table);
    free(one);
    free(table);
}

static void bad_table_with(bool tf32, const char *text, ge_status want, const char *word)
{
    struct ge_device_options opt = {.tuned = text, .tf32 = tf32};
    struct ge_device *dev;

    assert_status(ge_device_open("cuda", &opt, &dev), want);
    if (strstr(ge_error(), "tuned table") == NULL || strstr(ge_error(), word) == NULL) {
        print_error("\"%s\" is not in: %s\n", word, ge_error());
        fail();
    }
    assert_int_equal(emu_count().live_blocks, 0);
}

static void bad_table(const char *text, ge_status want, const char *word)
{
    bad_table_with(false, text, want, word);
}

#define HEAD "{\"gpu\":\"Emulated GPU\",\"cublaslt\":130101,\"entries\":"
#define ALGORITHM(id)                                                                              \
    "\"algorithm\":{\"id\":" id ",\"tile\":21,\"stages\":3,\"swizzle\":0,\"custom\":0,"            \
    "\"inner_shape\":0,\"cluster_shape\":2}"

static void test_bad_tables(void **state)
{
    char *table = tuned_table();

    (void)state;
    bad_table("", GE_EFORMAT, "");
    bad_table("[]", GE_EFORMAT, "cublaslt");
    bad_table("{\"gpu\":\"Other GPU\",\"cublaslt\":130101,\"entries\":[]}", GE_EUNSUPPORTED,
              "Other GPU");
    bad_table("{\"gpu\":\"Emulated GPU\",\"cublaslt\":120000,\"entries\":[]}", GE_EUNSUPPORTED,
              "120000");
    bad_table(HEAD "{}}", GE_EFORMAT, "array");
    bad_table(HEAD "[{}]}", GE_EFORMAT, "entry 1");
    bad_table(HEAD "[{\"n\":0,\"k\":4}]}", GE_EFORMAT, "n");
    bad_table(HEAD "[{\"n\":4,\"k\":4,\"dtype\":\"fp8\"}]}", GE_EFORMAT, "fp8");
    bad_table(HEAD "[{\"n\":4,\"k\":4,\"dtype\":\"bf16\",\"epilogue\":\"silu\"}]}", GE_EFORMAT,
              "silu");
    bad_table(HEAD "[{\"n\":4,\"k\":4,\"dtype\":\"bf16\",\"epilogue\":\"bias\","
                   "\"algorithm\":{\"id\":-1}}]}",
              GE_EFORMAT, "id");
    bad_table_with(true, table, GE_EUNSUPPORTED, "TF32");
    emu_lt_version(130202);
    bad_table(table, GE_EUNSUPPORTED, "130202");
    free(table);
}

/* A table whose algorithm the library does not have, or that splits, or is not steady. */
static void test_bad_algorithms(void **state)
{
    static const char *const entries[] = {
        "[{\"n\":48,\"k\":200,\"dtype\":\"fp32\",\"epilogue\":\"none\"," ALGORITHM("99") "}]}",
        "[{\"n\":48,\"k\":200,\"dtype\":\"fp32\",\"epilogue\":\"none\"," ALGORITHM("10") "}]}",
        "[{\"n\":48,\"k\":200,\"dtype\":\"fp32\",\"epilogue\":\"none\"," ALGORITHM("77") "}]}",
    };
    float zeros[N * K] = {0};

    (void)state;
    emu_lt_unsteady(true);
    for (size_t i = 0; i < 3; i++) {
        char *text = ge_sprintf(HEAD "%s", entries[i]);
        if (i == 2) memcpy(strstr(text, "\"tile\":21"), "\"tile\":20", 9);
        struct ge_device_options opt = {.tuned = text};
        struct ge_device *dev;
        struct ge_tensor x, y;
        struct ge_weight *w;
        assert_ok(ge_device_open("cuda", &opt, &dev));
        assert_ok(ge_tensor_new(dev, 2, K, GE_F32, &x));
        assert_ok(ge_tensor_new(dev, 2, N, GE_F32, &y));
        assert_ok(ge_weight_new(dev, zeros, NULL, N, K, GE_F32, &w));
        assert_status(ge_matmul(dev, x, w, GE_ACT_NONE, (struct ge_tensor){0}, y), GE_EUNSUPPORTED);
        assert_non_null(strstr(ge_error(), "tune again"));
        assert_non_null(strstr(ge_error(), i == 2 ? "other bits" : "does not run"));
        ge_weight_delete(&w);
        ge_buffer_delete(&x.buf);
        ge_buffer_delete(&y.buf);
        ge_device_close(&dev);
        free(text);
    }
}

/* ---- measuring ---------------------------------------------------------------------------- */

static void test_bench(void **state)
{
    struct ge_gemm_bench b = {100, 64, 50, GE_BF16, 1, 3};
    static const struct emu_gpu turing = {"Tesla T4", "0000:3b:00.0", 7, 5, 40, (size_t)1 << 30};
    struct ge_device_options fp16 = {.dtype = GE_F16};
    struct ge_device *dev;
    double seconds = -1;

    (void)state;
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_ok(ge_device_bench_gemm(dev, &b, &seconds));
    assert_close(seconds, 0.01e-3 * (1 + 100 / 50.0), 1e-9); /* the one that splits: any will do */
    ge_device_close(&dev);
    emu_gpus(&turing, 1);
    assert_ok(ge_device_open("cuda", &fp16, &dev));
    assert_status(ge_device_bench_gemm(dev, &b, &seconds), GE_EUNSUPPORTED);
    ge_device_close(&dev);
    assert_int_equal(emu_count().live_blocks, 0);
}

static void test_tune_arguments(void **state)
{
    struct ge_tune_shape bad = {0, 4, 4, GE_F32, GE_ACT_NONE, false, false};
    struct ge_device *dev;
    struct ge_buf json;

    (void)state;
    ge_buf_init(&json, 1 << 16);
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_status(ge_device_tune(dev, &bad, 1, &json), GE_EINVAL);
    ge_device_close(&dev);
    ge_buf_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_algorithm, reset),
        cmocka_unit_test_teardown(test_asked_once, reset),
        cmocka_unit_test_teardown(test_tf32, reset),
        cmocka_unit_test_teardown(test_tuning, reset),
        cmocka_unit_test_teardown(test_bad_tables, reset),
        cmocka_unit_test_teardown(test_bad_algorithms, reset),
        cmocka_unit_test_teardown(test_bench, reset),
        cmocka_unit_test_teardown(test_tune_arguments, reset),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
