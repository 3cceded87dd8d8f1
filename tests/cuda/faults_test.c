/* What can go wrong with a GPU: not there, too old, lost, out of memory; and which GPU a rank takes.
 * Every failure is a status with a message, everything taken is given back, and what does not stick
 * can be tried again. */
#include "base/buf.h"
#include "base/mem.h"
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
    ge_mem_fail_at(0, 0);
    return 0;
}

/* Opening must fail as unsupported, and the message must have every one of the words. */
static void refused(const struct ge_device_options *opt, const char *const words[], size_t n)
{
    struct ge_device *dev;

    assert_status(ge_device_open("cuda", opt, &dev), GE_EUNSUPPORTED);
    assert_null(dev);
    for (size_t i = 0; i < n; i++) {
        if (strstr(ge_error(), words[i]) == NULL) {
            print_error("\"%s\" is not in: %s\n", words[i], ge_error());
            fail();
        }
    }
    assert_int_equal(emu_count().live_blocks, 0);
}
#define REFUSED(opt, ...)                                                                          \
    refused(opt, (const char *const[]){__VA_ARGS__},                                               \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* ---- opening ------------------------------------------------------------------------------ */

static void test_nothing_there(void **state)
{
    (void)state;
    emu_driver(0);
    REFUSED(NULL, "no NVIDIA driver");
    emu_driver(12080);
    REFUSED(NULL, "CUDA 12.8", "CUDA 13.0", "newer driver");
    emu_reset();
    emu_gpus(NULL, 0);
    assert_int_equal(unsetenv("CUDA_VISIBLE_DEVICES"), 0);
    REFUSED(NULL, "no GPU", "CUDA_VISIBLE_DEVICES is unset", "--gres");
    assert_int_equal(setenv("CUDA_VISIBLE_DEVICES", "7", 1), 0);
    REFUSED(NULL, "CUDA_VISIBLE_DEVICES is \"7\"");
    assert_int_equal(unsetenv("CUDA_VISIBLE_DEVICES"), 0);
}

static void test_old_gpus(void **state)
{
    static const struct emu_gpu turing = {"Tesla T4", "0000:3b:00.0", 7, 5, 40, (size_t)1 << 30};
    static const struct emu_gpu volta = {"Tesla V100", "0000:3b:00.0", 7, 0, 80, (size_t)1 << 30};
    struct ge_device_options bf16 = {.dtype = GE_BF16}, fp16 = {.dtype = GE_F16};
    struct ge_device *dev;

    (void)state;
    emu_gpus(&turing, 1);
    REFUSED(&bf16, "Tesla T4", "7.5", "fp16 or fp32");
    assert_ok(ge_device_open("cuda", &fp16, &dev));
    assert_true(ge_device_supports(dev, GE_F16) && ge_device_supports(dev, GE_F32));
    assert_false(ge_device_supports(dev, GE_BF16));
    assert_false(ge_device_supports(dev, GE_I32));
    ge_device_close(&dev);
    emu_gpus(&volta, 1);
    REFUSED(&fp16, "Tesla V100", "7.0", "7.5");
}

static void test_levels(void **state)
{
    struct ge_device_options opt = {.level = "avx2"};
    struct ge_device *dev;

    (void)state;
    assert_status(ge_device_open("cuda", &opt, &dev), GE_EINVAL);
    assert_non_null(strstr(ge_error(), "avx2"));
}

/* Ranks of a node share out the GPUs that they see, in turn. */
static void test_several_gpus(void **state)
{
    static const struct emu_gpu gpus[] = {{"GPU A", "0000:01:00.0", 8, 0, 108, (size_t)1 << 30},
                                          {"GPU B", "0000:41:00.0", 9, 0, 132, (size_t)2 << 30},
                                          {"GPU C", "0000:c1:00.0", 12, 0, 100, (size_t)3 << 30}};
    struct ge_device *dev[7];
    size_t free, total;

    (void)state;
    emu_gpus(gpus, 3);
    for (int rank = 0; rank < 7; rank++) {
        struct ge_device_options opt = {.index = rank};
        assert_ok(ge_device_open("cuda", &opt, &dev[rank]));
        assert_string_equal(ge_device_pci(dev[rank]), gpus[rank % 3].pci);
        assert_non_null(strstr(ge_device_describe(dev[rank]), gpus[rank % 3].name));
        assert_true(ge_device_memory(dev[rank], &free, &total));
        assert_int_equal(total, gpus[rank % 3].memory);
        assert_true(free < total);
    }
    /* Used in turn: each call goes to its own device. */
    for (int round = 0; round < 2; round++) {
        for (int rank = 0; rank < 7; rank++) {
            float in[3] = {(float)rank, -1, 2}, out[3];
            struct ge_tensor t;
            assert_ok(ge_tensor_new(dev[rank], 1, 3, GE_F32, &t));
            assert_ok(ge_upload(t, in));
            assert_ok(ge_activate(dev[rank], GE_ACT_RELU, t, t));
            assert_ok(ge_download(t, out));
            assert_true(out[0] == (float)rank && out[1] == 0 && out[2] == 2);
            ge_buffer_delete(&t.buf);
        }
    }
    for (int rank = 0; rank < 7; rank++) ge_device_close(&dev[rank]);
    assert_int_equal(emu_count().live_blocks, 0);
}

/* The numerics id tells apart what may differ in digits. */
static void test_ids(void **state)
{
    static const struct emu_gpu other = {"Other GPU", "0000:1a:00.0", 9, 0, 132, (size_t)4 << 30};
    const struct ge_device_options options[] = {
        {.dtype = GE_F32}, {.dtype = GE_F32, .tf32 = true}, {.dtype = GE_BF16}, {.dtype = GE_F16}};
    char ids[6][256];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct ge_device *dev;
        if (i == 4) emu_lt_version(130202);
        if (i == 5) emu_gpus(&other, 1);
        assert_ok(ge_device_open("cuda", &options[i % 4], &dev));
        snprintf(ids[i], sizeof ids[i], "%s", ge_device_numerics(dev));
        ge_device_close(&dev);
        for (size_t j = 0; j < i; j++) assert_string_not_equal(ids[i], ids[j]);
    }
}

