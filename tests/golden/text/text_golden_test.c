/* Tokenizers and normalizers against the ids and digests that transformers and tokenizers gave
 * (make_tokenizers.py, make_pipelines.py, make_unicode.py). */
#include "test.h"

#include "../../unit/text/folder.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "text/normalizer.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

#define GOLDEN GE_SOURCE_DIR "/tests/golden/text/"

enum { TEXTS = 2030, STAND_IN = 0x10FFFE };

/* ---- texts -------------------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t len;
};

/* One JSON string per line; U+10FFFE stands for NUL. */
static struct text *read_texts(size_t *count)
{
    char *data;
    size_t len, n = 0;
    assert_ok(ge_fs_read(GOLDEN "texts.jsonl", 1 << 22, &data, &len));
    struct text *texts = ge_calloc(TEXTS, sizeof *texts);
    assert_non_null(texts);
    for (char *line = data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        ge_json *doc;
        struct ge_buf b;
        size_t k;
        assert_true(n < TEXTS);
        assert_ok(ge_json_parse(line, (size_t)(end - line), "texts.jsonl", &doc));
        const char *s = ge_json_string(doc, NULL);
        size_t left = strlen(s);
        ge_buf_init(&b, 1 << 20);
        for (; left > 0; s += k, left -= k) {
            uint32_t cp = ge_unicode_at(s, left, &k);
            ge_unicode_put(&b, cp == STAND_IN ? 0 : cp);
        }
        texts[n].bytes = ge_buf_take(&b, &texts[n].len);
        assert_non_null(texts[n].bytes);
        ge_json_delete(&doc);
        n++;
    }
    free(data);
    *count = n;
    return texts;
}

/* ---- ids ---------------------------------------------------------------------------------- */

static void print_ids(const struct ge_tokens *tokens, struct ge_buf *out)
{
    ge_buf_reset(out);
    for (size_t i = 0; i < tokens->count; i++) {
        ge_buf_printf(out, i > 0 ? " %d" : "%d", (int)tokens->ids[i]);
    }
}

static uint32_t fnv32(const char *s)
{
    uint32_t h = 0x811C9DC5;
    for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * 0x01000193;
    return h;
}

