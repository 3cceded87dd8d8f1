#include "model/torch_zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_ENTRIES = 1 << 16,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30
};
#define END_MARK     0x06054b50u
#define END64_MARK   0x06064b50u
#define LOCATOR_MARK 0x07064b50u
#define ENTRY_MARK   0x02014b50u
#define LOCAL_MARK   0x04034b50u
#define IN_ZIP64     UINT32_MAX /* a size or offset that is in the zip64 field */

static uint64_t number(const unsigned char *p, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = bytes; i-- > 0;) v = v << 8 | p[i];
    return v;
}

static ge_status bad(const char *what)
{
    return ge_fail(GE_EFORMAT, "not a whole ZIP archive: %s", what);
}

/* ---- directory ---------------------------------------------------------------------------- */

struct directory {
    const unsigned char *map;
    size_t len, offset, bytes, entries;
};

/* The record at the end of the file, which may have a comment of up to 65,535 bytes behind it. */
static ge_status find_end(const unsigned char *map, size_t len, size_t *out)
{
    *out = 0;
    if (len < END_BYTES) return bad("it is too short");
    for (size_t i = 0; i <= UINT16_MAX && i + END_BYTES <= len; i++) {
        size_t at = len - END_BYTES - i;
        if (number(map + at, 4) == END_MARK && number(map + at + 20, 2) == i) {
            *out = at;
            return GE_OK;
        }
    }
    return bad("the record at its end is missing; is the file cut off?");
}

/* Where the directory is, by the record at the end or, if there is one, its zip64 form. */
static ge_status find_directory(struct directory *d)
{
    const unsigned char *end, *wide;
    uint64_t at64, entries, bytes, offset;
    size_t at;
    ge_status rc = find_end(d->map, d->len, &at);

    if (rc != GE_OK) return rc;
    end = d->map + at;
    entries = number(end + 10, 2);
    bytes = number(end + 12, 4);
    offset = number(end + 16, 4);
    if (at >= LOCATOR_BYTES && number(end - LOCATOR_BYTES, 4) == LOCATOR_MARK) {
        at64 = number(end - LOCATOR_BYTES + 8, 8);
        if (at64 > at || at - at64 < END64_BYTES || number(d->map + at64, 4) != END64_MARK)
            return bad("its zip64 record is not where the locator says");
        wide = d->map + at64;
        entries = number(wide + 32, 8);
        bytes = number(wide + 40, 8);
        offset = number(wide + 48, 8);
        at = (size_t)at64;
    }
    if (offset > at || bytes > at - offset) return bad("its directory is outside the file");
    if (entries > MAX_ENTRIES || entries > bytes / ENTRY_BYTES)
        return ge_fail(GE_ELIMIT, "the ZIP archive claims %llu entries in %llu bytes",
                       (unsigned long long)entries, (unsigned long long)bytes);
    d->offset = (size_t)offset;
    d->bytes = (size_t)bytes;
    d->entries = (size_t)entries;
    return GE_OK;
}

/* Replace what is marked as too large for 32 bits by the values of the zip64 extra field. */
static ge_status read_zip64(const unsigned char *extra, size_t len, uint64_t *const value[],
                            size_t n)
{
    while (len >= 4) {
        size_t id = (size_t)number(extra, 2), bytes = (size_t)number(extra + 2, 2), at = 4;
        if (bytes > len - 4) return bad("an extra field is longer than its place");
        for (size_t i = 0; id == 1 && i < n; i++) {
            if (*value[i] != IN_ZIP64) continue;
            if (at + 8 > 4 + bytes) return bad("a zip64 field is too short");
            *value[i] = number(extra + at, 8);
            at += 8;
        }
        extra += 4 + bytes;
        len -= 4 + bytes;
    }
    return GE_OK;
}

/* The data behind the local header at `offset`, which must tell the same name. */
static ge_status locate(const struct directory *d, uint64_t offset, uint64_t size,
                        struct ge_zip_entry *e)
{
    const unsigned char *local = d->map + offset;
    size_t skip;

    if (offset > d->offset || d->offset - offset < LOCAL_BYTES || number(local, 4) != LOCAL_MARK)
        return bad("an entry is outside the file");
    skip = LOCAL_BYTES + (size_t)number(local + 26, 2) + (size_t)number(local + 28, 2);
    if (skip > d->offset - offset || size > d->offset - offset - skip)
        return bad("an entry's data is outside the file");
    if (number(local + 26, 2) != e->name_length ||
        memcmp(local + LOCAL_BYTES, e->name, e->name_length) != 0)
        return bad("an entry has two names");
    e->data = local + skip;
    e->size = (size_t)size;
    return GE_OK;
}

