/* Outputs of other harnesses as recorded answers: the forms that they come in, and what is refused. */
#include "dataset/harness.h"
#include "temp.h"

static char *folder;

static int make(void **state)
{
    (void)state;
    folder = temp_make();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    temp_remove(folder);
    return 0;
}

/* Import `text` as a file of that name into out (empty before). */
static ge_status import(const char *name, const char *text, const struct ge_import_options *o,
                        struct ge_buf *out)
{
    struct ge_import_counts counts = {0};
    char *path = temp_path(folder, name);
    temp_bytes(folder, name, text, strlen(text));
    ge_buf_reset(out);
    ge_status rc = ge_import(path, o, out, &counts);
    free(path);
    return rc;
}

static void gives(const char *name, const char *text, struct ge_import_options o, const char *want)
{
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_ok(import(name, text, &o, &out));
    assert_string_equal(out.data, want);
    ge_buf_free(&out);
}

static void refuses(const char *name, const char *text, struct ge_import_options o,
                    ge_status status, const char *word)
{
    struct ge_buf out;
    ge_buf_init(&out, 1 << 20);
    assert_status(import(name, text, &o, &out), status);
    assert_says(word);
    ge_buf_free(&out);
}

static const struct ge_import_options lmms = {.harness = GE_HARNESS_LMMS_EVAL};
static const struct ge_import_options vlm = {.harness = GE_HARNESS_VLMEVALKIT};

static void lmms_eval(void **state)
{
    (void)state;
    gives("a.jsonl",
          "{\"doc_id\": 0, \"filtered_resps\": \"a cat\"}\n"
          "{\"doc_id\": 1, \"resps\": [\"dog.\", \"a dog\"], \"filtered_resps\": \"dog\"}\n"
          "{\"doc_id\": \"x\", \"resps\": [[\"old\"]], \"filtered_resps\": [\"old\"]}\n",
          lmms,
          "{\"item\":\"0\",\"direction\":\"und\",\"sample\":0,\"text\":\"a cat\"}\n"
          "{\"item\":\"1\",\"direction\":\"und\",\"sample\":0,\"text\":\"dog.\"}\n"
          "{\"item\":\"1\",\"direction\":\"und\",\"sample\":1,\"text\":\"a dog\"}\n"
          "{\"item\":\"x\",\"direction\":\"und\",\"sample\":0,\"text\":\"old\"}\n");
    struct ge_import_options o = {.filtered = true, .system = "m", .prefix = "p-", .id = "doc.q"};
    gives("a.jsonl", "{\"doc\": {\"q\": 7}, \"resps\": [\"dog.\"], \"filtered_resps\": \"dog\"}\n",
          o,
          "{\"system\":\"m\",\"item\":\"p-7\",\"direction\":\"und\",\"sample\":0,\"text\":\"dog\"}"
          "\n");
}

/* What a unified model returns: a text with images, as JSON in the response. */
static void unified(void **state)
{
    struct ge_import_options gen = {.direction = GE_GEN};
    const char *line = "{\"doc_id\": 3, \"filtered_resps\": \"{\\\"text\\\": \\\"here\\\", "
                       "\\\"images\\\": [\\\"/a.png\\\", \\\"/b.png\\\"]}\"}\n";
    (void)state;
    gives("u.jsonl", line, lmms,
          "{\"item\":\"3\",\"direction\":\"und\",\"sample\":0,\"text\":\"here\"}\n");
    gives("u.jsonl", line, gen,
          "{\"item\":\"3\",\"direction\":\"gen\",\"sample\":0,\"image\":\"/a.png\"}\n"
          "{\"item\":\"3\",\"direction\":\"gen\",\"sample\":1,\"image\":\"/b.png\"}\n");
    gives("u.jsonl", "{\"doc_id\": 3, \"resps\": \"{not JSON\"}\n", gen,
          "{\"item\":\"3\",\"direction\":\"gen\",\"sample\":0,\"text\":\"{not JSON\"}\n");
    gives("u.jsonl", "{\"doc_id\": 3, \"resps\": \"{\\\"images\\\": []}\"}\n", gen,
          "{\"item\":\"3\",\"direction\":\"gen\",\"sample\":0,\"text\":\"\"}\n");
}

