/* Small checks on pictures whose pixels are known without a reference: probing, turning,
 * compositing over white. */
#include "test.h"

#include "base/fs.h"
#include "image/decode.h"
#include "image/jpeg_loop.h"

#define SAMPLES GE_SOURCE_DIR "/tests/golden/image/samples"

/* The header's size and kind are those of the decoded picture. */
static void test_probe(void **state)
{
    static const struct {
        const char *name;
        enum ge_image_format format;
        int width, height;
    } want[] = {
        {"jpeg_exif6.jpg", GE_IMAGE_JPEG, 23, 14},  {"png_c3_d4_adam7.png", GE_IMAGE_PNG, 13, 11},
        {"webp_lossy.webp", GE_IMAGE_WEBP, 43, 31}, {"webp_lossless.webp", GE_IMAGE_WEBP, 43, 31},
        {"webp_alpha.webp", GE_IMAGE_WEBP, 27, 19}, {"wrong_name.png", GE_IMAGE_WEBP, 43, 31}};
    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char path[512], *data;
        size_t len;
        int width, height;
        enum ge_image_format format;
        snprintf(path, sizeof path, SAMPLES "/%s", want[i].name);
        assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
        assert_ok(ge_image_probe(data, len, &width, &height, &format));
        assert_int_equal(width, want[i].width);
        assert_int_equal(height, want[i].height);
        assert_string_equal(ge_image_format_name(format), ge_image_format_name(want[i].format));
        assert_ok(ge_image_probe(data, len, NULL, NULL, NULL));
        assert_status(ge_image_probe(data, 20, NULL, NULL, NULL), GE_EFORMAT);
        free(data);
    }
    assert_status(ge_image_probe("", 0, NULL, NULL, NULL), GE_EFORMAT);
}

/* A 3 x 2 picture whose red channel is 0 1 2 / 3 4 5. */
static void small(struct ge_image *image)
{
    *image = (struct ge_image){0};
    assert_ok(ge_image_alloc(image, 3, 2));
    for (int i = 0; i < 6; i++) image->rgb[3 * i] = (uint8_t)i;
}

static void test_turn(void **state)
{
    static const char *const want[9] = {"012345", "012345", "210543", "543210", "345012",
                                        "031425", "304152", "524130", "251403"};
    (void)state;
    for (int orientation = 0; orientation <= 8; orientation++) {
        struct ge_image image;
        char got[7] = "";
        small(&image);
        assert_ok(ge_image_turn(&image, orientation));
        assert_int_equal(image.width, orientation >= 5 ? 2 : 3);
        assert_int_equal(image.height, orientation >= 5 ? 3 : 2);
        for (int i = 0; i < 6; i++) got[i] = (char)('0' + image.rgb[3 * i]);
        assert_string_equal(got, want[orientation]);
        ge_image_free(&image);
    }
}

static void test_orientation(void **state)
{
    static const uint8_t big[] =
        "Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
    static const char xmp[] = "<a tiff:Orientation=\"9\" tiff:Orientation=\"5\">";
    const size_t n = sizeof big - 1;
    (void)state;
    assert_int_equal(ge_orientation(big, n, NULL, 0), 6);
    assert_int_equal(ge_orientation(big + 6, n - 6, NULL, 0), 6);
    for (size_t len = 0; len < n; len++) assert_int_equal(ge_orientation(big, len, NULL, 0), 1);
    assert_int_equal(ge_orientation(big, n, (const uint8_t *)xmp + 24, sizeof xmp - 25), 6);
    assert_int_equal(ge_orientation(NULL, 0, (const uint8_t *)xmp + 24, sizeof xmp - 25), 5);
    assert_int_equal(ge_orientation(NULL, 0, (const uint8_t *)xmp, sizeof xmp - 1), 1);
    assert_int_equal(ge_orientation(NULL, 0, (const uint8_t *)"tiff:Orientation>3", 18), 3);
    assert_int_equal(ge_orientation(NULL, 0, (const uint8_t *)"tiff:Orientation>", 17), 1);
}

static void test_over_white(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        assert_int_equal(ge_over_white(v, 255), v);
        assert_int_equal(ge_over_white(v, 0), 255);
        for (unsigned a = 0; a < 256; a++)
            assert_close(ge_over_white(v, a), v * a / 255.0 + 255 - a, 0.51);
    }
}

/* The loop that decoding is measured against gives the same pixels, into memory used again. */
static void test_jpeg_loop(void **state)
{
    static const char *const names[] = {"jpeg_s2.jpg", "jpeg_grey.jpg", "jpeg_s0_progressive.jpg"};
    struct ge_jpeg_loop *loop;
    struct ge_image got = {0}, want = {0};
    (void)state;
    assert_ok(ge_jpeg_loop_new(&loop));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512], *data;
        size_t len;
        snprintf(path, sizeof path, SAMPLES "/%s", names[i]);
        assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
        assert_ok(ge_jpeg_loop_run(loop, data, len, &got));
        assert_ok(ge_image_decode_into(data, len, NULL, &want));
        assert_int_equal(got.width, want.width);
        assert_int_equal(got.height, want.height);
        assert_memory_equal(got.rgb, want.rgb, (size_t)got.width * (size_t)got.height * 3);
        assert_status(ge_jpeg_loop_run(loop, data, 100, &got), GE_EFORMAT);
        assert_status(ge_image_decode_into(data, 100, NULL, &want), GE_EFORMAT);
        assert_int_equal(want.width, 0);
        free(data);
    }
    ge_image_free(&got);
    ge_image_free(&want);
    ge_jpeg_loop_delete(&loop);
    ge_jpeg_loop_delete(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe),       cmocka_unit_test(test_turn),
        cmocka_unit_test(test_orientation), cmocka_unit_test(test_over_white),
        cmocka_unit_test(test_jpeg_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
