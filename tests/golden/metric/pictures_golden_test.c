/* Similarity, hashes and distances of pictures against the tools whose names they bear: pictures.txt,
 * made by make_pictures.py. */
#include "test.h"

#include <inttypes.h>

#include "image/image.h"
#include "metric/mmd.h"
#include "metric/picture.h"
#include "metric/ssim.h"

static void load(const char *name, struct ge_image *image)
{
    char path[512];
    snprintf(path, sizeof path, GE_SOURCE_DIR "/data/demo/images/%s", name);
    assert_ok(ge_image_decode_file(path, NULL, image));
}

static void check_ssim(FILE *f)
{
    char a[128], b[128];
    double skimage, torchmetrics, value;
    struct ge_image x = {0}, y = {0};
    assert_int_equal(fscanf(f, "%127s %127s %lf %lf", a, b, &skimage, &torchmetrics), 4);
    load(a, &x);
    load(b, &y);
    assert_ok(ge_ssim(&x, &y, GE_SSIM_SKIMAGE, &value));
    assert_close(value, skimage, 1e-10);
    assert_ok(ge_ssim(&x, &y, GE_SSIM_TORCHMETRICS, &value));
    assert_close(value, torchmetrics, 1e-6);
    ge_image_free(&x);
    ge_image_free(&y);
}

static void check_hash(FILE *f)
{
    char name[128];
    uint64_t want;
    struct ge_image x = {0};
    float picture[GE_PICTURE_SIZE];
    assert_int_equal(fscanf(f, "%127s %" SCNx64, name, &want), 2);
    load(name, &x);
    assert_ok(ge_picture_make(&x, picture));
    assert_int_equal(ge_phash_distance(ge_picture_phash(picture), want), 0);
    ge_image_free(&x);
}

static uint64_t checksum(const float *v, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum = sum * 31 + (uint64_t)v[i];
    return sum;
}

/* The same pictures as in make_pictures.py, upright and wide ones, whose passes Pillow takes in another
 * order: every level of the two small pictures. */
static void check_drawn(FILE *f)
{
    int w, h;
    uint64_t hash, grey, colour;
    float picture[GE_PICTURE_SIZE];
    const size_t n_grey = (size_t)GE_PICTURE_GREY * GE_PICTURE_GREY;
    assert_int_equal(
        fscanf(f, "%d %d %" SCNx64 " %" SCNx64 " %" SCNx64, &w, &h, &hash, &grey, &colour), 5);
    struct ge_image x = {.width = w, .height = h, .rgb = malloc((size_t)w * (size_t)h * 3)};
    assert_non_null(x.rgb);
    for (int i = 0; i < 3 * w * h; i++) {
        int c = i % 3, px = i / 3 % w, py = i / 3 / w;
        x.rgb[i] = (uint8_t)((px * px * 3 + py * (5 * px + 11) + 40 * c * (py + 1)) % 256);
    }
    assert_ok(ge_picture_make(&x, picture));
    assert_true(checksum(picture, n_grey) == grey);
    assert_true(checksum(picture + n_grey, GE_PICTURE_SIZE - n_grey) == colour);
    assert_int_equal(ge_phash_distance(ge_picture_phash(picture), hash), 0);
    ge_image_free(&x);
}

/* The same rows as in make_pictures.py. */
static float *vectors(size_t n, size_t dim, size_t salt)
{
    float *out = malloc(n * dim * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        double squares = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (size_t j = 0; j < dim; j++) {
                double v =
                    (double)((i * 37 + j * 101 + i * j * 7 + salt * (i + 3) * (j + 5)) % 199);
                v -= 99;
                if (pass == 0) squares += v * v;
                out[i * dim + j] = (float)(v / sqrt(squares));
            }
        }
    }
    return out;
}

static void check_sets(FILE *f)
{
    size_t n, m, dim;
    double cmmd, kid, value;
    char word[64];
    assert_int_equal(fscanf(f, "%zu %zu %zu %lf %63s", &n, &m, &dim, &cmmd, word), 5);
    kid = strtod(word, NULL);
    float *a = vectors(n, dim, 0), *r = vectors(m, dim, 11);
    const struct ge_embedding_set s = {a, r, n, m, (int)dim};
    assert_ok(ge_cmmd(&s, &value));
    assert_close(value, cmmd, 1e-6); /* vectors of norm 1 +- 3e-8, scaled by 1000 */
    assert_ok(ge_kid(&s, &value));
    if (isnan(kid)) {
        assert_true(isnan(value));
    } else {
        assert_close(value, kid, 1e-6);
    }
    free(a);
    free(r);
}