static void vlmevalkit(void **state)
{
    struct ge_import_options by_name = {.harness = GE_HARNESS_VLMEVALKIT, .id = "name"};
    (void)state;
    gives("v.tsv", "index\tquestion\tprediction\n12\tWhat?\t\"A. \"\"cat\"\"\"\n13\tx\t\n", vlm,
          "{\"item\":\"12\",\"direction\":\"und\",\"sample\":0,\"text\":\"A. \\\"cat\\\"\"}\n"
          "{\"item\":\"13\",\"direction\":\"und\",\"sample\":0,\"text\":\"\"}\n");
    gives("v.csv", "name,prediction\na,\"one, two\"\n", by_name,
          "{\"item\":\"a\",\"direction\":\"und\",\"sample\":0,\"text\":\"one, two\"}\n");
}

static void bad(void **state)
{
    (void)state;
    refuses("a.jsonl", "{\"doc_id\": 0}\n", lmms, GE_EFORMAT, "resps");
    refuses("a.jsonl", "{\"resps\": \"x\"}\n", lmms, GE_EFORMAT, "doc_id");
    refuses("a.jsonl", "{\"doc_id\": 1.5, \"resps\": \"x\"}\n", lmms, GE_EFORMAT, "doc_id");
    refuses("a.jsonl", "{\"doc_id\": 1, \"resps\": \"x\"}\n{\"doc_id\": 1, \"resps\": \"y\"}\n",
            lmms, GE_EFORMAT, "line 2");
    refuses("a.jsonl", "{\"doc_id\": 1, \"resps\": [-1.5, false]}\n", lmms, GE_EFORMAT,
            "log-likelihoods");
    refuses("a.jsonl", "{\"doc_id\": 1, \"resps\": [[\"a\"], [\"b\"]]}\n", lmms, GE_EUNSUPPORTED,
            "2");
    refuses("a.jsonl", "{\"doc_id\": 1, \"resps\": \"\xff\"}\n", lmms, GE_EFORMAT, "line 1");
    refuses("v.tsv", "index\tanswer\n1\tx\n", vlm, GE_EFORMAT, "prediction");
    refuses("v.tsv", "index\tprediction\n\tx\n", vlm, GE_EFORMAT, "line 2");
    refuses("v.tsv", "index\tprediction\n1\tx\n1\ty\n", vlm, GE_EFORMAT, "line 3");
    refuses("v.xlsx", "PK", vlm, GE_EUNSUPPORTED, "tsv");
}

static void memory(void **state)
{
    struct ge_buf out;
    const char *line =
        "{\"doc_id\": 3, \"resps\": [\"a\", \"{\\\"images\\\": [\\\"/a.png\\\"]}\"]}\n";
    struct ge_import_options gen = {.direction = GE_GEN};
    char *path = temp_path(folder, "m.jsonl");
    (void)state;
    temp_file(folder, "m.jsonl", line);
    ge_buf_init(&out, 1 << 20);
    for (uint64_t n = 1;; n++) {
        struct ge_import_counts counts = {0};
        ge_buf_reset(&out);
        ge_mem_fail_at(n, 0);
        ge_status rc = ge_import(path, &gen, &out, &counts);
        int pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        if (pending) {
            assert_ok(rc);
            break;
        }
        assert_true(rc == GE_OK || rc == GE_ENOMEM);
    }
    ge_buf_free(&out);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lmms_eval), cmocka_unit_test(unified),
                                       cmocka_unit_test(vlmevalkit), cmocka_unit_test(bad),
                                       cmocka_unit_test(memory)};
    return cmocka_run_group_tests(tests, make, drop);
}
