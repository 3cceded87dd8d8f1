/* Metrics over derived inputs: texts behind a prefix (CLIPScore) and texts by their tokens (BERTScore);
 * the values of the functions below, the same bits in any chunk. */
#include "base/arena.h"
#include "base/mem.h"
#include "fixture.h"
#include "metric/clipscore.h"
#include "test.h"

#define MODELS GE_SOURCE_DIR "/tests/golden/model/"
#define IMAGES GE_SOURCE_DIR "/tests/golden/image/samples/"

static struct fixture f;
static struct ge_encoder *encoders[2]; /* the fixture's CLIP, a tiny BERT */
static const char *pictures[] = {IMAGES "png_c2_d8.png"};
static char longer[400];

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, "cpu");
    encoders[0] = f.encoder;
    assert_ok(ge_encoder_load(MODELS "bert_old", f.device, NULL, &encoders[1]));
    f.ev.encoders = encoders;
    f.ev.n_encoders = 2;
    f.ev.role_encoder[GE_ROLE_BERTSCORE] = 1;
    f.ev.bertscore_layer = 1;
    for (size_t i = 0; i < FIXTURE_ITEMS; i++) {
        f.items[i].task[GE_UND].images = (struct ge_strings){pictures, 1};
        f.items[i].task[GE_GEN].prompt = "a blue square";
    }
    struct ge_task_scoring *s = f.scoring; /* edit, vqa */
    s[0].metrics[GE_METRIC_CLIPSCORE_25] = s[0].metrics[GE_METRIC_CLIPSCORE_COS] = true;
    for (int i = GE_METRIC_CLIPSCORE_25; i <= GE_METRIC_BERTSCORE_F1; i++) s[1].metrics[i] = true;
    s[1].bertscore = (struct ge_bertscore_options){.cls = 2, .sep = 3};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ge_encoder_delete(&encoders[1]);
    fixture_close(&f);
    return 0;
}

static struct ge_result evaluate(uint32_t first, uint32_t count, struct ge_arena *arena)
{
    struct ge_result r;
    char *data;
    size_t len;
    assert_ok(fixture_run(&f, first, count, &data, &len));
    assert_ok(ge_result_unpack(data, len, arena, &r));
    free(data);
    return r;
}

static double value_of(const struct ge_result *r, uint32_t item, uint8_t direction,
                       enum ge_metric_id metric)
{
    for (size_t i = 0; i < r->n_scores; i++) {
        const struct ge_score_row *row = &r->scores[i];
        if (row->key.item == item && row->key.direction == direction && row->key.sample == 0 &&
            row->metric == metric) {
            return row->value;
        }
    }
    return NAN;
}

static double text_cosine(const char *a, const char *b)
{
    const char *texts[] = {a, b};
    size_t dim = ge_encoder_dim(encoders[0]);
    float *v = ge_calloc(2 * dim, sizeof *v);
    double sum = 0;
    assert_non_null(v);
    assert_ok(ge_encoder_texts(encoders[0], texts, 2, true, v, NULL));
    for (size_t i = 0; i < dim; i++) sum += (double)v[i] * (double)v[dim + i];
    free(v);
    return sum;
}

/* The nearest prefixed reference of an answer "a green star" that is itself prefixed. */
static void test_prefix(void **state)
{
    (void)state;
    struct ge_arena *arena = ge_arena_new();
    struct ge_result r = evaluate(1, 1, arena);
    double clip = value_of(&r, 1, GE_UND, GE_METRIC_CLIPSCORE_25);
    double red = text_cosine("A photo depicts a green star", "A photo depicts a red circle");
    double blue = text_cosine("A photo depicts a green star", "A photo depicts two blue squares");
    double want = ge_refclipscore_25(clip, red > blue ? red : blue);
    double plain = value_of(&r, 1, GE_UND, GE_METRIC_CLIPSCORE_COS);
    assert_close(value_of(&r, 1, GE_UND, GE_METRIC_REFCLIPSCORE_25), want, 0);
    assert_close(value_of(&r, 1, GE_UND, GE_METRIC_CLIPSCORE_100), 100 * plain, 0);
    assert_true(clip > 0);
    assert_true(fabs(2.5 * fmax(plain, 0) - clip) > 1e-6); /* the prefix was there */
    assert_true(isfinite(value_of(&r, 1, GE_GEN, GE_METRIC_CLIPSCORE_25))); /* with its prompt */
    assert_true(isnan(value_of(&r, 1, GE_GEN, GE_METRIC_REFCLIPSCORE_25)));
    ge_arena_delete(&arena);
}

static struct ge_bertscore pair(const char *answer, const char *reference)
{
    const char *texts[] = {answer, reference};
    struct ge_token_states t[2];
    struct ge_bertscore out;
    double weights[2][48];
    struct ge_arena *arena = ge_arena_new();
    assert_ok(ge_encoder_token_states(encoders[1], texts, 2, 1, arena, t));
    for (int i = 0; i < 2; i++) {
        ge_bertscore_weights(&f.scoring[1].bertscore, t[i].ids, t[i].n, weights[i]);
    }
    const struct ge_bertscore_text a = {t[0].rows, weights[0], t[0].n};
    const struct ge_bertscore_text b = {t[1].rows, weights[1], t[1].n};
    assert_ok(ge_bertscore_pair(&a, &b, t[0].dim, &out));
    ge_arena_delete(&arena);
    return out;
}

