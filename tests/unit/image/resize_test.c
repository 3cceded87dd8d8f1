/* Scaling: every instruction-set level and every window gives the same pixels, extreme shapes,
 * limits, and allocations that fail. The pixels themselves are compared with Pillow and torchvision
 * in tests/golden/image. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "image/decode.h"
#include "image/resize.h"
#include "image/resize_kernels.h"

static const enum ge_resize_mode modes[] = {GE_RESIZE_PIL, GE_RESIZE_TORCHVISION};

static void noise(int width, int height, uint64_t seed, struct ge_image *image)
{
    *image = (struct ge_image){0};
    assert_ok(ge_image_alloc(image, width, height));
    for (size_t i = 0; i < (size_t)width * (size_t)height * 3; i += 4) {
        uint32_t word[4];
        ge_philox(2, seed, i, word);
        for (size_t k = 0; k < 4 && i + k < (size_t)width * (size_t)height * 3; k++)
            image->rgb[i + k] = word[3] % 3 != 0 ? (uint8_t)word[k] : word[k] & 1 ? 255 : 0;
    }
}

/* A random resize: pictures of 1 to 90 pixels a side, every filter, some axes unchanged. */
static struct ge_resize draw_resize(uint64_t seed, int *width, int *height)
{
    uint32_t a[4], b[4];
    ge_philox(3, seed, 0, a);
    ge_philox(3, seed, 1, b);
    *width = 1 + (int)(a[0] % (a[1] % 90 + 1));
    *height = 1 + (int)(a[2] % (a[3] % 90 + 1));
    struct ge_resize to = {.width = b[3] % 8 == 0 ? *width : 1 + (int)(b[0] % 60),
                           .height = b[3] % 8 == 1 ? *height : 1 + (int)(b[1] % 60),
                           .filter = (enum ge_resample)(b[2] % 5),
                           .mode = modes[b[2] / 5 % 2],
                           .pillow = b[2] / 10 % 2 ? GE_PILLOW_12 : GE_PILLOW_13};
    if (to.mode == GE_RESIZE_TORCHVISION && to.filter == GE_RESAMPLE_BOX)
        to.filter = GE_RESAMPLE_BICUBIC;
    return to;
}

/* The part of the picture at every level, among bytes that must stay as they are. */
static void check_part(const struct ge_image *in, const struct ge_resize *to,
                       const struct ge_image *whole, const struct ge_window *part)
{
    enum { MARGIN = 5 };
    const size_t row = (size_t)part->width * 3, stride = row + MARGIN;
    for (int level = 0; ge_resize_kernels(level) != NULL; level++) {
        uint8_t *out = malloc(stride * (size_t)part->height);
        assert_non_null(out);
        memset(out, 0xA5, stride * (size_t)part->height);
        assert_ok(ge_image_resize_level(level, in, to, part, out, stride));
        for (int y = 0; y < part->height; y++) {
            const uint8_t *got = out + (size_t)y * stride;
            const uint8_t *want =
                whole->rgb +
                ((size_t)(part->top + y) * (size_t)whole->width + (size_t)part->left) * 3;
            if (memcmp(got, want, row) != 0)
                fail_msg("level %s: %d x %d to %d x %d, %s, %s: another row %d",
                         ge_resize_kernels(level)->level, in->width, in->height, to->width,
                         to->height, ge_resample_name(to->filter), ge_resize_mode_name(to->mode),
                         y);
            for (int i = 0; i < MARGIN; i++) assert_int_equal(got[row + (size_t)i], 0xA5);
        }
        free(out);
    }
}

static void test_levels_and_parts(void **state)
{
    enum { ROUNDS = 1500 };
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct ge_image in, whole;
        int width, height;
        uint32_t word[4];
        struct ge_resize to = draw_resize(seed, &width, &height);
        noise(width, height, seed, &in);
        assert_ok(ge_image_resize(&in, &to, &whole));
        check_part(&in, &to, &whole, &(struct ge_window){0, 0, to.width, to.height});
        ge_philox(4, seed, 0, word);
        struct ge_window part = {.left = (int)(word[0] % (uint32_t)to.width),
                                 .top = (int)(word[1] % (uint32_t)to.height)};
        part.width = 1 + (int)(word[2] % (uint32_t)(to.width - part.left));
        part.height = 1 + (int)(word[3] % (uint32_t)(to.height - part.top));
        check_part(&in, &to, &whole, &part);
        ge_image_free(&in);
        ge_image_free(&whole);
    }
}