/* ---- memory ------------------------------------------------------------------------------- */

/* Each allocation of a whole program fails once; then the program runs. */
static void fail_each(void (*fail_at)(long), const char *what)
{
    struct program_options opt = {.dtype = GE_BF16, .small = true};
    unsigned char *bytes;
    ge_status rc = GE_ENOMEM;
    long n = 0;
    size_t len;

    while (rc != GE_OK) {
        assert_true(n++ < 10000);
        emu_reset();
        fail_at(n);
        ge_error_clear();
        rc = run_program(&opt, &bytes, &len);
        if (rc != GE_OK) {
            assert_int_equal(rc, GE_ENOMEM);
            assert_true(strlen(ge_error()) > 0);
        }
        assert_int_equal(emu_count().live_blocks, 0);
    }
    free(bytes);
    print_message("  %s: %ld places\n", what, n - 1);
    assert_true(n > 3);
}

static void fail_own(long n)
{
    ge_mem_fail_at((uint64_t)n, 0);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    fail_each(emu_fail_malloc_at, "device memory");
    fail_each(emu_fail_host_alloc_at, "page-locked memory");
    fail_each(fail_own, "host memory");
}

/* Too large a batch fails with figures; a smaller one then works on the same device. */
static void test_smaller_batch(void **state)
{
    struct ge_device *dev;
    struct ge_tensor t;

    (void)state;
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_status(ge_tensor_new(dev, 1 << 20, 1 << 12, GE_F32, &t), GE_ENOMEM);
    assert_non_null(strstr(ge_error(), "17179.9 MB"));
    assert_false(ge_device_lost(dev));
    assert_ok(ge_tensor_new(dev, 1 << 8, 1 << 12, GE_F32, &t));
    assert_ok(ge_activate(dev, GE_ACT_RELU, t, t));
    assert_ok(ge_synchronize(dev));
    ge_buffer_delete(&t.buf);
    ge_device_close(&dev);
}

/* ---- failing launches --------------------------------------------------------------------- */

/* The n-th launch loses the device while it runs: told by a later call, and by every one after. */
static void test_lost_device(void **state)
{
    struct program_options opt = {.dtype = GE_F16, .small = true};
    unsigned char *bytes;
    ge_status rc = GE_EDEVICE;
    long n = 0;
    size_t len;

    (void)state;
    while (rc != GE_OK) {
        assert_true(n++ < 10000);
        emu_reset();
        emu_set_queue(n % 2 == 0 ? EMU_LATE : EMU_AT_ONCE, 0);
        emu_lose_device_at(n);
        emu_lose_with(n % 3 == 0 ? 214 : 700);
        ge_error_clear();
        rc = run_program(&opt, &bytes, &len);
        if (rc != GE_OK) {
            assert_int_equal(rc, GE_EDEVICE);
            assert_non_null(strstr(ge_error(), n % 3 == 0 ? "cudaErrorECCUncorrectable"
                                                          : "cudaErrorIllegalAddress"));
        }
        assert_int_equal(emu_count().live_blocks, 0);
    }
    free(bytes);
    print_message("  %ld launches\n", n - 1);
    assert_true(n > 20);
}

