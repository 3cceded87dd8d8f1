/* What a tokenizer promises beside the ids (which tests/golden/text checks). */
#include "test.h"

#include "folder.h"
#include "text/bpe_merge.h"
#include "text/tokenizer.h"

static struct ge_tokenizer *load(const char *folder, enum ge_tokenizer_family family)
{
    struct ge_tokenizer *t;
    struct ge_tokenizer_options opt = {.family = family};
    assert_ok(ge_tokenizer_load(folder, &opt, &t));
    return t;
}

static void vocabulary(void **state)
{
    (void)state;
    struct ge_tokenizer *t = load(FOLDERS "clip_published", GE_TOKENIZER_CLIP);
    size_t n = ge_tokenizer_vocab_size(t);
    assert_int_equal(n, 731);
    assert_int_equal(ge_tokenizer_special(t, GE_TOKEN_BOS), n - 2);
    assert_int_equal(ge_tokenizer_special(t, GE_TOKEN_EOS), n - 1);
    assert_int_equal(ge_tokenizer_special(t, GE_TOKEN_PAD), n - 1);
    assert_int_equal(ge_tokenizer_special(t, GE_TOKEN_CLS), -1);
    assert_int_equal(ge_tokenizer_id(t, "<|endoftext|>"), n - 1);
    assert_int_equal(ge_tokenizer_id(t, "no such token"), -1);
    assert_string_equal(ge_tokenizer_token(t, 0), "\u0100");
    assert_null(ge_tokenizer_token(t, (int32_t)n));
    assert_null(ge_tokenizer_token(t, -1));
    assert_int_equal(ge_tokenizer_max_length(t), 77);
    assert_int_equal(ge_tokenizer_special_count(t), 2);
    ge_tokenizer_delete(&t);
    assert_null(t);
}

static void hashes(void **state)
{
    (void)state;
    struct ge_tokenizer *a = load(FOLDERS "bert_published", GE_TOKENIZER_BERT);
    struct ge_tokenizer *b = load(FOLDERS "bert_lists", GE_TOKENIZER_BERT);
    struct ge_tokenizer *c = load(FOLDERS "bert_accents", GE_TOKENIZER_BERT);
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_BERT, .prepend_lowercase = true};
    struct ge_tokenizer *d;
    assert_ok(ge_tokenizer_load(FOLDERS "bert_lists", &opt, &d));
    assert_true(ge_hash_equal(ge_tokenizer_hash(a), ge_tokenizer_hash(b)));
    assert_false(ge_hash_equal(ge_tokenizer_hash(a), ge_tokenizer_hash(c)));
    assert_false(ge_hash_equal(ge_tokenizer_hash(a), ge_tokenizer_hash(d)));
    ge_tokenizer_delete(&a);
    ge_tokenizer_delete(&b);
    ge_tokenizer_delete(&c);
    ge_tokenizer_delete(&d);
}

/* Truncation at every length: the beginning of the full result with the specials kept. */
static void truncation(void **state)
{
    (void)state;
    const char *text = "a photo of 2 unknown\u4E2D things";
    const char *folders[] = {FOLDERS "clip_published", FOLDERS "bert_published"};
    for (int f = 0; f < 2; f++) {
        struct ge_tokenizer *t = load(folders[f], f == 0 ? GE_TOKENIZER_CLIP : GE_TOKENIZER_BERT);
        struct ge_tokens full, cut;
        ge_tokens_init(&full);
        ge_tokens_init(&cut);
        assert_ok(ge_tokenizer_encode(t, text, strlen(text), 0, true, &full));
        assert_false(full.truncated);
        assert_true(full.count > 8);
        for (int n = 2; n < (int)full.count + 3; n++) {
            size_t want = (size_t)n < full.count ? (size_t)n : full.count;
            assert_ok(ge_tokenizer_encode(t, text, strlen(text), n, true, &cut));
            assert_int_equal(cut.count, want);
            assert_int_equal(cut.truncated, (size_t)n < full.count);
            assert_memory_equal(cut.ids, full.ids, (want - 1) * sizeof *cut.ids);
            assert_int_equal(cut.ids[want - 1], full.ids[full.count - 1]);
        }
        assert_ok(ge_tokenizer_encode(t, text, strlen(text), 0, false, &cut));
        assert_int_equal(cut.count, full.count - 2);
        assert_memory_equal(cut.ids, full.ids + 1, cut.count * sizeof *cut.ids);
        assert_ok(ge_tokenizer_encode(t, text, strlen(text), 1, false, &cut));
        assert_int_equal(cut.count, 1);
        assert_status(ge_tokenizer_encode(t, text, strlen(text), 1, true, &cut), GE_EINVAL);
        assert_status(ge_tokenizer_encode(t, text, strlen(text), -1, true, &cut), GE_EINVAL);
        ge_tokens_free(&full);
        ge_tokens_free(&cut);
        ge_tokenizer_delete(&t);
    }
}

