/* Every sample picture against what Pillow and transformers see in it (make_images.py). */
#include "test.h"

#include "base/fs.h"
#include "base/hash.h"
#include "image/image.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/image"

struct view {
    int width, height;
    char drop[GE_HASH_HEX], white[GE_HASH_HEX];
};

static int same(const char *name, const struct ge_image_options *opt, const struct view *want,
                const char *want_hash)
{
    char path[512], hex[GE_HASH_HEX];
    struct ge_image image;
    snprintf(path, sizeof path, FOLDER "/samples/%s", name);
    ge_status rc = ge_image_decode_file(path, opt, &image);
    if (rc != GE_OK) {
        print_error("%s: %s\n", name, ge_error());
        return 0;
    }
    ge_hash_hex(ge_hash_bytes(image.rgb, (size_t)image.width * (size_t)image.height * 3), hex);
    int ok =
        image.width == want->width && image.height == want->height && strcmp(hex, want_hash) == 0;
    if (!ok)
        print_error("%s: exif %d alpha %d: %d x %d %s, wanted %d x %d %s\n", name, opt->exif,
                    opt->alpha, image.width, image.height, hex, want->width, want->height,
                    want_hash);
    ge_image_free(&image);
    return ok;
}

static int refused(const char *name)
{
    char path[512];
    struct ge_image image;
    snprintf(path, sizeof path, FOLDER "/samples/%s", name);
    ge_error_clear();
    ge_status rc = ge_image_decode_file(path, NULL, &image);
    int ok = (rc == GE_EFORMAT || rc == GE_EUNSUPPORTED || rc == GE_ELIMIT) && image.rgb == NULL &&
             strstr(ge_error(), name) != NULL;
    if (!ok) print_error("%s: %s, wanted a refusal that names it\n", name, ge_status_name(rc));
    ge_image_free(&image);
    return ok;
}

static int check_line(const char *line)
{
    char name[128];
    struct view upright, stored;
    struct ge_image_options opt;
    int ok = 1;
    ge_image_options_init(&opt);
    int n = sscanf(line, "%127s %d %d %32s %32s %d %d %32s %32s", name, &upright.width,
                   &upright.height, upright.drop, upright.white, &stored.width, &stored.height,
                   stored.drop, stored.white);
    if (n == 1) return refused(name);
    assert_int_equal(n, 9);
    ok &= same(name, &opt, &upright, upright.drop);
    opt.alpha = GE_ALPHA_WHITE;
    ok &= same(name, &opt, &upright, upright.white);
    opt.exif = GE_EXIF_IGNORE;
    ok &= same(name, &opt, &stored, stored.white);
    opt.alpha = GE_ALPHA_DROP;
    ok &= same(name, &opt, &stored, stored.drop);
    return ok;
}

static void test_samples(void **state)
{
    char *text = NULL, *rest;
    int lines = 0, wrong = 0;
    (void)state;
    assert_ok(ge_fs_read(FOLDER "/decode.txt", 1 << 20, &text, NULL));
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        wrong += !check_line(line);
        lines++;
    }
    free(text);
    assert_true(lines >= 100);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
