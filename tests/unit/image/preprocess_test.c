/* Settings files: what is refused and how, what the description and the hash tell apart; and from
 * a file's bytes to pixels and numbers. */
#include "test.h"

#include <math.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "image/preprocess.h"

#define FOLDER GE_BINARY_DIR "/preprocess_test"
#define CLIP   "\"image_processor_type\": \"CLIPImageProcessor\""

static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    assert_ok(ge_fs_mkdirs(FOLDER));
    if (text == NULL)
        unlink(path);
    else
        assert_ok(ge_fs_replace(path, text, strlen(text)));
}

static int clear(void **state)
{
    (void)state;
    put("preprocessor_config.json", NULL);
    put("processor_config.json", NULL);
    put("config.json", NULL);
    return 0;
}

static void test_refused(void **state)
{
    static const struct {
        const char *json;
        ge_status status;
        const char *message;
    } cases[] = {
        {"", GE_EFORMAT, "preprocessor_config.json"},
        {"[]", GE_EFORMAT, "object"},
        {"{}", GE_EUNSUPPORTED, "image processor"},
        {"{\"image_processor_type\": \"Siglip2ImageProcessor\"}", GE_EUNSUPPORTED, "NaFlex"},
        {"{\"image_processor_type\": \"Siglip2ImageProcessorFast\"}", GE_EUNSUPPORTED, "NaFlex"},
        {"{\"image_processor_type\": \"SiglipImageProcessor\", \"max_num_patches\": 256}",
         GE_EUNSUPPORTED, "max_num_patches"},
        {"{\"image_processor_type\": \"ConvNextImageProcessor\"}", GE_EUNSUPPORTED, "ConvNext"},
        {"{\"image_processor_type\": \"CLIP\"}", GE_EUNSUPPORTED, "CLIP"},
        {"{" CLIP ", \"do_pad\": true}", GE_EUNSUPPORTED, "do_pad"},
        {"{" CLIP ", \"use_square_size\": true}", GE_EUNSUPPORTED, "use_square_size"},
        {"{" CLIP ", \"do_thumbnail\": true}", GE_EUNSUPPORTED, "do_thumbnail"},
        {"{" CLIP ", \"auto_map\": {}}", GE_EUNSUPPORTED, "auto_map"},
        {"{" CLIP ", \"do_convert_rgb\": false}", GE_EUNSUPPORTED, "do_convert_rgb"},
        {"{" CLIP ", \"data_format\": \"channels_last\"}", GE_EUNSUPPORTED, "data_format"},
        {"{" CLIP ", \"do_resize\": 1}", GE_EFORMAT, "do_resize"},
        {"{" CLIP ", \"size\": 0}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": 8193}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": 1.5}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": \"big\"}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": [1, 2, 3]}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": {\"height\": 5}}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": {}}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": {\"shortest_edge\": 5, \"height\": 5}}", GE_EFORMAT, "size"},
        {"{" CLIP ", \"size\": {\"longest_edge\": 5}}", GE_EUNSUPPORTED, "longest_edge"},
        {"{" CLIP ", \"crop_size\": {\"shortest_edge\": 5}}", GE_EFORMAT, "crop_size"},
        {"{" CLIP ", \"do_center_crop\": false}", GE_EUNSUPPORTED, "do_center_crop"},
        {"{" CLIP ", \"resample\": 5}", GE_EUNSUPPORTED, "hamming"},
        {"{" CLIP ", \"resample\": 6}", GE_EFORMAT, "resample"},
        {"{" CLIP ", \"rescale_factor\": \"x\"}", GE_EFORMAT, "rescale_factor"},
        {"{" CLIP ", \"rescale_factor\": 1e300}", GE_EFORMAT, "rescale_factor"},
        {"{" CLIP ", \"image_std\": [1, 0, 1]}", GE_EFORMAT, "image_std"},
        {"{" CLIP ", \"image_std\": 1e-60}", GE_EFORMAT, "image_std"},
        {"{" CLIP ", \"image_mean\": [1, 1]}", GE_EFORMAT, "image_mean"},
        {"{" CLIP ", \"image_mean\": [1, \"1\", 1]}", GE_EFORMAT, "image_mean"},
        {"{" CLIP ", \"image_mean\": 1e60}", GE_EFORMAT, "image_mean"},
        {"{" CLIP ", \"image_mean\": 1e30, \"image_std\": 1e-30}", GE_EFORMAT, "image_std"},
    };
    struct ge_preprocess p;
    (void)state;
    assert_status(ge_preprocess_load(FOLDER, NULL, &p), GE_ENOENT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("preprocessor_config.json", cases[i].json);
        assert_status(ge_preprocess_load(FOLDER, NULL, &p), cases[i].status);
        if (strstr(ge_error(), cases[i].message) == NULL)
            fail_msg("%s: \"%s\" does not name %s", cases[i].json, ge_error(), cases[i].message);
    }
}

