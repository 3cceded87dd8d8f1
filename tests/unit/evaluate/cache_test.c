/* The embedding cache: what is kept, what goes first, that it never lies. */
#include "evaluate/cache.h"
#include "test.h"

static struct ge_hash key(uint64_t i)
{
    return (struct ge_hash){i * 3, i % 5}; /* many in one bucket */
}

static void test_get_and_put(void **state)
{
    (void)state;
    struct ge_cache *c;
    float v[4] = {1, 2, 3, -0.0f}, out[4] = {9, 9, 9, 9};
    assert_ok(ge_cache_new(1 << 20, &c));
    assert_false(ge_cache_get(c, key(1), out, 4));
    ge_cache_put(c, key(1), v, 4);
    assert_true(ge_cache_get(c, key(1), out, 4));
    assert_memory_equal(out, v, sizeof v);
    assert_false(ge_cache_get(c, key(1), out, 3)); /* another size is another thing */
    assert_false(ge_cache_get(c, key(2), out, 4));
    v[0] = 7;
    ge_cache_put(c, key(1), v, 4); /* the first one stays */
    assert_true(ge_cache_get(c, key(1), out, 4));
    assert_close(out[0], 1, 0);
    ge_cache_delete(&c);
    assert_null(c);
    assert_false(ge_cache_get(NULL, key(1), out, 4));
    ge_cache_put(NULL, key(1), v, 4);
}

static void test_oldest_go_first(void **state)
{
    (void)state;
    struct ge_cache *c;
    float v[64] = {0}, out[64];
    assert_ok(ge_cache_new(10000, &c));
    for (uint64_t i = 0; i < 3000; i++) {
        v[0] = (float)i;
        ge_cache_put(c, key(i), v, 64);
        assert_true(ge_cache_get(c, key(0), out, 64)); /* used all the time: stays */
        assert_true(ge_cache_get(c, key(i), out, 64));
        assert_close(out[0], (double)i, 0);
    }
    size_t kept = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        if (!ge_cache_get(c, key(i), out, 64)) continue;
        assert_close(out[0], (double)i, 0);
        kept++;
    }
    assert_true(kept > 10 && kept < 40);
    float *large = calloc(4000, sizeof *large);
    assert_non_null(large);
    ge_cache_put(c, key(9999), large, 4000); /* larger than the cache: not kept, nothing lost */
    assert_true(ge_cache_get(c, key(0), out, 64));
    free(large);
    ge_cache_delete(&c);
}

static void test_many_entries(void **state)
{
    (void)state;
    struct ge_cache *c;
    float v, out;
    assert_ok(ge_cache_new(1 << 22, &c));
    for (uint64_t i = 0; i < 20000; i++) {
        v = (float)i;
        ge_cache_put(c, (struct ge_hash){i, i * 0x9E3779B97F4A7C15u}, &v, 1);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        assert_true(ge_cache_get(c, (struct ge_hash){i, i * 0x9E3779B97F4A7C15u}, &out, 1));
        assert_close(out, (double)i, 0);
    }
    ge_cache_delete(&c);
}

static void test_paths(void **state)
{
    (void)state;
    struct ge_cache *c;
    struct ge_hash content = {1, 2}, out;
    assert_ok(ge_cache_new(1 << 20, &c));
    assert_false(ge_cache_get_path(c, "a.png", &out));
    ge_cache_put_path(c, "a.png", content);
    assert_true(ge_cache_get_path(c, "a.png", &out));
    assert_true(ge_hash_equal(out, content));
    assert_false(ge_cache_get_path(c, "b.png", &out));
    ge_cache_delete(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_and_put),
        cmocka_unit_test(test_oldest_go_first),
        cmocka_unit_test(test_many_entries),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
