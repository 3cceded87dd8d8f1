/* Pictures that no encoder looks at, and sets: values, whatever the cache and the threads; broken and
 * vanished files. */
#include <unistd.h>

#include "base/mem.h"
#include "fixture.h"
#include "image/resize.h"
#include "metric/picture.h"
#include "metric/ssim.h"
#include "png.h"
#include "test.h"

enum { A, A_AGAIN, B, SMALL, TINY, BROKEN, MISSING, FILES };
static const char *const names[FILES] = {"a.png",    "again.png",  "b.png",      "small.png",
                                         "tiny.png", "broken.png", "missing.png"};
static const int widths[] = {32, 32, 32, 16, 5}, heights[] = {24, 24, 24, 14, 5};

/* What an item's answer is compared with; -1 ends a list. */
static const struct {
    int answer, references[3], input;
} plan[] = {
    {A, {B, A_AGAIN, -1}, -1},     /* a copy of the second */
    {B, {A, -1}, -1},              /* another picture */
    {SMALL, {A, -1}, -1},          /* the same in another size */
    {BROKEN, {A, -1}, -1},         /* no picture */
    {A, {BROKEN, MISSING, B}, -1}, /* two references that cannot be read */
    {A, {TINY, -1}, -1},           /* too small for windows */
    {A, {A_AGAIN, -1}, B},         /* an edit */
    {A, {-1}, -1},                 /* nothing to compare with */
};
enum { ITEMS = sizeof plan / sizeof plan[0] };

static struct fixture f;
static char paths[FILES][128];
static const char *references[ITEMS][3], *inputs[ITEMS];

static void draw(int file)
{
    uint8_t rgb[3 * 32 * 24];
    int w = widths[file], h = heights[file];
    for (int i = 0; i < 3 * w * h; i++) {
        int x = i / 3 % w * 32 / w, y = i / 3 / w * 24 / h, c = i % 3;
        int a = (x * x + 5 * y + 40 * c) % 256, b = (9 * x + y * y + 90 * c) % 256;
        rgb[i] = (uint8_t)(file == B ? b : a);
    }
    if (file == A_AGAIN) rgb[0] ^= 1; /* another file, nearly the same picture */
    png_write(paths[file], w, h, rgb);
}

static void use_pictures(void)
{
    f.scoring[0] = (struct ge_task_scoring){.task = "edit",
                                            .rule = GE_RULE_THRESHOLD,
                                            .metric = GE_METRIC_PHASH_DISTANCE,
                                            .threshold = 64,
                                            .lower_is_better = true,
                                            .fallback = GE_METRIC_NONE,
                                            .copies = GE_COPIES_ZERO};
    f.scoring[0].metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    f.scoring[0].metrics[GE_METRIC_SSIM_TORCHMETRICS] = true;
    assert_ok(ge_task_scoring_complete(&f.scoring[0]));
}

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, "cpu");
    for (int i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", f.folder, names[i]);
        if (i < BROKEN) draw(i);
    }
    assert_ok(ge_fs_replace(paths[BROKEN], "no picture", 10));
    f.recorded.n = ITEMS;
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct ge_task *task = &f.items[i].task[GE_GEN];
        f.answers[i] =
            (struct ge_answer){.item = i, .direction = GE_GEN, .image = paths[plan[i].answer]};
        f.items[i].task[GE_UND] = (struct ge_task){0};
        *task = (struct ge_task){.present = true, .type = "edit"};
        task->reference_images.v = references[i];
        while (task->reference_images.n < 3 && plan[i].references[task->reference_images.n] >= 0) {
            size_t k = task->reference_images.n++;
            references[i][k] = paths[plan[i].references[k]];
        }
        if (plan[i].input < 0) continue;
        inputs[i] = paths[plan[i].input];
        task->images = (struct ge_strings){&inputs[i], 1};
    }
    for (int r = 0; r < GE_ROLES; r++) f.ev.role_encoder[r] = -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++) unlink(paths[i]);
    fixture_close(&f);
    return 0;
}

/* All items; the result lives in *arena. */
static struct ge_result evaluate(struct ge_arena **arena)
{
    struct ge_result r;
    char *data;
    size_t len;
    *arena = ge_arena_new();
    assert_ok(fixture_run(&f, 0, ITEMS, &data, &len));
    assert_ok(ge_result_unpack(data, len, *arena, &r));
    free(data);
    return r;
}

/* The value of a metric; NaN if there is no row. */
static double value_of(const struct ge_result *r, uint32_t item, enum ge_metric_id metric)
{
    for (size_t i = 0; i < r->n_scores; i++) {
        const struct ge_score_row *s = &r->scores[i];
        if (s->key.item == item && s->metric == metric) return s->value;
    }
    return NAN;
}

