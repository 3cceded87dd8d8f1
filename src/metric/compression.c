/* How far a system's outputs compress. The one user of zlib. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "metric/homogeneity.h"

ge_status ge_corpus_compression_ratio(const struct ge_corpus *c, double *value, double *per_text)
{
    struct ge_buf text;
    unsigned char *packed = NULL;
    uLongf size;
    int z;
    ge_status rc = GE_OK;
    *value = NAN;
    ge_corpus_no_values(per_text, c->n);
    ge_buf_init(&text, UINT32_MAX);
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0) ge_buf_char(&text, '\n');
        ge_buf_str(&text, c->texts[i]);
    }
    GE_TRY(ge_buf_status(&text));
    if (text.len == 0) goto done;
    size = compressBound((uLong)text.len);
    GE_NEW(packed, size);
    z = compress2(packed, &size, (const Bytef *)text.data, (uLong)text.len, Z_BEST_COMPRESSION);
    if (z != Z_OK) {
        rc = ge_fail(z == Z_MEM_ERROR ? GE_ENOMEM : GE_EINTERNAL, "zlib: compress2 gave %d", z);
        goto done;
    }
    *value = (double)text.len / (double)size;
done:
    free(packed);
    ge_buf_free(&text);
    return rc;
}

void ge_zlib_library(struct ge_buf *out)
{
    ge_buf_printf(out, "zlib %s (compiled with %s)", zlibVersion(), ZLIB_VERSION);
}