/* What only the torchvision backend cannot do. */
static void test_refused_by_torchvision(void **state)
{
    static const struct {
        const char *json;
        ge_status status, by_torchvision;
    } cases[] = {
        {"{" CLIP ", \"resample\": 4}", GE_OK, GE_EUNSUPPORTED},
        {"{" CLIP ", \"resample\": 4, \"do_resize\": false}", GE_OK, GE_OK},
        {"{" CLIP ", \"rescale_factor\": 0}", GE_OK, GE_EFORMAT},
        {"{" CLIP ", \"rescale_factor\": 0, \"do_normalize\": false}", GE_OK, GE_OK},
        {"{" CLIP ", \"rescale_factor\": 1e-39}", GE_OK, GE_EFORMAT},
    };
    struct ge_preprocess p;
    struct ge_preprocess_switches sw;
    (void)state;
    ge_preprocess_switches_init(&sw);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("preprocessor_config.json", cases[i].json);
        sw.resize = GE_RESIZE_PIL;
        assert_status(ge_preprocess_load(FOLDER, &sw, &p), cases[i].status);
        sw.resize = GE_RESIZE_TORCHVISION;
        assert_status(ge_preprocess_load(FOLDER, &sw, &p), cases[i].by_torchvision);
        if (cases[i].by_torchvision != GE_OK)
            assert_non_null(strstr(ge_error(), "preprocessor_config.json"));
    }
}

/* Every name of a class means the same settings. */
static void test_class_names(void **state)
{
    static const struct {
        const char *family;
        int shortest_edge, height;
        enum ge_resample resample;
    } want[] = {{"CLIP", 224, 224, GE_RESAMPLE_BICUBIC},
                {"Bit", 224, 224, GE_RESAMPLE_BICUBIC},
                {"Siglip", 0, 224, GE_RESAMPLE_BICUBIC},
                {"ViT", 0, 224, GE_RESAMPLE_BILINEAR}};
    static const char *const endings[] = {"ImageProcessor", "ImageProcessorFast",
                                          "ImageProcessorPil", "FeatureExtractor"};
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        char json[128];
        struct ge_preprocess p;
        snprintf(json, sizeof json, "{\"image_processor_type\": \"%s%s\"}", want[i / 4].family,
                 endings[i % 4]);
        put("preprocessor_config.json", json);
        assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
        assert_int_equal(p.shortest_edge, want[i / 4].shortest_edge);
        assert_int_equal(p.height, want[i / 4].height);
        assert_int_equal(p.resample, want[i / 4].resample);
    }
}

