/* Every rule of the safetensors format, kept and broken. */
#include "folder.h"
#include "model/checkpoint.h"

static char *dir;

static int setup(void **state)
{
    (void)state;
    dir = folder_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_delete(dir);
    return 0;
}

/* Write header (length in front) and n zero bytes of data. */
static void put(const char *file, const char *header, size_t n)
{
    size_t len = strlen(header);
    unsigned char *all = ge_calloc(8 + len + n, 1);

    assert_non_null(all);
    for (int i = 0; i < 8; i++) all[i] = (unsigned char)((uint64_t)len >> 8 * i);
    memcpy(all + 8, header, len);
    folder_put(dir, file, all, 8 + len + n);
    free(all);
}

static ge_status open_it(struct ge_checkpoint **st)
{
    return ge_checkpoint_open(dir, st);
}

static void test_good(void **state)
{
    struct ge_checkpoint *st;
    const struct ge_stored *t;

    (void)state;
    put("model.safetensors",
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"
        "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[16,16]},"
        "\"a\":{\"data_offsets\":[0,4],\"shape\":[],\"dtype\":\"F32\",\"more\":[1,{}]},"
        "\"ids\":{\"dtype\":\"I64\",\"shape\":[1,1],\"data_offsets\":[16,24]}}   ",
        24);
    assert_ok(open_it(&st));
    t = ge_checkpoint_find(st, "b");
    assert_non_null(t);
    assert_int_equal(t->count, 6);
    assert_int_equal(t->dims, 2);
    assert_int_equal(ge_checkpoint_find(st, "a")->count, 1);
    assert_int_equal(ge_checkpoint_find(st, "empty")->count, 0);
    assert_null(ge_checkpoint_find(st, "c"));
    float out[6];
    assert_ok(ge_stored_read(ge_checkpoint_find(st, "empty"), out));
    assert_status(ge_stored_read(ge_checkpoint_find(st, "ids"), out), GE_EUNSUPPORTED);
    ge_checkpoint_close(&st);
    assert_null(st);
}

static void test_broken_headers(void **state)
{
#define T(offsets) "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets
    static const struct {
        const char *header;
        size_t data;
        ge_status want;
        const char *says;
    } cases[] = {
        {"[]", 0, GE_EFORMAT, "safetensors"},
        {"{", 0, GE_EFORMAT, ""},
        {"{}x", 0, GE_EFORMAT, ""},
        {"{}", 1, GE_EFORMAT, "after the last tensor"},
        {"{\"a\":{" T("[0,8]") "}}", 7, GE_EFORMAT, "outside the file"},
        {"{\"a\":{" T("[0,8]") "}}", 9, GE_EFORMAT, "after the last tensor"},
        {"{\"a\":{" T("[8,0]") "}}", 8, GE_EFORMAT, "outside"},
        {"{\"a\":{" T("[0,4]") "}}", 4, GE_EFORMAT, "do not match"},
        {"{\"a\":{" T("[1,9]") "}}", 9, GE_EFORMAT, "hole"},
        {"{\"a\":{" T("[0,8]") "},\"b\":{" T("[4,12]") "}}", 12, GE_EFORMAT, "overlaps"},
        {"{\"a\":{" T("[0,8]") "},\"b\":{" T("[0,8]") "}}", 8, GE_EFORMAT, "overlaps"},
        {"{\"a\":{" T("[0,8]") "},\"b\":{" T("[9,17]") "}}", 17, GE_EFORMAT, "hole"},
        {"{\"a\":{" T("[0,8]") "},\"a\":{" T("[8,16]") "}}", 16, GE_EFORMAT, "twice"},
        {"{\"a\":{" T("[0,8]") ",\"dtype\":\"F32\"}}", 8, GE_EFORMAT, "twice"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, GE_EFORMAT, "needs"},
        {"{\"a\":{" T("[0]") "}}", 8, GE_EFORMAT, "needs"},
        {"{\"a\":{" T("[0,8,9]") "}}", 8, GE_EFORMAT, "data_offsets"},
        {"{\"a\":{" T("[0,-8]") "}}", 8, GE_EFORMAT, "data_offsets"},
        {"{\"a\":{" T("[0,8.5]") "}}", 8, GE_EFORMAT, "data_offsets"},
        {"{\"a\":{" T("[0,1e300]") "}}", 8, GE_EFORMAT, "data_offsets"},
        {"{\"a\":{" T("\"x\"") "}}", 8, GE_EFORMAT, "data_offsets"},
        {"{\"a\":[]}", 0, GE_EFORMAT, "object"},
        {"{\"a\":{\"dtype\":5,\"shape\":[],\"data_offsets\":[0,4]}}", 4, GE_EFORMAT, "dtype"},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1, GE_EUNSUPPORTED,
         "F4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],"
         "\"data_offsets\":[0,0]}}",
         0, GE_ELIMIT, "a"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         GE_EFORMAT, "shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, GE_EFORMAT,
         "shape"},
    };
    struct ge_checkpoint *st;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put("model.safetensors", cases[i].header, cases[i].data);
        ge_status rc = open_it(&st);
        if (rc != cases[i].want || st != NULL || strstr(ge_error(), cases[i].says) == NULL ||
            strstr(ge_error(), "model.safetensors") == NULL) {
            print_error("%s: %s: %s\n", cases[i].header, ge_status_name(rc), ge_error());
            fail();
        }
    }
