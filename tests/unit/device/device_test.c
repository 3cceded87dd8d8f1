/* The registry, levels, threads, failures: what concerns devices as a whole. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/rng.h"
#include "device/device_ops.h"
#include "fake_device.h"
#include "test.h"

static int setup(void **state)
{
    (void)state;
    return ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK;
}

static void test_open(void **state)
{
    struct ge_device_options bad = {.level = "avx9"}, negative = {.threads = -1};
    struct ge_device *dev;
    bool found = true;

    (void)state;
    assert_status(ge_device_open("tpu", NULL, &dev), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "cpu"));
    assert_null(dev);
    assert_status(ge_device_open("cpu", &bad, &dev), GE_EINVAL);
    assert_status(ge_device_open("cpu", &negative, &dev), GE_EINVAL);
    assert_ok(ge_device_open("auto", NULL, &dev));
    assert_string_equal(ge_device_name(dev), ge_device_name_at(0));
    assert_true(ge_device_threads(dev) >= 1);
    assert_true(strlen(ge_device_numerics(dev)) > 0);
    assert_true(ge_device_supports(dev, GE_F32));
    ge_device_close(&dev);
    assert_null(dev);
    ge_device_close(&dev);
    assert_ok(ge_device_load("nonesuch", &found));
    assert_false(found);
}

/* A module that is there but is none must be reported, not passed over. */
static void test_broken_module(void **state)
{
    char dir[] = "/tmp/gapeval-module-XXXXXX", *path;
    bool found = true;

    (void)state;
    assert_non_null(mkdtemp(dir));
    path = ge_sprintf("%s/gapeval_cuda.so", dir);
    assert_ok(ge_fs_replace(path, "not a library", 13));
    assert_int_equal(setenv("GAPEVAL_MODULE_DIR", dir, 1), 0);
    assert_status(ge_device_load("cuda", &found), GE_EUNSUPPORTED);
    assert_non_null(strstr(ge_error(), path));
    assert_false(found);
    assert_int_equal(unsetenv("GAPEVAL_MODULE_DIR"), 0);
    assert_int_equal(remove(path), 0);
    assert_int_equal(remove(dir), 0);
    free(path);
}

static void test_abi(void **state)
{
    struct ge_device_ops other = *ge_cpu_ops();

    (void)state;
    other.abi++;
    other.name = "other";
    assert_status(ge_device_register(&other), GE_EUNSUPPORTED);
}

/* One product, attention-free but with all of epilogue and layernorm; its bits. */
static void compute(const char *name, const char *level, int threads, float *out, size_t m,
                    size_t n, size_t k)
{
    struct ge_device_options opt = {.threads = threads, .level = level};
    struct ge_tensor x, y, bias, none = {0};
    struct ge_weight *weight;
    struct ge_device *dev;
    float *host = ge_calloc(m * k + n * k + n, sizeof *host);

    assert_non_null(host);
    for (size_t i = 0; i < m * k + n * k + n; i++) host[i] = (float)ge_uniform(3, 1, i) - 0.5f;
    assert_ok(ge_device_open(name, &opt, &dev));
    assert_ok(ge_tensor_new(dev, m, k, GE_F32, &x));
    assert_ok(ge_tensor_new(dev, m, n, GE_F32, &y));
    assert_ok(ge_tensor_new(dev, 1, n, GE_F32, &bias));
    assert_ok(ge_weight_new(dev, host + m * k, host + m * k + n * k, n, k, GE_F32, &weight));
    assert_ok(ge_upload(x, host));
    assert_ok(ge_upload(bias, host + m * k + n * k));
    assert_ok(ge_matmul(dev, x, weight, GE_ACT_GELU, none, y));
    assert_ok(ge_layernorm(dev, y, bias, bias, 1e-5f, y));
    assert_ok(ge_activate(dev, GE_ACT_GELU_TANH, y, y));
    assert_ok(ge_download(y, out));
    ge_weight_delete(&weight);
    ge_buffer_delete(&x.buf);
    ge_buffer_delete(&y.buf);
    ge_buffer_delete(&bias.buf);
    ge_device_close(&dev);
    free(host);
}

enum { M = 100, N = 830, K = 203 };

static void test_threads(void **state)
{
    static float one[M * N], more[M * N];

    (void)state;
    for (size_t i = 0; ge_device_name_at(i) != NULL; i++) {
        compute(ge_device_name_at(i), "native", 1, one, M, N, K);
        for (int t = 2; t < 4; t++) {
            compute(ge_device_name_at(i), "native", t, more, M, N, K);
            assert_memory_equal(one, more, sizeof one);
        }
    }
}