/* Compare one folder; the number of texts whose ids differ. */
static size_t check_folder(const char *folder, const struct text *texts, size_t n)
{
    size_t bad = 0;
    ge_json *options;
    struct ge_tokenizer *t;
    struct ge_tokens tokens;
    struct ge_buf shown;
    char *lines, *path = ge_sprintf("%s/case.json", folder);
    assert_ok(ge_json_read(path, &options));
    free(path);
    bool clip = strcmp(ge_json_string(ge_json_get(options, "family"), ""), "clip") == 0;
    struct ge_tokenizer_options opt = {
        .family = clip ? GE_TOKENIZER_CLIP : GE_TOKENIZER_BERT,
        .prepend_lowercase = ge_json_bool(ge_json_get(options, "prepend_lowercase"), false)};
    int limit = (int)ge_json_number(ge_json_get(options, "max_length"), 0);
    assert_ok(ge_tokenizer_load(folder, &opt, &t));
    path = ge_sprintf("%s/ids.txt", folder);
    assert_ok(ge_fs_read(path, 1 << 22, &lines, NULL));
    free(path);
    ge_tokens_init(&tokens);
    ge_buf_init(&shown, 1 << 22);
    const char *line = lines;
    for (size_t i = 0; i < n; i++) {
        assert_ok(ge_tokenizer_encode(t, texts[i].bytes, texts[i].len, limit, true, &tokens));
        print_ids(&tokens, &shown);
        if (strtoul(line, NULL, 16) != fnv32(shown.data)) {
            if (bad++ < 3) {
                print_error("%s, text %zu: %s\n  got  %s\n  want %.200s\n", folder, i,
                            texts[i].bytes, shown.data, line);
            }
        }
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    assert_int_equal(*line, '\0');
    free(lines);
    ge_buf_free(&shown);
    ge_tokens_free(&tokens);
    ge_tokenizer_delete(&t);
    ge_json_delete(&options);
    return bad;
}

static void ids_equal_reference(void **state)
{
    (void)state;
    size_t n_texts, n_folders, bad = 0;
    struct text *texts = read_texts(&n_texts);
    char **names;
    assert_int_equal(n_texts, TEXTS);
    assert_ok(ge_fs_list(GOLDEN "folders", &names, &n_folders));
    assert_int_equal(n_folders, 12);
    for (size_t i = 0; i < n_folders; i++) {
        char *folder = ge_fs_join(GOLDEN "folders", names[i]);
        bad += check_folder(folder, texts, n_texts);
        free(folder);
    }
    assert_int_equal(bad, 0);
    ge_fs_list_free(names, n_folders);
    for (size_t i = 0; i < n_texts; i++) free(texts[i].bytes);
    free(texts);
}

/* ---- normalizers -------------------------------------------------------------------------- */

/* FNV-1a, 64 bits, of the normalizer's result for every code point between letters and marks. */
static uint64_t digest(const struct normalizer *n)
{
    uint64_t h = 0xCBF29CE484222325u;
    struct ge_buf text, spare;
    ge_buf_init(&text, 1 << 16);
    ge_buf_init(&spare, 1 << 16);
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        if (cp >= 0xD800 && cp <= 0xDFFF) continue;
        ge_buf_reset(&text);
        ge_buf_char(&text, 'e');
        ge_unicode_put(&text, cp);
        ge_unicode_put(&text, 0x301);
        ge_buf_char(&text, ' ');
        ge_unicode_put(&text, cp);
        assert_ok(ge_normalizer_run(n, &text, &spare, NULL));
        for (size_t i = 0; i <= text.len; i++) {
            h = (h ^ (unsigned char)text.data[i]) * 0x100000001B3u;
        }
    }
    ge_buf_free(&text);
    ge_buf_free(&spare);
    return h;
}

static void normalizers_equal_reference(void **state)
{
    (void)state;
    static const struct {
        const char *key, *json;
    } cases[] = {{"nfc", "{\"type\": \"NFC\"}"},
                 {"nfd", "{\"type\": \"NFD\"}"},
                 {"lower", "{\"type\": \"Lowercase\"}"},
                 {"bert", "{\"type\": \"BertNormalizer\", \"strip_accents\": null}"},
                 {"bert_cased", "{\"type\": \"BertNormalizer\", \"lowercase\": false}"},
                 {"nfkc", "{\"type\": \"NFKC\"}"},
                 {"nfkd", "{\"type\": \"NFKD\"}"},
                 {"strip_accents", "{\"type\": \"StripAccents\"}"},
                 {"nmt", "{\"type\": \"Nmt\"}"}};
    ge_json *golden;
    assert_ok(ge_json_read(GOLDEN "unicode.json", &golden));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ge_json *node;
        struct normalizer n = {0};
        char hex[17];
        assert_ok(ge_json_parse(cases[i].json, strlen(cases[i].json), "test", &node));
        assert_ok(ge_normalizer_parse(&n, node, "test"));
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)digest(&n));
        const char *want = ge_json_string(ge_json_get(golden, cases[i].key), "missing");
        if (strcmp(hex, want) != 0) {
            print_error("%s: digest %s, wanted %s\n", cases[i].key, hex, want);
            fail();
        }
        ge_normalizer_free(&n);
        ge_json_delete(&node);
    }
    ge_json_delete(&golden);
}

/* ---- pipelines ---------------------------------------------------------------------------- */