#undef T
}

/* Header lengths that do not fit the file, and files cut at every byte. */
static void test_truncated(void **state)
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    static const uint64_t lengths[] = {0, 1, 1u << 30, UINT64_MAX, (uint64_t)1 << 63, 100000001};
    unsigned char all[8 + sizeof header - 1 + 8] = {0};
    struct ge_checkpoint *st;

    (void)state;
    all[0] = sizeof header - 1;
    memcpy(all + 8, header, sizeof header - 1);
    for (size_t n = 0; n < sizeof all; n++) {
        folder_put(dir, "model.safetensors", all, n);
        assert_status(open_it(&st), GE_EFORMAT);
    }
    folder_put(dir, "model.safetensors", all, sizeof all);
    assert_ok(open_it(&st));
    ge_checkpoint_close(&st);
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        for (int i = 0; i < 8; i++) all[i] = (unsigned char)(lengths[l] >> 8 * i);
        folder_put(dir, "model.safetensors", all, sizeof all);
        assert_status(open_it(&st), GE_EFORMAT);
    }
}

/* Every byte of a good file replaced by every one of a few others: no crash, whatever comes out. */
static void test_mutations(void **state)
{
    static const char header[] =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},\"__metadata__\":{}}";
    static const unsigned char values[] = {0, '0', '9', '"', '{', '}', '[', ',', '-', '\\', 0xFF};
    unsigned char all[8 + sizeof header - 1 + 8] = {0};
    struct ge_checkpoint *st;

    (void)state;
    all[0] = sizeof header - 1;
    memcpy(all + 8, header, sizeof header - 1);
    for (size_t i = 0; i < sizeof all; i++) {
        for (size_t v = 0; v < sizeof values; v++) {
            unsigned char was = all[i];
            all[i] = values[v];
            folder_put(dir, "model.safetensors", all, sizeof all);
            if (open_it(&st) == GE_OK) {
                const struct ge_stored *t = ge_checkpoint_find(st, "a");
                float out[2];
                if (t != NULL && t->count == 2) (void)ge_stored_read(t, out);
            }
            ge_checkpoint_close(&st);
            all[i] = was;
        }
    }
}