/* One entry of the directory at *at, which moves behind it. */
static ge_status read_entry(const struct directory *d, size_t *at, struct ge_zip_entry *e)
{
    const unsigned char *p = d->map + d->offset + *at;
    size_t name, extra, total;
    uint64_t packed, size, offset;
    uint64_t *const wide[] = {&size, &packed, &offset};
    ge_status rc;

    if (d->bytes - *at < ENTRY_BYTES || number(p, 4) != ENTRY_MARK)
        return bad("its directory is broken");
    packed = number(p + 20, 4);
    size = number(p + 24, 4);
    offset = number(p + 42, 4);
    name = (size_t)number(p + 28, 2);
    extra = (size_t)number(p + 30, 2);
    total = ENTRY_BYTES + name + extra + (size_t)number(p + 32, 2);
    if (total > d->bytes - *at) return bad("its directory is broken");
    *at += total;
    e->name = (const char *)p + ENTRY_BYTES;
    e->name_length = name;
    e->crc = (uint32_t)number(p + 16, 4);
    rc = read_zip64(p + ENTRY_BYTES + name, extra, wide, 3);
    if (rc != GE_OK) return rc;
    if (number(p + 10, 2) != 0 || packed != size || (number(p + 8, 2) & 1) != 0)
        return ge_fail(GE_EUNSUPPORTED,
                       "the ZIP archive has compressed or encrypted entries, which torch.save() "
                       "does not write");
    return locate(d, offset, size, e);
}

static int by_place(const void *a, const void *b)
{
    const struct ge_zip_entry *x = a, *y = b;

    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static int by_name(const void *a, const void *b)
{
    const struct ge_zip_entry *x = a, *y = b;
    size_t n = x->name_length < y->name_length ? x->name_length : y->name_length;
    int order = memcmp(x->name, y->name, n);

    return order != 0 ? order : (x->name_length > n) - (y->name_length > n);
}

ge_status ge_zip_open(struct ge_zip *z, const unsigned char *map, size_t len)
{
    struct directory d = {.map = map, .len = len};
    size_t at = 0;
    ge_status rc = GE_OK;

    GE_TRY(find_directory(&d));
    GE_NEW(z->entries, d.entries);
    for (; z->n < d.entries; z->n++) GE_TRY(read_entry(&d, &at, &z->entries[z->n]));
    if (z->n > 0) qsort(z->entries, z->n, sizeof *z->entries, by_place);
    for (size_t i = 1; i < z->n; i++)
        if (z->entries[i].data < z->entries[i - 1].data + z->entries[i - 1].size)
            return bad("two entries overlap");
    if (z->n > 0) qsort(z->entries, z->n, sizeof *z->entries, by_name);
    for (size_t i = 1; i < z->n; i++)
        if (by_name(&z->entries[i - 1], &z->entries[i]) == 0)
            return bad("two entries have one name");
done:
    return rc;
}

void ge_zip_free(struct ge_zip *z)
{
    free(z->entries);
    z->entries = NULL;
    z->n = 0;
}

struct ge_zip_entry *ge_zip_find(const struct ge_zip *z, const char *name, size_t length)
{
    const struct ge_zip_entry key = {.name = name, .name_length = length};

    return z->n > 0 ? bsearch(&key, z->entries, z->n, sizeof key, by_name) : NULL;
}

/* ---- checksums ---------------------------------------------------------------------------- */

/* CRC-32 (polynomial 0xEDB88320, reflected) by eight bytes at a time: t[k][b] is the checksum of the
 * byte b with k zero bytes behind it. */
static uint32_t crc32(const unsigned char *p, size_t n)
{
    uint32_t t[8][256], crc = UINT32_MAX;

    for (uint32_t b = 0; b < 256; b++) {
        t[0][b] = b;
        for (int i = 0; i < 8; i++) t[0][b] = t[0][b] >> 1 ^ ((t[0][b] & 1) != 0 ? 0xEDB88320u : 0);
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 255];
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low = crc ^ (uint32_t)number(p, 4), high = (uint32_t)number(p + 4, 4);
        crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
              t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
    }
    for (; n > 0; n--, p++) crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
    return ~crc;
}

ge_status ge_zip_check(struct ge_zip_entry *e)
{
    if (e->checked || e->crc == 0) return GE_OK;
    if (crc32(e->data, e->size) != e->crc)
        return ge_fail(GE_EFORMAT, "%.*s does not match its checksum; the file is damaged",
                       (int)e->name_length, e->name);
    e->checked = true;
    return GE_OK;
}
