/* Damaged and lying files: never a crash, a leak (run under ASan) or a picture beyond the caps,
 * and every refusal says why. The files are the golden samples, cut, flipped and rewritten. */
#include "test.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/rng.h"
#include "image/image.h"
#include "image/preprocess.h"

#define SAMPLES GE_SOURCE_DIR "/tests/golden/image/samples"

static const uint64_t max_pixels = 1 << 18; /* keeps a flipped size from costing seconds */

struct file {
    char *name;
    uint8_t *data;
    size_t len;
};

static struct file *files;
static size_t n_files;
static struct ge_image_scratch *scratch;

static int load_samples(void **state)
{
    char **names;
    (void)state;
    assert_ok(ge_fs_list(SAMPLES, &names, &n_files));
    files = ge_calloc(n_files, sizeof *files);
    assert_non_null(files);
    for (size_t i = 0; i < n_files; i++) {
        char path[512], *data;
        snprintf(path, sizeof path, SAMPLES "/%s", names[i]);
        files[i].name = ge_strdup(names[i]);
        assert_ok(ge_fs_read(path, 1 << 20, &data, &files[i].len));
        files[i].data = (uint8_t *)data;
    }
    ge_fs_list_free(names, n_files);
    assert_ok(ge_image_scratch_new(&scratch));
    return n_files >= 100 ? 0 : -1;
}

static int free_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        free(files[i].name);
        free(files[i].data);
    }
    free(files);
    ge_image_scratch_delete(&scratch);
    return 0;
}

static const struct file *find(const char *name)
{
    for (size_t i = 0; i < n_files; i++)
        if (strcmp(files[i].name, name) == 0) return &files[i];
    fail_msg("no sample %s", name);
    return NULL;
}

/* Scaling a file as it is decoded comes to the same end as decoding it, whatever the scratch went
 * through before. */
static void try_preprocess(const uint8_t *data, size_t len, const struct ge_image_options *opt,
                           ge_status want)
{
    struct ge_preprocess p = {.height = 9,
                              .width = 7,
                              .do_resize = true,
                              .shortest_edge = 9,
                              .resample = GE_RESAMPLE_BICUBIC,
                              .do_center_crop = true};
    uint8_t pixels[9 * 7 * 3];
    ge_preprocess_switches_init(&p.sw);
    p.sw.image = *opt;
    p.sw.resize = len % 3 ? GE_RESIZE_PIL : GE_RESIZE_TORCHVISION;
    ge_error_clear();
    ge_status rc = ge_preprocess_decode(&p, data, len, scratch, pixels);
    /* a long, thin picture may be too large once it is scaled, which is seen first */
    if (rc != GE_ELIMIT) assert_int_equal(rc, want);
    assert_true(rc == GE_OK || ge_error()[0] != '\0');
}

/* Decode a copy of exactly `len` bytes, so that ASan sees a read beyond them; 1 if it is a picture. */
static int try_decode(const uint8_t *data, size_t len)
{
    struct ge_image_options opt;
    struct ge_image image;
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    ge_image_options_init(&opt);
    opt.alpha = len % 2 ? GE_ALPHA_WHITE : GE_ALPHA_DROP;
    opt.limits.max_pixels = max_pixels;
    ge_error_clear();
    ge_status rc = ge_image_decode(copy, len, &opt, &image);
    char *why = ge_strdup(ge_error());
    assert_non_null(why);
    try_preprocess(copy, len, &opt, rc);
    free(copy);
    if (rc == GE_OK) {
        assert_non_null(image.rgb);
        assert_true((uint64_t)image.width * (uint64_t)image.height <= max_pixels);
        ge_image_free(&image);
        free(why);
        return 1;
    }
    assert_true(ge_status_is_content(rc));
    assert_true(why[0] != '\0');
    free(why);
    assert_null(image.rgb);
    return 0;
}

static void test_truncated(void **state)
{
    int good = 0, bad = 0;
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        size_t step = files[i].len / 120 + 1;
        for (size_t len = 0; len < files[i].len; len += step) {
            int ok = try_decode(files[i].data, len);
            good += ok;
            bad += !ok;
        }
    }
    assert_true(bad > 5000);
    assert_true(good > 0 && good < bad / 10); /* what follows the pixels may be missing */
}

