/* Broken and hostile tokenizer files and texts: an error with a message, never a crash or a hang. */
#include "test.h"

#include <time.h>

#include "base/buf.h"
#include "folder.h"
#include "text/tokenizer.h"

#define CLIP_MODEL                                                                                 \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"a</w>\":1,\"<|startoftext|>\":2,"            \
    "\"<|endoftext|>\":3,\"aa</w>\":4},\"merges\":[\"a a</w>\"]}"
#define BERT_MODEL                                                                                 \
    "\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"[PAD]\":"  \
    "3,"                                                                                           \
    "\"[MASK]\":4,\"a\":5}}"
#define GENERIC "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}"

/* Load tokenizer.json (and tokenizer_config.json unless NULL) from a folder of its own. */
static ge_status load_json(enum ge_tokenizer_family family, const char *json, size_t len,
                           const char *config, struct ge_tokenizer **t)
{
    char *dir = folder_make();
    struct ge_tokenizer_options opt = {.family = family};
    folder_write(dir, "tokenizer.json", json, len);
    if (config != NULL) folder_put(dir, "tokenizer_config.json", config);
    ge_status rc = ge_tokenizer_load(dir, &opt, t);
    folder_remove(dir);
    return rc;
}

static void check_json(enum ge_tokenizer_family family, const char *json, const char *config,
                       ge_status want, const char *in_message)
{
    struct ge_tokenizer *t = NULL;
    ge_error_clear();
    ge_status rc = load_json(family, json, strlen(json), config, &t);
    if (rc != want || (want != GE_OK && strstr(ge_error(), in_message) == NULL)) {
        print_error("%s\n  %s: \"%s\", wanted %s with \"%s\"\n", json, ge_status_name(rc),
                    ge_error(), ge_status_name(want), in_message);
        fail();
    }
    assert_true((t != NULL) == (rc == GE_OK));
    ge_tokenizer_delete(&t);
}

static void clip(const char *json, ge_status want, const char *in_message)
{
    check_json(GE_TOKENIZER_CLIP, json, NULL, want, in_message);
}

static void bert(const char *json, ge_status want, const char *in_message)
{
    check_json(GE_TOKENIZER_BERT, json, NULL, want, in_message);
}

static void generic(const char *json, ge_status want, const char *in_message)
{
    check_json(GE_TOKENIZER_BERT, json, GENERIC, want, in_message);
}

#define CLIP_WITH(vocab, merges)                                                                   \
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"<|startoftext|>\":0,\"<|endoftext|>\":1" vocab      \
    "},\"merges\":[" merges "]}}"

static void broken_models(void **state)
{
    (void)state;
    clip("{" CLIP_MODEL "}", GE_OK, "");
    bert("{" BERT_MODEL "}", GE_OK, "");
    clip("", GE_EFORMAT, "tokenizer.json");
    clip("[]", GE_EFORMAT, "an object");
    clip("{}", GE_EFORMAT, "no \"model\"");
    clip("{\"model\":null}", GE_EFORMAT, "model");
    clip("{" CLIP_MODEL "," CLIP_MODEL "}", GE_EFORMAT, "second");
    clip("{" BERT_MODEL "}", GE_EUNSUPPORTED, "WordPiece");
    bert("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0.5]]}}", GE_EUNSUPPORTED, "Unigram");
    bert("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}", GE_EUNSUPPORTED, "WordLevel");
    bert("{\"model\":{\"type\":\"WordPiece\",\"vocab\":[[\"a\",0.5]]}}", GE_EFORMAT, "a list");
    bert("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", GE_EFORMAT, "empty");
    bert("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", GE_EFORMAT, "[UNK]");
    bert("{\"model\":{\"type\":\"WordPiece\",\"vocab\":\"a\"}}", GE_EFORMAT, "an object");
    clip(CLIP_WITH(",\"a\":1", ""), GE_EFORMAT, "two tokens");
    clip(CLIP_WITH(",\"a\":-1", ""), GE_EFORMAT, "whole number");
    clip(CLIP_WITH(",\"a\":2.5", ""), GE_EFORMAT, "whole number");
    clip(CLIP_WITH(",\"a\":1e300", ""), GE_EFORMAT, "whole number");
    clip(CLIP_WITH(",\"a\":4294967298", ""), GE_EFORMAT, "whole number");
    clip(CLIP_WITH(",\"a\":\"2\"", ""), GE_EFORMAT, "whole number");
    clip(CLIP_WITH("", "\"x y\""), GE_EFORMAT, "merge 0");
    clip(CLIP_WITH(",\"x\":2,\"y\":3", "\"x y\""), GE_EFORMAT, "merge 0");
    clip(CLIP_WITH("", "\"xy\""), GE_EFORMAT, "one space");
    clip(CLIP_WITH("", "\"x y z\""), GE_EFORMAT, "one space");
    clip(CLIP_WITH("", "[\"x\"]"), GE_EFORMAT, "right side");
    clip(CLIP_WITH("", "[\"x\",\"y\",\"z\"]"), GE_EFORMAT, "two sides");
    clip(CLIP_WITH("", "7"), GE_EFORMAT, "merges");
    clip(CLIP_WITH("", "\"\""), GE_EFORMAT, "one space");
    clip(CLIP_WITH(",\"\":2,\"z\":3", "\" z\""), GE_OK, "");
}