static void test_stays_lost(void **state)
{
    struct ge_device *dev;
    struct ge_tensor t;
    struct ge_weight *w;
    struct ge_stage *stage;
    float v[16] = {0};
    void *host;

    (void)state;
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_ok(ge_tensor_new(dev, 4, 4, GE_F32, &t));
    assert_ok(ge_stage_new(dev, 64, &stage));
    emu_lose_device_at(1);
    assert_ok(ge_activate(dev, GE_ACT_RELU, t, t)); /* queued */
    assert_false(ge_device_lost(dev));
    assert_status(ge_download(t, v), GE_EDEVICE);
    assert_true(ge_device_lost(dev));
    for (int i = 0; i < 3; i++) {
        assert_status(ge_activate(dev, GE_ACT_RELU, t, t), GE_EDEVICE);
        assert_non_null(strstr(ge_error(), "cudaErrorLaunchFailure"));
        assert_status(ge_upload(t, v), GE_EDEVICE);
        assert_status(ge_download(t, v), GE_EDEVICE);
        assert_status(ge_synchronize(dev), GE_EDEVICE);
        assert_status(ge_weight_new(dev, v, NULL, 4, 4, GE_F32, &w), GE_EDEVICE);
        assert_status(ge_stage_send(stage, 0, v, 64), GE_EDEVICE);
        assert_status(ge_stage_wait(stage), GE_EDEVICE);
        assert_status(ge_host_new(dev, 64, &host), GE_EDEVICE);
    }
    ge_stage_delete(&stage);
    ge_buffer_delete(&t.buf);
    ge_device_close(&dev);
    assert_int_equal(emu_count().live_blocks, 0);
}

/* A launch that the driver refuses is an error of its call, and the device goes on. */
static void test_refused_launch(void **state)
{
    struct program_options opt = {.dtype = GE_F32, .small = true};
    unsigned char *bytes;
    ge_status rc = GE_EDEVICE;
    struct ge_device *dev;
    struct ge_tensor t;
    long n = 0;
    size_t len;

    (void)state;
    while (rc != GE_OK) {
        assert_true(n++ < 10000);
        emu_reset();
        emu_refuse_launch_at(n);
        rc = run_program(&opt, &bytes, &len);
        if (rc != GE_OK) assert_int_equal(rc, GE_EDEVICE);
        assert_int_equal(emu_count().live_blocks, 0);
    }
    free(bytes);
    assert_ok(ge_device_open("cuda", NULL, &dev));
    assert_ok(ge_tensor_new(dev, 4, 4, GE_F32, &t));
    emu_refuse_launch_at(1);
    assert_status(ge_activate(dev, GE_ACT_RELU, t, t), GE_EDEVICE);
    assert_non_null(strstr(ge_error(), "cudaErrorLaunchOutOfResources"));
    assert_false(ge_device_lost(dev));
    assert_ok(ge_activate(dev, GE_ACT_RELU, t, t));
    assert_ok(ge_synchronize(dev));
    ge_buffer_delete(&t.buf);
    ge_device_close(&dev);
}

/* ---- ranges ------------------------------------------------------------------------------- */

static void test_ranges(void **state)
{
    struct ge_device *dev;

    (void)state;
    assert_ok(ge_device_open("cuda", NULL, &dev));
    ge_device_range_push(dev, "images");
    ge_device_range_push(dev, "layer");
    assert_int_equal(emu_count().open_ranges, 2);
    ge_device_range_pop(dev);
    ge_device_range_pop(dev);
    assert_int_equal(emu_count().open_ranges, 0);
    ge_device_close(&dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_nothing_there, reset),
        cmocka_unit_test_teardown(test_old_gpus, reset),
        cmocka_unit_test_teardown(test_levels, reset),
        cmocka_unit_test_teardown(test_several_gpus, reset),
        cmocka_unit_test_teardown(test_ids, reset),
        cmocka_unit_test_teardown(test_out_of_memory, reset),
        cmocka_unit_test_teardown(test_smaller_batch, reset),
        cmocka_unit_test_teardown(test_lost_device, reset),
        cmocka_unit_test_teardown(test_stays_lost, reset),
        cmocka_unit_test_teardown(test_refused_launch, reset),
        cmocka_unit_test_teardown(test_ranges, reset),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