static void test_bertscore(void **state)
{
    (void)state;
    struct ge_arena *arena = ge_arena_new();
    struct ge_result r = evaluate(0, FIXTURE_ITEMS, arena);
    struct ge_bertscore want = pair("a green star", "a red circle");
    struct ge_bertscore other = pair("a green star", "two blue squares");
    ge_bertscore_max(&want, &other);
    assert_close(value_of(&r, 1, GE_UND, GE_METRIC_BERTSCORE_P), want.p, 0);
    assert_close(value_of(&r, 1, GE_UND, GE_METRIC_BERTSCORE_R), want.r, 0);
    assert_close(value_of(&r, 1, GE_UND, GE_METRIC_BERTSCORE_F1), want.f1, 0);
    assert_true(want.p < 0.999);
    assert_close(value_of(&r, 0, GE_UND, GE_METRIC_BERTSCORE_F1), 1, 1e-6);
    assert_true(isnan(value_of(&r, 0, GE_GEN, GE_METRIC_BERTSCORE_F1))); /* an image */
    for (size_t i = 0; i < r.n_responses; i++) assert_int_equal(r.responses[i].truncated, 0);
    ge_arena_delete(&arena);
}

/* Item by item, with and without a cache: the rows of the whole chunk. */
static void test_same_bits(void **state)
{
    (void)state;
    struct ge_arena *arena = ge_arena_new();
    struct ge_result whole = evaluate(0, FIXTURE_ITEMS, arena);
    for (int cached = 0; cached < 2; cached++) {
        size_t at = 0;
        if (cached) assert_ok(ge_cache_new(1 << 20, &f.ev.cache));
        for (uint32_t i = 0; i < FIXTURE_ITEMS; i++) {
            struct ge_result part = evaluate(i, 1, arena);
            for (size_t k = 0; k < part.n_scores; k++, at++) {
                assert_true(at < whole.n_scores);
                assert_int_equal(part.scores[k].metric, whole.scores[at].metric);
                assert_memory_equal(&part.scores[k].value, &whole.scores[at].value, sizeof(double));
            }
        }
        assert_int_equal(at, whole.n_scores);
    }
    ge_cache_delete(&f.ev.cache);
    ge_arena_delete(&arena);
}

/* A text that only the token encoder cuts is marked as cut; 40 tokens of CLIP are more than its own. */
static void test_cut(void **state)
{
    (void)state;
    struct ge_arena *arena = ge_arena_new();
    const char *kept = f.answers[0].text;
    struct ge_task_scoring vqa = f.scoring[1];
    for (int i = 0; i < GE_METRICS; i++) {
        f.scoring[1].metrics[i] =
            vqa.metrics[i] && ge_metric_info((enum ge_metric_id)i)->role != GE_ROLE_IMAGE_TEXT &&
            ge_metric_info((enum ge_metric_id)i)->role != GE_ROLE_TEXT_TEXT;
    }
    for (size_t i = 0; i < sizeof longer - 1; i++) longer[i] = i % 4 == 3 ? ' ' : "red"[i % 4];
    f.answers[0].text = longer;
    struct ge_result r = evaluate(0, 1, arena);
    assert_int_equal(r.responses[0].truncated, 1);
    f.answers[0].text = kept;
    r = evaluate(0, 1, arena);
    assert_int_equal(r.responses[0].truncated, 0);
    f.scoring[1] = vqa;
    ge_arena_delete(&arena);
}

/* A role without an encoder, and one whose encoder has no token states: error rows that say so. */
static void test_wrong_encoders(void **state)
{
    (void)state;
    static const char *const wanted[] = {"scoring.roles.bertscore", "no token states"};
    struct ge_arena *arena = ge_arena_new();
    for (int encoder = -1; encoder < 1; encoder++) {
        f.ev.role_encoder[GE_ROLE_BERTSCORE] = encoder;
        struct ge_result r = evaluate(0, 1, arena);
        assert_int_equal(r.n_errors, 1);
        assert_int_equal(r.errors[0].status, GE_EINVAL);
        assert_non_null(strstr(r.errors[0].reason, wanted[encoder + 1]));
    }
    f.ev.role_encoder[GE_ROLE_BERTSCORE] = 1;
    ge_arena_delete(&arena);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    size_t failed = 0;
    for (uint64_t n = 1; n < 250; n += n < 80 ? 1 : 5) {
        char *data;
        size_t len;
        ge_mem_fail_at(n, 0);
        ge_status rc = fixture_run(&f, 0, 2, &data, &len);
        ge_mem_fail_at(0, 0);
        if (rc != GE_OK) {
            assert_int_equal(rc, GE_ENOMEM);
            failed++;
        }
        free(data);
    }
    assert_true(failed > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix),         cmocka_unit_test(test_bertscore),
        cmocka_unit_test(test_same_bits),      cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrong_encoders), cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
