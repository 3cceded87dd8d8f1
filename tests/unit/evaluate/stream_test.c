/* A stream of image files: rows in order whoever was quicker, bad files as rows of their own, failures
 * that end it; and the pool of pixels behind it. */
#include <pthread.h>

#include "base/mem.h"
#include "evaluate/stream.h"
#include "fake_device.h"
#include "image/preprocess.h"
#include "test.h"

#define SAMPLES GE_SOURCE_DIR "/tests/golden/image/samples/"
#define MODEL   GE_SOURCE_DIR "/tests/golden/model/clip_quick"

enum { N = 100, MOST_DIM = 64 };

static const char *const names[] = {
    SAMPLES "png_c2_d8.png",      SAMPLES "jpeg_small.jpg",   SAMPLES "empty.jpg",
    SAMPLES "webp_lossless.webp", SAMPLES "no-such-file.png", SAMPLES "jpeg_s2.jpg",
    SAMPLES "png_cut.png",
};
enum { NAMES = sizeof names / sizeof names[0] };

struct sink {
    size_t next, dim, fail_at; /* fail_at: give up at this image; 0: never */
    float rows[N][MOST_DIM];
    ge_status status[N];
};

static ge_status keep(void *ctx, size_t first, size_t n, const float *rows, const ge_status *status,
                      const char *const *reason)
{
    struct sink *s = ctx;
    assert_int_equal(first, s->next);
    assert_true(n >= 1 && first + n <= N);
    for (size_t i = 0; i < n; i++) {
        if (s->fail_at > 0 && first + i == s->fail_at) return ge_fail(GE_EIO, "the disk is full");
        memcpy(s->rows[first + i], rows + i * s->dim, s->dim * sizeof *rows);
        s->status[first + i] = status[i];
        /* the path, unless memory was too short even for that */
        if (status[i] != GE_OK)
            assert_true(strstr(reason[i], SAMPLES) != NULL ||
                        strcmp(reason[i], ge_status_name(status[i])) == 0);
    }
    s->next += n;
    return GE_OK;
}

/* Embed N files with decoding threads and batches of a size. */
static ge_status embed(const char *device, int threads, size_t batch, bool pooled, size_t fail_at,
                       struct sink *sink)
{
    struct ge_encoder_options options = {.max_batch = batch};
    struct ge_stream_times times;
    struct ge_device *dev = NULL;
    const char *paths[N];
    struct ge_stream stream = {.normalize = true, .rows = keep, .ctx = sink};
    ge_status rc;

    for (size_t i = 0; i < N; i++) paths[i] = names[i * i % NAMES];
    assert_ok(ge_device_open(device, NULL, &dev));
    assert_ok(ge_encoder_load(MODEL, dev, &options, &stream.encoder));
    assert_ok(ge_pool_new(threads, &stream.decode_pool));
    if (pooled) assert_ok(ge_pixels_new(dev, &stream.pixels));
    *sink = (struct sink){.dim = ge_encoder_dim(stream.encoder), .fail_at = fail_at};
    assert_true(sink->dim <= MOST_DIM);
    rc = ge_stream_images(&stream, paths, N, &times);
    assert_true(times.total > 0 && times.decode >= 0 && times.starved <= times.total);
    ge_encoder_delete(&stream.encoder);
    ge_pool_delete(&stream.decode_pool);
    ge_pixels_delete(&stream.pixels);
    ge_device_close(&dev);
    return rc;
}

/* Each file alone. */
static void expect(struct sink *want)
{
    struct ge_encoder *e;
    struct ge_device *dev;

    assert_ok(ge_device_open("cpu", NULL, &dev));
    assert_ok(ge_encoder_load(MODEL, dev, NULL, &e));
    *want = (struct sink){.dim = ge_encoder_dim(e)};
    for (size_t i = 0; i < N; i++) {
        const struct ge_preprocess *p = ge_encoder_preprocess(e);
        uint8_t *pixels = ge_calloc(ge_preprocess_size(p), 1);
        const uint8_t *picture = pixels;
        want->status[i] = ge_preprocess_file(p, names[i * i % NAMES], NULL, pixels);
        if (want->status[i] == GE_OK)
            assert_ok(ge_encoder_images(e, &picture, 1, true, want->rows[i]));
        free(pixels);
    }
    ge_encoder_delete(&e);
    ge_device_close(&dev);
}

static void test_rows(void **state)
{
    static struct sink want, got;

    (void)state;
    expect(&want);
    for (int threads = 1; threads <= 4; threads += 3) {
        for (size_t batch = 1; batch <= 128; batch = batch * 5 + 2) {
            bool pooled = batch != 1;
            const char *device = threads == 1 ? "cpu" : "fake";
            assert_ok(embed(device, threads, batch, pooled, 0, &got));
            assert_int_equal(got.next, N);
            for (size_t i = 0; i < N; i++) {
                assert_int_equal(got.status[i], want.status[i]);
                if (want.status[i] == GE_OK)
                    assert_memory_equal(got.rows[i], want.rows[i], got.dim * sizeof(float));
                else
                    assert_true(isnan(got.rows[i][0]) && isnan(got.rows[i][got.dim - 1]));
            }
        }
    }
    assert_int_equal(want.status[0], GE_OK); /* both kinds are among them */
    assert_int_equal(want.status[2], GE_ENOENT);
}

