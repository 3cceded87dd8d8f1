/* Tuned tables: which algorithm a shape runs on one GPU model with one version of cuBLASLt, as JSON
 * text that ge_cuda_tune() writes and a job names.
 *
 *   {"gpu": "NVIDIA H200", "cublaslt": 130101, "entries": [
 *     {"n": 3072, "k": 768, "dtype": "bf16", "epilogue": "bias+gelu_tanh",
 *      "algorithm": {"id": 66, "tile": 24, "stages": 36, "swizzle": 0, "custom": 0,
 *                    "inner_shape": 0, "cluster_shape": 3}}]} */
#include <stdlib.h>
#include <string.h>

#include "algorithm.h"
#include "base/json.h"
#include "base/mem.h"

enum { MAX_ENTRIES = 4096, MAX_SIDE = 1 << 24 };

static ge_status parse_dtype(const char *name, enum ge_dtype *out)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};

    for (size_t i = 0; i < 3; i++) {
        *out = dtypes[i];
        if (strcmp(name, ge_dtype_name(dtypes[i])) == 0) return GE_OK;
    }
    return ge_fail(GE_EFORMAT, "dtype \"%s\"; wanted fp32, bf16 or fp16", name);
}

static ge_status parse_epilogue(const char *name, unsigned *out)
{
    char known[40];

    for (*out = 0; *out <= (GE_CUDA_BIAS | GE_CUDA_GELU_TANH | GE_CUDA_RESIDUAL); ++*out)
        if (strcmp(name, ge_cuda_epilogue_name(*out, known)) == 0) return GE_OK;
    return ge_fail(GE_EFORMAT,
                   "epilogue \"%s\"; wanted none, or bias, gelu_tanh, residual joined by +", name);
}

static ge_status read_entry(const ge_json *node, struct ge_cuda_algorithm *a)
{
    const ge_json *algorithm = ge_json_get(node, "algorithm");
    ge_status rc = GE_OK;
    int64_t n, k, v;

    GE_TRY(ge_json_int(ge_json_get(node, "n"), "n", 1, MAX_SIDE, &n));
    GE_TRY(ge_json_int(ge_json_get(node, "k"), "k", 1, MAX_SIDE, &k));
    a->shape.n = (size_t)n;
    a->shape.k = ge_cuda_padded((size_t)k);
    GE_TRY(parse_dtype(ge_json_string(ge_json_get(node, "dtype"), ""), &a->shape.dtype));
    GE_TRY(parse_epilogue(ge_json_string(ge_json_get(node, "epilogue"), ""), &a->shape.epilogue));
    for (int i = 0; i < GE_CUDA_SETTINGS; i++) {
        const struct ge_cuda_setting *s = &ge_cuda_settings[i];
        GE_TRY(ge_json_int(ge_json_get(algorithm, s->name), s->name, 0,
                           s->bytes == 2 ? UINT16_MAX : INT32_MAX, &v));
        a->setting[i] = (uint32_t)v;
    }
done:
    return rc;
}

/* A table is good for the GPU model and library that it was measured on, and for exact fp32. */
static ge_status check_origin(struct ge_cuda_device *dev, const ge_json *doc)
{
    const char *gpu = ge_json_string(ge_json_get(doc, "gpu"), "");
    size_t version = cublasLtGetVersion();
    ge_status rc = GE_OK;
    int64_t lt;

    GE_TRY(ge_json_int(ge_json_get(doc, "cublaslt"), "cublaslt", 1, INT32_MAX, &lt));
    if (strcmp(gpu, dev->gpu) != 0) {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "made on \"%s\", but GPU %d is \"%s\"; tune on this model, or run without it",
                     gpu, dev->index, dev->gpu);
    } else if ((size_t)lt != version) {
        rc = ge_fail(GE_EUNSUPPORTED,
                     "made with cuBLASLt %lld, but this is %zu; tune again, or run without it",
                     (long long)lt, version);
    } else if (dev->tf32) {
        rc = ge_fail(GE_EUNSUPPORTED, "made without TF32, which is asked for; run without one of "
                                      "the two");
    }
done:
    return rc;
}

ge_status ge_cuda_read_table(struct ge_cuda_device *dev, const char *text)
{
    struct ge_cuda_algorithm *a = NULL;
    const ge_json *entries;
    ge_json *doc = NULL;
    ge_status rc = GE_OK;
    size_t n = 0;

    GE_TRY(ge_json_parse(text, strlen(text), "tuned table", &doc));
    GE_TRY(check_origin(dev, doc));
    entries = ge_json_get(doc, "entries");
    if (entries == NULL || ge_json_type(entries) != GE_JSON_ARRAY ||
        ge_json_count(entries) > MAX_ENTRIES) {
        rc = ge_fail(GE_EFORMAT, "entries: wanted an array of at most %d", MAX_ENTRIES);
        goto done;
    }
    for (const ge_json *e = ge_json_first(entries); e != NULL; e = ge_json_next(e), n++) {
        GE_NEW(a, 1);
        rc = read_entry(e, a);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "entry %zu", n + 1);
            goto done;
        }
        a->next = dev->tuned;
        dev->tuned = a;
        a = NULL;
    }
done:
    free(a);
    ge_json_delete(&doc);
    return rc == GE_OK ? rc : ge_fail_in(rc, "tuned table");
}
