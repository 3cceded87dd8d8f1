/* The files of torch.save(), broken and hostile: pickles that import or never end, archives that
 * overlap or lie about sizes. tests/golden/model/checkpoint_test.c reads files that torch wrote. */
#include <stdbool.h>

#include "base/buf.h"
#include "folder.h"
#include "model/checkpoint.h"

#define GOLDEN GE_SOURCE_DIR "/tests/golden/model/checkpoints/"

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

/* ---- writing archives --------------------------------------------------------------------- */

struct entry {
    const char *name;
    const void *data;
    size_t size;
};

static void put_number(struct ge_buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) ge_buf_char(b, i < 8 ? (char)(v >> 8 * i) : 0);
}

/* The same fields stand in a local header and in the directory. */
static void put_common(struct ge_buf *b, const struct entry *e, bool zip64)
{
    put_number(b, 0, 2); /* flags */
    put_number(b, 0, 2); /* stored */
    put_number(b, 0, 4); /* time, date */
    put_number(b, 0, 4); /* no checksum */
    put_number(b, zip64 ? UINT32_MAX : e->size, 4);
    put_number(b, zip64 ? UINT32_MAX : e->size, 4);
    put_number(b, strlen(e->name), 2);
}

static void put_end(struct ge_buf *b, size_t n, size_t offset, bool zip64)
{
    size_t at = b->len, bytes = at - offset;

    if (zip64) {
        put_number(b, 0x06064b50, 4);
        put_number(b, 44, 8);
        put_number(b, 0, 12); /* versions, disks */
        put_number(b, n, 8);
        put_number(b, n, 8);
        put_number(b, bytes, 8);
        put_number(b, offset, 8);
        put_number(b, 0x07064b50, 4);
        put_number(b, 0, 4);
        put_number(b, at, 8);
        put_number(b, 1, 4);
    }
    put_number(b, 0x06054b50, 4);
    put_number(b, 0, 4);
    put_number(b, zip64 ? UINT16_MAX : n, 2);
    put_number(b, zip64 ? UINT16_MAX : n, 2);
    put_number(b, zip64 ? UINT32_MAX : bytes, 4);
    put_number(b, zip64 ? UINT32_MAX : offset, 4);
    put_number(b, 0, 2);
}

static void put_zip(struct ge_buf *b, const struct entry *e, size_t n, bool zip64)
{
    size_t offset[4], directory;

    ge_buf_init(b, (size_t)16 << 20);
    for (size_t i = 0; i < n; i++) {
        offset[i] = b->len;
        put_number(b, 0x04034b50, 4);
        put_number(b, 45, 2);
        put_common(b, &e[i], zip64);
        put_number(b, 0, 2);
        ge_buf_str(b, e[i].name);
        ge_buf_add(b, e[i].data, e[i].size);
    }
    directory = b->len;
    for (size_t i = 0; i < n; i++) {
        put_number(b, 0x02014b50, 4);
        put_number(b, 45, 2);
        put_number(b, 45, 2);
        put_common(b, &e[i], zip64);
        put_number(b, zip64 ? 28 : 0, 2);
        put_number(b, 0, 10); /* comment, disk, attributes */
        put_number(b, zip64 ? UINT32_MAX : offset[i], 4);
        ge_buf_str(b, e[i].name);
        if (!zip64) continue;
        put_number(b, 1, 2);
        put_number(b, 24, 2);
        put_number(b, e[i].size, 8);
        put_number(b, e[i].size, 8);
        put_number(b, offset[i], 8);
    }
    put_end(b, n, directory, zip64);
    assert_ok(ge_buf_status(b));
}

/* ---- pickles ------------------------------------------------------------------------------ */

#define HEAD       "\x80\x02"
#define TEXT(n, s) "X" n "\0\0\0" s
#define KEY_A      TEXT("\1", "a")
/* the storage "0" of 6 floats on the stack */
#define STORAGE(class, count)                                                                      \
    "(" TEXT("\7", "storage") "ctorch\n" class "\n" TEXT("\1", "0") TEXT("\3", "cpu") count "tQ"
#define REST "\x89" /* requires_grad */ "ccollections\nOrderedDict\n)R"
#define TENSOR(storage, offset, sizes, strides)                                                    \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset sizes strides REST "tR"
#define SIX              STORAGE("FloatStorage", "K\6")
#define DICT(key, value) HEAD "}" key value "s."
#define GOOD             DICT(KEY_A, TENSOR(SIX, "K\0", "K\2K\3\x86", "K\3K\1\x86"))

