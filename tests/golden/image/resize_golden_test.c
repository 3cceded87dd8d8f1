/* Resizing pictures from a formula, against Pillow 12 and 13 (make_resize.py). */
#include "test.h"

#include "base/fs.h"
#include "base/hash.h"
#include "image/resize.h"
#include "picture.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/image"

struct line {
    unsigned seed;
    int w, h, to_w, to_h, filter;
    char hash[2][GE_HASH_HEX]; /* Pillow 12, 13 */
};

static int check(const struct line *c, enum ge_pillow pillow, const char *want)
{
    struct ge_image in, out;
    char hex[GE_HASH_HEX];
    draw_picture(c->seed, c->w, c->h, &in);
    assert_ok(ge_image_resize(&in, c->to_w, c->to_h, (enum ge_resample)c->filter, pillow, &out));
    assert_int_equal(out.width, c->to_w);
    assert_int_equal(out.height, c->to_h);
    ge_hash_hex(ge_hash_bytes(out.rgb, (size_t)out.width * (size_t)out.height * 3), hex);
    int ok = strcmp(hex, want) == 0;
    if (!ok)
        print_error("seed %u: %d x %d to %d x %d, %s, Pillow %d: %s, wanted %s\n", c->seed, c->w,
                    c->h, c->to_w, c->to_h, ge_resample_name(c->filter), pillow, hex, want);
    ge_image_free(&in);
    ge_image_free(&out);
    return ok;
}

static void test_resize(void **state)
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
        wrong += !check(&c, GE_PILLOW_12, c.hash[0]);
        wrong += !check(&c, GE_PILLOW_13, c.hash[1]);
        differ += strcmp(c.hash[0], c.hash[1]) != 0;
        lines++;
    }
    free(text);
    assert_true(lines >= 200);
    assert_true(differ >= 10); /* the two orders of passes are both exercised */
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resize)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
