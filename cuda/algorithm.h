/* Which cuBLASLt algorithm a product runs.
 *
 * A row's digits must not depend on how many rows there are, so there is one algorithm for each
 * shape of weights, type and epilogue, whatever the number of rows: the best that the library's
 * heuristic names for GE_CUDA_CANONICAL_ROWS rows among those that neither split the sum over k nor
 * reduce partial sums, or the one of the job's tuned table. Before it is used it computes the same
 * rows at several heights and places; one whose bits differ is passed over (the heuristic's) or
 * refused (a table's). Private to cuda/. */
#ifndef GE_CUDA_ALGORITHM_H
#define GE_CUDA_ALGORITHM_H

#include "cuda_device.h"

enum { GE_CUDA_CANONICAL_ROWS = 8192, GE_CUDA_WORKSPACE_BYTES = 32 << 20 };

/* What the library does beside the product; bits of ge_cuda_shape.epilogue. */
enum { GE_CUDA_BIAS = 1, GE_CUDA_GELU_TANH = 2, GE_CUDA_RESIDUAL = 4 };

struct ge_cuda_shape {
    size_t n, k; /* of the weight; k padded */
    enum ge_dtype dtype;
    unsigned epilogue;
};

/* Settings of an algorithm in the order of ge_cuda_settings[]. */
enum { GE_CUDA_SETTINGS = 7 };
struct ge_cuda_setting {
    const char *name; /* in tuned tables */
    cublasLtMatmulAlgoConfigAttributes_t attribute;
    size_t bytes;
};
extern const struct ge_cuda_setting ge_cuda_settings[GE_CUDA_SETTINGS];

struct ge_cuda_algorithm {
    struct ge_cuda_shape shape;
    uint32_t setting[GE_CUDA_SETTINGS]; /* of a table's entry */
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t w;
    cublasLtMatmulAlgo_t algo;
    struct ge_cuda_algorithm *next;
};

/* y (m, n) = epilogue(x (m, k) W^T); every address and row aligned to 16 bytes. */
struct ge_cuda_operands {
    size_t m;
    const void *x, *w, *bias; /* bias in the product's type; NULL without GE_CUDA_BIAS */
    const void *residual;     /* NULL without GE_CUDA_RESIDUAL; may be y */
    void *y;
    size_t ldx, ldr, ldy; /* elements between rows */
};

/* Take and give back what products need. `tuned`: the text of a tuned table, or NULL. GE_EFORMAT,
 * GE_EUNSUPPORTED: the table is of another GPU model or library version. Close also after a failed
 * open. */
ge_status ge_cuda_products_open(struct ge_cuda_device *dev, const char *tuned);
void ge_cuda_products_close(struct ge_cuda_device *dev);

/* The algorithm of a shape; borrowed from the device. GE_EUNSUPPORTED: there is none. */
ge_status ge_cuda_algorithm_for(struct ge_cuda_device *dev, const struct ge_cuda_shape *shape,
                                const struct ge_cuda_algorithm **out);

ge_status ge_cuda_run(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                      const struct ge_cuda_operands *o);

/* ---- for measuring (tune.c) and tables (table.c) -------------------------------------------- */

/* A shape's descriptors without an algorithm; ge_cuda_algorithm_fini() in any case. */
ge_status ge_cuda_algorithm_init(struct ge_cuda_device *dev, const struct ge_cuda_shape *shape,
                                 struct ge_cuda_algorithm *a);
void ge_cuda_algorithm_fini(struct ge_cuda_algorithm *a);

/* The library's candidates for m rows, best first; `any`: those that split the sum over k, too. */
enum { GE_CUDA_CANDIDATES = 32 };
ge_status ge_cuda_candidates(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                             size_t m, bool any, cublasLtMatmulAlgo_t out[GE_CUDA_CANDIDATES],
                             int *n);

/* Whether the algorithm gives a row the same bits at every height and place that is tried. */
ge_status ge_cuda_is_steady(struct ge_cuda_device *dev, const struct ge_cuda_algorithm *a,
                            bool *steady);

/* Make the library's algorithm of settings; GE_EUNSUPPORTED when it does not run this shape. */
ge_status ge_cuda_configure(struct ge_cuda_device *dev, struct ge_cuda_algorithm *a);

cudaDataType_t ge_cuda_data_type(enum ge_dtype dtype);
const char *ge_cuda_epilogue_name(unsigned epilogue, char out[40]); /* "bias+residual", "none" */

/* Read a tuned table into dev->tuned. */
ge_status ge_cuda_read_table(struct ge_cuda_device *dev, const char *text);

/* Entries of the device's table. */
ge_status ge_cuda_bench_gemm(struct ge_device *dev, const struct ge_gemm_bench *b, double *seconds);
ge_status ge_cuda_tune(struct ge_device *dev, const struct ge_tune_shape *shapes, size_t n,
                       struct ge_buf *json);

#endif
