/* The thin layer over HDF5 that the rest of the store uses: files, columns, scalars. With h5.c it
 * is the only place that knows the library's rules:
 *
 *   - all bytes go through store/io.h by a driver of our own. After the first failed write the
 *     driver swallows what follows, so that HDF5 can close everything in order; the failure is
 *     reported by ge_h5_close();
 *   - object times are off, so equal content gives equal bytes;
 *   - reading refuses links other than hard ones, external and virtual storage, unknown filters,
 *     types other than the wanted one, and extents that the stored bytes cannot hold.
 *
 * HDF5 is not thread-safe here: one thread. Private to store/. */
#ifndef GE_STORE_H5_H
#define GE_STORE_H5_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum { GE_H5_ROWS = 32768 }; /* rows per chunk of a column */

/* A file under our driver. Zero it, then create or open. */
struct ge_h5_file {
    hid_t id;
    const char *path; /* borrowed */
    int fd;
    uint64_t size;
    ge_status failed; /* first failed call of the driver, and why */
    char why[512];
};

ge_status ge_h5_create(struct ge_h5_file *f, const char *path); /* truncates */
ge_status ge_h5_open(struct ge_h5_file *f, const char *path);   /* read-only */

/* Close everything that is open in the file, sync it when `sync`, and report the first failure
 * since it was opened. Harmless on a zeroed or closed file. */
ge_status ge_h5_close(struct ge_h5_file *f, bool sync);

/* A failed HDF5 call: the driver's failure if there was one, otherwise GE_EFORMAT (reading) or
 * GE_EIO (writing) with HDF5's own words. `object` is what was being read or written. */
ge_status ge_h5_fail(const struct ge_h5_file *f, const char *object);

/* ---- groups and scalars ------------------------------------------------------------------- */

ge_status ge_h5_group(const struct ge_h5_file *f, const char *path); /* create */
bool ge_h5_has(const struct ge_h5_file *f, const char *name); /* of the root; any kind of link */

/* Root attributes and scalar datasets. Strings are UTF-8, fixed length. */
ge_status ge_h5_put_attribute(const struct ge_h5_file *f, const char *name, uint32_t value);
ge_status ge_h5_get_attribute(const struct ge_h5_file *f, const char *name, uint32_t *value);
ge_status ge_h5_put_text(const struct ge_h5_file *f, const char *path, const char *text);
ge_status ge_h5_get_text(const struct ge_h5_file *f, const char *path, struct ge_arena *arena,
                         const char **text);
ge_status ge_h5_put_u64(const struct ge_h5_file *f, const char *path, uint64_t value);
ge_status ge_h5_get_u64(const struct ge_h5_file *f, const char *path, uint64_t *value);

/* ---- columns ------------------------------------------------------------------------------ */

/* Element type of a column; sizes in bytes are those of the C types. */
enum ge_h5_type {
    GE_H5_U8,
    GE_H5_U16,
    GE_H5_U32,
    GE_H5_U64,
    GE_H5_I32,
    GE_H5_F32,
    GE_H5_F64,
    GE_H5_TEXT /* fixed-length UTF-8, padded with NUL */
};
size_t ge_h5_type_size(enum ge_h5_type t); /* not for GE_H5_TEXT */

/* A 1-D dataset being written; rows gather until a chunk is full. */
struct ge_h5_out {
    const struct ge_h5_file *file;
    char *path;
    hid_t dataset;
    enum ge_h5_type type;
    size_t size;       /* bytes of an element */
    size_t rows, used; /* capacity and content of the buffer, in rows */
    uint64_t total;    /* rows in the dataset */
    unsigned char *buffer;
};

/* `text_size` is the element size of GE_H5_TEXT, ignored otherwise. Zero `out` first. */
ge_status ge_h5_out_open(struct ge_h5_out *out, const struct ge_h5_file *f, const char *path,
                         enum ge_h5_type type, size_t text_size);
ge_status ge_h5_out_put(struct ge_h5_out *out, const void *elements, size_t n);
ge_status ge_h5_out_close(struct ge_h5_out *out); /* writes what is left; creates empty ones */
void ge_h5_out_free(struct ge_h5_out *out);       /* after a failure; harmless after close */

/* A 1-D dataset being read. */
struct ge_h5_in {
    const struct ge_h5_file *file;
    char *path;
    hid_t dataset, type;
    size_t size;
    uint64_t rows; /* checked against the bytes stored */
};

/* For GE_H5_TEXT the element size is whatever the file has, at most 1 MiB. */
ge_status ge_h5_in_open(struct ge_h5_in *in, const struct ge_h5_file *f, const char *path,
                        enum ge_h5_type type);
ge_status ge_h5_in_get(struct ge_h5_in *in, uint64_t first, size_t n, void *elements);
void ge_h5_in_close(struct ge_h5_in *in);

#endif