/* The plain C kernels give the same bits at every level: the cpu device's id does not name one. */
static void test_levels(void **state)
{
    static float base[M * N], other[M * N];
    static const char *const levels[] = {"avx2", "avx512"};
    struct ge_device_options opt = {.threads = 1};
    struct ge_device *dev;

    (void)state;
    compute("cpu", "base", 1, base, M, N, K);
    for (size_t i = 0; i < 2; i++) {
        opt.level = levels[i];
        if (ge_device_open("cpu", &opt, &dev) != GE_OK) {
            print_message("Skipped: %s\n", ge_error());
            continue;
        }
        ge_device_close(&dev);
        compute("cpu", levels[i], 1, other, M, N, K);
        assert_memory_equal(base, other, sizeof base);
    }
}

/* A failure of a queued operation comes out of a later call that waits. */
static void test_late_failure(void **state)
{
    struct ge_device *dev;
    struct ge_tensor x;
    float v[4] = {0};

    (void)state;
    assert_ok(ge_device_open("fake", NULL, &dev));
    assert_ok(ge_tensor_new(dev, 1, 4, GE_F32, &x));
    fake_device_fail_at(2);
    assert_ok(ge_upload(x, v));
    assert_ok(ge_activate(dev, GE_ACT_TANH, x, x));
    assert_status(ge_download(x, v), GE_EDEVICE);
    assert_ok(ge_download(x, v));
    ge_buffer_delete(&x.buf);
    ge_device_close(&dev);
}

/* Every allocation of opening and multiplying may fail. */
static void test_out_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        struct ge_device_options opt = {.threads = 2};
        struct ge_device *dev = NULL;
        struct ge_weight *w = NULL;
        struct ge_tensor x = {0}, none = {0};
        float host[64] = {1};
        ge_status rc;

        ge_mem_fail_at(n, 0);
        rc = ge_device_open("auto", &opt, &dev);
        if (rc == GE_OK) rc = ge_tensor_new(dev, 16, 8, GE_F32, &x);
        if (rc == GE_OK) rc = ge_weight_new(dev, host, host, 8, 8, GE_F32, &w);
        if (rc == GE_OK) rc = ge_upload(ge_tensor_rows(x, 0, 8), host);
        if (rc == GE_OK)
            rc = ge_matmul(dev, ge_tensor_rows(x, 0, 8), w, GE_ACT_NONE, none,
                           ge_tensor_rows(x, 8, 8));
        ge_mem_fail_at(0, 0);
        ge_weight_delete(&w);
        ge_buffer_delete(&x.buf);
        ge_device_close(&dev);
        if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
    }
}

/* Two stages in turn: what was sent is what the operations between acquire and release see. */
static void test_stages(void **state)
{
    enum { LEN = 1000, ROUNDS = 7 };
    static float sent[ROUNDS][LEN], got[ROUNDS][LEN];

    (void)state;
    for (size_t i = 0; ge_device_name_at(i) != NULL; i++) {
        struct ge_stage *stage[2];
        struct ge_fetch *fetch[2];
        struct ge_device *dev;
        struct ge_tensor x, out;
        const void *back;
        void *host;
        assert_ok(ge_device_open(ge_device_name_at(i), NULL, &dev));
        assert_ok(ge_tensor_new(dev, ROUNDS, LEN, GE_F32, &out));
        for (int s = 0; s < 2; s++) {
            assert_ok(ge_stage_new(dev, sizeof sent[0], &stage[s]));
            assert_ok(ge_fetch_new(dev, sizeof sent[0], &fetch[s]));
        }
        assert_int_equal(ge_stage_bytes(stage[0]), sizeof sent[0]);
        assert_status(ge_stage_send(stage[0], 4, sent, sizeof sent[0]), GE_EINVAL);
        assert_ok(ge_host_new(dev, sizeof sent, &host));
        for (int r = 0; r < ROUNDS; r++) {
            for (int c = 0; c < LEN; c++) sent[r][c] = (float)(LEN * r + c);
            memcpy((float *)host + r * LEN, sent[r], sizeof sent[r]);
            assert_ok(ge_stage_send(stage[r % 2], 0, (float *)host + r * LEN, sizeof sent[r] / 2));
            assert_ok(ge_stage_send(stage[r % 2], sizeof sent[r] / 2, sent[r] + LEN / 2,
                                    sizeof sent[r] / 2));
            assert_ok(ge_stage_acquire(stage[r % 2], 1, LEN, GE_F32, &x));
            assert_ok(ge_copy(dev, x, ge_tensor_rows(out, (size_t)r, 1)));
            assert_ok(ge_stage_release(stage[r % 2]));
            assert_ok(ge_fetch_begin(fetch[r % 2], ge_tensor_rows(out, (size_t)r, 1)));
            if (r == 0) continue;
            assert_ok(ge_fetch_wait(fetch[(r - 1) % 2], &back)); /* of the round before */
            assert_memory_equal(back, sent[r - 1], sizeof sent[r]);
        }
        assert_ok(ge_stage_wait(stage[0]));
        assert_ok(ge_download(out, got));
        assert_memory_equal(got, sent, sizeof sent);
        ge_host_delete(dev, &host);
        assert_null(host);
        assert_status(ge_fetch_begin(fetch[0], out), GE_EINVAL); /* too large */
        for (int s = 0; s < 2; s++) {
            ge_stage_delete(&stage[s]);
            ge_fetch_delete(&fetch[s]);
        }
        assert_null(stage[0]);
        assert_null(fetch[0]);
        ge_stage_delete(&stage[0]);
        ge_fetch_delete(&fetch[0]);
        ge_buffer_delete(&out.buf);
        ge_device_close(&dev);
    }
}

