/* Chunks and cell hashes. */
#include "job/plan.h"

#include "base/mem.h"
#include "test.h"

/* Every (cell, item) is in exactly one chunk, ids and (cell, range) map onto each other, and
 * chunks of one range are neighbours. */
static void check_plan(uint32_t cells, uint32_t items, uint32_t size)
{
    struct ge_plan p;
    assert_ok(ge_plan_make(cells, items, size, &p));
    unsigned char *seen = ge_calloc((size_t)cells * items + 1, 1);
    assert_non_null(seen);
    for (uint32_t id = 0; id < p.n_chunks; id++) {
        struct ge_chunk c = ge_plan_chunk(&p, id);
        uint32_t back;
        assert_int_equal(c.id, id);
        assert_int_equal(c.range, id / cells);
        assert_true(c.cell < cells && c.count >= 1 && c.count <= size);
        assert_true((uint64_t)c.first + c.count <= items);
        for (uint32_t i = 0; i < c.count; i++) seen[(size_t)c.cell * items + c.first + i]++;
        assert_ok(ge_plan_find(&p, c.cell, c.first, c.count, &back));
        assert_int_equal(back, id);
    }
    for (size_t i = 0; i < (size_t)cells * items; i++) assert_int_equal(seen[i], 1);
    free(seen);
}

static void chunks_cover_all(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 7, 32, 1000};
    for (uint32_t cells = 0; cells < 6; cells++) {
        for (uint32_t items = 0; items < 70; items += 1 + items / 10) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                check_plan(cells, items, sizes[s]);
            }
        }
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct ge_plan p;
    uint32_t id;
    assert_status(ge_plan_make(1, 1, 0, &p), GE_EINVAL);
    assert_status(ge_plan_make(3, UINT32_MAX, 1, &p), GE_ELIMIT);
    assert_non_null(strstr(ge_error(), "runtime.chunk_items"));
    assert_ok(ge_plan_make(1, UINT32_MAX, 1, &p));
    assert_int_equal(ge_plan_chunk(&p, UINT32_MAX - 1).first, UINT32_MAX - 1);
    assert_ok(ge_plan_make(1, UINT32_MAX, UINT32_MAX, &p));
    assert_int_equal(p.n_chunks, 1);
    assert_ok(ge_plan_make(2, 10, 4, &p));
    assert_status(ge_plan_find(&p, 2, 0, 4, &id), GE_EFORMAT);
    assert_status(ge_plan_find(&p, 0, 12, 4, &id), GE_EFORMAT);
    assert_status(ge_plan_find(&p, 0, 3, 4, &id), GE_EFORMAT);
    assert_status(ge_plan_find(&p, 0, 8, 4, &id), GE_EFORMAT);
    assert_ok(ge_plan_find(&p, 0, 8, 2, &id));
}

static void cell_hash_sees_every_part(void **state)
{
    (void)state;
    const struct ge_hash content[2] = {{1, 2}, {3, 4}}, swapped[2] = {{3, 4}, {1, 2}};
    struct ge_hash h[6], again;
    assert_ok(ge_cell_hash("{}", content, 2, "cpu", &h[0]));
    assert_ok(ge_cell_hash("{ }", content, 2, "cpu", &h[1]));
    assert_ok(ge_cell_hash("{}", swapped, 2, "cpu", &h[2]));
    assert_ok(ge_cell_hash("{}", content, 1, "cpu", &h[3]));
    assert_ok(ge_cell_hash("{}", content, 2, "onednn", &h[4]));
    assert_ok(ge_cell_hash("{}", content, 2, NULL, &h[5]));
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < i; j++) assert_false(ge_hash_equal(h[i], h[j]));
    }
    assert_ok(ge_cell_hash("{}", content, 2, "cpu", &again));
    assert_true(ge_hash_equal(again, h[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_cover_all),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(cell_hash_sees_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
