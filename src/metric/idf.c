#include "metric/idf.h"

#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"

struct ge_idf {
    size_t vocab, documents;
    size_t *df;   /* (vocab): documents with the id */
    size_t *last; /* (vocab): number of the last of them, from 1 */
};

ge_status ge_idf_new(size_t vocab, struct ge_idf **idf)
{
    struct ge_idf *t;
    ge_status rc = GE_OK;

    *idf = NULL;
    GE_NEW(t, 1);
    *idf = t;
    t->vocab = vocab;
    GE_NEW(t->df, vocab);
    GE_NEW(t->last, vocab);
done:
    if (rc != GE_OK) ge_idf_delete(idf);
    return rc;
}

void ge_idf_delete(struct ge_idf **idf)
{
    if (*idf == NULL) return;
    free((*idf)->df);
    free((*idf)->last);
    free(*idf);
    *idf = NULL;
}

static int is_known(const struct ge_idf *idf, int32_t id)
{
    return id >= 0 && (size_t)id < idf->vocab;
}

void ge_idf_add(struct ge_idf *idf, const int32_t *ids, size_t n)
{
    idf->documents++;
    for (size_t i = 0; i < n; i++) {
        if (!is_known(idf, ids[i]) || idf->last[ids[i]] == idf->documents) continue;
        idf->last[ids[i]] = idf->documents;
        idf->df[ids[i]]++;
    }
}

double ge_idf_weight(const struct ge_idf *idf, int32_t id)
{
    size_t df = is_known(idf, id) ? idf->df[id] : 0;

    return ge_log((double)(idf->documents + 1) / (double)(df + 1));
}
