/* Caption tokens and metrics against pycocoevalcap, homogeneity against nltk and zlib
 * (make_captions.py). Of the 5,000 captions that the script makes, all 5,000 have equal tokens; 800 of
 * them are here, GE_CAPTION_TOKENS names a file with all. */
#include "test.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "metric/captions.h"
#include "metric/homogeneity.h"
#include "metric/ptb.h"

#define GOLDEN GE_SOURCE_DIR "/tests/golden/metric/"

/* ---- tokens ------------------------------------------------------------------------------------ */

static void captions_are_cut_as_there(void **state)
{
    const char *path = getenv("GE_CAPTION_TOKENS");
    char *data;
    size_t len, n = 0, bad = 0;
    (void)state;
    if (path == NULL) path = GOLDEN "captions_tokens.jsonl";
    assert_ok(ge_fs_read(path, 1 << 26, &data, &len));
    for (char *line = data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, n++) {
        ge_json *doc;
        struct ge_buf got;
        assert_ok(ge_json_parse(line, (size_t)(end - line), path, &doc));
        const ge_json *caption = ge_json_first(doc);
        const char *text = ge_json_string(caption, NULL);
        const char *want = ge_json_string(ge_json_next(caption), NULL);
        ge_buf_init(&got, SIZE_MAX);
        assert_ok(ge_ptb_caption(text, strlen(text), &got));
        if (strcmp(got.len > 0 ? got.data : "", want) != 0 && bad++ < 5)
            print_error("%s\n  got  %s\n  want %s\n", text, got.data, want);
        ge_buf_free(&got);
        ge_json_delete(&doc);
    }
    free(data);
    print_message("%zu captions, %zu with other tokens\n", n, bad);
    assert_true(n >= 800);
    assert_int_equal(bad, 0);
}

/* ---- scores ------------------------------------------------------------------------------------ */

/* A corpus of the file: texts, and a task with the references of each. */
struct fixture {
    struct ge_corpus c;
    const char **texts;
    struct ge_task *tasks;
    const struct ge_task **task_of;
};

static void fixture_open(struct fixture *f, const ge_json *node)
{
    const ge_json *refs = ge_json_first(ge_json_get(node, "refs"));
    size_t n;
    assert_ok(ge_json_strings(ge_json_get(node, "texts"), "texts", &f->texts, &n));
    f->tasks = ge_calloc(n, sizeof *f->tasks);
    f->task_of = ge_calloc(n, sizeof *f->task_of);
    assert_non_null(f->tasks);
    assert_non_null(f->task_of);
    for (size_t i = 0; i < n; i++) {
        struct ge_strings *r = &f->tasks[i].references;
        f->task_of[i] = &f->tasks[i];
        if (refs == NULL) continue;
        assert_ok(ge_json_strings(refs, "refs", &r->v, &r->n));
        refs = ge_json_next(refs);
    }
    f->c = (struct ge_corpus){.texts = f->texts, .tasks = f->task_of, .n = n};
}

static void fixture_close(struct fixture *f)
{
    for (size_t i = 0; i < f->c.n; i++) free(f->tasks[i].references.v);
    free(f->texts);
    free(f->tasks);
    free(f->task_of);
}

/* The six values of the corpus, and those of each text, against the file. */
static void check_values(const ge_json *node, size_t n, double all[6], double *each[6])
{
    const ge_json *want = ge_json_first(ge_json_get(node, "all"));
    const ge_json *row = ge_json_first(ge_json_get(node, "each"));
    for (int k = 0; k < 6; k++, want = ge_json_next(want)) {
        assert_close(all[k], ge_json_number(want, NAN), 1e-12);
    }
    for (size_t i = 0; i < n; i++, row = ge_json_next(row)) {
        want = ge_json_first(row);
        for (int k = 0; k < 6; k++) {
            if (want == NULL) {
                assert_true(isnan(each[k][i]));
                continue;
            }
            assert_close(each[k][i], ge_json_number(want, NAN), 1e-12);
            want = ge_json_next(want);
        }
    }
}