static void golden(void **state)
{
    FILE *f = fopen(GE_SOURCE_DIR "/tests/golden/metric/pictures.txt", "r");
    char kind[16];
    int n = 0;
    (void)state;
    assert_non_null(f);
    for (; fscanf(f, "%15s", kind) == 1; n++) {
        if (strcmp(kind, "ssim") == 0) check_ssim(f);
        if (strcmp(kind, "phash") == 0) check_hash(f);
        if (strcmp(kind, "sets") == 0) check_sets(f);
        if (strcmp(kind, "drawn") == 0) check_drawn(f);
    }
    assert_true(n > 60);
    fclose(f);
}

/* A picture drawn by a formula. */
static void draw(struct ge_image *image, int width, int height, int shift)
{
    *image = (struct ge_image){.width = width, .height = height};
    image->rgb = malloc((size_t)(3 * width * height));
    assert_non_null(image->rgb);
    for (int i = 0; i < 3 * width * height; i++) {
        int x = i / 3 % width * 64 / width, y = i / 3 / width * 64 / height;
        image->rgb[i] =
            (uint8_t)(((x + shift) * (i % 3 + 1) * 3 + y * 2 + (x / 16 + y / 16) % 2 * 90) % 256);
    }
}

/* A picture that was scaled is found again; another one is not; an edit counts only where it is one. */
static void copies(void **state)
{
    struct ge_image image[4];
    float p[4][GE_PICTURE_SIZE];
    (void)state;
    draw(&image[0], 64, 64, 0);
    draw(&image[1], 128, 128, 0);
    draw(&image[2], 64, 64, 23);
    draw(&image[3], 64, 64, 0);
    for (int i = 0; i < 3 * 64 * 20; i++) image[3].rgb[i] = (uint8_t)(255 - image[3].rgb[i]);
    for (int i = 0; i < 4; i++) {
        assert_ok(ge_picture_make(&image[i], p[i]));
        ge_image_free(&image[i]);
    }
    assert_true(ge_picture_correlation(p[1], p[0], NULL) >= GE_PICTURE_COPY);
    assert_true(ge_picture_correlation(p[2], p[0], NULL) < 0.9);
    assert_true(ge_picture_correlation(p[3], p[3], p[0]) >= GE_PICTURE_COPY);
    assert_true(ge_picture_correlation(p[0], p[3], p[0]) < 0);
    assert_true(isnan(ge_picture_correlation(p[0], p[0], p[0])));
    assert_true(ge_phash_distance(ge_picture_phash(p[0]), ge_picture_phash(p[1])) <= 6);
    assert_true(ge_phash_distance(ge_picture_phash(p[0]), ge_picture_phash(p[2])) > 6);
    for (int i = 0; i < GE_PICTURE_SIZE; i++) p[0][i] = 7;
    assert_true(isnan(ge_picture_correlation(p[0], p[1], NULL)));
}

/* Pictures whose coefficients are mostly 0 by symmetry: bits of ImageHash 4.3, none of rounding. */
static void plain_pictures(void **state)
{
    enum { BLACK, GREY, SLOPE_X, SLOPE_Y, EDGE_X, EDGE_Y, KINDS };
    static const uint64_t want[KINDS] = {0,
                                         0x8000000000000000,
                                         0x8000000000000000,
                                         0x8000000000000000,
                                         0xf100000000000000,
                                         0x8080808000000080};
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct ge_image image = {.width = 64, .height = 64, .rgb = malloc(3 * 64 * 64)};
        float picture[GE_PICTURE_SIZE];
        assert_non_null(image.rgb);
        for (int i = 0; i < 3 * 64 * 64; i++) {
            int x = i / 3 % 64, y = i / 3 / 64;
            const int level[KINDS] = {0, 128, 4 * x, 4 * y, x < 20 ? 200 : 10, y < 20 ? 200 : 10};
            image.rgb[i] = (uint8_t)level[kind];
        }
        assert_ok(ge_picture_make(&image, picture));
        assert_int_equal(ge_picture_phash(picture), want[kind]);
        ge_image_free(&image);
    }
}

static void sizes(void **state)
{
    struct ge_image a, b;
    double value;
    (void)state;
    draw(&a, 6, 9, 0);
    draw(&b, 9, 6, 0);
    assert_status(ge_ssim(&a, &b, GE_SSIM_SKIMAGE, &value), GE_EINVAL);
    assert_ok(ge_ssim(&a, &a, GE_SSIM_SKIMAGE, &value));
    assert_true(isnan(value));
    assert_ok(ge_ssim(&a, &a, GE_SSIM_TORCHMETRICS, &value));
    assert_close(value, 1, 1e-12);
    ge_image_free(&a);
    ge_image_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(golden), cmocka_unit_test(copies),
                                       cmocka_unit_test(plain_pictures), cmocka_unit_test(sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