static const struct ge_error_row *error_of(const struct ge_result *r, uint32_t item)
{
    for (size_t i = 0; i < r->n_errors; i++) {
        if (r->errors[i].key.item == item) return &r->errors[i];
    }
    return NULL;
}

static const struct ge_undone_row *undone_of(const struct ge_result *r, uint32_t item)
{
    for (size_t i = 0; i < r->n_undone; i++) {
        if (r->undone[i].key.item == item) return &r->undone[i];
    }
    return NULL;
}

/* ---- values -------------------------------------------------------------------------------- */

static void load(int file, struct ge_image *image, float picture[GE_PICTURE_SIZE])
{
    assert_ok(ge_image_decode_file(paths[file], &f.ev.image, image));
    assert_int_equal(image->width, widths[file]);
    assert_ok(ge_picture_make(image, picture));
}

static void values(void **state)
{
    (void)state;
    static float p[BROKEN][GE_PICTURE_SIZE];
    struct ge_image image[BROKEN], scaled = {0};
    struct ge_arena *arena;
    double ssim[2];
    const struct ge_resize to = {.width = 32,
                                 .height = 24,
                                 .filter = GE_RESAMPLE_BICUBIC,
                                 .mode = GE_RESIZE_PIL,
                                 .pillow = GE_PILLOW_13};
    for (int i = 0; i < BROKEN; i++) load(i, &image[i], p[i]);
    use_pictures();
    struct ge_result r = evaluate(&arena);
    /* the nearest of two references, by each metric */
    assert_ok(ge_ssim(&image[A], &image[A_AGAIN], GE_SSIM_SKIMAGE, &ssim[0]));
    assert_ok(ge_ssim(&image[A], &image[A_AGAIN], GE_SSIM_TORCHMETRICS, &ssim[1]));
    assert_close(value_of(&r, 0, GE_METRIC_SSIM_SKIMAGE), ssim[0], 0);
    assert_close(value_of(&r, 0, GE_METRIC_SSIM_TORCHMETRICS), ssim[1], 0);
    assert_close(value_of(&r, 0, GE_METRIC_COPY_CORRELATION),
                 ge_picture_correlation(p[A], p[A_AGAIN], NULL), 0);
    assert_close(value_of(&r, 0, GE_METRIC_COPY_DETECTED), 1, 0);
    /* another picture */
    assert_ok(ge_ssim(&image[B], &image[A], GE_SSIM_SKIMAGE, &ssim[0]));
    assert_close(value_of(&r, 1, GE_METRIC_SSIM_SKIMAGE), ssim[0], 0);
    assert_close(value_of(&r, 1, GE_METRIC_PHASH_DISTANCE),
                 ge_phash_distance(ge_picture_phash(p[A]), ge_picture_phash(p[B])), 0);
    assert_close(value_of(&r, 1, GE_METRIC_COPY_DETECTED), 0, 0);
    /* the answer is brought to the reference's size */
    assert_ok(ge_image_resize(&image[SMALL], &to, &scaled));
    assert_ok(ge_ssim(&scaled, &image[A], GE_SSIM_SKIMAGE, &ssim[0]));
    assert_ok(ge_ssim(&scaled, &image[A], GE_SSIM_TORCHMETRICS, &ssim[1]));
    assert_close(value_of(&r, 2, GE_METRIC_SSIM_SKIMAGE), ssim[0], 0);
    assert_close(value_of(&r, 2, GE_METRIC_SSIM_TORCHMETRICS), ssim[1], 0);
    /* two references that cannot be read are passed over */
    assert_close(value_of(&r, 4, GE_METRIC_SSIM_SKIMAGE), value_of(&r, 1, GE_METRIC_SSIM_SKIMAGE),
                 1e-12);
    assert_close(value_of(&r, 4, GE_METRIC_PHASH_DISTANCE),
                 value_of(&r, 1, GE_METRIC_PHASH_DISTANCE), 0);
    /* too small for windows; pictures have a hash at any size */
    assert_true(isnan(value_of(&r, 5, GE_METRIC_SSIM_SKIMAGE)));
    assert_false(isnan(value_of(&r, 5, GE_METRIC_PHASH_DISTANCE)));
    /* an edit, where the reference departs from the input */
    assert_close(value_of(&r, 6, GE_METRIC_COPY_CORRELATION),
                 ge_picture_correlation(p[A], p[A_AGAIN], p[B]), 0);
    for (int i = 0; i < BROKEN; i++) ge_image_free(&image[i]);
    ge_image_free(&scaled);
    ge_arena_delete(&arena);
}