/* A folder of which tokenizer.json alone counts. */
static struct ge_tokenizer *load_pipeline(const ge_json *models, const ge_json *c)
{
    const char *model = ge_json_string(ge_json_get(c, "model"), "");
    char *json = ge_sprintf("{%s,\"model\":%s}", ge_json_string(ge_json_get(c, "parts"), ""),
                            ge_json_string(ge_json_get(models, model), ""));
    struct ge_tokenizer_options opt = {.family = GE_TOKENIZER_BERT};
    struct ge_tokenizer *t;
    char *dir = folder_make();
    folder_put(dir, "tokenizer.json", json);
    folder_put(dir, "tokenizer_config.json", "{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}");
    assert_ok(ge_tokenizer_load(dir, &opt, &t));
    folder_remove(dir);
    free(json);
    return t;
}

static size_t differs(const ge_json *c, const ge_json *want, const char *got, const char *input)
{
    char hex[9];
    snprintf(hex, sizeof hex, "%08x", (unsigned)fnv32(got));
    if (strcmp(hex, ge_json_string(want, "")) == 0) return 0;
    print_error("\"%s\"\n  got  %s\n  %s, %s\n", input, got,
                ge_json_string(ge_json_get(c, "model"), ""),
                ge_json_string(ge_json_get(c, "parts"), ""));
    return 1;
}

static size_t check_encoding(const struct ge_tokenizer *t, const ge_json *doc, const ge_json *c)
{
    size_t bad = 0;
    struct ge_tokens tokens;
    struct ge_buf shown;
    const ge_json *want = ge_json_first(ge_json_get(c, "ids"));
    ge_tokens_init(&tokens);
    ge_buf_init(&shown, 1 << 20);
    for (const ge_json *n = ge_json_first(ge_json_get(doc, "texts")); n != NULL;
         n = ge_json_next(n), want = ge_json_next(want)) {
        const char *text = ge_json_string(n, "");
        ge_status rc = ge_tokenizer_encode(t, text, strlen(text), 0, true, &tokens);
        if (ge_json_type(want) == GE_JSON_NULL) continue; /* the reference has no ids either */
        assert_ok(rc);
        print_ids(&tokens, &shown);
        ge_buf_str(&shown, "");
        bad += differs(c, want, shown.data, text);
    }
    assert_null(want);
    ge_tokens_free(&tokens);
    ge_buf_free(&shown);
    return bad;
}

static size_t check_decoding(const struct ge_tokenizer *t, const ge_json *doc, const ge_json *c)
{
    size_t bad = 0;
    const ge_json *want = ge_json_first(ge_json_get(c, "decoded"));
    for (int skip = 0; skip < 2; skip++) {
        for (const ge_json *n = ge_json_first(ge_json_get(doc, "lists")); n != NULL;
             n = ge_json_next(n), want = ge_json_next(want)) {
            int32_t ids[16];
            size_t count = 0;
            struct ge_buf text;
            for (const ge_json *id = ge_json_first(n); id != NULL; id = ge_json_next(id)) {
                ids[count++] = (int32_t)ge_json_number(id, -1);
            }
            ge_buf_init(&text, 1 << 20);
            assert_ok(ge_tokenizer_decode(t, ids, count, skip == 1, &text));
            ge_buf_str(&text, "");
            bad += differs(c, want, text.data, "a list of ids");
            ge_buf_free(&text);
        }
    }
    assert_null(want);
    return bad;
}

static void pipelines_equal_reference(void **state)
{
    (void)state;
    ge_json *doc;
    size_t bad = 0, n = 0;
    assert_ok(ge_json_read(GOLDEN "pipelines.json", &doc));
    for (const ge_json *c = ge_json_first(ge_json_get(doc, "cases")); c != NULL;
         c = ge_json_next(c), n++) {
        struct ge_tokenizer *t = load_pipeline(ge_json_get(doc, "models"), c);
        bool decoding = ge_json_get(c, "decoded") != NULL;
        bad += decoding ? check_decoding(t, doc, c) : check_encoding(t, doc, c);
        ge_tokenizer_delete(&t);
    }
    assert_true(n > 100);
    assert_int_equal(bad, 0);
    ge_json_delete(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_equal_reference),
        cmocka_unit_test(normalizers_equal_reference),
        cmocka_unit_test(pipelines_equal_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