static void broken_pipelines(void **state)
{
    (void)state;
    clip("{\"normalizer\":{\"type\":\"NFKX\"}," CLIP_MODEL "}", GE_EUNSUPPORTED, "NFKX");
    clip("{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Nmtt\"}]}"
         "," CLIP_MODEL "}",
         GE_EUNSUPPORTED, "normalizer: kind \"Nmtt\"");
    clip("{\"normalizer\":{\"type\":\"Sequence\"}," CLIP_MODEL "}", GE_EFORMAT, "normalizers");
    clip("{\"normalizer\":7," CLIP_MODEL "}", GE_EFORMAT, "type");
    clip("{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}"
         "," CLIP_MODEL "}",
         GE_EFORMAT, "regex");
    clip("{\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}," CLIP_MODEL "}", GE_EUNSUPPORTED,
         "pre_tokenizer: kind \"UnicodeScripts\"");
    clip("{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},"
         "\"behavior\":\"MergedWithBoth\"}," CLIP_MODEL "}",
         GE_EUNSUPPORTED, "MergedWithBoth");
    clip("{\"post_processor\":{\"type\":\"Nonsense\"}," CLIP_MODEL "}", GE_EUNSUPPORTED,
         "Nonsense");
    generic("{\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",99],\"sep\":"
            "[\"[SEP]\",2]}," BERT_MODEL "}",
            GE_EFORMAT, "99");
    generic("{\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",1]}," BERT_MODEL
            "}",
            GE_EFORMAT, "sep");
    generic("{\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[]}," BERT_MODEL "}",
            GE_EFORMAT, "leaves the text out");
    generic("{\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":"
            "{\"id\":\"A\"}},{\"Sequence\":{\"id\":\"A\"}}]}," BERT_MODEL "}",
            GE_EFORMAT, "one sequence");
    generic("{\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":"
            "{\"id\":\"[X]\"}}],\"special_tokens\":{}}," BERT_MODEL "}",
            GE_EFORMAT, "[X]");
    generic("{\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":"
            "\"BertProcessing\",\"cls\":[\"a\",1],\"sep\":[\"b\",2]},{\"type\":"
            "\"BertProcessing\",\"cls\":[\"a\",1],\"sep\":[\"b\",2]}]}," BERT_MODEL "}",
            GE_EUNSUPPORTED, "several that add tokens");
    generic("{\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":"
            "\"BertProcessing\",\"cls\":[\"a\",1],\"sep\":[\"b\",2]},{\"type\":\"ByteLevels\"}]}"
            "," BERT_MODEL "}",
            GE_EUNSUPPORTED, "ByteLevels");
    generic("{\"decoder\":{\"type\":\"CTCs\"}," BERT_MODEL "}", GE_EUNSUPPORTED,
            "decoder: kind \"CTCs\"");
    generic("{\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":"
            "\"Glue\"}]}"
            "," BERT_MODEL "}",
            GE_EUNSUPPORTED, "Glue");
    generic(
        "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Whitespaces\"}]}"
        "," BERT_MODEL "}",
        GE_EUNSUPPORTED, "Whitespaces");
    clip("{\"added_tokens\":{}," CLIP_MODEL "}", GE_EFORMAT, "not an array");
    clip("{\"added_tokens\":[{\"id\":-1,\"content\":\"x\"}]," CLIP_MODEL "}", GE_EFORMAT, "id");
    clip("{\"added_tokens\":[{\"id\":1}]," CLIP_MODEL "}", GE_EFORMAT, "content");
    clip("{\"added_tokens\":[5]," CLIP_MODEL "}", GE_EFORMAT, "id");
}

