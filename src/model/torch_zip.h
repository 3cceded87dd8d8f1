/* The ZIP archives that torch.save() writes: stored entries in one mapped file.
 *
 * Not a general ZIP reader: compressed or encrypted entries, several disks and comments with
 * archives in them are refused. Specification: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3 (zip64).
 * Messages do not name the file.
 * Private to src/model; local. */
#ifndef GE_MODEL_TORCH_ZIP_H
#define GE_MODEL_TORCH_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ge_zip_entry {
    const char *name; /* in the mapping; not terminated */
    size_t name_length;
    const unsigned char *data;
    size_t size;
    uint32_t crc; /* CRC-32 of the data; 0 also where the writer computed none */
    bool checked;
};

struct ge_zip {
    struct ge_zip_entry *entries;
    size_t n; /* sorted by name */
};

/* Read the directory of a mapped file. All entries lie inside the file and none overlaps another.
 * The caller frees after a failure, too. GE_EFORMAT, GE_EUNSUPPORTED, GE_ELIMIT, GE_ENOMEM. */
ge_status ge_zip_open(struct ge_zip *z, const unsigned char *map, size_t len);
void ge_zip_free(struct ge_zip *z);

/* An entry by name, or NULL. */
struct ge_zip_entry *ge_zip_find(const struct ge_zip *z, const char *name, size_t length);

/* Compare an entry's bytes with its checksum, once. A checksum of 0 is one that was not computed
 * (torch.serialization.set_crc32_options) and is not compared. GE_EFORMAT: damaged. */
ge_status ge_zip_check(struct ge_zip_entry *e);

#endif
