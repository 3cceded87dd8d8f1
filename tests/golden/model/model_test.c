/* Every model of this folder, on every device, against what PyTorch computed (make_models.py); and
 * invariant 1 for whole models: an input's embedding has the same bits whatever is around it.
 * GE_TEST_LEVEL pins the instruction-set level. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "device/device_ops.h"
#include "fake_device.h"
#include "image/preprocess.h"
#include "model/encoder.h"
#include "test.h"

#ifndef GE_TEST_LEVEL
#define GE_TEST_LEVEL "native"
#endif

#define FOLDER GE_SOURCE_DIR "/tests/golden/model"

/* Float32 towers of a dozen layers come within 1e-5 of a float64 run, unit vectors within 1e-6; a
 * wrong activation function moves them by 2e-3. */
static const double pooled_gate = 2e-5, unit_gate = 2e-6;

/* In bf16 and fp16, embeddings are to point where float32's do. */
static const double cosine_gate = 0.9995;

static struct ge_device *dev;
static enum ge_dtype dtype; /* that is computed in */
static const char **texts;
static size_t n_texts;

/* ---- files -------------------------------------------------------------------------------- */

static float *read_rows(const char *folder, const char *name, size_t want)
{
    char *path = ge_fs_join(folder, name), *data;
    size_t len;

    assert_non_null(path);
    assert_ok(ge_fs_read(path, 1 << 20, &data, &len));
    assert_int_equal(len, want * sizeof(float));
    free(path);
    return (float *)data;
}

/* A copy of `folder` by links in which `file` is replaced by the one that `with` names. */
static char *variant(const char *folder, const char *file, const char *with)
{
    char template[] = "/tmp/gapeval-model-XXXXXX", *dir = ge_strdup(mkdtemp(template)), **names;
    size_t n;

    assert_non_null(dir);
    assert_ok(ge_fs_list(folder, &names, &n));
    for (size_t i = 0; i < n; i++) {
        char *from = ge_fs_join(folder, strcmp(names[i], file) == 0 ? with : names[i]);
        char *to = ge_fs_join(dir, names[i]);
        assert_int_equal(symlink(from, to), 0);
        free(from);
        free(to);
    }
    ge_fs_list_free(names, n);
    return dir;
}