static void test_flipped(void **state)
{
    enum { ROUNDS = 40 };
    int good = 0, bad = 0;
    (void)state;
    for (size_t i = 0; i < n_files; i++) {
        uint8_t *copy = malloc(files[i].len + 1);
        assert_non_null(copy);
        for (uint64_t round = 0; round < ROUNDS && files[i].len > 0; round++) {
            memcpy(copy, files[i].data, files[i].len);
            for (uint64_t flip = 0; flip <= round % 4; flip++) {
                uint32_t word[4];
                ge_philox(1, i, round * 4 + flip, word);
                size_t reach = round % 2 ? files[i].len : files[i].len < 64 ? files[i].len : 64;
                copy[word[0] % reach] ^= (uint8_t)(word[1] % 255 + 1);
            }
            int ok = try_decode(copy, files[i].len);
            good += ok;
            bad += !ok;
        }
        free(copy);
    }
    assert_true(good > 100 && bad > 1000);
}

/* ---- declared sizes ---------------------------------------------------------------------- */

static void write_be(uint8_t *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint32_t crc32_slow(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static void set_png_size(uint8_t *png, uint32_t width, uint32_t height)
{
    write_be(png + 16, width, 4);
    write_be(png + 20, height, 4);
    write_be(png + 29, crc32_slow(png + 12, 17), 4);
}

static void set_jpeg_size(uint8_t *jpeg, size_t len, uint32_t width, uint32_t height)
{
    for (size_t i = 0; i + 9 < len; i++) {
        if (jpeg[i] != 0xFF || (jpeg[i + 1] != 0xC0 && jpeg[i + 1] != 0xC2)) continue;
        write_be(jpeg + i + 5, height, 2);
        write_be(jpeg + i + 7, width, 2);
        return;
    }
    fail_msg("no frame header");
}

/* The size must be refused before a single allocation. */
static void refused_unallocated(const uint8_t *data, size_t len, ge_status want)
{
    struct ge_image image;
    ge_mem_fail_at(1, 1);
    assert_status(ge_image_decode(data, len, NULL, &image), want);
    ge_mem_fail_at(0, 0);
    assert_null(image.rgb);
}

static void test_png_bomb(void **state)
{
    const struct file *f = find("png_1x1.png");
    (void)state;
    set_png_size(f->data, 100000, 100000);
    refused_unallocated(f->data, f->len, GE_ELIMIT);
    set_png_size(f->data, 0x7FFFFFFF, 0x7FFFFFFF);
    refused_unallocated(f->data, f->len, GE_ELIMIT);
    set_png_size(f->data, 0xFFFFFFFF, 1);
    refused_unallocated(f->data, f->len, GE_EFORMAT);
    set_png_size(f->data, 0, 1);
    refused_unallocated(f->data, f->len, GE_EFORMAT);
    set_png_size(f->data, 1, 0);
    refused_unallocated(f->data, f->len, GE_EFORMAT);
    set_png_size(f->data, 1, 1);
    assert_true(try_decode(f->data, f->len));
}

static void test_jpeg_bomb(void **state)
{
    static const char *const names[] = {"jpeg_s2.jpg", "jpeg_s2_progressive.jpg", "jpeg_cmyk.jpg"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct file *f = find(names[i]);
        uint8_t *copy = malloc(f->len);
        assert_non_null(copy);
        memcpy(copy, f->data, f->len);
        set_jpeg_size(copy, f->len, 65500, 65500);
        refused_unallocated(copy, f->len, GE_ELIMIT);
        set_jpeg_size(copy, f->len, 0, 10);
        refused_unallocated(copy, f->len, GE_EFORMAT);
        set_jpeg_size(copy, f->len, 10, 0);
        refused_unallocated(copy, f->len, GE_EFORMAT);
        free(copy);
    }
}

static void test_webp_bomb(void **state)
{
    const struct file *f = find("webp_exif6.webp"); /* has a VP8X canvas */
    (void)state;
    assert_memory_equal(f->data + 12, "VP8X", 4);
    uint8_t *copy = malloc(f->len);
    assert_non_null(copy);
    memcpy(copy, f->data, f->len);
    memset(copy + 24, 0xFF, 6);
    refused_unallocated(copy, f->len, GE_ELIMIT);
    write_be(copy + 24, 0x0F2700, 3); /* little-endian 9999: 10,000 x 8,000 is within the caps */
    write_be(copy + 27, 0x3F1F00, 3);
    struct ge_image image;
    assert_status(ge_image_decode(copy, f->len, NULL, &image), GE_EFORMAT);
    memcpy(copy, f->data, f->len);
    write_be(copy + 4, 0xFFFFFFFF, 4); /* RIFF length */
    assert_status(ge_image_decode(copy, f->len, NULL, &image), GE_EFORMAT);
    free(copy);
}

/* ---- scans and chunks -------------------------------------------------------------------- */

static void test_scans(void **state)
{
    const struct file *f = find("jpeg_s0_progressive.jpg");
    struct ge_image_options opt;
    struct ge_image image;
    (void)state;
    ge_image_options_init(&opt);
    opt.limits.max_scans = 5;
    assert_status(ge_image_decode(f->data, f->len, &opt, &image), GE_ELIMIT);

    /* Repeat the last scan 200 times. */
    size_t scan = f->len - 2;
    while (scan > 0 && !(f->data[scan] == 0xFF && f->data[scan + 1] == 0xDA)) scan--;
    size_t scan_len = f->len - 2 - scan, len = f->len + 200 * scan_len;
    uint8_t *many = malloc(len);
    assert_non_null(many);
    memcpy(many, f->data, f->len - 2);
    for (size_t i = 0; i < 200; i++)
        memcpy(many + f->len - 2 + i * scan_len, f->data + scan, scan_len);
    memcpy(many + len - 2, "\xFF\xD9", 2);
    assert_status(ge_image_decode(many, len, NULL, &image), GE_ELIMIT);
    opt.limits.max_scans = 1000;
    assert_ok(ge_image_decode(many, len, &opt, &image));
    ge_image_free(&image);
    free(many);
}

/* A sample PNG with a chunk put in behind its header. */
static uint8_t *with_chunk(const struct file *f, const char *type, size_t n, size_t *len)
{
    uint8_t *data = calloc(f->len + n + 12, 1);
    assert_non_null(data);
    memcpy(data, f->data, 33);
    write_be(data + 33, (uint32_t)n, 4);
    memcpy(data + 37, type, 4);
    memcpy(data + 41, "Comment", n < 7 ? n : 7);
    write_be(data + 41 + n, crc32_slow(data + 37, n + 4), 4);
    memcpy(data + 45 + n, f->data + 33, f->len - 33);
    *len = f->len + n + 12;
    return data;
}

static void test_chunks(void **state)
{
    const struct file *f = find("png_c2_d8.png");
    struct ge_image image;
    size_t len;
    (void)state;
    uint8_t *data = with_chunk(f, "zTXt", (8u << 20) + 1, &len);
    assert_status(ge_image_decode(data, len, NULL, &image), GE_ELIMIT);
    free(data);
    data = with_chunk(f, "zTXt", 8u << 20, &len);
    assert_ok(ge_image_decode(data, len, NULL, &image));
    ge_image_free(&image);
    write_be(data + 33, 0xFFFFFFF0, 4);
    assert_status(ge_image_decode(data, len, NULL, &image), GE_EFORMAT);
    free(data);
    data = with_chunk(f, "PLTE", 3 * 1000, &len);
    assert_ok(ge_image_decode(data, len, NULL, &image));
    ge_image_free(&image);
    free(data);
    data = with_chunk(f, "tRNS", 5, &len);
    assert_status(ge_image_decode(data, len, NULL, &image), GE_EFORMAT);
    free(data);
    data = with_chunk(f, "IHDR", 13, &len);
    assert_status(ge_image_decode(data, len, NULL, &image), GE_EFORMAT);
    free(data);
}

/* ---- memory and files -------------------------------------------------------------------- */

static void test_out_of_memory(void **state)
{
    static const char *const names[] = {"jpeg_exif6.jpg", "jpeg_cmyk.jpg", "png_exif6_alpha.png",
                                        "png_c6_d16_adam7.png", "webp_exif6.webp"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct file *f = find(names[i]);
        ge_status rc = GE_ENOMEM;
        uint64_t n = 0;
        while (rc == GE_ENOMEM) {
            struct ge_image image;
            ge_mem_fail_at(++n, 0);
            rc = ge_image_decode(f->data, f->len, NULL, &image);
            ge_mem_fail_at(0, 0);
            assert_true(rc == GE_ENOMEM || rc == GE_OK);
            assert_true((image.rgb != NULL) == (rc == GE_OK));
            ge_image_free(&image);
        }
        assert_true(n >= 2); /* at least one failure was injected */
    }
}

static void test_files(void **state)
{
    struct ge_image_options opt;
    struct ge_image image;
    (void)state;
    assert_status(ge_image_decode_file(SAMPLES, NULL, &image), GE_EFORMAT);
    assert_status(ge_image_decode_file(SAMPLES "/none.png", NULL, &image), GE_ENOENT);
    ge_image_options_init(&opt);
    opt.limits.max_file_bytes = 50;
    assert_status(ge_image_decode_file(SAMPLES "/png_1x1.png", &opt, &image), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "png_1x1.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_png_bomb),  cmocka_unit_test(test_jpeg_bomb),
        cmocka_unit_test(test_webp_bomb), cmocka_unit_test(test_scans),
        cmocka_unit_test(test_chunks),    cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, load_samples, free_samples);
}