static void scores_are_those_of_pycocoevalcap(void **state)
{
    ge_json *doc;
    size_t corpora = 0;
    (void)state;
    assert_ok(ge_json_read(GOLDEN "captions_scores.json", &doc));
    for (const ge_json *node = ge_json_first(doc); node != NULL; node = ge_json_next(node)) {
        struct fixture f;
        struct ge_caption_corpus *cc;
        double all[6], *each[6];
        bool tokenized = ge_json_bool(ge_json_get(node, "tokenized"), false);
        fixture_open(&f, node);
        for (int k = 0; k < 6; k++) assert_non_null(each[k] = ge_calloc(f.c.n, sizeof(double)));
        assert_ok(
            ge_caption_corpus_new(&f.c, tokenized ? GE_CAPTION_TOKENIZED : GE_CAPTION_PTB, &cc));
        assert_ok(ge_caption_bleu(cc, all, each));
        assert_ok(ge_caption_rouge_l(cc, &all[4], each[4]));
        assert_ok(ge_caption_cider_d(cc, &all[5], each[5]));
        check_values(node, f.c.n, all, each);
        if (!tokenized) { /* the table's functions, which cut for themselves */
            assert_ok(ge_corpus_bleu1(&f.c, &all[0], each[0]));
            assert_ok(ge_corpus_bleu2(&f.c, &all[1], each[1]));
            assert_ok(ge_corpus_bleu3(&f.c, &all[2], each[2]));
            assert_ok(ge_corpus_bleu4(&f.c, &all[3], each[3]));
            assert_ok(ge_corpus_rouge_l(&f.c, &all[4], each[4]));
            assert_ok(ge_corpus_cider_d(&f.c, &all[5], each[5]));
            check_values(node, f.c.n, all, each);
        }
        for (int k = 0; k < 6; k++) free(each[k]);
        ge_caption_corpus_delete(&cc);
        fixture_close(&f);
        corpora++;
    }
    assert_int_equal(corpora, 3);
    ge_json_delete(&doc);
}

/* ---- homogeneity ------------------------------------------------------------------------------- */

static void check_alike(const ge_json *node)
{
    struct fixture f;
    struct ge_opening o;
    double value, *each;
    const ge_json *want = ge_json_first(ge_json_get(node, "distinct"));
    ge_corpus_metric_fn *const distinct[] = {ge_corpus_distinct1, ge_corpus_distinct2,
                                             ge_corpus_distinct3};
    fixture_open(&f, node);
    assert_non_null(each = ge_calloc(f.c.n, sizeof *each));
    for (int k = 0; k < 3; k++, want = ge_json_next(want)) {
        assert_ok(distinct[k](&f.c, &value, NULL));
        assert_close(value, ge_json_number(want, NAN), 1e-15);
    }
    assert_ok(ge_corpus_self_bleu3(&f.c, &value, each));
    assert_close(value, ge_json_number(ge_json_get(node, "self_bleu"), NAN), 1e-12);
    want = ge_json_first(ge_json_get(node, "self_bleu_each"));
    for (size_t i = 0; i < f.c.n; i++, want = ge_json_next(want)) {
        if (want == NULL) break;
        assert_close(each[i], ge_json_number(want, NAN), 1e-12);
    }
    for (size_t i = GE_SELF_BLEU_TEXTS; i < f.c.n; i++) assert_true(isnan(each[i]));
    assert_ok(ge_corpus_opening_share(&f.c, &value, each));
    assert_close(value, ge_json_number(ge_json_get(node, "opening_share"), NAN), 1e-15);
    assert_ok(ge_opening_find(&f.c, &o));
    assert_string_equal(o.words, ge_json_string(ge_json_get(node, "opening"), ""));
    assert_int_equal(o.n_members, (int)ge_json_number(ge_json_get(node, "opening_count"), 0));
    for (size_t i = 0; i < o.n_members; i++) assert_true(each[o.members[i]] == 1);
    ge_opening_free(&o);
    /* Other versions of zlib search otherwise: within 1 %. */
    double ratio = ge_json_number(ge_json_get(node, "compression"), NAN);
    assert_ok(ge_corpus_compression_ratio(&f.c, &value, NULL));
    assert_close(value, ratio, 0.01 * ratio);
    free(each);
    fixture_close(&f);
}

static void homogeneity_is_that_of_nltk_and_zlib(void **state)
{
    ge_json *doc;
    (void)state;
    assert_ok(ge_json_read(GOLDEN "captions_alike.json", &doc));
    assert_int_equal(ge_json_count(doc), 3);
    for (const ge_json *n = ge_json_first(doc); n != NULL; n = ge_json_next(n)) check_alike(n);
    ge_json_delete(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_are_cut_as_there),
        cmocka_unit_test(scores_are_those_of_pycocoevalcap),
        cmocka_unit_test(homogeneity_is_that_of_nltk_and_zlib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