static void remove_variant(char *dir)
{
    char **names;
    size_t n;

    assert_ok(ge_fs_list(dir, &names, &n));
    for (size_t i = 0; i < n; i++) {
        char *path = ge_fs_join(dir, names[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    ge_fs_list_free(names, n);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

/* ---- comparisons -------------------------------------------------------------------------- */

static double worst(const float *got, const float *want, size_t n)
{
    double top = 0;

    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - want[i]);
        if (!(d <= top)) top = d; /* a NaN stays on top */
        if (isnan(d)) return NAN;
    }
    return top;
}

static double lowest_cosine(const float *got, const float *want, size_t n, size_t dim)
{
    double lowest = 1;

    for (size_t i = 0; i < n; i++, got += dim, want += dim) {
        double ab = 0, aa = 0, bb = 0;
        for (size_t k = 0; k < dim; k++) {
            ab += (double)got[k] * want[k];
            aa += (double)got[k] * got[k];
            bb += (double)want[k] * want[k];
        }
        double cosine = ab / sqrt(aa * bb);
        if (isnan(cosine)) return NAN;
        if (cosine < lowest) lowest = cosine;
    }
    return lowest;
}

static void compare(const char *golden, const char *file, const float *got, const float *want,
                    size_t n, size_t dim, bool normalize)
{
    const bool exact = dtype == GE_F32;
    const double gate = normalize ? unit_gate : pooled_gate;
    double error = worst(got, want, n * dim), cosine = lowest_cosine(got, want, n, dim);
    char *what = ge_sprintf("%s/%s", ge_fs_basename(golden), file);

    print_message("  %-44s %.2g, 1 - cosine %.2g\n", what, error, 1 - cosine);
    if (!(exact ? error <= gate : cosine >= cosine_gate)) {
        print_error("%s: largest error %g, gate %g; lowest cosine %.7f\n", what, error,
                    exact ? gate : INFINITY, cosine);
        fail();
    }
    free(what);
}

static struct ge_encoder *load(const char *folder, size_t max_batch, const char *prompt)
{
    struct ge_encoder_options opt = {.dtype = dtype, .max_batch = max_batch, .prompt = prompt};
    struct ge_encoder *e;

    assert_ok(ge_encoder_load(folder, dev, &opt, &e));
    return e;
}

static void check_texts(const char *folder, const char *golden, const char *file,
                        const char *prompt, bool normalize)
{
    struct ge_encoder *e = load(folder, 0, prompt);
    size_t dim = ge_encoder_dim(e), n = n_texts * dim;
    float *want = read_rows(golden, file, n), *got = ge_calloc(n, sizeof *got);

    assert_non_null(got);
    assert_ok(ge_encoder_texts(e, texts, n_texts, normalize, got, NULL));
    compare(golden, file, got, want, n_texts, dim, normalize);
    free(want);
    free(got);
    ge_encoder_delete(&e);
}

/* As make_models.py computes them. */
static float *pixels(size_t n, size_t height, size_t width)
{
    size_t count = n * 3 * height * width;
    float *p = ge_calloc(count, sizeof *p);

    assert_non_null(p);
    for (size_t i = 0; i < count; i++)
        p[i] = (float)((uint32_t)i * 2654435761u >> 8 & 0xFFFF) / 16384.0f - 2.0f;
    return p;
}

static void check_images(const char *folder, const char *golden, const char *file, bool normalize)
{
    struct ge_encoder *e = load(folder, 0, NULL);
    size_t dim = ge_encoder_dim(e), n = 5 * dim, h, w;
    float *want = read_rows(golden, file, n), *got = ge_calloc(n, sizeof *got), *in;

    assert_non_null(got);
    assert_true(ge_encoder_image_size(e, &h, &w));
    in = pixels(5, h, w);
    assert_ok(ge_encoder_tensors(e, in, 5, normalize, got));
    compare(golden, file, got, want, 5, dim, normalize);
    free(in);
    free(want);
    free(got);
    ge_encoder_delete(&e);
}

/* The same with one of the folder's files replaced. */
static void check_images_with(const char *golden, const char *file, const char *with,
                              const char *rows)
{
    char *dir = variant(golden, file, with);

    check_images(dir, golden, rows, false);
    remove_variant(dir);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void test_clip(void **state)
{
    static const char *const folders[] = {FOLDER "/clip_quick", FOLDER "/clip_gelu"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        check_images(folders[i], folders[i], "images.f32", false);
        check_images(folders[i], folders[i], "images_unit.f32", true);
        check_texts(folders[i], folders[i], "texts.f32", NULL, false);
        check_texts(folders[i], folders[i], "texts_unit.f32", NULL, true);
    }
}

/* Pooling by the end-of-text id: absent, and there several times. */
static void test_clip_eos(void **state)
{
    static const char *const eos[] = {"_eos_absent", "_eos_own"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *config = ge_sprintf("config%s.json", eos[i]),
             *file = ge_sprintf("texts%s.f32", eos[i]);
        char *dir = variant(FOLDER "/clip_quick", "config.json", config);
        check_texts(dir, FOLDER "/clip_quick", file, NULL, false);
        remove_variant(dir);
        free(config);
        free(file);
    }
}

/* Folders of one tower: its pooled row, or the same projected as in the whole model. */
static void check_tower(const char *golden, const char *config, const char *images,
                        const char *rows, size_t dim)
{
    char *dir = variant(golden, "config.json", config);
    struct ge_encoder *e = load(dir, 0, NULL);
    float out[64];

    assert_int_equal(ge_encoder_has_image(e), images != NULL);
    assert_int_equal(ge_encoder_has_text(e), rows != NULL);
    assert_int_equal(ge_encoder_dim(e), dim);
    assert_false(ge_encoder_logit_scale(e, NULL));
    if (images != NULL) {
        check_images(dir, golden, images, false);
        assert_status(ge_encoder_texts(e, texts, 1, false, out, NULL), GE_EINVAL);
    } else {
        check_texts(dir, golden, rows, NULL, false);
        assert_status(ge_encoder_tensors(e, out, 1, false, out), GE_EINVAL);
    }
    ge_encoder_delete(&e);
    remove_variant(dir);
}

static void test_towers(void **state)
{
    (void)state;
    check_tower(FOLDER "/clip_quick", "config_vision.json", "images_vision.f32", NULL, 32);
    check_tower(FOLDER "/clip_quick", "config_vision_projected.json", "images.f32", NULL, 20);
    check_tower(FOLDER "/clip_quick", "config_text.json", NULL, "texts_text.f32", 24);
    check_tower(FOLDER "/clip_quick", "config_text_projected.json", NULL, "texts.f32", 20);
    check_tower(FOLDER "/siglip", "config_vision.json", "images.f32", NULL, 32);
    check_tower(FOLDER "/siglip", "config_text.json", NULL, "texts.f32", 32);
}

/* Positions as stored and interpolated, larger and smaller, not square; SwiGLU; registers. */
static void test_dinov2(void **state)
{
    static const char *const folders[] = {FOLDER "/dinov2", FOLDER "/dinov2_swiglu",
                                          FOLDER "/dinov2_registers"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_images(folders[i], folders[i], "images.f32", false);
        check_images(folders[i], folders[i], "images_unit.f32", true);
    }
    check_images_with(folders[0], "preprocessor_config.json", "preprocessor_config_larger.json",
                      "images_larger.f32");
    check_images_with(folders[0], "preprocessor_config.json", "preprocessor_config_stored.json",
                      "images_stored.f32");
    check_images_with(folders[2], "preprocessor_config.json", "preprocessor_config_larger.json",
                      "images_larger.f32");
    check_images_with(folders[2], "config.json", "config_none.json", "images_none.f32");
}

static void test_siglip(void **state)
{
    (void)state;
    check_images(FOLDER "/siglip", FOLDER "/siglip", "images.f32", false);
    check_images(FOLDER "/siglip", FOLDER "/siglip", "images_unit.f32", true);
    check_texts(FOLDER "/siglip", FOLDER "/siglip", "texts.f32", NULL, false);
    check_texts(FOLDER "/siglip", FOLDER "/siglip", "texts_unit.f32", NULL, true);
    check_images(FOLDER "/siglip_vision", FOLDER "/siglip_vision", "images.f32", false);
    check_images(FOLDER "/siglip_vision", FOLDER "/siglip_vision", "images_unit.f32", true);
}

/* Texts with the pads in front of them and behind. */
static void test_siglip2(void **state)
{
    char *dir = variant(FOLDER "/siglip2", "tokenizer_config.json", "tokenizer_config_right.json");

    (void)state;
    check_texts(FOLDER "/siglip2", FOLDER "/siglip2", "texts.f32", NULL, false);
    check_texts(dir, FOLDER "/siglip2", "texts_right.f32", NULL, false);
    remove_variant(dir);
}

static void test_bert(void **state)
{
    (void)state;
    check_texts(FOLDER "/bert_old", FOLDER "/bert_old", "texts.f32", NULL, false);
    check_texts(FOLDER "/bert_new", FOLDER "/bert_new", "texts.f32", NULL, false);
    check_texts(FOLDER "/bert_new", FOLDER "/bert_new", "texts_query.f32", "query", false);
    check_texts(FOLDER "/bert_plain", FOLDER "/bert_plain", "texts.f32", NULL, false);
    check_texts(FOLDER "/bert_plain", FOLDER "/bert_plain", "texts_unit.f32", NULL, true);
}

/* Positions from the pad's id on, distances between tokens, three forms of pytorch_model.bin. */
static void test_bert_like(void **state)
{
    static const char *const folders[] = {FOLDER "/roberta", FOLDER "/mpnet",
                                          FOLDER "/xlm_roberta"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_texts(folders[i], folders[i], "texts.f32", NULL, false);
        if (i < 2) check_texts(folders[i], folders[i], "texts_unit.f32", NULL, true);
    }
}

/* All six poolings of one model, one after the other. */
static void test_bert_poolings(void **state)
{
    char *pooling = variant(FOLDER "/bert_old/1_Pooling", "config.json", "config_all.json");
    char *dir = variant(FOLDER "/bert_old", "1_Pooling", "1_Pooling"), *link, *modules;
    static const char list[] =
        "[{\"path\":\"\",\"type\":\"sentence_transformers.models.Transformer\"},"
        "{\"path\":\"1_Pooling\",\"type\":\"x.Pooling\"}]";

    (void)state;
    link = ge_fs_join(dir, "1_Pooling");
    modules = ge_fs_join(dir, "modules.json");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(pooling, link), 0);
    assert_int_equal(unlink(modules), 0);
    assert_ok(ge_fs_replace(modules, list, sizeof list - 1));
    check_texts(dir, FOLDER "/bert_old", "texts_all.f32", NULL, false);
    remove_variant(dir);
    remove_variant(pooling);
    free(link);
    free(modules);
}

static void test_roles(void **state)
{
    struct ge_encoder *clip = load(FOLDER "/clip_quick", 0, NULL);
    struct ge_encoder *bert = load(FOLDER "/bert_new", 0, NULL), *again;
    float scale = 0, out[64];
    unsigned char cut[16];
    struct ge_buf buf;
    ge_json *doc;
    size_t h, w;

    (void)state;
    assert_string_equal(ge_encoder_kind(clip), "clip");
    assert_true(ge_encoder_has_image(clip) && ge_encoder_has_text(clip));
    assert_int_equal(ge_encoder_dim(clip), 20);
    assert_true(ge_encoder_logit_scale(clip, &scale));
    assert_close(scale, exp(2.5), 1e-5);
    assert_int_equal(ge_encoder_max_tokens(clip), 40);
    assert_non_null(ge_encoder_preprocess(clip));
    assert_string_equal(ge_encoder_kind(bert), "bert");
    assert_false(ge_encoder_has_image(bert));
    assert_false(ge_encoder_logit_scale(bert, &scale));
    assert_false(ge_encoder_image_size(bert, &h, &w));
    assert_null(ge_encoder_preprocess(bert));
    assert_non_null(ge_encoder_tokenizer(bert));
    assert_int_equal(ge_encoder_max_tokens(bert), 30);
    assert_status(ge_encoder_tensors(bert, out, 1, false, out), GE_EINVAL);

    float *rows = ge_calloc(n_texts * 20, sizeof *rows);
    assert_ok(ge_encoder_texts(clip, texts, n_texts, false, rows, cut));
    assert_false(cut[1]);
    assert_true(cut[8]);
    free(rows);

    again = load(FOLDER "/siglip", 0, NULL); /* padded to its 16 tokens, and cut there */
    assert_int_equal(ge_encoder_max_tokens(again), 16);
    assert_true(ge_encoder_logit_scale(again, &scale));
    assert_close(scale, exp(2.5), 1e-5);
    rows = ge_calloc(n_texts * ge_encoder_dim(again), sizeof *rows);
    assert_ok(ge_encoder_texts(again, texts, n_texts, false, rows, cut));
    assert_false(cut[0] || cut[1] || cut[2]);
    assert_true(cut[8] && cut[10]);
    free(rows);
    ge_encoder_delete(&again);

    ge_buf_init(&buf, 1 << 16);
    ge_encoder_describe(clip, &buf);
    assert_ok(ge_buf_status(&buf));
    assert_ok(ge_json_parse(buf.data, buf.len, "describe", &doc));
    assert_string_equal(ge_json_string(ge_json_get_path(doc, "vision.activation"), ""),
                        "quick_gelu");
    ge_json_delete(&doc);
    ge_buf_free(&buf);

    again = load(FOLDER "/clip_quick", 3, NULL);
    assert_true(ge_hash_equal(ge_encoder_hash(clip), ge_encoder_hash(again)));
    assert_false(ge_hash_equal(ge_encoder_hash(clip), ge_encoder_hash(bert)));
    ge_encoder_delete(&again);
    again = load(FOLDER "/bert_new", 0, "query");
    assert_false(ge_hash_equal(ge_encoder_hash(again), ge_encoder_hash(bert)));
    ge_encoder_delete(&again);
    ge_encoder_delete(&clip);
    ge_encoder_delete(&bert);
}

/* ---- invariant 1 -------------------------------------------------------------------------- */

/* One image at every place of batches of 1, 7 and 64. */
static void check_image_bits(const char *folder)
{
    enum { N = 64 };
    struct ge_encoder *e = load(folder, 1, NULL);
    size_t dim = ge_encoder_dim(e), h, w, each;
    float *in, *alone = ge_calloc(N * dim, sizeof *alone);
    float *together = ge_calloc(N * dim, sizeof *together);
    static const size_t batches[] = {7, 64};

    assert_true(ge_encoder_image_size(e, &h, &w));
    each = 3 * h * w;
    in = pixels(N, h, w);
    assert_ok(ge_encoder_tensors(e, in, N, true, alone));
    ge_encoder_delete(&e);
    for (size_t b = 0; b < 2; b++) {
        e = load(folder, batches[b], NULL);
        assert_ok(ge_encoder_tensors(e, in, N, true, together));
        assert_memory_equal(together, alone, N * dim * sizeof *alone);
        for (size_t place = 0; place < N; place++) { /* image 3 at every place */
            memcpy(in + place * each, in + 3 * each, each * sizeof *in);
        }
        assert_ok(ge_encoder_tensors(e, in, N, true, together));
        for (size_t place = 0; place < N; place++)
            assert_memory_equal(together + place * dim, alone + 3 * dim, dim * sizeof *alone);
        free(in);
        in = pixels(N, h, w);
        ge_encoder_delete(&e);
    }
    free(in);
    free(alone);
    free(together);
}

static void test_image_bits(void **state)
{
    (void)state;
    check_image_bits(FOLDER "/clip_gelu");
    check_image_bits(FOLDER "/dinov2");
    check_image_bits(FOLDER "/dinov2_swiglu");
    check_image_bits(FOLDER "/dinov2_registers");
    check_image_bits(FOLDER "/siglip_vision");
    check_image_bits(FOLDER "/siglip");
}

/* Texts alone, all together, and in the opposite order. */
static void test_text_bits(void **state)
{
    static const char *const folders[] = {
        FOLDER "/clip_quick", FOLDER "/bert_old",    FOLDER "/bert_new", FOLDER "/bert_plain",
        FOLDER "/roberta",    FOLDER "/xlm_roberta", FOLDER "/mpnet",    FOLDER "/siglip"};

    (void)state;
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        struct ge_encoder *e = load(folders[f], 0, NULL);
        size_t dim = ge_encoder_dim(e), n = 8 * n_texts;
        const char **many = ge_calloc(n, sizeof *many);
        float *alone = ge_calloc(n_texts * dim, sizeof *alone);
        float *together = ge_calloc(n * dim, sizeof *together);
        for (size_t i = 0; i < n_texts; i++)
            assert_ok(ge_encoder_texts(e, texts + i, 1, true, alone + i * dim, NULL));
        for (size_t i = 0; i < n; i++) many[i] = texts[(n - i) * 5 % n_texts];
        assert_ok(ge_encoder_texts(e, many, n, true, together, NULL));
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(together + i * dim, alone + (n - i) * 5 % n_texts * dim,
                                dim * sizeof *alone);
        free(many);
        free(alone);
        free(together);
        ge_encoder_delete(&e);
    }
}

/* Pictures as bytes are the same as the tensors that the preprocessing makes of them, in one call, in
 * batches on their way, and whatever the batch. */
static void check_bytes(const char *folder)
{
    enum { N = 9 };
    struct ge_encoder *e = load(folder, N, NULL);
    const struct ge_preprocess *p = ge_encoder_preprocess(e);
    size_t dim = ge_encoder_dim(e), each = ge_preprocess_size(p);
    uint8_t *bytes = ge_calloc(N * each, 1);
    const uint8_t *pictures[N];
    float *in = ge_calloc(N * each, sizeof *in), *want = ge_calloc(N * dim, sizeof *want);
    float *got = ge_calloc(N * dim, sizeof *got);

    for (size_t i = 0; i < N * each; i++) bytes[i] = (uint8_t)(256 * ge_uniform(4, 2, i));
    for (size_t i = 0; i < N; i++) {
        pictures[i] = bytes + i * each;
        ge_preprocess_tensor(p, pictures[i], in + i * each);
    }
    assert_ok(ge_encoder_tensors(e, in, N, true, want));
    for (size_t batch = 1; batch <= N; batch += 3) {
        ge_encoder_delete(&e);
        e = load(folder, batch, NULL);
        memset(got, 0, N * dim * sizeof *got);
        assert_ok(ge_encoder_images(e, pictures, N, true, got));
        assert_memory_equal(got, want, N * dim * sizeof *want);
    }
    assert_int_equal(ge_encoder_batch(e), 7);
    assert_status(ge_encoder_begin(e, pictures, 8, true), GE_EINVAL);
    assert_ok(ge_encoder_begin(e, pictures + 2, 1, true));
    assert_ok(ge_encoder_begin(e, pictures + 3, 6, true));
    assert_status(ge_encoder_begin(e, pictures, 1, true), GE_EINVAL); /* both are forgotten */
    assert_status(ge_encoder_finish(e, got), GE_EINVAL);
    assert_ok(ge_encoder_begin(e, pictures + 2, 1, true));
    assert_ok(ge_encoder_begin(e, pictures + 3, 6, true));
    assert_ok(ge_encoder_finish(e, got + 2 * dim));
    assert_ok(ge_encoder_begin(e, pictures, 2, true));
    assert_ok(ge_encoder_finish(e, got + 3 * dim));
    assert_ok(ge_encoder_finish(e, got));
    assert_memory_equal(got, want, N * dim * sizeof *want);
    ge_encoder_delete(&e);
    free(bytes);
    free(in);
    free(want);
    free(got);
}

static void test_bytes(void **state)
{
    (void)state;
    check_bytes(FOLDER "/clip_quick");
    check_bytes(FOLDER "/dinov2_registers");
    check_bytes(FOLDER "/siglip_vision");
}

static float *image_rows(int threads, const char *name)
{
    struct ge_device_options opt = {.dtype = dtype, .threads = threads, .level = GE_TEST_LEVEL};
    struct ge_encoder_options how = {.dtype = dtype};
    struct ge_device *own;
    struct ge_encoder *e;
    float *in = pixels(9, 30, 30), *out = ge_calloc(9 * 24, sizeof *out);

    assert_ok(ge_device_open(name, &opt, &own));
    assert_ok(ge_encoder_load(FOLDER "/clip_gelu", own, &how, &e));
    assert_ok(ge_encoder_tensors(e, in, 9, false, out));
    ge_encoder_delete(&e);
    ge_device_close(&own);
    free(in);
    return out;
}

static void test_thread_bits(void **state)
{
    float *one = image_rows(1, ge_device_name(dev));

    (void)state;
    for (int t = 2; t < 4; t++) {
        float *more = image_rows(t, ge_device_name(dev));
        assert_memory_equal(one, more, 9 * 24 * sizeof *one);
        free(more);
    }
    free(one);
}

/* ---- running ------------------------------------------------------------------------------ */

static int run_on(const char *name)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clip),          cmocka_unit_test(test_clip_eos),
        cmocka_unit_test(test_towers),        cmocka_unit_test(test_dinov2),
        cmocka_unit_test(test_siglip),        cmocka_unit_test(test_siglip2),
        cmocka_unit_test(test_bert),          cmocka_unit_test(test_bert_like),
        cmocka_unit_test(test_bert_poolings), cmocka_unit_test(test_roles),
        cmocka_unit_test(test_image_bits),    cmocka_unit_test(test_text_bits),
        cmocka_unit_test(test_thread_bits),   cmocka_unit_test(test_bytes),
    };
    struct ge_device_options opt = {.dtype = dtype, .threads = 2, .level = GE_TEST_LEVEL};
    int failed;
    ge_status rc = ge_device_open(name, &opt, &dev);

    if (rc == GE_EUNSUPPORTED) {
        print_message("Skipped: %s in %s: %s\n", name, ge_dtype_name(dtype), ge_error());
        return 0;
    }
    if (rc != GE_OK) return 1;
    print_message("device %s in %s: %s\n", name, ge_dtype_name(dtype), ge_device_numerics(dev));
    failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    ge_device_close(&dev);
    return failed;
}

int main(void)
{
    static const enum ge_dtype types[] = {GE_F32, GE_BF16, GE_F16};
    ge_json *doc = NULL;
    int failed = 0;

    if (ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK ||
        ge_json_read(FOLDER "/texts.json", &doc) != GE_OK ||
        ge_json_strings(doc, "texts", &texts, &n_texts) != GE_OK)
        return 1;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        dtype = types[t];
        for (size_t i = 0; ge_device_name_at(i) != NULL; i++) {
            failed += run_on(ge_device_name_at(i));
        }
    }
    free(texts);
    ge_json_delete(&doc);
    return failed != 0;
}