static void test_values(void **state)
{
    static const char header[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[6],\"data_offsets\":[0,12]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[12,16]},"
        "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[16,24]},"
        "\"n\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}}";
    /* 1, -2, smallest subnormal, largest subnormal, 65504, -0 */
    static const uint16_t half[] = {0x3C00, 0xC000, 0x0001, 0x03FF, 0x7BFF, 0x8000};
    static const uint16_t bf16[] = {0x3F80, 0xC2F7};
    const double wide = 0.1;
    const float nan_row[] = {1.0f, NAN};
    unsigned char all[8 + sizeof header - 1 + 32] = {0}, *data = all + 8 + sizeof header - 1;
    struct ge_checkpoint *st;
    float out[6];

    (void)state;
    all[0] = sizeof header - 1;
    memcpy(all + 8, header, sizeof header - 1);
    memcpy(data, half, 12);
    memcpy(data + 12, bf16, 4);
    memcpy(data + 16, &wide, 8);
    memcpy(data + 24, nan_row, 8);
    folder_put(dir, "model.safetensors", all, sizeof all);
    assert_ok(open_it(&st));
    assert_ok(ge_stored_read(ge_checkpoint_find(st, "h"), out));
    assert_true(out[0] == 1.0f && out[1] == -2.0f && out[2] == ldexpf(1, -24));
    assert_true(out[3] == ldexpf(1023, -24) && out[4] == 65504.0f);
    assert_true(out[5] == 0.0f && signbit(out[5]));
    assert_ok(ge_stored_read(ge_checkpoint_find(st, "b"), out));
    assert_true(out[0] == 1.0f && out[1] == -123.5f);
    assert_ok(ge_stored_read(ge_checkpoint_find(st, "d"), out));
    assert_true(out[0] == 0.1f);
    assert_status(ge_stored_read(ge_checkpoint_find(st, "n"), out), GE_EFORMAT);
    assert_non_null(strstr(ge_error(), "tensor n"));
    ge_checkpoint_close(&st);
}

static void test_index(void **state)
{
    static const char one[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    static const char two[] = "{\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    static const struct {
        const char *index;
        ge_status want;
        const char *says;
    } bad[] = {
        {"{}", GE_EFORMAT, "weight_map"},
        {"{\"weight_map\":[]}", GE_EFORMAT, "weight_map"},
        {"{\"weight_map\":{\"a\":5}}", GE_EFORMAT, "name of a file"},
        {"{\"weight_map\":{\"a\":\"../1.safetensors\"}}", GE_EFORMAT, "name of a file"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", GE_EFORMAT, "name of a file"},
        {"{\"weight_map\":{\"a\":\"..\"}}", GE_EFORMAT, "name of a file"},
        {"{\"weight_map\":{\"a\":\"3.safetensors\"}}", GE_ENOENT, "3.safetensors"},
        {"{\"weight_map\":{\"a\":\"2.safetensors\"}}", GE_EFORMAT, "is not in"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"c\":\"2.safetensors\"}}", GE_EFORMAT,
         "tensor c is not in"},
        {"{\"weight_map\":{\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"}}", GE_EFORMAT,
         "is not in"},
        {"{\"weight_map\":{\"a\":\"1.safetensors\",\"b\":\"1b.safetensors\"}}", GE_EFORMAT,
         "twice"},
        {"{\"weight_map\"", GE_EFORMAT, ""},
    };
    struct ge_checkpoint *st;

    (void)state;
    put("1.safetensors", one, 8);
    put("1b.safetensors", one, 8);
    put("2.safetensors", two, 4);
    assert_status(open_it(&st), GE_ENOENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        folder_put_text(dir, "model.safetensors.index.json", bad[i].index);
        ge_status rc = open_it(&st);
        if (rc != bad[i].want || st != NULL || strstr(ge_error(), bad[i].says) == NULL) {
            print_error("%s: %s: %s\n", bad[i].index, ge_status_name(rc), ge_error());
            fail();
        }
    }
    folder_put_text(dir, "model.safetensors.index.json",
                    "{\"metadata\":{},\"weight_map\":{\"a\":\"1.safetensors\","
                    "\"b\":\"2.safetensors\"}}");
    assert_ok(open_it(&st));
    assert_non_null(ge_checkpoint_find(st, "a"));
    assert_non_null(ge_checkpoint_find(st, "b"));
    ge_checkpoint_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