/* A flat picture stays flat, whatever is done to its shape. */
static void test_extreme_shapes(void **state)
{
    static const int shapes[][4] = {{1, 1, 300, 300}, {1, 1, 1, 2000},   {2000, 1, 1, 1},
                                    {1, 2000, 1, 1},  {3000, 2, 2, 500}, {2, 3000, 500, 2},
                                    {40000, 1, 7, 3}, {1, 40000, 3, 7},  {257, 3, 255, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int f = 0; f < 10; f++) {
            struct ge_resize to = {.width = shapes[i][2],
                                   .height = shapes[i][3],
                                   .filter = (enum ge_resample)(f % 5),
                                   .mode = modes[f / 5],
                                   .pillow = GE_PILLOW_13};
            struct ge_image in = {0}, out;
            if (to.mode == GE_RESIZE_TORCHVISION && to.filter == GE_RESAMPLE_BOX) continue;
            assert_ok(ge_image_alloc(&in, shapes[i][0], shapes[i][1]));
            memset(in.rgb, 201, (size_t)in.width * (size_t)in.height * 3);
            assert_ok(ge_image_resize(&in, &to, &out));
            for (size_t k = 0; k < (size_t)to.width * (size_t)to.height * 3; k++)
                assert_int_equal(out.rgb[k], 201);
            ge_image_free(&in);
            ge_image_free(&out);
        }
    }
}

static void test_refused(void **state)
{
    struct ge_image in = {0}, out;
    const struct ge_window one = {.width = 1, .height = 1};
    uint8_t pixel[3];
    (void)state;
    assert_ok(ge_image_alloc(&in, 3, 2));
    for (int m = 0; m < 2; m++) {
        struct ge_resize to = {
            .width = 2, .filter = GE_RESAMPLE_BICUBIC, .mode = modes[m], .pillow = GE_PILLOW_13};
        assert_status(ge_image_resize(&in, &to, &out), GE_EINVAL);
        assert_null(out.rgb);
        to.height = 2;
        in.width = 90000000; /* refused before a pixel is looked at */
        assert_status(ge_image_resize(&in, &to, &out), GE_ELIMIT);
        assert_null(out.rgb);
        in.width = 3;
        to.height = 50000000;
        assert_status(ge_image_resize(&in, &to, &out), GE_ELIMIT);
        to.height = 2;
        assert_status(ge_image_resize_level(3, &in, &to, &one, pixel, 3), GE_EINVAL);
        assert_status(ge_image_resize_level(-1, &in, &to, &one, pixel, 3), GE_EINVAL);
        assert_ok(ge_image_resize_level(0, &in, &to, &one, pixel, 3));
        to.filter = GE_RESAMPLE_BOX;
        assert_status(ge_image_resize(&in, &to, &out), m == 0 ? GE_OK : GE_EUNSUPPORTED);
        ge_image_free(&out);
    }
    ge_image_free(&in);
}

static void test_out_of_memory(void **state)
{
    struct ge_image in, out;
    (void)state;
    noise(40, 30, 1, &in);
    for (int f = 0; f < 10; f++) {
        const struct ge_resize to = {.width = 7,
                                     .height = 9,
                                     .filter = (enum ge_resample)(f % 5),
                                     .mode = modes[f / 5],
                                     .pillow = GE_PILLOW_13};
        if (to.mode == GE_RESIZE_TORCHVISION && to.filter == GE_RESAMPLE_BOX) continue;
        ge_status rc = GE_ENOMEM;
        uint64_t n = 0;
        while (rc == GE_ENOMEM) {
            ge_mem_fail_at(++n, 0);
            rc = ge_image_resize(&in, &to, &out);
            ge_mem_fail_at(0, 0);
            assert_true(rc == GE_ENOMEM || rc == GE_OK);
            assert_true((out.rgb != NULL) == (rc == GE_OK));
            ge_image_free(&out);
        }
        assert_true(n >= 3);
    }
    ge_image_free(&in);
}

static void test_names(void **state)
{
    enum ge_resize_mode mode;
    (void)state;
    assert_string_equal(ge_resample_name(3), "bicubic");
    assert_null(ge_resample_name(5));
    assert_null(ge_resample_name(-1));
    for (int m = 0; m < 2; m++) {
        assert_true(ge_resize_mode_find(ge_resize_mode_name(modes[m]), &mode));
        assert_int_equal(mode, modes[m]);
    }
    assert_false(ge_resize_mode_find("opencv", &mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_and_parts),
        cmocka_unit_test(test_extreme_shapes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