static void rows(void **state)
{
    (void)state;
    struct ge_arena *arena;
    use_pictures();
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_samples, ITEMS);
    assert_int_equal(r.n_responses, ITEMS);
    assert_int_equal(r.n_undone, 0);
    assert_int_equal(r.n_errors, 2);
    assert_int_equal(error_of(&r, 3)->status, GE_EFORMAT);
    assert_non_null(strstr(error_of(&r, 3)->reason, "answer: broken.png: "));
    assert_null(strstr(error_of(&r, 3)->reason, f.folder));
    assert_int_equal(error_of(&r, 7)->status, GE_EINVAL); /* the rule has nothing to read */
    assert_int_equal(r.n_verdicts, ITEMS - 2);
    for (size_t i = 0; i < r.n_verdicts; i++) {
        bool copy = r.verdicts[i].key.item == 0 || r.verdicts[i].key.item == 6;
        if (r.verdicts[i].key.item == 2) continue; /* scaled: as its correlation says */
        assert_close(r.verdicts[i].value, !copy, 0);
        assert_int_equal(r.verdicts[i].rule, copy ? GE_RULE_COPY : GE_RULE_THRESHOLD);
    }
    struct ge_hash hash;
    for (size_t i = 0; i < r.n_responses; i++) { /* of every file that could be read */
        assert_ok(ge_hash_file(paths[plan[i].answer], &hash));
        assert_true(ge_hash_equal(r.responses[i].image_hash, hash));
    }
    ge_arena_delete(&arena);
}

/* The packed bytes are the same without a cache, with a cold one, a warm one and one that is too small,
 * with threads and without. */
static void same_bytes(void **state)
{
    (void)state;
    static const size_t caches[] = {300, 20000, 1 << 20};
    char *want, *got;
    size_t want_len, len;
    use_pictures();
    assert_ok(fixture_run(&f, 0, ITEMS, &want, &want_len));
    for (int threads = 0; threads <= 3; threads += 3) {
        if (threads > 0) assert_ok(ge_pool_new(threads, &f.ev.decode_pool));
        for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
            assert_ok(ge_cache_new(caches[i], &f.ev.cache));
            for (int again = 0; again < 3; again++) {
                assert_ok(fixture_run(&f, 0, ITEMS, &got, &len));
                assert_int_equal(len, want_len);
                assert_memory_equal(got, want, len);
                free(got);
            }
            ge_cache_delete(&f.ev.cache);
        }
    }
    ge_pool_delete(&f.ev.decode_pool);
    free(want);
}

static void cache_is_used(void **state)
{
    (void)state;
    struct ge_eval_chunk *chunk;
    const struct ge_result *result;
    use_pictures();
    assert_ok(ge_cache_new(1 << 20, &f.ev.cache));
    for (int again = 0; again < 2; again++) {
        assert_ok(ge_eval_prepare(&f.ev, 0, 0, 3, &chunk));
        assert_ok(ge_eval_encode(&f.ev, chunk));
        assert_ok(ge_eval_score(&f.ev, chunk, &result));
        const struct ge_eval_times *t = ge_eval_chunk_times(chunk);
        assert_int_equal(t->images_read, again ? 0 : 4); /* a, again, b and small: each once */
        assert_int_equal(t->cache_hits, again ? 4 : 0);
        assert_int_equal(t->images_encoded, 0);
        ge_eval_chunk_delete(&chunk);
    }
    ge_cache_delete(&f.ev.cache);
}

/* ---- faults -------------------------------------------------------------------------------- */

static bool never_missing(void *ctx, const char *path)
{
    (void)ctx, (void)path;
    return false;
}

/* Undone for a file that was there when the run was planned, and no row of it at all. */
static void assert_undone(const struct ge_result *r, uint32_t item)
{
    assert_int_equal(r->n_undone, 1);
    assert_non_null(undone_of(r, item));
    assert_non_null(strstr(undone_of(r, item)->reason, "missing.png"));
    assert_null(error_of(r, item));
    for (size_t i = 0; i < r->n_scores; i++) assert_int_not_equal(r->scores[i].key.item, item);
    for (size_t i = 0; i < r->n_verdicts; i++) assert_int_not_equal(r->verdicts[i].key.item, item);
    for (size_t i = 0; i < r->n_responses; i++) {
        assert_int_not_equal(r->responses[i].key.item, item);
    }
    for (size_t i = 0; i < r->n_embeddings; i++) {
        assert_int_not_equal(r->embeddings[i].key.item, item);
    }
}

