/* Resizing pictures from a formula, against Pillow 12 and 13 (make_resize.py) and torchvision
 * (make_torchvision.py). */
#include "test.h"

#include "base/fs.h"
#include "base/hash.h"
#include "image/resize.h"
#include "picture.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/image"

struct line {
    unsigned seed;
    int w, h, to_w, to_h, filter;
    char hash[2][GE_HASH_HEX]; /* Pillow 12, 13; or torchvision */
};

/* One resize at every instruction-set level that runs here. */
static int check(const struct line *c, enum ge_resize_mode mode, enum ge_pillow pillow,
                 const char *want)
{
    struct ge_image in;
    char hex[GE_HASH_HEX];
    const size_t size = (size_t)c->to_w * (size_t)c->to_h * 3;
    const struct ge_resize to = {.width = c->to_w,
                                 .height = c->to_h,
                                 .filter = (enum ge_resample)c->filter,
                                 .mode = mode,
                                 .pillow = pillow};
    const struct ge_window all = {.width = c->to_w, .height = c->to_h};
    uint8_t *out = ge_calloc(size, 1);
    int ok = 1, level = 0;
    assert_non_null(out);
    draw_picture(c->seed, c->w, c->h, &in);
    for (; ge_image_resize_level(level, &in, &to, &all, out, (size_t)c->to_w * 3) == GE_OK;
         level++) {
        ge_hash_hex(ge_hash_bytes(out, size), hex);
        if (strcmp(hex, want) == 0) continue;
        ok = 0;
        print_error("seed %u: %d x %d to %d x %d, %s, %s %d, level %d: %s, wanted %s\n", c->seed,
                    c->w, c->h, c->to_w, c->to_h, ge_resample_name(c->filter),
                    ge_resize_mode_name(mode), pillow, level, hex, want);
    }
    assert_true(level >= 1);
    free(out);
    ge_image_free(&in);
    return ok;
}

static void test_pillow(void **state)
{
    char *text = NULL, *rest;
    int lines = 0, wrong = 0, differ = 0;
    (void)state;
    assert_ok(ge_fs_read(FOLDER "/resize.txt", 1 << 20, &text, NULL));
    for (char *s = strtok_r(text, "\n", &rest); s; s = strtok_r(NULL, "\n", &rest)) {
        struct line c;
        int n = sscanf(s, "%u %d %d %d %d %d %32s %32s", &c.seed, &c.w, &c.h, &c.to_w, &c.to_h,
                       &c.filter, c.hash[0], c.hash[1]);
        assert_int_equal(n, 8);
        wrong += !check(&c, GE_RESIZE_PIL, GE_PILLOW_12, c.hash[0]);
        wrong += !check(&c, GE_RESIZE_PIL, GE_PILLOW_13, c.hash[1]);
        differ += strcmp(c.hash[0], c.hash[1]) != 0;
        lines++;
    }
    free(text);
    assert_true(lines >= 200);
    assert_true(differ >= 10); /* the two orders of passes are both exercised */
    assert_int_equal(wrong, 0);
}

static void test_torchvision(void **state)
{
    char *text = NULL, *rest;
    int lines = 0, wrong = 0;
    (void)state;
    assert_ok(ge_fs_read(FOLDER "/resize_torchvision.txt", 1 << 20, &text, NULL));
    for (char *s = strtok_r(text, "\n", &rest); s; s = strtok_r(NULL, "\n", &rest)) {
        struct line c;
        int n = sscanf(s, "%u %d %d %d %d %d %32s", &c.seed, &c.w, &c.h, &c.to_w, &c.to_h,
                       &c.filter, c.hash[0]);
        assert_int_equal(n, 7);
        wrong += !check(&c, GE_RESIZE_TORCHVISION, GE_PILLOW_13, c.hash[0]);
        lines++;
    }
    free(text);
    assert_true(lines >= 200);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pillow),
                                       cmocka_unit_test(test_torchvision)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