static void test_class_of_old_files(void **state)
{
    struct ge_preprocess p;
    (void)state;
    put("preprocessor_config.json", "{\"size\": 96, \"crop_size\": 96, \"do_pad\": false}");
    assert_status(ge_preprocess_load(FOLDER, NULL, &p), GE_EUNSUPPORTED);
    put("config.json", "{\"model_type\": \"clip\"}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    assert_int_equal(p.shortest_edge, 96);
    assert_int_equal(p.height, 96);
    assert_int_equal(p.resample, GE_RESAMPLE_BICUBIC);
    put("config.json", "{\"model_type\": \"bert\"}");
    assert_status(ge_preprocess_load(FOLDER, NULL, &p), GE_EUNSUPPORTED);
    put("config.json", "{\"model_type\": \"siglip2\"}");
    assert_status(ge_preprocess_load(FOLDER, NULL, &p), GE_EUNSUPPORTED);
    assert_non_null(strstr(ge_error(), "NaFlex"));
}

static void test_nested_wins(void **state)
{
    struct ge_preprocess p;
    (void)state;
    put("preprocessor_config.json", "{" CLIP ", \"crop_size\": 10}");
    put("processor_config.json", "{\"image_processor\": {" CLIP ", \"crop_size\": 20}}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    assert_int_equal(p.height, 20);
    put("processor_config.json", "{\"processor_class\": \"CLIPProcessor\"}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    assert_int_equal(p.height, 10);
    put("processor_config.json", "{\"image_processor\": null}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    assert_int_equal(p.height, 10);
    put("processor_config.json", "{\"image_processor\": 3}");
    assert_status(ge_preprocess_load(FOLDER, NULL, &p), GE_EFORMAT);
}

static struct ge_hash hash_of(const struct ge_preprocess *p)
{
    struct ge_hasher *hasher = ge_hasher_new();
    assert_non_null(hasher);
    ge_preprocess_describe(p, hasher);
    struct ge_hash h = ge_hasher_get(hasher);
    ge_hasher_delete(&hasher);
    return h;
}

/* Each change of a setting must show in the hash and in the text. */
static void test_description(void **state)
{
    struct ge_preprocess p[17];
    struct ge_hash hash[17];
    struct ge_buf text[17];
    size_t n = 0;
    (void)state;
    put("preprocessor_config.json", "{" CLIP "}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p[0]));
    for (size_t i = 1; i < 17; i++) p[i] = p[0];
    p[++n].sw.pillow = GE_PILLOW_12;
    p[++n].sw.resize = GE_RESIZE_TORCHVISION;
    p[++n].sw.image.exif = GE_EXIF_IGNORE;
    p[++n].sw.image.alpha = GE_ALPHA_WHITE;
    p[++n].height = 223;
    p[++n].width = 223;
    p[++n].do_resize = false;
    p[++n].shortest_edge = 225;
    p[++n].resample = GE_RESAMPLE_LANCZOS;
    p[++n].do_center_crop = false;
    p[++n].do_rescale = false;
    p[++n].rescale_factor = 0.5;
    p[++n].do_normalize = false;
    p[++n].mean[1] = 0.25;
    p[++n].std[2] = 0.25;
    for (size_t i = 0; i <= n; i++) {
        hash[i] = hash_of(&p[i]);
        ge_buf_init(&text[i], 4096);
        ge_preprocess_json(&p[i], &text[i]);
        assert_ok(ge_buf_status(&text[i]));
        for (size_t j = 0; j < i; j++) {
            assert_false(ge_hash_equal(hash[i], hash[j]));
            assert_string_not_equal(text[i].data, text[j].data);
        }
    }
    assert_null(strchr(text[0].data, '\n'));
    ge_json *doc;
    assert_ok(ge_json_parse(text[0].data, text[0].len, "description", &doc));
    assert_string_equal(ge_json_string(ge_json_get(doc, "resample"), ""), "bicubic");
    ge_json_delete(&doc);
    for (size_t i = 0; i <= n; i++) ge_buf_free(&text[i]);
    p[1] = p[0];
    p[1].sw.image.limits.max_pixels = 5; /* a cap changes no pixel */
    assert_true(ge_hash_equal(hash_of(&p[1]), hash[0]));
    p[1].sw.resize = GE_RESIZE_TORCHVISION; /* nor does a version of Pillow change torchvision's */
    p[2] = p[1];
    p[2].sw.pillow = GE_PILLOW_12;
    assert_true(ge_hash_equal(hash_of(&p[1]), hash_of(&p[2])));
}

/* A long thin picture would grow to 224 x 2,240,000 pixels. */
static void test_thin_picture(void **state)
{
    struct ge_preprocess p;
    struct ge_image image = {.width = 10000, .height = 1};
    (void)state;
    put("preprocessor_config.json", "{" CLIP "}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    image.rgb = ge_calloc(10000, 3);
    uint8_t *pixels = ge_calloc(ge_preprocess_size(&p), 1);
    assert_non_null(image.rgb);
    assert_non_null(pixels);
    assert_status(ge_preprocess_pixels(&p, &image, pixels), GE_ELIMIT);
    ge_mem_fail_at(1, 1);
    image.width = 100;
    assert_status(ge_preprocess_pixels(&p, &image, pixels), GE_ENOMEM);
    ge_mem_fail_at(0, 0);
    free(pixels);
    ge_image_free(&image);
}

/* ---- from a file's bytes ----------------------------------------------------------------- */

#define SAMPLES GE_SOURCE_DIR "/tests/golden/image/samples"

/* Settings that send pictures along every way: rows that are scaled as they come, the vertical
 * pass first, the nearest filter, no scaling, padding. */
static void draw_settings(size_t i, struct ge_preprocess *p)
{
    static const struct ge_preprocess ways[] = {
        {.height = 16, .width = 16, .do_resize = true, .shortest_edge = 18, .resample = 3},
        {.height = 17, .width = 8, .do_resize = true, .shortest_edge = 40, .resample = 1},
        {.height = 3,
         .width = 30,
         .do_resize = true,
         .resize_height = 3,
         .resize_width = 30,
         .resample = 2},
        {.height = 12, .width = 15, .do_resize = true, .shortest_edge = 9, .resample = 0},
        {.height = 20, .width = 30},
        {.height = 14,
         .width = 14,
         .do_resize = true,
         .resize_height = 14,
         .resize_width = 23,
         .resample = 2},
    };
    const size_t n = sizeof ways / sizeof ways[0];
    *p = ways[i % n];
    ge_preprocess_switches_init(&p->sw);
    p->sw.resize = i / n % 2 ? GE_RESIZE_TORCHVISION : GE_RESIZE_PIL;
    p->sw.image.exif = i / n / 2 % 2 ? GE_EXIF_IGNORE : GE_EXIF_APPLY;
    p->do_center_crop = true;
}

/* Decoding and scaling at once is decoding and then scaling; 1 if it is a picture. */
static int check_decode(const struct ge_preprocess *p, const void *data, size_t len,
                        struct ge_image_scratch *scratch)
{
    const size_t size = ge_preprocess_size(p);
    struct ge_image image;
    uint8_t *got = malloc(size), *want = malloc(size);
    assert_non_null(got);
    assert_non_null(want);
    ge_status rc = ge_image_decode(data, len, &p->sw.image, &image);
    if (rc == GE_OK) assert_ok(ge_preprocess_pixels(p, &image, want));
    ge_error_clear();
    assert_status(ge_preprocess_decode(p, data, len, scratch, got), rc);
    if (rc == GE_OK)
        assert_memory_equal(got, want, size);
    else
        assert_true(ge_error()[0] != '\0');
    ge_image_free(&image);
    free(got);
    free(want);
    return rc == GE_OK;
}

static void test_decode(void **state)
{
    enum { SETTINGS = 24 };
    struct ge_image_scratch *scratch;
    char **names;
    size_t n, pictures = 0, others = 0;
    (void)state;
    assert_ok(ge_fs_list(SAMPLES, &names, &n));
    assert_ok(ge_image_scratch_new(&scratch));
    for (size_t i = 0; i < n; i++) {
        char path[512], *data;
        size_t len;
        snprintf(path, sizeof path, SAMPLES "/%s", names[i]);
        assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
        for (size_t k = 0; k < SETTINGS; k++) {
            struct ge_preprocess p;
            draw_settings(k, &p);
            int ok = check_decode(&p, data, len, k % 3 != 0 ? scratch : NULL);
            check_decode(&p, data, len - len / 3, scratch); /* cut off */
            pictures += (size_t)ok;
            others += (size_t)!ok;
        }
        free(data);
    }
    assert_true(pictures >= 100 * SETTINGS && others >= 10 * SETTINGS);
    ge_image_scratch_delete(&scratch);
    ge_image_scratch_delete(&scratch);
    ge_fs_list_free(names, n);
}

/* Every allocation of every way fails once; the scratch stays usable. */
static void test_decode_out_of_memory(void **state)
{
    static const char *const names[] = {"jpeg_s2.jpg", "jpeg_exif6.jpg", "jpeg_cmyk.jpg",
                                        "png_c3_d8.png"};
    struct ge_image_scratch *scratch;
    (void)state;
    ge_mem_fail_at(1, 0);
    assert_status(ge_image_scratch_new(&scratch), GE_ENOMEM);
    for (uint64_t at = 1; at <= 4; at++) { /* the array, then three scratches */
        struct ge_image_scratch **all;
        ge_mem_fail_at(at, 0);
        assert_status(ge_image_scratches_new(3, &all), GE_ENOMEM);
        assert_null(all);
    }
    ge_mem_fail_at(0, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512], *data;
        size_t len;
        snprintf(path, sizeof path, SAMPLES "/%s", names[i]);
        assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
        for (size_t k = 0; k < 12; k++) {
            struct ge_preprocess p;
            ge_status rc = GE_ENOMEM;
            uint64_t at = 0;
            draw_settings(k, &p);
            uint8_t *pixels = malloc(ge_preprocess_size(&p));
            assert_non_null(pixels);
            assert_ok(ge_image_scratch_new(&scratch));
            while (rc == GE_ENOMEM) {
                ge_mem_fail_at(++at, 0);
                rc = ge_preprocess_decode(&p, data, len, at % 2 ? scratch : NULL, pixels);
                ge_mem_fail_at(0, 0);
                assert_true(rc == GE_ENOMEM || rc == GE_OK);
            }
            assert_true(at >= 2);
            check_decode(&p, data, len, scratch);
            ge_image_scratch_delete(&scratch);
            free(pixels);
        }
        free(data);
    }
}

/* The tensor is the table, and the table is what the backends compute. */
static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct ge_preprocess p = {.height = 1,
                                  .width = 256,
                                  .do_rescale = i & 1,
                                  .rescale_factor = 1.0 / 255,
                                  .do_normalize = (i & 2) != 0,
                                  .mean = {0.48145466, 0.4578275, 0.40821073},
                                  .std = {0.26862954, 0.26130258, 0.27577711}};
        float table[3][256], tensor[3 * 256];
        uint8_t pixels[256 * 3];
        p.sw.resize = i & 4 ? GE_RESIZE_TORCHVISION : GE_RESIZE_PIL;
        for (int v = 0; v < 256; v++) memset(pixels + 3 * v, v, 3);
        ge_preprocess_table(&p, table);
        ge_preprocess_tensor(&p, pixels, tensor);
        assert_memory_equal(table, tensor, sizeof table);
        for (int c = 0; c < 3; c++) {
            for (int v = 0; v < 256; v++) {
                double want = p.do_rescale ? v / 255.0 : v;
                if (p.do_normalize) want = (want - p.mean[c]) / p.std[c];
                assert_close(table[c][v], want, 2e-6 * (fabs(want) + 1));
            }
        }
    }
}

static void test_file(void **state)
{
    struct ge_preprocess p;
    (void)state;
    put("preprocessor_config.json", "{" CLIP ", \"size\": 16, \"crop_size\": 16}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    uint8_t *pixels = ge_calloc(ge_preprocess_size(&p), 1);
    assert_non_null(pixels);
    const char *good = GE_SOURCE_DIR "/tests/golden/image/samples/jpeg_exif6.jpg";
    assert_ok(ge_preprocess_file(&p, good, NULL, pixels));
    assert_status(ge_preprocess_file(&p, FOLDER "/none.jpg", NULL, pixels), GE_ENOENT);
    p.sw.image.limits.max_pixels = 16 * 16;
    assert_status(ge_preprocess_file(&p, good, NULL, pixels), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "jpeg_exif6.jpg"));
    free(pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_refused, clear),
        cmocka_unit_test_setup(test_refused_by_torchvision, clear),
        cmocka_unit_test_setup(test_class_names, clear),
        cmocka_unit_test_setup(test_class_of_old_files, clear),
        cmocka_unit_test_setup(test_nested_wins, clear),
        cmocka_unit_test_setup(test_description, clear),
        cmocka_unit_test_setup(test_thin_picture, clear),
        cmocka_unit_test_setup(test_file, clear),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_out_of_memory),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
