/* Settings of many kinds on pictures from a formula, against transformers (make_preprocess.py). */
#include "test.h"

#include "base/fs.h"
#include "base/hash.h"
#include "image/preprocess.h"
#include "picture.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/image"

struct line {
    char folder[64];
    unsigned seed;
    int w, h, to_h, to_w;
    char pixels[GE_HASH_HEX], tensor[GE_HASH_HEX];
};

static int equal(const struct line *c, const char *what, const void *data, size_t len,
                 const char *want)
{
    char hex[GE_HASH_HEX];
    ge_hash_hex(ge_hash_bytes(data, len), hex);
    if (strcmp(hex, want) == 0) return 1;
    print_error("%s: picture %u of %d x %d: %s %s, wanted %s\n", c->folder, c->seed, c->w, c->h,
                what, hex, want);
    return 0;
}

static int check(const struct line *c, enum ge_resize_mode mode)
{
    char folder[512];
    struct ge_preprocess p;
    struct ge_preprocess_switches sw;
    struct ge_image image;
    ge_preprocess_switches_init(&sw);
    sw.resize = mode;
    snprintf(folder, sizeof folder, FOLDER "/preprocess/%s", c->folder);
    assert_ok(ge_preprocess_load(folder, &sw, &p));
    assert_int_equal(p.height, c->to_h);
    assert_int_equal(p.width, c->to_w);
    draw_picture(c->seed, c->w, c->h, &image);
    size_t n = ge_preprocess_size(&p);
    uint8_t *pixels = ge_calloc(n, 1);
    float *tensor = ge_calloc(n, sizeof *tensor);
    assert_non_null(pixels);
    assert_non_null(tensor);
    assert_ok(ge_preprocess_pixels(&p, &image, pixels));
    ge_preprocess_tensor(&p, pixels, tensor);
    int ok = equal(c, "pixels", pixels, n, c->pixels);
    ok &= equal(c, "tensor", tensor, n * sizeof *tensor, c->tensor);
    free(pixels);
    free(tensor);
    ge_image_free(&image);
    return ok;
}

static void check_file(const char *path, enum ge_resize_mode mode)
{
    char *text = NULL, *rest;
    int lines = 0, wrong = 0;
    assert_ok(ge_fs_read(path, 1 << 20, &text, NULL));
    for (char *s = strtok_r(text, "\n", &rest); s; s = strtok_r(NULL, "\n", &rest)) {
        struct line c;
        int n = sscanf(s, "%63s %u %d %d %d %d %32s %32s", c.folder, &c.seed, &c.w, &c.h, &c.to_h,
                       &c.to_w, c.pixels, c.tensor);
        assert_int_equal(n, 8);
        wrong += !check(&c, mode);
        lines++;
    }
    free(text);
    assert_true(lines >= 100);
    assert_int_equal(wrong, 0);
}

static void test_pil(void **state)
{
    (void)state;
    check_file(FOLDER "/preprocess.txt", GE_RESIZE_PIL);
}

static void test_torchvision(void **state)
{
    (void)state;
    check_file(FOLDER "/preprocess_torchvision.txt", GE_RESIZE_TORCHVISION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pil),
                                       cmocka_unit_test(test_torchvision)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
