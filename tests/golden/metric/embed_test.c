/* BERTScore and CLIPScore against embed.json (make_embed.py): from given matrices and cosines to the
 * last digits, and end to end over the tiny models of ../model. */
#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "metric/bertscore.h"
#include "metric/clipscore.h"
#include "model/encoder.h"
#include "test.h"
#include "text/tokenizer.h"

/* float64 against float64; float32 against float32, of a model's states end to end. */
static const double given_gate = 1e-12, model_gate = 1e-6;

static ge_json *golden;
static struct ge_device *dev;

static double number(const ge_json *node, const char *key)
{
    return ge_json_number(ge_json_get(node, key), NAN);
}

static const char *string(const ge_json *node, const char *key)
{
    const char *s = ge_json_string(ge_json_get(node, key), NULL);
    assert_non_null(s);
    return s;
}

/* A missing figure is a NaN on both sides. */
static double distance(double got, double want)
{
    return isnan(got) && isnan(want) ? 0 : fabs(got - want);
}

static double worst_of(const ge_json *want, const struct ge_bertscore *got)
{
    double p = distance(got->p, number(want, "p")), r = distance(got->r, number(want, "r"));
    double f1 = distance(got->f1, number(want, "f1"));
    return isnan(p + r + f1) ? NAN : fmax(p, fmax(r, f1));
}

/* ---- given matrices and cosines ----------------------------------------------------------- */

static double *doubles(const ge_json *list, size_t *n)
{
    double *v = ge_calloc(ge_json_count(list) + 1, sizeof *v);
    assert_non_null(v);
    *n = 0;
    for (const ge_json *e = ge_json_first(list); e != NULL; e = ge_json_next(e)) {
        v[(*n)++] = ge_json_number(e, NAN);
    }
    return v;
}

static float *floats(const ge_json *list)
{
    size_t n;
    double *v = doubles(list, &n);
    float *f = ge_calloc(n + 1, sizeof *f);
    assert_non_null(f);
    for (size_t i = 0; i < n; i++) f[i] = (float)v[i];
    free(v);
    return f;
}

static void test_matrices(void **state)
{
    (void)state;
    size_t cases = 0;
    for (const ge_json *c = ge_json_first(ge_json_get(golden, "matrices")); c != NULL;
         c = ge_json_next(c), cases++) {
        size_t n, m;
        float *a = floats(ge_json_get(c, "answer")), *b = floats(ge_json_get(c, "reference"));
        double *wa = doubles(ge_json_get(c, "answer_weights"), &n);
        double *wb = doubles(ge_json_get(c, "reference_weights"), &m);
        const struct ge_bertscore_text answer = {a, wa, n}, reference = {b, wb, m};
        struct ge_bertscore got;
        assert_ok(ge_bertscore_pair(&answer, &reference, (size_t)number(c, "dim"), &got));
        assert_close(worst_of(c, &got), 0, given_gate);
        free(a);
        free(b);
        free(wa);
        free(wb);
    }
    assert_int_equal(cases, 4);
}

static void test_clipscores(void **state)
{
    (void)state;
    size_t cases = 0;
    for (const ge_json *c = ge_json_first(ge_json_get(golden, "clipscores")); c != NULL;
         c = ge_json_next(c), cases++) {
        double clip = ge_clipscore_25(number(c, "cosine"));
        double ref = ge_refclipscore_25(clip, number(c, "reference"));
        assert_close(clip, number(c, "clipscore"), given_gate);
        assert_close(distance(ref, number(c, "refclipscore")), 0, given_gate);
    }
    assert_int_equal(cases, 7);
}

/* ---- end to end --------------------------------------------------------------------------- */

/* One group of pairs over one model and layer. */
struct group {
    struct ge_encoder *encoder;
    size_t layer;
    struct ge_bertscore_options options;
    struct ge_idf *idf;
};

static void count_references(struct group *g, const ge_json *pairs)
{
    struct ge_token_shape shape;
    struct ge_tokens tokens;
    assert_true(ge_encoder_token_shape(g->encoder, &shape));
    assert_ok(ge_idf_new(shape.vocab, &g->idf));
    ge_tokens_init(&tokens);
    for (const ge_json *pair = ge_json_first(pairs); pair != NULL; pair = ge_json_next(pair)) {
        const ge_json *references = ge_json_get(pair, "references");
        for (const ge_json *r = ge_json_first(references); r != NULL; r = ge_json_next(r)) {
            assert_ok(ge_encoder_token_ids(g->encoder, ge_json_string(r, NULL), &tokens));
            ge_idf_add(g->idf, tokens.ids, tokens.count);
        }
    }
    ge_tokens_free(&tokens);
    g->options.idf = g->idf;
}

static struct ge_bertscore_text weigh(const struct group *g, struct ge_arena *arena,
                                      const struct ge_token_states *t)
{
    double *weights = ge_arena_alloc(arena, t->n, sizeof *weights);
    assert_non_null(weights);
    ge_bertscore_weights(&g->options, t->ids, t->n, weights);
    return (struct ge_bertscore_text){t->rows, weights, t->n};
}