static void vanished_reference(void **state)
{
    (void)state;
    f.ev.was_missing = never_missing;
    for (int k = 0; k < 2; k++) { /* as a picture, as a half of a pair */
        struct ge_arena *arena;
        use_pictures();
        if (k == 1) {
            f.scoring[0] = (struct ge_task_scoring){
                .task = "edit", .rule = GE_RULE_NONE, .metric = GE_METRIC_NONE};
            f.scoring[0].metrics[GE_METRIC_SSIM_SKIMAGE] = true;
        }
        struct ge_result r = evaluate(&arena);
        assert_undone(&r, 4);
        assert_int_equal(undone_of(&r, 4)->status, GE_EIO);
        ge_arena_delete(&arena);
    }
    f.ev.was_missing = NULL;
}

static void vanished_answer(void **state)
{
    (void)state;
    static const enum ge_metric_id metrics[] = {GE_METRIC_SSIM_SKIMAGE, GE_METRIC_PHASH_DISTANCE};
    f.answers[1].image = paths[MISSING];
    references[4][1] = paths[BROKEN];
    for (int k = 0; k < 4; k++) { /* by pairs or pictures; there at the plan, or not */
        struct ge_arena *arena;
        f.ev.was_missing = k < 2 ? never_missing : NULL;
        f.scoring[0] = (struct ge_task_scoring){
            .task = "edit", .rule = GE_RULE_NONE, .metric = GE_METRIC_NONE};
        f.scoring[0].metrics[metrics[k % 2]] = true;
        struct ge_result r = evaluate(&arena);
        if (k < 2) {
            assert_undone(&r, 1);
        } else {
            assert_int_equal(r.n_undone, 0);
            assert_int_equal(error_of(&r, 1)->status, GE_ENOENT);
            assert_non_null(strstr(error_of(&r, 1)->reason, "answer: missing.png"));
        }
        ge_arena_delete(&arena);
    }
    f.answers[1].image = paths[B];
    references[4][1] = paths[MISSING];
    f.ev.was_missing = NULL;
}

static atomic_bool cancel;
static int asked;

static bool cancel_at_first(void *ctx, const char *path)
{
    asked++;
    atomic_store(&cancel, true);
    return never_missing(ctx, path);
}

/* In the middle of the pairs: no other is begun. */
static void cancelled(void **state)
{
    (void)state;
    char *data;
    size_t len;
    f.scoring[0] =
        (struct ge_task_scoring){.task = "edit", .rule = GE_RULE_NONE, .metric = GE_METRIC_NONE};
    f.scoring[0].metrics[GE_METRIC_SSIM_SKIMAGE] = true;
    references[0][0] = references[1][0] = paths[MISSING];
    f.ev.was_missing = cancel_at_first;
    f.ev.cancel = &cancel;
    assert_status(fixture_run(&f, 0, ITEMS, &data, &len), GE_EINTERRUPTED);
    assert_int_equal(asked, 1);
    references[0][0] = paths[B];
    references[1][0] = paths[A];
    f.ev.was_missing = NULL;
    f.ev.cancel = NULL;
}

/* Every allocation fails once: never blamed on an answer, never a value that would not be there else. */
static void memory(void **state)
{
    (void)state;
    struct ge_arena *arena;
    size_t failed = 0, undone = 0;
    use_pictures();
    struct ge_result want = evaluate(&arena);
    for (uint64_t n = 1;; n++) {
        struct ge_arena *own = ge_arena_new();
        struct ge_result r;
        char *data;
        size_t len;
        ge_mem_fail_at(n, 0);
        ge_status rc = fixture_run(&f, 0, 5, &data, &len);
        bool pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        failed += rc != GE_OK;
        if (rc != GE_OK) assert_int_equal(rc, GE_ENOMEM);
        if (rc == GE_OK) {
            assert_ok(ge_result_unpack(data, len, own, &r));
            assert_int_equal(r.n_verdicts + r.n_errors + r.n_undone, 5);
            undone += r.n_undone;
            for (size_t i = 0; i < r.n_errors; i++) assert_int_equal(r.errors[i].key.item, 3);
            for (size_t i = 0; i < r.n_scores; i++) {
                const struct ge_score_row *s = &r.scores[i];
                double value = value_of(&want, s->key.item, (enum ge_metric_id)s->metric);
                assert_memory_equal(&s->value, &value, sizeof value);
            }
            free(data);
        }
        ge_arena_delete(&own);
        if (pending) break;
    }
    assert_true(failed > 5);
    assert_true(undone > 5);
    ge_arena_delete(&arena);
}

