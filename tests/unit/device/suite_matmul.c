/* The matrix product with everything that it is fused with. */
#include "suite.h"

struct product {
    size_t m, n, k;
    bool bias;
    enum ge_activation act;
    bool residual, in_place;
};

static void expect(const struct product *p, const struct matrix *x, const struct matrix *w,
                   const struct matrix *bias, const struct matrix *residual, double *want)
{
    for (size_t r = 0; r < p->m; r++) {
        for (size_t c = 0; c < p->n; c++) {
            const float *a = at(x, r, 0), *b = at(w, c, 0);
            double s = 0;
            for (size_t i = 0; i < p->k; i++) s += (double)a[i] * b[i];
            if (p->bias) s += *at(bias, 0, c);
            s = ref_act(p->act, s);
            if (p->residual) s += *at(residual, r, c);
            want[r * p->n + c] = s;
        }
    }
}

static void one_matmul(struct product p)
{
    struct matrix x = make(p.m, p.k, p.m % 3, 1, 1.0f), w = make(p.n, p.k, 0, 2, 1.0f);
    struct matrix bias = make_as(GE_F32, 1, p.n, 0, 3, 1.0f);
    struct matrix residual = make(p.m, p.n, 5, 4, 1.0f), y = make(p.m, p.n, 1, 0, 0);
    struct matrix *result = p.in_place ? &residual : &y;
    struct ge_tensor none = {0};
    struct ge_weight *weight;
    double *want = doubles(p.m * p.n);

    assert_ok(ge_weight_new(dev, at(&w, 0, 0), p.bias ? at(&bias, 0, 0) : NULL, p.n, p.k,
                            suite_dtype, &weight));
    expect(&p, &x, &w, &bias, &residual, want);
    assert_ok(ge_matmul(dev, x.t, weight, p.act, p.residual ? residual.t : none, result->t));
    check("matmul", result, want, p.k);
    ge_weight_delete(&weight);
    free(want);
    drop(&x);
    drop(&w);
    drop(&bias);
    drop(&residual);
    drop(&y);
}

void test_matmul(void **state)
{
    static const size_t ms[] = {1, 2, 7, 16, 48, 63, 64, 65, 131};
    static const size_t nk[][2] = {{1, 1},   {3, 5},    {16, 16},  {17, 33},  {37, 32},
                                   {32, 37}, {96, 32},  {64, 147}, {777, 20}, {48, 588},
                                   {15, 64}, {384, 64}, {128, 192}};
    (void)state;
    for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++)
        for (size_t j = 0; j < sizeof nk / sizeof nk[0]; j++)
            one_matmul((struct product){ms[i], nk[j][0], nk[j][1], j % 2 == 0,
                                        acts[(i + j) % N_ACTS], j % 3 == 0, j % 6 == 0});
}

/* Widths and depths of models; the rows are few, because a reference in double is slow. */
void test_matmul_models(void **state)
{
    static const struct product products[] = {
        {50, 2304, 768, true, GE_ACT_NONE, false, false}, /* CLIP B/32: all rows of an image */
        {3, 768, 3072, true, GE_ACT_NONE, true, true},
        {2, 1537, 384, true, GE_ACT_GELU, false, false},
        {5, 4096, 1024, true, GE_ACT_QUICK_GELU, false, false}, /* CLIP L/14 */
        {7, 1024, 4096, true, GE_ACT_NONE, true, true},
        {3, 768, 588, true, GE_ACT_NONE, false, false},        /* DINOv2 patches */
        {2, 4304, 1152, true, GE_ACT_GELU_TANH, false, false}, /* SigLIP SO400M */
        {3, 1152, 4304, true, GE_ACT_NONE, true, false},
        {13, 1536, 384, true, GE_ACT_GELU, false, false}, /* MiniLM */
        {13, 384, 1536, true, GE_ACT_NONE, true, true},
        {1, 384, 384, true, GE_ACT_TANH, false, false},
    };

    (void)state;
    for (size_t i = suite_quick; i < sizeof products / sizeof products[0]; i++)
        one_matmul(products[i]);
}
