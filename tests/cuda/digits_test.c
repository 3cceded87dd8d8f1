/* The module's digits are those of its inputs: whatever the order of threads, warps, blocks and
 * asynchronous copies, whenever the streams' work runs, and whatever the longest sequence says. A
 * missing barrier, a race between streams or a dependence on the tile's height shows here. */
#include "emulator/emulator.h"
#include "program.h"
#include "test.h"

static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};

static int setup(void **state)
{
    (void)state;
    emu_reset();
    return ge_device_register(ge_device_module()) != GE_OK;
}

struct result {
    unsigned char *bytes;
    size_t n;
};

static struct result result_of(struct program_options opt)
{
    struct result r;

    assert_ok(run_program(&opt, &r.bytes, &r.n));
    assert_true(r.n > 0);
    assert_int_equal(emu_count().live_blocks, 0);
    return r;
}

static void same(struct result want, struct program_options opt)
{
    struct result got = result_of(opt);

    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.bytes, want.bytes, want.n);
    free(got.bytes);
}

static void test_thread_orders(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        struct program_options opt = {.dtype = dtypes[d]};
        emu_reset();
        struct result forward = result_of(opt);
        emu_set_order(EMU_REVERSE, 0);
        same(forward, opt);
        for (uint64_t seed = 1; seed <= 4; seed++) {
            emu_set_order(EMU_SHUFFLED, seed);
            same(forward, opt);
        }
        free(forward.bytes);
    }
    emu_reset();
}

static void test_streams(void **state)
{
    static const enum emu_queue queues[] = {EMU_AT_ONCE, EMU_FIRST_STREAM_AHEAD,
                                            EMU_OTHER_STREAMS_AHEAD, EMU_BY_CHANCE};
    struct program_options opt = {.dtype = GE_BF16};

    (void)state;
    emu_reset();
    struct result late = result_of(opt);
    for (size_t q = 0; q < 4; q++) {
        for (uint64_t seed = 1; seed <= (queues[q] == EMU_BY_CHANCE ? 5 : 1); seed++) {
            emu_set_queue(queues[q], seed);
            same(late, opt);
        }
    }
    free(late.bytes);
    emu_reset();
}

/* The number of warps in a block follows the longest sequence; digits do not. */
static void test_longest(void **state)
{
    (void)state;
    for (size_t d = 0; d < 3; d++) {
        struct program_options opt = {.dtype = dtypes[d]};
        struct result own = result_of(opt);
        for (opt.longest = 32; opt.longest < 400; opt.longest += 96) same(own, opt);
        free(own.bytes);
    }
}

/* Two stages in turn, the host's memory used again as soon as a stage says so. */
static void test_double_buffer(void **state)
{
    enum { LEN = 1000, ROUNDS = 9 };
    static const enum emu_queue queues[] = {EMU_LATE, EMU_AT_ONCE, EMU_FIRST_STREAM_AHEAD,
                                            EMU_OTHER_STREAMS_AHEAD, EMU_BY_CHANCE};
    static float want[ROUNDS][LEN];

    (void)state;
    for (size_t q = 0; q < 5 * 4; q++) {
        struct ge_stage *stage[2];
        struct ge_fetch *fetch[2];
        struct ge_device *dev;
        struct ge_tensor x, out;
        void *host[2];
        const void *data;
        emu_set_queue(queues[q % 5], q);
        assert_ok(ge_device_open("cuda", NULL, &dev));
        assert_ok(ge_tensor_new(dev, 1, LEN, GE_F32, &out));
        for (int i = 0; i < 2; i++) {
            assert_ok(ge_stage_new(dev, sizeof want[0], &stage[i]));
            assert_ok(ge_fetch_new(dev, sizeof want[0], &fetch[i]));
            assert_ok(ge_host_new(dev, sizeof want[0], &host[i]));
        }
        for (int r = 0; r <= ROUNDS; r++) {
            if (r < ROUNDS) {
                int i = r % 2;
                assert_ok(ge_stage_wait(stage[i]));
                for (int c = 0; c < LEN; c++)
                    ((float *)host[i])[c] = want[r][c] = (float)(r * LEN + c);
                assert_ok(ge_stage_send(stage[i], 0, host[i], sizeof want[0]));
                assert_ok(ge_stage_acquire(stage[i], 1, LEN, GE_F32, &x));
                assert_ok(ge_copy(dev, x, out));
                assert_ok(ge_stage_release(stage[i]));
                assert_ok(ge_fetch_begin(fetch[i], out));
            }
            if (r > 0) { /* the result before, while the next is on its way */
                assert_ok(ge_fetch_wait(fetch[(r - 1) % 2], &data));
                assert_memory_equal(data, want[r - 1], sizeof want[0]);
            }
        }
        for (int i = 0; i < 2; i++) {
            ge_stage_delete(&stage[i]);
            ge_fetch_delete(&fetch[i]);
            ge_host_delete(dev, &host[i]);
        }
        ge_buffer_delete(&out.buf);
        ge_device_close(&dev);
    }
    emu_reset();
}

/* Reads and writes of whole tiles in shared memory touch every bank once. */
static void test_bank_conflicts(void **state)
{
    (void)state;
    emu_reset();
    for (size_t d = 1; d < 3; d++) {
        for (size_t longest = 16; longest <= 512; longest *= 2) {
            struct program_options opt = {.dtype = dtypes[d], .longest = longest};
            free(result_of(opt).bytes);
        }
    }
    print_message("  %ld phases, %ld with conflicts\n", emu_count().shared_phases,
                  emu_count().bank_conflicts);
    assert_true(emu_count().shared_phases > 0);
    assert_int_equal(emu_count().bank_conflicts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread_orders),  cmocka_unit_test(test_streams),
        cmocka_unit_test(test_longest),        cmocka_unit_test(test_double_buffer),
        cmocka_unit_test(test_bank_conflicts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