/* ---- sets ---------------------------------------------------------------------------------- */

static void use_sets(enum ge_role role)
{
    f.scoring[0] = (struct ge_task_scoring){
        .task = "edit", .rule = GE_RULE_NONE, .metric = GE_METRIC_NONE, .sets = true};
    for (int r = 0; r < GE_ROLES; r++) f.ev.role_encoder[r] = -1;
    f.ev.role_encoder[role] = 0;
}

static const struct ge_embedding_row *embedding_of(const struct ge_result *r, uint32_t item,
                                                   uint16_t kind)
{
    for (size_t i = 0; i < r->n_embeddings; i++) {
        if (r->embeddings[i].key.item == item && r->embeddings[i].kind == kind) {
            return &r->embeddings[i];
        }
    }
    return NULL;
}

enum { TEXT, IMAGE, REFERENCE }; /* kinds of the only encoder */

static void sets(void **state)
{
    (void)state;
    static const enum ge_role roles[] = {GE_ROLE_IMAGE_IMAGE, GE_ROLE_IMAGE_TEXT};
    const size_t size = ge_encoder_dim(f.encoder) * sizeof(float);
    for (int k = 0; k < 2; k++) {
        struct ge_arena *arena;
        use_sets(roles[k]);
        struct ge_result r = evaluate(&arena);
        assert_int_equal(r.n_errors, 1);
        for (uint32_t i = 0; i < ITEMS; i++) {
            const struct ge_embedding_row *own = embedding_of(&r, i, IMAGE);
            const struct ge_embedding_row *reference = embedding_of(&r, i, REFERENCE);
            assert_true((own != NULL) == (i != 3)); /* its picture is broken */
            assert_true((reference != NULL) == (i != 3 && i != 4 && i != 7)); /* broken; none */
            assert_null(embedding_of(&r, i, TEXT));
        }
        /* the first reference alone: b for item 0, which is item 1's answer, and the other way round */
        assert_memory_equal(embedding_of(&r, 0, REFERENCE)->values,
                            embedding_of(&r, 1, IMAGE)->values, size);
        assert_memory_equal(embedding_of(&r, 1, REFERENCE)->values,
                            embedding_of(&r, 0, IMAGE)->values, size);
        assert_memory_not_equal(embedding_of(&r, 0, IMAGE)->values,
                                embedding_of(&r, 1, IMAGE)->values, size);
        ge_arena_delete(&arena);
    }
}

static void sets_without_encoder(void **state)
{
    (void)state;
    struct ge_arena *arena;
    use_sets(GE_ROLE_TEXT_TEXT); /* of texts alone */
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_embeddings, 0);
    assert_int_equal(r.n_errors, 1);
    ge_arena_delete(&arena);
    f.answers[0].image = NULL;
    f.answers[0].text = "a red circle";
    struct ge_eval_chunk *chunk;
    assert_ok(ge_eval_prepare(&f.ev, 0, 0, ITEMS, &chunk));
    assert_ok(ge_eval_encode(&f.ev, chunk));
    assert_int_equal(ge_eval_chunk_times(chunk)->texts_encoded, 1); /* no path as a text */
    ge_eval_chunk_delete(&chunk);
    r = evaluate(&arena);
    assert_int_equal(r.n_embeddings, 1); /* a text has no reference picture */
    assert_non_null(embedding_of(&r, 0, TEXT));
    ge_arena_delete(&arena);
    f.answers[0].text = NULL;
    f.answers[0].image = paths[A];
}

/* A reference that was there: a set without it would be another set. */
static void vanished_reference_of_set(void **state)
{
    (void)state;
    struct ge_arena *arena;
    use_sets(GE_ROLE_IMAGE_IMAGE);
    references[4][0] = paths[MISSING];
    struct ge_result r = evaluate(&arena);
    assert_int_equal(r.n_undone, 0); /* missing from the beginning: no reference */
    assert_non_null(embedding_of(&r, 4, IMAGE));
    assert_null(embedding_of(&r, 4, REFERENCE));
    ge_arena_delete(&arena);
    f.ev.was_missing = never_missing;
    r = evaluate(&arena);
    assert_undone(&r, 4);
    ge_arena_delete(&arena);
    references[4][0] = paths[BROKEN];
    f.ev.was_missing = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(rows),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(cache_is_used),
        cmocka_unit_test(vanished_reference),
        cmocka_unit_test(vanished_answer),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(memory),
        cmocka_unit_test(sets),
        cmocka_unit_test(sets_without_encoder),
        cmocka_unit_test(vanished_reference_of_set),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
