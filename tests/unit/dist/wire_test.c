/* The packed form: what goes in comes out, and nothing else is taken for a message. */
#include "dist/wire.h"
#include "test.h"

static struct ge_message sample(enum ge_message_type type)
{
    struct ge_message m = {.type = type, .worker = 7, .run = 0x1122334455667788u};
    switch (type) {
    case GE_MSG_HEARTBEAT:
        m.want = 1;
        m.progress = 99;
        m.held[1] = 0xFFFFFFFFFFu;
        break;
    case GE_MSG_GRANT:
        m.lease = 5;
        m.chunk = 123456;
        m.attempt = 2;
        m.strikes = 1;
        break;
    case GE_MSG_RESULT:
    case GE_MSG_FAILED:
        m.lease = 5;
        m.chunk = 3;
        m.want = 2;
        m.samples = 32;
        m.undone = 4;
        m.payload = "rows";
        m.length = 4;
        if (type == GE_MSG_FAILED) m.status = GE_EIO;
        break;
    default:
        m.status = GE_EINTERRUPTED;
        break;
    }
    return m;
}

static void messages_come_back(void **state)
{
    (void)state;
    for (int t = GE_MSG_HEARTBEAT; t < GE_MSG_TYPES; t++) {
        struct ge_message m = sample((enum ge_message_type)t), back;
        void *frame = NULL;
        size_t size = 0;
        assert_ok(ge_wire_pack(&m, &frame, &size));
        assert_ok(ge_wire_unpack(frame, size, &back));
        assert_int_equal(back.type, m.type);
        assert_int_equal(back.worker, m.worker);
        assert_int_equal(back.run, m.run);
        assert_int_equal(back.lease, m.lease);
        assert_int_equal(back.chunk, m.chunk);
        assert_int_equal(back.attempt, m.attempt);
        assert_int_equal(back.strikes, m.strikes);
        assert_int_equal(back.want, m.want);
        assert_int_equal(back.status, m.status);
        assert_int_equal(back.samples, m.samples);
        assert_int_equal(back.undone, m.undone);
        assert_int_equal(back.progress, m.progress);
        assert_memory_equal(back.held, m.held, sizeof m.held);
        assert_int_equal(back.length, m.length);
        if (m.length > 0) assert_memory_equal(back.payload, m.payload, m.length);
        free(frame);
    }
}

static void layout_is_as_documented(void **state)
{
    (void)state;
    struct ge_message m = sample(GE_MSG_GRANT);
    unsigned char *p = NULL;
    void *frame = NULL;
    size_t size = 0;
    assert_ok(ge_wire_pack(&m, &frame, &size));
    p = frame;
    assert_int_equal(size, 64);
    static const unsigned char want[32] = {
        'G',  'E',  1,    GE_MSG_GRANT, 7,    0, 0, 0, 0x88, 0x77, 0x66,
        0x55, 0x44, 0x33, 0x22,         0x11, 5, 0, 0, 0,    0,    0,
        0,    0,    0x40, 0xE2,         1,    0, 2, 1, 0,    0};
    assert_memory_equal(p, want, sizeof want);
    free(frame);
}

/* Every single changed bit and every cut or grown frame is refused. */
static void damage_is_refused(void **state)
{
    (void)state;
    for (int t = GE_MSG_HEARTBEAT; t < GE_MSG_TYPES; t++) {
        struct ge_message m = sample((enum ge_message_type)t), back;
        void *frame = NULL;
        size_t size = 0;
        assert_ok(ge_wire_pack(&m, &frame, &size));
        unsigned char *bytes = frame;
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
            assert_status(ge_wire_unpack(frame, size, &back), GE_EFORMAT);
            bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        }
        for (size_t n = 0; n < size; n++) {
            /* A copy of the exact length, so that a sanitizer sees a read behind its end. */
            void *cut = malloc(n > 0 ? n : 1);
            memcpy(cut, frame, n);
            assert_status(ge_wire_unpack(cut, n, &back), GE_EFORMAT);
            free(cut);
        }
        unsigned char *grown = calloc(size + 1, 1);
        memcpy(grown, frame, size);
        assert_status(ge_wire_unpack(grown, size + 1, &back), GE_EFORMAT);
        free(grown);
        free(frame);
    }
}

/* Well-packed nonsense. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    struct ge_message bad[8];
    for (int i = 0; i < 8; i++) bad[i] = sample(GE_MSG_RESULT);
    bad[0].undone = bad[0].samples + 1;
    bad[1].lease = 0;
    bad[2].want = GE_DIST_SLOTS + 1;
    bad[3].status = GE_EIO;
    bad[4].attempt = 1;
    bad[5].errors = bad[5].samples + 1;
    bad[6] = sample(GE_MSG_FAILED);
    bad[6].status = GE_OK;
    bad[7] = sample(GE_MSG_STOP);
    bad[7].lease = 1;
    for (int i = 0; i < 8; i++) {
        struct ge_message back;
        void *frame = NULL;
        size_t size = 0;
        assert_ok(ge_wire_pack(&bad[i], &frame, &size));
        assert_status(ge_wire_unpack(frame, size, &back), GE_EFORMAT);
        free(frame);
    }
}

static void long_reasons_are_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    struct ge_message m = sample(GE_MSG_FAILED), back;
    m.payload = text;
    m.length = sizeof text;
    void *frame = NULL;
    size_t size = 0;
    assert_ok(ge_wire_pack(&m, &frame, &size));
    assert_ok(ge_wire_unpack(frame, size, &back));
    assert_int_equal(back.length, GE_WIRE_MAX_REASON);
    free(frame);
}

static void too_large_is_refused(void **state)
{
    (void)state;
    struct ge_message m = sample(GE_MSG_RESULT);
    m.length = GE_DIST_MAX_PAYLOAD + 1;
    void *frame = NULL;
    size_t size = 0;
    assert_status(ge_wire_pack(&m, &frame, &size), GE_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back),   cmocka_unit_test(layout_is_as_documented),
        cmocka_unit_test(damage_is_refused),    cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(long_reasons_are_cut), cmocka_unit_test(too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
