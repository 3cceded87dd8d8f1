/* XXH3 behind the program's own types; digests do not depend on the byte order of the machine. */
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/mem.h"

enum { READ_BLOCK = 1 << 20 };

struct ge_hasher {
    XXH3_state_t *state;
};

static struct ge_hash from_xxh(XXH128_hash_t h)
{
    return (struct ge_hash){.hi = h.high64, .lo = h.low64};
}

struct ge_hash ge_hash_bytes(const void *data, size_t len)
{
    return from_xxh(XXH3_128bits(data, len));
}

uint64_t ge_check64(const void *data, size_t len)
{
    return XXH3_64bits(data, len);
}

int ge_hash_equal(struct ge_hash a, struct ge_hash b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

int ge_hash_is_zero(struct ge_hash a)
{
    return a.hi == 0 && a.lo == 0;
}

int ge_hash_compare(struct ge_hash a, struct ge_hash b)
{
    if (a.hi != b.hi) return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

void ge_hash_hex(struct ge_hash h, char out[GE_HASH_HEX])
{
    for (int i = 0; i < 16; i++) {
        out[i] = "0123456789abcdef"[(h.hi >> (60 - 4 * i)) & 15];
        out[16 + i] = "0123456789abcdef"[(h.lo >> (60 - 4 * i)) & 15];
    }
    out[GE_HASH_HEX - 1] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

ge_status ge_hash_parse(const char *hex, struct ge_hash *out)
{
    uint64_t word[2] = {0, 0};
    int n = 0;
    for (; n < 32 && hex_digit(hex[n]) >= 0; n++) {
        word[n / 16] = word[n / 16] << 4 | (uint64_t)hex_digit(hex[n]);
    }
    if (n < 32 || hex[32] != '\0') {
        return ge_fail(GE_EFORMAT, "\"%.40s\" is not a hash: 32 hex digits wanted", hex);
    }
    *out = (struct ge_hash){.hi = word[0], .lo = word[1]};
    return GE_OK;
}

/* ---- streaming ------------------------------------------------------------------------------- */

struct ge_hasher *ge_hasher_new(void)
{
    struct ge_hasher *h = ge_calloc(1, sizeof *h);
    if (h == NULL) return NULL;
    h->state = XXH3_createState(); /* needs 64-byte alignment, which the library sees to */
    if (h->state == NULL) {
        ge_fail(GE_ENOMEM, "out of memory: no state for a hash");
        free(h);
        return NULL;
    }
    XXH3_128bits_reset(h->state);
    return h;
}

void ge_hasher_delete(struct ge_hasher **h)
{
    if (h == NULL || *h == NULL) return;
    XXH3_freeState((*h)->state);
    free(*h);
    *h = NULL;
}

void ge_hasher_add(struct ge_hasher *h, const void *data, size_t len)
{
    if (len > 0) XXH3_128bits_update(h->state, data, len);
}

void ge_hasher_add_u64(struct ge_hasher *h, uint64_t v)
{
    unsigned char raw[8];
    for (int i = 0; i < 8; i++) raw[i] = (unsigned char)(v >> (8 * i));
    ge_hasher_add(h, raw, sizeof raw);
}

void ge_hasher_add_f64(struct ge_hasher *h, double v)
{
    uint64_t bits = 0x7ff8000000000000u;
    if (!isnan(v)) memcpy(&bits, &v, sizeof bits);
    ge_hasher_add_u64(h, bits);
}

void ge_hasher_add_str(struct ge_hasher *h, const char *s)
{
    if (s == NULL) {
        ge_hasher_add_u64(h, UINT64_MAX);
        return;
    }
    size_t len = strlen(s);
    ge_hasher_add_u64(h, len);
    ge_hasher_add(h, s, len);
}

struct ge_hash ge_hasher_get(const struct ge_hasher *h)
{
    return from_xxh(XXH3_128bits_digest(h->state));
}

/* ---- files ----------------------------------------------------------------------------------- */

static ge_status hash_descriptor(int fd, const char *path, struct ge_hasher *h)
{
    ge_status rc = GE_OK;
    char *block;
    GE_NEW(block, READ_BLOCK);
    for (;;) {
        ssize_t n = read(fd, block, READ_BLOCK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            rc = ge_fail(GE_EIO, "%s: cannot read: %s", path, strerror(errno));
            break;
        }
        if (n == 0) break;
        ge_hasher_add(h, block, (size_t)n);
    }
done:
    free(block);
    return rc;
}

ge_status ge_hash_file(const char *path, struct ge_hash *out)
{
    ge_status rc = GE_OK;
    struct ge_hasher *h = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int missing = errno == ENOENT || errno == ENOTDIR;
        return ge_fail(missing ? GE_ENOENT : GE_EIO, "%s: cannot open: %s", path, strerror(errno));
    }
    GE_TRY_PTR(h, ge_hasher_new());
    GE_TRY(hash_descriptor(fd, path, h));
    *out = ge_hasher_get(h);
done:
    ge_hasher_delete(&h);
    close(fd);
    return rc;
}

void ge_hash_library(struct ge_buf *out)
{
    unsigned v = XXH_versionNumber();
    ge_buf_printf(out, "xxHash %u.%u.%u (compiled with %d.%d.%d)", v / 10000, v / 100 % 100,
                  v % 100, XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE);
}