/* Rows that cannot be kept, and a device that is lost, end the stream with their failure. */
static void test_failures(void **state)
{
    static struct sink sink;

    (void)state;
    assert_status(embed("cpu", 3, 8, true, 50, &sink), GE_EIO);
    assert_non_null(strstr(ge_error(), "disk"));
    fake_device_lose_at(400);
    assert_status(embed("fake", 2, 8, true, 0, &sink), GE_EDEVICE);
    fake_device_lose_at(0);
    assert_true(sink.next < N);
}

static void test_out_of_memory(void **state)
{
    static struct sink want, got;
    size_t failures = 0;

    (void)state;
    assert_ok(embed("cpu", 1, 8, true, 0, &want));
    for (uint64_t n = 1; n < 400; n += 7) {
        struct ge_encoder_options options = {.max_batch = 8};
        struct ge_stream stream = {.normalize = true, .rows = keep, .ctx = &got};
        struct ge_device *dev;
        const char *paths[N];
        for (size_t i = 0; i < N; i++) paths[i] = names[i * i % NAMES];
        assert_ok(ge_device_open("cpu", NULL, &dev));
        assert_ok(ge_encoder_load(MODEL, dev, &options, &stream.encoder));
        assert_ok(ge_pixels_new(dev, &stream.pixels));
        got = (struct sink){.dim = ge_encoder_dim(stream.encoder)};
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_stream_images(&stream, paths, N, NULL);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
        failures += rc != GE_OK;
        for (size_t i = 0; rc == GE_OK && i < N; i++)
            if (got.status[i] == GE_OK)
                assert_memory_equal(got.rows[i], want.rows[i], got.dim * sizeof(float));
        ge_encoder_delete(&stream.encoder);
        ge_pixels_delete(&stream.pixels);
        ge_device_close(&dev);
    }
    assert_true(failures > 5);
}

/* ---- pixels ------------------------------------------------------------------------------- */

enum { TURNS = 2000, HELD = 7 };

static void *turn_over(void *arg)
{
    struct ge_pixels *p = arg;
    uint8_t *held[HELD] = {0};
    size_t bytes[HELD] = {0};

    for (size_t t = 0; t < TURNS; t++) {
        size_t i = t % HELD;
        for (size_t k = 0; held[i] != NULL && k < bytes[i]; k += 61)
            if (held[i][k] != (uint8_t)i) return "somebody else wrote to a piece";
        ge_pixels_put(p, held[i], bytes[i]);
        bytes[i] = 1000 + t % 20 * 100; /* more sizes than are kept apart */
        held[i] = ge_pixels_get(p, bytes[i]);
        if (held[i] == NULL) return "no piece";
        memset(held[i], (int)i, bytes[i]);
    }
    for (size_t i = 0; i < HELD; i++) ge_pixels_put(p, held[i], bytes[i]);
    return NULL;
}

static void test_pixels(void **state)
{
    struct ge_device *dev;
    struct ge_pixels *p;
    pthread_t threads[4];
    void *complaint;

    (void)state;
    assert_ok(ge_device_open("cpu", NULL, &dev));
    assert_ok(ge_pixels_new(dev, &p));
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, turn_over, p);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &complaint);
        assert_null(complaint);
    }
    uint8_t *large = ge_pixels_get(p, (size_t)20 << 20); /* one size too many: from the heap */
    assert_non_null(large);
    ge_pixels_put(p, large, (size_t)20 << 20);
    ge_pixels_delete(&p);
    assert_null(p);
    ge_pixels_delete(&p);
    assert_ok(ge_pixels_new(dev, &p));
    large = ge_pixels_get(p, (size_t)20 << 20);
    assert_non_null(large);
    memset(large, 1, (size_t)20 << 20);
    ge_pixels_put(p, large, (size_t)20 << 20);
    uint8_t *again = ge_pixels_get(p, (size_t)20 << 20);
    assert_ptr_equal(again, large);
    ge_pixels_put(p, again, (size_t)20 << 20);
    ge_mem_fail_at(1, 1);
    assert_null(ge_pixels_get(p, 123456));
    ge_mem_fail_at(0, 0);
    ge_pixels_delete(&p);
    ge_device_close(&dev);
    uint8_t *heap = ge_pixels_get(NULL, 10);
    assert_non_null(heap);
    ge_pixels_put(NULL, heap, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_pixels),
    };
    if (ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