/* What several kinds of parts are described by: a pattern, a content, one character. */
static void incomplete_parts(void **state)
{
    (void)state;
    static const struct {
        const char *part, *message;
    } cases[] = {
        {"\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", "one character"},
        {"\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\"}", "one character"},
        {"\"decoder\":{\"type\":\"Strip\",\"content\":\"éé\",\"start\":0,\"stop\":0}",
         "one character"},
        {"\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Removed\"}", "a Split needs"},
        {"\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Removed\",\"pattern\":"
         "{\"Regex\":\"a\",\"String\":\"a\"}}",
         "a Split needs"},
        {"\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", "a Replace needs"},
        {"\"normalizer\":{\"type\":\"Replace\",\"content\":\"a\"}", "a Replace needs"},
        {"\"decoder\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}", "a Replace needs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *json = ge_sprintf("{%s," BERT_MODEL "}", cases[i].part);
        generic(json, GE_EFORMAT, cases[i].message);
        free(json);
    }
}

/* Constructs of the reference's regexes that have no counterpart. */
static void foreign_regexes(void **state)
{
    (void)state;
    static const struct {
        const char *regex, *message;
    } cases[] = {{"[a[^b]]", "negated class"}, {"[a-z&&[^b]]", "intersection"},
                 {"[a-[bc]]", "range"},        {"[a\\\\W]", "W in a class"},
                 {"[[:^alpha:]]", "POSIX"},    {"[[:graph:]]", "POSIX"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *json = ge_sprintf("{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":"
                                "\"%s\"},\"content\":\"\"}," BERT_MODEL "}",
                                cases[i].regex);
        generic(json, GE_EUNSUPPORTED, cases[i].message);
        free(json);
    }
}

static void check_unknown(const char *json)
{
    struct ge_tokenizer *t;
    struct ge_tokens k;
    ge_tokens_init(&k);
    assert_ok(load_json(GE_TOKENIZER_BERT, json, strlen(json), GENERIC, &t));
    assert_ok(ge_tokenizer_encode(t, "a", 1, 0, true, &k));
    assert_status(ge_tokenizer_encode(t, "a\u4E2D", 4, 0, true, &k), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "U+4E2D"));
    ge_tokens_free(&k);
    ge_tokenizer_delete(&t);
}

/* A character that the vocabulary lacks, without an unknown token for it. */
static void no_unknown_token(void **state)
{
    (void)state;
    check_unknown("{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"vocab\":{\"a\":0},"
                  "\"merges\":[]}}");
    check_unknown("{\"model\":{\"type\":\"Unigram\",\"unk_id\":null,\"vocab\":[[\"a\",-1]]}}");
}

static void broken_configs(void **state)
{
    (void)state;
    const char *json = "{" BERT_MODEL "}";
    check_json(GE_TOKENIZER_BERT, json, "{\"tokenizer_class\":\"T5Tokenizer\"}", GE_EUNSUPPORTED,
               "T5Tokenizer");
    check_json(GE_TOKENIZER_BERT, json, "[]", GE_EFORMAT, "not an object");
    check_json(GE_TOKENIZER_BERT, json, "{", GE_EFORMAT, "tokenizer_config.json");
    check_json(GE_TOKENIZER_BERT, json, "{\"cls_token\":7}", GE_EFORMAT, "cls_token");
    check_json(GE_TOKENIZER_BERT, json, "{\"cls_token\":null}", GE_EFORMAT, "cls_token");
    check_json(GE_TOKENIZER_BERT, json, "{\"added_tokens_decoder\":[]}", GE_EFORMAT, "decoder");
    check_json(GE_TOKENIZER_BERT, json, "{\"added_tokens_decoder\":{\"x\":{\"content\":\"a\"}}}",
               GE_EFORMAT, "decoder");
    check_json(GE_TOKENIZER_BERT, json,
               "{\"model_max_length\":1e30,\"tokenizer_class\":\"Bert"
               "TokenizerFast\"}",
               GE_OK, "");
}

static void no_files(void **state)
{
    (void)state;
    char *dir = folder_make();
    struct ge_tokenizer *t;
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_CLIP};
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_ENOENT);
    assert_non_null(strstr(ge_error(), "merges.txt"));
    folder_put(dir, "vocab.json", "{\"<|startoftext|>\":0,\"<|endoftext|>\":1,\"a\":2,\"b\":3}");
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_ENOENT);
    folder_put(dir, "merges.txt", "#version: 0.2\na b c\n");
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "merges.txt:2"));
    folder_put(dir, "merges.txt", "a b\n");
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_EFORMAT);
    folder_put(dir, "merges.txt", "#version: 0.2\n");
    assert_ok(ge_tokenizer_load(dir, &opt, &t));
    ge_tokenizer_delete(&t);
    opt.family = GE_TOKENIZER_BERT;
    folder_put(dir, "vocab.txt", "[UNK]\n\xFF\n");
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_EFORMAT);
    folder_put(dir, "vocab.txt", "[CLS]\n[SEP]\n");
    assert_status(ge_tokenizer_load(dir, &opt, &t), GE_EFORMAT);
    folder_remove(dir);
}

