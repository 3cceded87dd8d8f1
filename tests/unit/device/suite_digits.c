/* Invariant 1: a row's bits depend on its inputs alone, not on its place, on the rows beside it or
 * on their number. */
#include "suite.h"

/* Rows of m: row r has the values of row r % kinds. */
static void repeat_rows(struct matrix *m, size_t kinds)
{
    for (size_t r = 0; r < m->t.rows; r++)
        memmove(at(m, r, 0), at(m, r % kinds, 0), m->t.cols * sizeof(float));
    upload(m);
}

/* All rows of one kind must have the bits of the first. */
static void same_bits(const char *what, struct matrix *m, size_t kinds)
{
    fetch(m);
    for (size_t r = kinds; r < m->t.rows; r++) {
        if (memcmp(raw_at(m, r), raw_at(m, r % kinds), raw_bytes(m)) != 0) {
            print_error("%s: row %zu of %zu differs in bits from row %zu\n", what, r, m->t.rows,
                        r % kinds);
            fail();
        }
    }
}

static void one_matmul(size_t n, size_t k)
{
    static const size_t ms[] = {1, 5, 7, 50, 64, 130, 193};
    struct ge_tensor none = {0};
    struct matrix w = make(n, k, 0, 2, 0.1f);
    struct ge_weight *weight;
    char *first = ge_calloc(n, sizeof(float));

    assert_non_null(first);
    assert_ok(ge_weight_new(dev, at(&w, 0, 0), NULL, n, k, suite_dtype, &weight));
    for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
        struct matrix x = make(ms[i], k, i % 2, 1, 1.0f), y = make(ms[i], n, i % 3, 0, 0);
        for (size_t c = 0; c < k; c++) *at(&x, 0, c) = random_value(9, c);
        repeat_rows(&x, 1);
        assert_ok(ge_matmul(dev, x.t, weight, GE_ACT_QUICK_GELU, none, y.t));
        same_bits("matmul", &y, 1);
        if (i == 0) memcpy(first, raw_at(&y, 0), raw_bytes(&y));
        assert_memory_equal(first, raw_at(&y, 0), raw_bytes(&y));
        drop(&x);
        drop(&y);
    }
    ge_weight_delete(&weight);
    free(first);
    drop(&w);
}

void test_rows_matmul(void **state)
{
    static const size_t nk[][2] = {{37, 32},   {32, 37},   {100, 588},  {384, 1536}, {1536, 384},
                                   {768, 768}, {512, 512}, {768, 3072}, {2304, 768}, {2048, 512}};
    size_t n = sizeof nk / sizeof nk[0];

    (void)state;
    for (size_t s = 0; s < (suite_quick ? n - 4 : n); s++) one_matmul(nk[s][0], nk[s][1]);
}

/* A sequence's attention has the same bits at every place among others. */
static void one_attention(size_t len, bool causal, bool with_bias)
{
    enum { HEADS = 3, DIM = 64, COPIES = 9 };
    const size_t d = (size_t)HEADS * DIM;
    int32_t ends[2 * COPIES], row = 0;
    struct matrix probe = make(len, 3 * d, 0, 3, 2.0f);
    struct matrix bias = make_as(GE_F32, HEADS, 2 * len - 1, 0, 4, 2.0f);

    for (int i = 0; i < COPIES; i++) {
        ends[2 * i] = row += i % 4; /* a neighbour of another length */
        ends[2 * i + 1] = row += (int32_t)len;
    }
    struct matrix qkv = make((size_t)row, 3 * d, 1, 1, 2.0f), out = make((size_t)row, d, 0, 0, 0);
    for (int i = 0; i < COPIES; i++)
        for (size_t r = 0; r < len; r++)
            memcpy(at(&qkv, (size_t)ends[2 * i] + r, 0), at(&probe, r, 0), 3 * d * sizeof(float));
    upload(&qkv);
    struct ge_tensor e = ints(ends, 2 * COPIES);
    struct ge_attention a = {.q = ge_tensor_cols(qkv.t, 0, d),
                             .k = ge_tensor_cols(qkv.t, d, d),
                             .v = ge_tensor_cols(qkv.t, 2 * d, d),
                             .out = out.t,
                             .q_ends = e,
                             .kv_ends = e,
                             .max_q = len,
                             .max_kv = len,
                             .heads = HEADS,
                             .head_dim = DIM,
                             .scale = 0.125f,
                             .causal = causal};
    if (with_bias) a.bias = bias.t;
    assert_ok(ge_attend(dev, &a));
    fetch(&out);
    for (int i = 1; i < COPIES; i++)
        for (size_t r = 0; r < len; r++)
            assert_memory_equal(raw_at(&out, (size_t)ends[2 * i] + r),
                                raw_at(&out, (size_t)ends[0] + r), raw_bytes(&out));
    ge_buffer_delete(&e.buf);
    drop(&probe);
    drop(&bias);
    drop(&qkv);
    drop(&out);
}

void test_rows_attention(void **state)
{
    (void)state;
    one_attention(50, false, false);
    one_attention(50, true, true);
    one_attention(257, false, true);
}

void test_rows_by_row(void **state)
{
    struct matrix x = make(77, 45, 1, 1, 2.0f), y = make(77, 45, 0, 0, 0),
                  g = make_as(GE_F32, 1, 45, 0, 2, 1.0f);

    (void)state;
    repeat_rows(&x, 3);
    assert_ok(ge_layernorm(dev, x.t, g.t, g.t, 1e-5f, y.t));
    same_bits("layernorm", &y, 3);
    for (size_t a = 0; a < N_ACTS; a++) {
        assert_ok(ge_activate(dev, acts[a], x.t, y.t));
        same_bits(ge_activation_name(acts[a]), &y, 3);
    }
    assert_ok(ge_l2_normalize(dev, x.t, 1e-12f, y.t));
    same_bits("l2_normalize", &y, 3);
    drop(&x);
    drop(&y);
    drop(&g);
}
