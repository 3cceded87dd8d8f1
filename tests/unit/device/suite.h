/* Ground of the operation suite: the device and type under test, matrices with guards around them,
 * comparison with a reference in double precision within the tolerance of the operation.
 *
 * The files: suite.c (this), suite_matmul.c, suite_rows.c, suite_tokens.c, suite_attention.c (the
 * operations by kind), suite_digits.c (a row's bits depend on its inputs alone), suite_edges.c
 * (empty and refused calls), suite_run.c (the list of tests), op_suite.c (which devices and types
 * run). */
#ifndef GE_TESTS_DEVICE_SUITE_H
#define GE_TESTS_DEVICE_SUITE_H

#include "base/mem.h"
#include "base/rng.h"
#include "device/device_ops.h"
#include "test.h"

extern struct ge_device *dev;     /* under test */
extern enum ge_dtype suite_dtype; /* of operands and results; gains, biases, tables are GE_F32 */
extern const bool suite_quick;    /* sanitizers: fewer of the large shapes */
extern const enum ge_activation acts[];
enum { N_ACTS = GE_ACT_RELU + 1 };

/* A matrix on the device inside guards, rows `stride` apart, and what was uploaded or fetched: as
 * numbers of its type, and as bytes. */
struct matrix {
    struct ge_tensor t;
    struct ge_tensor all; /* the whole buffer as one row */
    float *host;
    void *raw;
};

/* Uniform in [-1, 1), from (stream, i). */
float random_value(uint64_t stream, uint64_t i);

/* Random values in [-scale, scale) of `stream`, rounded to the type; scale 0: a sentinel everywhere
 * (for results). `gap` unused elements follow each row. make(): of the type under test. */
struct matrix make_as(enum ge_dtype dtype, size_t rows, size_t cols, size_t gap, uint64_t stream,
                      float scale);
struct matrix make(size_t rows, size_t cols, size_t gap, uint64_t stream, float scale);
float *at(const struct matrix *m, size_t r, size_t c);
const char *raw_at(const struct matrix *m, size_t r); /* bytes of row r */
size_t raw_bytes(const struct matrix *m);             /* of a row */
void upload(struct matrix *m); /* after a change of at(): rounds to the type, and sends */
void fetch(struct matrix *m);  /* get the result; everything outside it must be as it was */
void drop(struct matrix *m);

struct ge_tensor ints(const int32_t *v, size_t n); /* GE_I32 on the device; delete its buffer */
double *doubles(size_t n);                         /* zeroed; free() */
double ref_act(enum ge_activation act, double x);

/* Fetch m and compare with `want` (rows, cols) dense within the tolerance of `op` (suite.c has the
 * table); `terms`: addends of a sum. A NaN in `want` skips its element, one in m fails. */
void check(const char *op, struct matrix *m, const double *want, size_t terms);

/* suite_run.c: all tests on the device of this name; the number that failed. What the machine lacks
 * (a level, a type, a GPU) is reported as skipped. */
int suite_run(const char *name, const char *level, enum ge_dtype dtype, int threads);

/* suite_matmul.c */
void test_matmul(void **state);
void test_matmul_models(void **state);
/* suite_rows.c */
void test_activation(void **state);
void test_activation_special(void **state);
void test_layernorm(void **state);
void test_elementwise(void **state);
void test_gather(void **state);
void test_l2_normalize(void **state);
void test_copy_types(void **state);
/* suite_tokens.c */
void test_patches(void **state);
void test_pixel_patches(void **state);
void test_patch_tokens(void **state);
void test_embed(void **state);
void test_pool(void **state);
/* suite_attention.c */
void test_attention(void **state);
void test_attention_models(void **state);
void test_cross_attention(void **state);
void test_attention_special(void **state);
/* suite_digits.c */
void test_rows_matmul(void **state);
void test_rows_attention(void **state);
void test_rows_by_row(void **state);
/* suite_edges.c */
void test_empty(void **state);
void test_bad_arguments(void **state);

#endif