static void deep_nesting(void **state)
{
    (void)state;
    struct ge_buf b;
    ge_buf_init(&b, 1 << 22);
    ge_buf_str(&b, "{\"normalizer\":");
    for (int i = 0; i < 100000; i++) ge_buf_str(&b, "[");
    struct ge_tokenizer *t;
    assert_int_not_equal(load_json(GE_TOKENIZER_CLIP, b.data, b.len, NULL, &t), GE_OK);
    ge_buf_reset(&b);
    ge_buf_str(&b, "{\"normalizer\":");
    for (int i = 0; i < 20; i++) ge_buf_str(&b, "{\"type\":\"Sequence\",\"normalizers\":[");
    for (int i = 0; i < 20; i++) ge_buf_str(&b, "]}");
    ge_buf_str(&b, "," CLIP_MODEL "}");
    assert_ok(load_json(GE_TOKENIZER_CLIP, b.data, b.len, NULL, &t));
    ge_tokenizer_delete(&t);
    ge_buf_free(&b);
}

/* A text for a tokenizer that loaded in spite of damage. */
static void use(struct ge_tokenizer *t)
{
    static const char text[] = "A photo of 2 d'ogs [MASK]\0\xFF\xF0\x9F <|endoftext|> e\xCC\x81";
    struct ge_tokens k;
    ge_tokens_init(&k);
    ge_status rc = ge_tokenizer_encode(t, text, sizeof text - 1, 20, true, &k);
    assert_true(rc == GE_OK ? k.count <= 20 : ge_error()[0] != '\0');
    for (size_t i = 0; i < k.count; i++) assert_non_null(ge_tokenizer_token(t, k.ids[i]));
    ge_tokens_free(&k);
}

/* tokenizer.json cut off at many places, and with bits flipped. */
static void damaged_file(const char *source, enum ge_tokenizer_family family, const char *config)
{
    char *data, *path = ge_fs_join(source, "tokenizer.json");
    size_t len, loaded = 0;
    uint32_t seed = 7;
    struct ge_tokenizer *t;
    assert_ok(ge_fs_read(path, 1 << 22, &data, &len));
    free(path);
    for (size_t cut = 0; cut + 1 < len; cut += 401) {
        ge_error_clear();
        assert_int_not_equal(load_json(family, data, cut, config, &t), GE_OK);
        assert_true(ge_error()[0] != '\0');
    }
    for (int i = 0; i < 160; i++) {
        seed = seed * 1664525u + 1013904223u;
        /* Half of them in the small parts at the front. */
        size_t at = (seed >> 4) % (i % 2 == 0 ? 1500 : len);
        char old = data[at];
        data[at] = (char)(old ^ (1 << (seed >> 29)));
        ge_error_clear();
        if (load_json(family, data, len, config, &t) == GE_OK) {
            loaded++;
            use(t);
            ge_tokenizer_delete(&t);
        } else {
            assert_true(ge_error()[0] != '\0');
        }
        data[at] = old;
    }
    assert_true(loaded > 0); /* a changed letter in a token harms nothing */
    free(data);
}

static void damaged_files(void **state)
{
    (void)state;
    damaged_file(FOLDERS "clip_published", GE_TOKENIZER_CLIP, NULL);
    damaged_file(FOLDERS "bert_generic", GE_TOKENIZER_BERT, GENERIC);
}