static const float six[6] = {1, 2, 3, 4, 5, 6};

static void put_pickle_file(const void *pickle, size_t len)
{
    const struct entry e[] = {{"m/data.pkl", pickle, len}, {"m/data/0", six, sizeof six}};
    struct ge_buf b;

    put_zip(&b, e, 2, false);
    folder_put(dir, "pytorch_model.bin", b.data, b.len);
    ge_buf_free(&b);
}

/* Opening must fail like this, the message name the file and contain `says`. */
static void must_fail(ge_status want, const char *says)
{
    struct ge_checkpoint *c;

    ge_error_clear();
    ge_status rc = ge_checkpoint_open(dir, &c);
    if (rc != want || c != NULL || strstr(ge_error(), says) == NULL ||
        strstr(ge_error(), "pytorch_model.bin") == NULL) {
        print_error("%s (wanted %s with \"%s\"): %s\n", ge_status_name(rc), ge_status_name(want),
                    says, ge_error());
        fail();
    }
}

static void check_row(const float *want, size_t n)
{
    struct ge_checkpoint *c;
    const struct ge_stored *t;
    float out[6];

    assert_ok(ge_checkpoint_open(dir, &c));
    t = ge_checkpoint_find(c, "a");
    assert_non_null(t);
    assert_int_equal(t->count, n);
    assert_ok(ge_stored_read(t, out));
    if (n > 0) assert_memory_equal(out, want, n * sizeof *out);
    ge_checkpoint_close(&c);
}

static void test_good(void **state)
{
    static const float columns[] = {1, 4, 2, 5, 3, 6}, twice[] = {2, 2}, none[] = {0};
    static const struct {
        const char *pickle;
        size_t len;
        const float *want;
        size_t n;
    } cases[] = {
#define CASE(p, want, n) {p, sizeof p - 1, want, n}
        CASE(GOOD, six, 6),
        CASE(DICT(KEY_A, TENSOR(SIX, "K\0", "K\3K\2\x86", "K\1K\3\x86")), columns, 6),
        CASE(DICT(KEY_A, TENSOR(SIX, "K\1", "K\2\x85", "K\0\x85")), twice, 2),
        CASE(DICT(KEY_A, TENSOR(SIX, "K\5", ")", ")")), six + 5, 1),
        CASE(DICT(KEY_A, TENSOR(SIX, "K\x63", "K\0\x85", "K\1\x85")), none, 0),
        CASE(DICT(KEY_A, "ctorch._utils\n_rebuild_parameter\n(" TENSOR(SIX, "K\0", "K\6\x85",
                                                                       "K\1\x85") "\x88)tR"),
             six, 6),
        /* other values beside the tensors, a list that holds itself, attributes */
        CASE(HEAD "}(" KEY_A TENSOR(SIX, "K\0", "K\6\x85", "K\1\x85")
                 TEXT("\1", "b") "G--------" TEXT("\1", "c") "]q\7h\7aNM\1\2" TEXT(
                     "\1", "d") "J\xff\xff\xff\xffu}b.",
             six, 6),
#undef CASE
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_pickle_file(cases[i].pickle, cases[i].len);
        check_row(cases[i].want, cases[i].n);
    }
}