/* Score a pair from states that are computed in one call, or text by text; the same bits. */
static struct ge_bertscore score_pair(const struct group *g, const ge_json *pair, bool together)
{
    enum { MOST = 8 };
    const char *texts[MOST] = {string(pair, "answer")};
    size_t n = 1;
    struct ge_token_states states[MOST];
    struct ge_arena *arena = ge_arena_new();
    struct ge_bertscore best = {0, 0, 0}, one;
    const ge_json *references = ge_json_get(pair, "references");
    for (const ge_json *r = ge_json_first(references); r != NULL; r = ge_json_next(r)) {
        texts[n++] = ge_json_string(r, NULL);
    }
    for (size_t i = 0; i < n; i += together ? n : 1) {
        assert_ok(ge_encoder_token_states(g->encoder, texts + i, together ? n : 1, g->layer, arena,
                                          states + i));
    }
    struct ge_bertscore_text answer = weigh(g, arena, &states[0]);
    for (size_t i = 1; i < n; i++) {
        struct ge_bertscore_text reference = weigh(g, arena, &states[i]);
        assert_ok(ge_bertscore_pair(&answer, &reference, states[0].dim, &one));
        if (i == 1) best = one;
        ge_bertscore_max(&best, &one);
    }
    ge_arena_delete(&arena);
    return best;
}

static void check_group(const ge_json *json)
{
    char *folder = ge_sprintf(GE_SOURCE_DIR "/tests/golden/model/%s", string(json, "model"));
    struct group g = {.layer = (size_t)number(json, "layer")};
    const ge_json *pairs = ge_json_get(json, "pairs");
    double worst = 0;
    assert_ok(ge_encoder_load(folder, dev, NULL, &g.encoder));
    g.options.cls = ge_tokenizer_special(ge_encoder_tokenizer(g.encoder), GE_TOKEN_CLS);
    g.options.sep = ge_tokenizer_special(ge_encoder_tokenizer(g.encoder), GE_TOKEN_SEP);
    if (ge_json_bool(ge_json_get(json, "idf"), false)) count_references(&g, pairs);
    for (const ge_json *pair = ge_json_first(pairs); pair != NULL; pair = ge_json_next(pair)) {
        struct ge_bertscore got = score_pair(&g, pair, true), again = score_pair(&g, pair, false);
        double d = worst_of(pair, &got);
        assert_memory_equal(&got, &again, sizeof got);
        if (!(d <= model_gate)) {
            fail_msg("%s, layer %zu, \"%s\": %.9g %.9g %.9g", folder, g.layer,
                     string(pair, "answer"), got.p, got.r, got.f1);
        }
        if (d > worst) worst = d;
    }
    print_message("  %s, layer %zu%s: %.2g\n", string(json, "model"), g.layer,
                  g.idf != NULL ? ", idf" : "", worst);
    ge_idf_delete(&g.idf);
    ge_encoder_delete(&g.encoder);
    free(folder);
}

static void test_models(void **state)
{
    static const char *const devices[] = {"cpu", "simd"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct ge_device_options options = {.threads = 1};
        size_t groups = 0;
        if (ge_device_open(devices[i], &options, &dev) == GE_EUNSUPPORTED) continue;
        for (const ge_json *g = ge_json_first(ge_json_get(golden, "groups")); g != NULL;
             g = ge_json_next(g), groups++) {
            check_group(g);
        }
        assert_int_equal(groups, 13);
        ge_device_close(&dev);
    }
}

/* What the states refuse, and the cut at the tokenizer's own limit. */
static void test_states(void **state)
{
    (void)state;
    const struct ge_device_options options = {.threads = 1};
    const char *text = "a red circle";
    struct ge_token_states states;
    struct ge_token_shape shape;
    struct ge_encoder *e;
    struct ge_arena *arena = ge_arena_new();
    char *longer = ge_calloc(4001, 1);
    assert_ok(ge_device_open("cpu", &options, &dev));
    assert_ok(ge_encoder_load(GE_SOURCE_DIR "/tests/golden/model/clip_quick", dev, NULL, &e));
    assert_false(ge_encoder_token_shape(e, &shape));
    assert_status(ge_encoder_token_states(e, &text, 1, 0, arena, &states), GE_EINVAL);
    ge_encoder_delete(&e);
    assert_ok(ge_encoder_load(GE_SOURCE_DIR "/tests/golden/model/bert_old", dev, NULL, &e));
    assert_true(ge_encoder_token_shape(e, &shape));
    assert_int_equal(shape.layers, 2);
    assert_int_equal(shape.width, 32);
    assert_status(ge_encoder_token_states(e, &text, 1, 3, arena, &states), GE_EINVAL);
    assert_ok(ge_encoder_token_states(e, &text, 1, 2, arena, &states));
    assert_int_equal(states.n, 5);
    assert_false(states.truncated);
    for (size_t i = 0; i < 4000; i++) longer[i] = i % 4 == 3 ? ' ' : "red"[i % 4];
    text = longer;
    assert_ok(ge_encoder_token_states(e, &text, 1, 2, arena, &states));
    assert_int_equal(states.n, 48); /* not the 32 of its sentence_bert_config.json */
    assert_true(states.truncated);
    free(longer);
    ge_encoder_delete(&e);
    ge_device_close(&dev);
    ge_arena_delete(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_clipscores),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_states),
    };
    assert_ok(ge_json_read(GE_SOURCE_DIR "/tests/golden/metric/embed.json", &golden));
    assert_ok(ge_device_register_builtin());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ge_json_delete(&golden);
    return failed;
}