/* ---- texts -------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Encode 1 MiB of a repeated unit; prints the time, which is no part of the test. */
static void encode_run(const struct ge_tokenizer *t, const char *name, const char *unit, size_t n)
{
    enum { SIZE = 1 << 20 };
    struct ge_tokens k;
    char *text = ge_calloc(SIZE, 1);
    assert_non_null(text);
    for (size_t i = 0; i < SIZE; i++) text[i] = unit[i % n];
    ge_tokens_init(&k);
    double start = seconds();
    assert_ok(ge_tokenizer_encode(t, text, SIZE - SIZE % n, 0, true, &k));
    print_message("    %-12s %7.1f ms, %zu ids\n", name, 1e3 * (seconds() - start), k.count);
    assert_true(k.count >= 2);
    assert_ok(ge_tokenizer_encode(t, text, SIZE - SIZE % n, 77, true, &k));
    assert_true(k.count <= 77);
    ge_tokens_free(&k);
    free(text);
}

static void long_runs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
    } runs[] = {{"natural", "a photo of two dogs under the trees, 7 apples "},
                {"letter", "a"},
                {"digit", "7"},
                {"punctuation", "!"},
                {"space", " "},
                {"CJK", "\u4E2D"},
                {"marks", "\u0301\u0327"},
                {"Hangul", "\u1100\u1161"},
                {"emoji", "\U0001F4A5"},
                {"specials", "[MASK"},
                {"bad bytes", "\xFF"}};
    const char *folders[] = {FOLDERS "clip_published", FOLDERS "bert_published"};
    for (int f = 0; f < 2; f++) {
        struct ge_tokenizer_options opt = {.family =
                                               f == 0 ? GE_TOKENIZER_CLIP : GE_TOKENIZER_BERT};
        struct ge_tokenizer *t;
        assert_ok(ge_tokenizer_load(folders[f], &opt, &t));
        for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
            encode_run(t, runs[i].name, runs[i].unit, strlen(runs[i].unit));
        }
        encode_run(t, "NUL", "\0", 1);
        ge_tokenizer_delete(&t);
    }
}

static void random_bytes(void **state)
{
    (void)state;
    struct ge_tokenizer *t;
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_CLIP};
    struct ge_tokens k;
    uint32_t seed = 3;
    assert_ok(ge_tokenizer_load(FOLDERS "clip_added", &opt, &t));
    ge_tokens_init(&k);
    for (int round = 0; round < 2000; round++) {
        char text[64];
        size_t n = (size_t)round % sizeof text;
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = (char)(seed >> 24);
        }
        assert_ok(ge_tokenizer_encode(t, text, n, 0, true, &k));
        assert_true(k.count >= 2);
        for (size_t i = 0; i < k.count; i++) assert_non_null(ge_tokenizer_token(t, k.ids[i]));
    }
    ge_tokens_free(&k);
    ge_tokenizer_delete(&t);
}

/* Every allocation fails once: an error each time, and no leak. */
static void out_of_memory(void **state)
{
    (void)state;
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_BERT};
    ge_status rc = GE_ENOMEM;
    for (uint64_t n = 1; rc != GE_OK; n++) {
        struct ge_tokenizer *t = NULL;
        struct ge_tokens k;
        ge_tokens_init(&k);
        ge_mem_fail_at(n, 0);
        rc = ge_tokenizer_load(FOLDERS "bert_published", &opt, &t);
        if (rc == GE_OK) rc = ge_tokenizer_encode(t, "a photo of 2\xFF", 13, 0, true, &k);
        ge_mem_fail_at(0, 0);
        assert_true(rc == GE_OK || rc == GE_ENOMEM);
        ge_tokens_free(&k);
        ge_tokenizer_delete(&t);
        assert_true(n < 100000);
        if (n > 150) n += n / 50; /* the vocabulary's entries are alike */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_models),    cmocka_unit_test(broken_pipelines),
        cmocka_unit_test(foreign_regexes),  cmocka_unit_test(incomplete_parts),
        cmocka_unit_test(no_unknown_token), cmocka_unit_test(broken_configs),
        cmocka_unit_test(no_files),         cmocka_unit_test(deep_nesting),
        cmocka_unit_test(damaged_files),    cmocka_unit_test(long_runs),
        cmocka_unit_test(random_bytes),     cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