static void test_broken_pickles(void **state)
{
#define SIZED(offset, sizes, strides) DICT(KEY_A, TENSOR(SIX, offset, sizes, strides))
#define CASE(p, want, says)                                                                        \
    {                                                                                              \
        p, sizeof p - 1, want, says                                                                \
    }
    static const struct {
        const char *pickle;
        size_t len;
        ge_status want;
        const char *says;
    } cases[] = {
        /* what would run code */
        CASE(HEAD "cposix\nsystem\n" TEXT("\2", "id") "\x85R.", GE_EUNSUPPORTED, "posix.system"),
        CASE(HEAD "c__builtin__\neval\n" TEXT("\1", "1") "\x85R.", GE_EUNSUPPORTED,
             "__builtin__.eval"),
        CASE(HEAD "ctorch\nUntypedStorage\n.", GE_EUNSUPPORTED, "torch.UntypedStorage"),
        CASE(HEAD "ccollections.abc\nOrderedDict\n.", GE_EUNSUPPORTED, "collections.abc"),
        CASE(HEAD "ctorch\nFloatStorage\n)R.", GE_EFORMAT, "storage class"),
        CASE(HEAD "(iposix\nsystem\n.", GE_EUNSUPPORTED, "opcode 0x69"),
        CASE(HEAD "\x8c\5posix.", GE_EUNSUPPORTED, "opcode 0x8c"),
        CASE("\x80\4}.", GE_EUNSUPPORTED, "protocol 4"),
        CASE(HEAD "c\x01\n\n.", GE_EFORMAT, "not the name"),
        CASE(HEAD "K\1)R.", GE_EFORMAT, "no function"),
        CASE(HEAD "ccollections\nOrderedDict\n]R.", GE_EFORMAT, "tuple"),
        CASE(HEAD "ccollections\nOrderedDict\nN\x85R.", GE_EFORMAT, "tuple"),
        /* the machine's rules */
        CASE("", GE_EFORMAT, "cut off"),
        CASE(HEAD ".", GE_EFORMAT, "one value"),
        CASE(HEAD "NN.", GE_EFORMAT, "one value"),
        CASE(HEAD "}(.", GE_EFORMAT, "one value"),
        CASE(HEAD "t.", GE_EFORMAT, "mark"),
        CASE(HEAD "N\x86.", GE_EFORMAT, "missing on the stack"),
        CASE(HEAD "N(\x85.", GE_EFORMAT, "missing on the stack"),
        CASE(HEAD "N(s.", GE_EFORMAT, "missing on the stack"),
        CASE(HEAD "]NNs.", GE_EFORMAT, "wrong kind"),
        CASE(HEAD "}Na.", GE_EFORMAT, "wrong kind"),
        CASE(HEAD "NNb.", GE_EFORMAT, "wrong kind"),
        CASE(HEAD "}(NNNu.", GE_EFORMAT, "key without a value"),
        CASE(HEAD "h\0.", GE_EFORMAT, "memo"),
        CASE(HEAD "Nq\3h\2.", GE_EFORMAT, "memo"),
        CASE(HEAD "Nr\xff\xff\xff\xff.", GE_EFORMAT, "memo"),
        CASE(HEAD "Nj\xff\xff\xff\xff.", GE_EFORMAT, "memo"),
        CASE(HEAD "X\xff\xff\xff\xffx.", GE_EFORMAT, "cut off"),
        CASE(HEAD "U\xffx.", GE_EFORMAT, "cut off"),
        CASE(HEAD "cnonewline.", GE_EFORMAT, "without an end"),
        CASE(HEAD "\x8a\x09xxxxxxxxx.", GE_EFORMAT, "more than 8 bytes"),
        /* storages and tensors */
        CASE(HEAD "NQ.", GE_EFORMAT, "tuple"),
        CASE(HEAD "(NNNNNtQ.", GE_EFORMAT, "description of a storage"),
        CASE(DICT(KEY_A, STORAGE("FloatStorage", "K\6N")), GE_EFORMAT, "no tensors"),
        CASE(DICT(KEY_A, STORAGE("FloatStorage", "K\6)")), GE_EUNSUPPORTED, "view"),
        CASE(DICT(KEY_A, STORAGE("FloatStorage", "J\xff\xff\xff\xff")), GE_EFORMAT, "storage"),
        CASE(DICT(KEY_A, STORAGE("FloatStorage", "K\7")), GE_EFORMAT, "another size than 7"),
        CASE(DICT(KEY_A, STORAGE("DoubleStorage", "K\6")), GE_EFORMAT, "another size than 6"),
        CASE(DICT(KEY_A, STORAGE("FloatStorage", "\x8a\x08\0\0\0\0\0\0\0\x40")), GE_ELIMIT, ""),
        CASE(SIZED("K\1", "K\6\x85", "K\1\x85"), GE_EFORMAT, "outside its storage"),
        CASE(SIZED("K\6", ")", ")"), GE_EFORMAT, "outside its storage"),
        CASE(SIZED("K\0", "K\2K\3\x86", "K\4K\1\x86"), GE_EFORMAT, "outside its storage"),
        CASE(SIZED("K\0", "K\7\x85", "K\0\x85"), GE_EFORMAT, "outside its storage"),
        CASE(SIZED("K\0", "J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "K\0K\0\x86"), GE_EFORMAT,
             "outside its storage"),
        CASE(SIZED("K\0",
                   "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff"
                   "\xff\x7f\x86",
                   "K\0K\0\x86"),
             GE_ELIMIT, "tensor a"),
        CASE(SIZED("K\0", "K\2\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), GE_EFORMAT,
             "outside its storage"),
        CASE(SIZED("K\0", "K\3\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), GE_EFORMAT,
             "outside its storage"),
        CASE(SIZED("K\0", "J\xff\xff\xff\xff\x85", "K\1\x85"), GE_EFORMAT, "whole number"),
        CASE(SIZED("J\xff\xff\xff\xff", "K\1\x85", "K\1\x85"), GE_EFORMAT, "description of a"),
        CASE(SIZED("K\0", "K\1\x85", ")"), GE_EFORMAT, "another number of strides"),
        CASE(SIZED("K\0", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t", "(K\1K\1K\1K\1K\1K\1K\1K\1K\1t"),
             GE_EFORMAT, "tuple"),
        CASE(DICT(KEY_A, TENSOR("N", "K\0", ")", ")")), GE_EFORMAT, "description of a tensor"),
        CASE(DICT(KEY_A, "ctorch._utils\n_rebuild_parameter\nN\x88N\x87R"), GE_EFORMAT,
             "parameter"),
        /* what the dict may be */
        CASE(HEAD "].", GE_EFORMAT, "holds a list"),
        CASE(HEAD TENSOR(SIX, "K\0", ")", ")") ".", GE_EFORMAT, "holds a tensor"),
        CASE(HEAD "}.", GE_EFORMAT, "no tensors"),
        CASE(DICT(KEY_A, "}" KEY_A TENSOR(SIX, "K\0", ")", ")") "s"), GE_EFORMAT,
             "training checkpoint"),
        CASE(DICT(TEXT("\2", "a\0"), TENSOR(SIX, "K\0", ")", ")")), GE_EFORMAT, "NUL"),
        CASE(HEAD
             "}" KEY_A TENSOR(SIX, "K\0", ")", ")") "s" KEY_A TENSOR(SIX, "K\0", ")", ")") "s.",
             GE_EFORMAT, "given twice"),
#undef CASE
#undef SIZED
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_pickle_file(cases[i].pickle, cases[i].len);
        must_fail(cases[i].want, cases[i].says);
    }
    for (size_t n = 0; n < sizeof GOOD - 1; n++) { /* cut at every byte */
        put_pickle_file(GOOD, n);
        must_fail(GE_EFORMAT, "pickle");
    }
}

/* Small pickles that unfold into much: doubling tuples, deep nesting, endless stacks and memos. */
static void test_bombs(void **state)
{
    enum { MANY = 4 << 20 };
    struct ge_buf b;

    (void)state;
    ge_buf_init(&b, (size_t)8 << 20);
    ge_buf_add(&b, HEAD ")", 3);
    for (int i = 0; i < 60; i++) { /* each holds the one before twice: 2^60 in all */
        ge_buf_char(&b, 'q');
        ge_buf_char(&b, (char)i);
        ge_buf_char(&b, 'h');
        ge_buf_char(&b, (char)i);
        ge_buf_char(&b, '\x86');
    }
    ge_buf_char(&b, '.');
    put_pickle_file(b.data, b.len);
    must_fail(GE_EFORMAT, "holds a tuple");
    static const struct {
        const char *repeat;
        ge_status want;
        const char *says;
    } cases[] = {
        {"\x85", GE_ELIMIT, "longer than"}, /* a tuple in a tuple in a tuple … */
        {")", GE_EFORMAT, "too many values"}, {"}", GE_EFORMAT, "too many values"},
        {"(", GE_EFORMAT, "too many marks"},  {"q\xff", GE_ELIMIT, "longer than"},
        {")u", GE_EFORMAT, "mark"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        b.len = 0;
        ge_buf_add(&b, HEAD "N", 3);
        while (b.len < 300) ge_buf_add(&b, "\x85", 1); /* a memo number costs bytes */
        while (b.len < MANY + 2) ge_buf_str(&b, cases[i].repeat);
        assert_ok(ge_buf_status(&b));
        put_pickle_file(b.data, b.len);
        must_fail(cases[i].want, cases[i].says);
    }
    ge_buf_free(&b);
}

/* ---- archives ----------------------------------------------------------------------------- */

static const struct entry good[] = {{"m/data.pkl", GOOD, sizeof GOOD - 1},
                                    {"m/data/0", six, sizeof six}};

static void test_zip64(void **state)
{
    struct ge_buf b;

    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        put_zip(&b, good, 2, zip64 != 0);
        folder_put(dir, "pytorch_model.bin", b.data, b.len);
        check_row(six, 6);
        for (size_t n = 0; n < b.len; n++) { /* cut at every byte */
            folder_put(dir, "pytorch_model.bin", b.data, n);
            must_fail(GE_EFORMAT, "");
        }
        ge_buf_free(&b);
    }
}

static void test_entries(void **state)
{
    static const struct entry none[] = {{"m/data/0", six, sizeof six}};
    static const struct entry two[] = {{"m/data.pkl", GOOD, sizeof GOOD - 1},
                                       {"n/data.pkl", GOOD, sizeof GOOD - 1}};
    static const struct entry same[] = {{"m/data.pkl", GOOD, sizeof GOOD - 1},
                                        {"m/data/0", six, sizeof six},
                                        {"m/data/0", six, sizeof six}};
    static const struct entry elsewhere[] = {{"m/data.pkl", GOOD, sizeof GOOD - 1},
                                             {"n/data/0", six, sizeof six}};
    static const struct entry big[] = {{"m/data.pkl", GOOD, sizeof GOOD - 1},
                                       {"m/byteorder", "big", 3},
                                       {"m/data/0", six, sizeof six}};
    static const struct {
        const struct entry *e;
        size_t n;
        ge_status want;
        const char *says;
    } cases[] = {
        {none, 1, GE_EFORMAT, "0 entries named data.pkl"},
        {two, 2, GE_EFORMAT, "2 entries named data.pkl"},
        {same, 3, GE_EFORMAT, "one name"},
        {elsewhere, 2, GE_EFORMAT, "m/data/0 is missing"},
        {big, 3, GE_EUNSUPPORTED, "byte order"},
    };
    struct ge_buf b;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_zip(&b, cases[i].e, cases[i].n, false);
        folder_put(dir, "pytorch_model.bin", b.data, b.len);
        must_fail(cases[i].want, cases[i].says);
        ge_buf_free(&b);
    }
    put_zip(&b, good, 2, false);
    ge_buf_char(&b, 'x'); /* something behind the end */
    folder_put(dir, "pytorch_model.bin", b.data, b.len);
    must_fail(GE_EFORMAT, "record at its end");
    ge_buf_free(&b);
}

/* Fields of the archive changed one by one: where they are, counted from the file's end, their
 * bytes, the new value. The end record has 22 bytes, an entry of the directory 46 + name. */
static void test_lies(void **state)
{
    enum { END = 22, LAST = END + 46 + 8, FIRST = LAST + 46 + 10 };
    static const struct {
        size_t from_end, bytes;
        uint64_t value;
        ge_status want;
        const char *says;
    } cases[] = {
        {END - 10, 2, 3, GE_ELIMIT, "claims 3"}, /* entries */
        {END - 10, 2, 60000, GE_ELIMIT, "claims 60000"},
        {END - 12, 4, 1u << 30, GE_EFORMAT, "outside"}, /* bytes of the directory */
        {END - 16, 4, 1u << 30, GE_EFORMAT, "outside"}, /* its place */
        {LAST, 4, 0, GE_EFORMAT, "directory"},
        {LAST - 8, 2, 1, GE_EUNSUPPORTED, "encrypted"},
        {LAST - 10, 2, 8, GE_EUNSUPPORTED, "compressed"},
        {LAST - 16, 4, 77, GE_EFORMAT, "checksum"},
        {LAST - 20, 4, 23, GE_EUNSUPPORTED, "compressed"},
        {LAST - 28, 2, 7, GE_EFORMAT, "two names"},
        {LAST - 28, 2, 60000, GE_EFORMAT, "directory"},
        {LAST - 42, 4, 0, GE_EFORMAT, "two names"},
        {LAST - 42, 4, 1u << 30, GE_EFORMAT, "outside"},
        {FIRST - 42, 4, 3, GE_EFORMAT, "outside"},
    };
    struct ge_buf b;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_zip(&b, good, 2, false);
        for (size_t k = 0; k < cases[i].bytes; k++)
            b.data[b.len - cases[i].from_end + k] = (char)(cases[i].value >> 8 * k);
        folder_put(dir, "pytorch_model.bin", b.data, b.len);
        must_fail(cases[i].want, cases[i].says);
        ge_buf_free(&b);
    }
    /* an entry that reaches into the next one: both sizes of the first */
    put_zip(&b, good, 2, false);
    for (size_t k = 0; k < 2; k++) b.data[b.len - FIRST + 20 + 4 * k]++;
    folder_put(dir, "pytorch_model.bin", b.data, b.len);
    ge_buf_free(&b);
    check_row(six, 6); /* one byte of the next header is nobody's data */
    put_zip(&b, good, 2, false);
    for (size_t k = 0; k < 2; k++)
        b.data[b.len - FIRST + 20 + 4 * k] = (char)(sizeof GOOD - 1 + 30 + 8 + 1);
    folder_put(dir, "pytorch_model.bin", b.data, b.len);
    must_fail(GE_EFORMAT, "overlap");
    ge_buf_free(&b);
}

/* Every byte of files that torch wrote, replaced by others: no crash, whatever comes out. */
static void test_mutations(void **state)
{
    static const char *const files[] = {GOLDEN "zip/pytorch_model.bin",
                                        GOLDEN "legacy/pytorch_model.bin"};
    static const unsigned char values[] = {0, 1, '.', '(', 'R', 0x7F, 0xFF};
    struct ge_checkpoint *c;
    float out[256];
    size_t len;
    char *data;

    (void)state;
    for (size_t f = 0; f < 2; f++) {
        assert_ok(ge_fs_read(files[f], 1 << 20, &data, &len));
        for (size_t i = 0; i < len; i += 1 + i / 97) {
            char was = data[i];
            data[i] = (char)values[i % sizeof values];
            folder_put(dir, "pytorch_model.bin", data, len);
            if (ge_checkpoint_open(dir, &c) == GE_OK) {
                const struct ge_stored *t = ge_checkpoint_find(c, "permuted");
                if (t != NULL && t->count <= 256) (void)ge_stored_read(t, out);
            }
            ge_checkpoint_close(&c);
            data[i] = was;
        }
        free(data);
    }
}

/* ---- before torch 1.6 --------------------------------------------------------------------- */

static void test_legacy(void **state)
{
    struct ge_checkpoint *c;
    char *data, *key, *edited;
    size_t len;

    (void)state;
    assert_ok(ge_fs_read(GOLDEN "legacy/pytorch_model.bin", 1 << 20, &data, &len));
    for (size_t n = 0; n < len; n += 1 + n / 61) { /* cut short */
        folder_put(dir, "pytorch_model.bin", data, n);
        must_fail(GE_EFORMAT, "");
    }
    edited = ge_calloc(len, 1);
    memcpy(edited, data, len);
    key = memmem(edited, len, "little_endianq", 14);
    assert_non_null(key);
    key[15] = '\x89'; /* behind the memo's number */
    folder_put(dir, "pytorch_model.bin", edited, len);
    must_fail(GE_EUNSUPPORTED, "byte order");
    memcpy(edited, data, len);
    edited[4] = 'x';
    folder_put(dir, "pytorch_model.bin", edited, len);
    must_fail(GE_EFORMAT, "not a file that torch.save() writes");
    folder_put_text(dir, "pytorch_model.bin", "version https://git-lfs.github.com/spec/v1\n");
    must_fail(GE_EFORMAT, "git lfs pull");
    folder_put(dir, "pytorch_model.bin", data, len);
    assert_ok(ge_checkpoint_open(dir, &c));
    ge_checkpoint_close(&c);
    free(edited);
    free(data);
}

/* safetensors is preferred; each allocation of opening either format fails once. */
static void test_preference_and_memory(void **state)
{
    static const char *const folders[] = {GOLDEN "zip", GOLDEN "legacy", GOLDEN "shards"};
    struct ge_checkpoint *c;

    (void)state;
    put_pickle_file(GOOD, sizeof GOOD - 1);
    folder_put(dir, "model.safetensors", "\2\0\0\0\0\0\0\0{}", 10);
    assert_ok(ge_checkpoint_open(dir, &c));
    assert_null(ge_checkpoint_find(c, "a"));
    ge_checkpoint_close(&c);
    for (size_t f = 0; f < sizeof folders / sizeof folders[0]; f++) {
        bool more = true;
        for (uint64_t n = 1; more; n++) {
            ge_mem_fail_at(n, 0);
            ge_status rc = ge_checkpoint_open(folders[f], &c);
            ge_mem_fail_at(0, 0);
            more = rc != GE_OK;
            if (more) assert_int_equal(rc, GE_ENOMEM);
            ge_checkpoint_close(&c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_pickles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bombs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zip64, setup, teardown),
        cmocka_unit_test_setup_teardown(test_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_preference_and_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