static void empty_text(void **state)
{
    (void)state;
    struct ge_tokenizer *t = load(FOLDERS "bert_published", GE_TOKENIZER_BERT);
    struct ge_tokens k;
    ge_tokens_init(&k);
    assert_ok(ge_tokenizer_encode(t, NULL, 0, 0, true, &k));
    assert_int_equal(k.count, 2);
    assert_int_equal(k.ids[0], ge_tokenizer_special(t, GE_TOKEN_CLS));
    assert_ok(ge_tokenizer_encode(t, "", 0, 0, false, &k));
    assert_int_equal(k.count, 0);
    ge_tokens_free(&k);
    ge_tokenizer_delete(&t);
}

/* ---- long words --------------------------------------------------------------------------- */

/* The definition itself: the lowest rank, leftmost, again and again. */
static size_t merge_slowly(const struct bpe *m, int32_t *ids, size_t n)
{
    for (;;) {
        size_t best = n;
        const struct bpe_merge *merge = NULL;
        for (size_t i = 0; i + 1 < n; i++) {
            const struct bpe_merge *e = ge_bpe_find_merge(m, ids[i], ids[i + 1]);
            if (e != NULL && (merge == NULL || e->rank < merge->rank)) {
                merge = e;
                best = i;
            }
        }
        if (merge == NULL) return n;
        ids[best] = merge->id;
        memmove(ids + best + 1, ids + best + 2, (n - best - 2) * sizeof *ids);
        n--;
    }
}

/* Merges in an order that makes later ranks turn up before earlier ones. */
static void long_words_merge_as_defined(void **state)
{
    (void)state;
    static const char *const tokens[] = {"a",      "b",  "c",  "ab",  "bc",  "abc",
                                         "abcabc", "ca", "aa", "aaa", "cab", "bcab"};
    static const char *const merges[][2] = {{"abc", "abc"}, {"ab", "c"}, {"aa", "a"},
                                            {"a", "b"},     {"c", "ab"}, {"b", "c"},
                                            {"a", "a"},     {"c", "a"},  {"bc", "ab"}};
    struct vocab v = {0};
    struct bpe m = {.vocab = &v, .prefix = ge_strdup(""), .suffix = ge_strdup("")};
    struct bpe_scratch *scratch = NULL;
    struct ge_tokens out;
    ge_tokens_init(&out);
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        assert_ok(ge_vocab_add(&v, tokens[i], strlen(tokens[i]), (int64_t)i));
    }
    for (uint32_t i = 0; i < sizeof merges / sizeof merges[0]; i++) {
        assert_ok(ge_bpe_add_merge(&m, merges[i][0], strlen(merges[i][0]), merges[i][1],
                                   strlen(merges[i][1]), i));
    }
    assert_ok(ge_bpe_finish(&m));
    uint32_t seed = 1;
    for (size_t n = 1; n < 400; n += 3) {
        char word[400];
        int32_t want[400];
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            want[i] = (int32_t)(n % 2 == 0 ? (seed >> 16) % 3 : i % 3);
            word[i] = (char)('a' + want[i]);
        }
        size_t n_want = merge_slowly(&m, want, n);
        struct ids ids = {.out = &out, .room = SIZE_MAX};
        out.count = 0;
        assert_ok(ge_bpe_encode(&m, word, n, &scratch, &ids));
        assert_int_equal(out.count, n_want);
        assert_memory_equal(out.ids, want, n_want * sizeof *want);
    }
    ge_bpe_scratch_delete(&scratch);
    ge_tokens_free(&out);
    ge_bpe_free(&m);
    ge_vocab_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocabulary),
        cmocka_unit_test(hashes),
        cmocka_unit_test(truncation),
        cmocka_unit_test(empty_text),
        cmocka_unit_test(long_words_merge_as_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
