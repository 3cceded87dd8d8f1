/* Settings files: what is refused and how, what the description and the hash tell apart. */
#include "test.h"

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
        {"{\"image_processor_type\": \"Siglip2ImageProcessor\"}", GE_EUNSUPPORTED, "Siglip2"},
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
    struct ge_preprocess p[16];
    struct ge_hash hash[16];
    struct ge_buf text[16];
    size_t n = 0;
    (void)state;
    put("preprocessor_config.json", "{" CLIP "}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p[0]));
    for (size_t i = 1; i < 16; i++) p[i] = p[0];
    p[++n].sw.pillow = GE_PILLOW_12;
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

static void test_file(void **state)
{
    struct ge_preprocess p;
    (void)state;
    put("preprocessor_config.json", "{" CLIP ", \"size\": 16, \"crop_size\": 16}");
    assert_ok(ge_preprocess_load(FOLDER, NULL, &p));
    uint8_t *pixels = ge_calloc(ge_preprocess_size(&p), 1);
    assert_non_null(pixels);
    const char *good = GE_SOURCE_DIR "/tests/golden/image/samples/jpeg_exif6.jpg";
    assert_ok(ge_preprocess_file(&p, good, pixels));
    assert_status(ge_preprocess_file(&p, FOLDER "/none.jpg", pixels), GE_ENOENT);
    p.sw.image.limits.max_pixels = 16 * 16;
    assert_status(ge_preprocess_file(&p, good, pixels), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "jpeg_exif6.jpg"));
    free(pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_refused, clear),
        cmocka_unit_test_setup(test_class_of_old_files, clear),
        cmocka_unit_test_setup(test_nested_wins, clear),
        cmocka_unit_test_setup(test_description, clear),
        cmocka_unit_test_setup(test_thin_picture, clear),
        cmocka_unit_test_setup(test_file, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