/* A device that lacks the asked type is not opened; "auto" passes it over. */
static void test_dtype(void **state)
{
    struct ge_device_options opt = {.dtype = GE_I32};
    struct ge_device *dev;

    (void)state;
    assert_status(ge_device_open("cpu", &opt, &dev), GE_EUNSUPPORTED);
    assert_non_null(strstr(ge_error(), "int32"));
    assert_null(dev);
    assert_status(ge_device_open("auto", &opt, &dev), GE_EUNSUPPORTED);
}

/* Products by shape, and attention, until counting ends. */
static void test_count(void **state)
{
    enum { OUT = 8, IN = 16, ROWS = 5 };
    const struct ge_tensor none = {0};
    const float values[OUT * IN] = {0};
    struct ge_device *dev;
    struct ge_weight *w, *other;
    struct ge_tensor x, y;
    struct ge_work work = {.n_shapes = 7};

    (void)state;
    assert_ok(ge_device_open("cpu", NULL, &dev));
    assert_ok(ge_weight_new(dev, values, NULL, OUT, IN, GE_F32, &w));
    assert_ok(ge_weight_new(dev, values, NULL, IN, OUT, GE_F32, &other));
    assert_ok(ge_tensor_new(dev, ROWS, IN, GE_F32, &x));
    assert_ok(ge_tensor_new(dev, ROWS, OUT, GE_F32, &y));
    assert_ok(ge_upload(x, values));
    ge_device_count(dev, &work);
    assert_int_equal(work.n_shapes, 0);
    assert_ok(ge_matmul(dev, x, w, GE_ACT_NONE, none, y));
    assert_ok(
        ge_matmul(dev, ge_tensor_rows(x, 0, 2), w, GE_ACT_NONE, none, ge_tensor_rows(y, 0, 2)));
    assert_ok(ge_matmul(dev, y, other, GE_ACT_NONE, none, x));
    ge_device_count(dev, NULL);
    assert_ok(ge_matmul(dev, x, w, GE_ACT_NONE, none, y));
    assert_int_equal(work.n_shapes, 2);
    assert_int_equal(work.shapes[0].n, OUT);
    assert_int_equal(work.shapes[0].k, IN);
    assert_int_equal(work.shapes[0].times, 2);
    assert_int_equal(work.shapes[0].rows, ROWS + 2);
    assert_int_equal(work.shapes[1].rows, ROWS);
    assert_true(work.product_flop == 2.0 * OUT * IN * (ROWS + 2 + ROWS));
    assert_true(work.attention_flop == 0);
    ge_weight_delete(&w);
    ge_weight_delete(&other);
    ge_buffer_delete(&x.buf);
    ge_buffer_delete(&y.buf);
    ge_device_close(&dev);
}

static void test_bench(void **state)
{
    const struct ge_gemm_bench good = {64, 64, 64, GE_F32, 1, 3}, bad = {0, 64, 64, GE_F32, 1, 3};
    struct ge_device *dev;
    double seconds = -1;

    (void)state;
    assert_ok(ge_device_open("cpu", NULL, &dev));
    assert_status(ge_device_bench_gemm(dev, &good, &seconds), GE_EUNSUPPORTED);
    ge_device_close(&dev);
    if (ge_onednn_ops() == NULL) {
        print_message("Skipped: oneDNN was not built in\n");
        return;
    }
    assert_ok(ge_device_open("onednn", NULL, &dev));
    assert_ok(ge_device_bench_gemm(dev, &good, &seconds));
    assert_true(seconds > 0);
    assert_status(ge_device_bench_gemm(dev, &bad, &seconds), GE_EINVAL);
    ge_device_close(&dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),         cmocka_unit_test(test_abi),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_levels),
        cmocka_unit_test(test_late_failure), cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_bench),        cmocka_unit_test(test_broken_module),
        cmocka_unit_test(test_stages),       cmocka_unit_test(test_dtype),
        cmocka_unit_test(test_count),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
