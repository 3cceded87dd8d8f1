/* One state dict in the file formats of torch and safetensors (make_checkpoints.py): the same
 * numbers, to the bit. */
#include "base/mem.h"
#include "model/checkpoint.h"
#include "test.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/model/checkpoints/"

static const char *const names[] = {
    "plain",  "slice",    "transposed", "every.other",     "q",        "k",      "v",
    "column", "permuted", "half",       "half.transposed", "bfloat16", "double", "scalar",
    "empty",  "one",      "parameter"};
enum { NAMES = sizeof names / sizeof names[0] };

static float *read_values(const struct ge_checkpoint *c, const char *name, size_t *n)
{
    const struct ge_stored *t = ge_checkpoint_find(c, name);
    float *out;

    if (t == NULL) {
        print_error("no tensor %s\n", name);
        fail();
    }
    *n = t->count;
    out = ge_calloc(t->count, sizeof *out);
    assert_non_null(out);
    assert_ok(ge_stored_read(t, out));
    return out;
}

static void check_folder(const struct ge_checkpoint *want, const char *folder)
{
    struct ge_checkpoint *c;
    const struct ge_stored *t;
    float out[12];

    assert_ok(ge_checkpoint_open(folder, &c));
    for (size_t i = 0; i < NAMES; i++) {
        size_t n, n_want;
        float *a = read_values(c, names[i], &n), *b = read_values(want, names[i], &n_want);
        assert_int_equal(n, n_want);
        if (n > 0) assert_memory_equal(a, b, n * sizeof *a);
        free(a);
        free(b);
    }
    t = ge_checkpoint_find(c, "transposed");
    assert_int_equal(t->dims, 2);
    assert_int_equal(t->shape[0], 10);
    assert_int_equal(t->shape[1], 6);
    t = ge_checkpoint_find(c, "position_ids");
    assert_non_null(t);
    assert_int_equal(t->count, 12);
    assert_status(ge_stored_read(t, out), GE_EUNSUPPORTED);
    assert_non_null(ge_checkpoint_find(c, "flags"));
    assert_null(ge_checkpoint_find(c, "_metadata"));
    ge_checkpoint_close(&c);
}

static void test_formats(void **state)
{
    static const char *const folders[] = {FOLDER "zip", FOLDER "legacy", FOLDER "unchecked",
                                          FOLDER "shards"};
    struct ge_checkpoint *want;

    (void)state;
    assert_ok(ge_checkpoint_open(FOLDER "reference", &want));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) check_folder(want, folders[i]);
    ge_checkpoint_close(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
