/* HDF5 scalars and columns: creation with compression, reading with every declaration checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/h5.h"

enum {
    MAX_TEXT_SIZE = 1 << 20,    /* element of a text column */
    MAX_CHUNK_BYTES = 64 << 20, /* memory for one chunk while reading */
    CHUNK_BYTES = 1 << 18,      /* chunk of a text column when writing */
    DEFLATE_RATIO = 1100        /* deflate expands no more than 1032 times */
};

size_t ge_h5_type_size(enum ge_h5_type t)
{
    static const unsigned char sizes[] = {1, 2, 4, 8, 4, 4, 8, 0};
    return sizes[t];
}

/* The file's type of a column: little-endian, of known size. Close it. */
static hid_t file_type(enum ge_h5_type t, size_t text_size)
{
    hid_t text;
    switch (t) {
    case GE_H5_U8:
        return H5Tcopy(H5T_STD_U8LE);
    case GE_H5_U16:
        return H5Tcopy(H5T_STD_U16LE);
    case GE_H5_U32:
        return H5Tcopy(H5T_STD_U32LE);
    case GE_H5_U64:
        return H5Tcopy(H5T_STD_U64LE);
    case GE_H5_I32:
        return H5Tcopy(H5T_STD_I32LE);
    case GE_H5_F32:
        return H5Tcopy(H5T_IEEE_F32LE);
    case GE_H5_F64:
        return H5Tcopy(H5T_IEEE_F64LE);
    case GE_H5_TEXT:
        text = H5Tcopy(H5T_C_S1);
        if (text >= 0 &&
            (H5Tset_size(text, text_size) < 0 || H5Tset_cset(text, H5T_CSET_UTF8) < 0 ||
             H5Tset_strpad(text, H5T_STR_NULLPAD) < 0)) {
            H5Tclose(text);
            return H5I_INVALID_HID;
        }
        return text;
    }
    return H5I_INVALID_HID;
}

/* Creation list of an object without times; for a column also chunk and filters. Close it. */
static hid_t creation_list(size_t rows)
{
    hsize_t chunk = rows;
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    if (dcpl < 0) return dcpl;
    bool ok = H5Pset_obj_track_times(dcpl, false) >= 0;
    if (rows > 0) {
        ok = ok && H5Pset_chunk(dcpl, 1, &chunk) >= 0 && H5Pset_shuffle(dcpl) >= 0 &&
             H5Pset_deflate(dcpl, 1) >= 0 && H5Pset_fletcher32(dcpl) >= 0;
    }
    if (ok) return dcpl;
    H5Pclose(dcpl);
    return H5I_INVALID_HID;
}

/* ---- refusing what a store of ours never has -------------------------------------------------- */

/* Every component of an absolute path must be a hard link: no soft, external or other links. */
static ge_status check_links(const struct ge_h5_file *f, const char *path)
{
    char part[256];
    size_t len = strlen(path);
    if (len >= sizeof part) return ge_fail(GE_EINTERNAL, "%s: path too long", path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        H5L_info_t info;
        memcpy(part, path, i);
        part[i] = '\0';
        if (H5Lexists(f->id, part, H5P_DEFAULT) <= 0) {
            return ge_fail(GE_EFORMAT, "%s: %s is missing; not a gapeval store, or a damaged one",
                           f->path, part);
        }
        if (H5Lget_info(f->id, part, &info, H5P_DEFAULT) < 0) return ge_h5_fail(f, part);
        if (info.type != H5L_TYPE_HARD) {
            return ge_fail(GE_EFORMAT, "%s: %s is a link to elsewhere; links are not followed",
                           f->path, part);
        }
    }
    return GE_OK;
}

bool ge_h5_has(const struct ge_h5_file *f, const char *name)
{
    return H5Lexists(f->id, name, H5P_DEFAULT) > 0;
}

/* Only filters that we write; a filter by plugin is code from elsewhere. */
static ge_status check_filters(const struct ge_h5_file *f, const char *path, hid_t dcpl)
{
    int n = H5Pget_nfilters(dcpl);
    if (n < 0) return ge_h5_fail(f, path);
    for (int i = 0; i < n; i++) {
        unsigned flags = 0;
        size_t n_values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_values, NULL, 0, NULL, NULL);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32) {
            return ge_fail(GE_EFORMAT, "%s: %s: filter %d is not one that stores use", f->path,
                           path, (int)filter);
        }
    }
    return GE_OK;
}

/* Layout and extent of a dataset of `rows` elements of `size` bytes: inside this file, in chunks
 * that fit memory, and no larger than the stored bytes can expand to. *chunk is in bytes. */
static ge_status check_storage(const struct ge_h5_file *f, const char *path, hid_t dataset,
                               uint64_t rows, size_t size, size_t *chunk)
{
    ge_status rc = GE_OK;
    hsize_t chunk_rows = 0;
    hid_t dcpl = H5Dget_create_plist(dataset);
    *chunk = 0;
    if (dcpl < 0) return ge_h5_fail(f, path);
    H5D_layout_t layout = H5Pget_layout(dcpl);
    if (layout == H5D_VIRTUAL || layout == H5D_LAYOUT_ERROR || H5Pget_external_count(dcpl) != 0) {
        rc = ge_fail(GE_EFORMAT, "%s: %s: its data are outside the file; refused", f->path, path);
        goto done;
    }
    GE_TRY(check_filters(f, path, dcpl));
    if (layout == H5D_CHUNKED) {
        if (H5Pget_chunk(dcpl, 1, &chunk_rows) != 1 || chunk_rows > MAX_CHUNK_BYTES / size) {
            rc = ge_fail(GE_EFORMAT, "%s: %s: chunks of %llu elements of %zu bytes are too large",
                         f->path, path, (unsigned long long)chunk_rows, size);
            goto done;
        }
        *chunk = (size_t)chunk_rows * size;
    }
    uint64_t stored = H5Dget_storage_size(dataset);
    uint64_t most = (stored < f->size ? stored : f->size) * DEFLATE_RATIO;
    if (rows > most / size) {
        rc = ge_fail(GE_EFORMAT, "%s: %s: %llu elements are declared, %llu bytes are stored",
                     f->path, path, (unsigned long long)rows, (unsigned long long)stored);
    }
done:
    H5Pclose(dcpl);
    return rc;
}

/* ---- groups and scalars ------------------------------------------------------------------------- */

ge_status ge_h5_group(const struct ge_h5_file *f, const char *path)
{
    ge_status rc = GE_OK;
    hid_t group = H5I_INVALID_HID;
    hid_t gcpl = H5Pcreate(H5P_GROUP_CREATE);
    if (gcpl < 0 || H5Pset_obj_track_times(gcpl, false) < 0 ||
        (group = H5Gcreate2(f->id, path, H5P_DEFAULT, gcpl, H5P_DEFAULT)) < 0) {
        rc = ge_h5_fail(f, path);
    }
    if (group >= 0 && H5Gclose(group) < 0 && rc == GE_OK) rc = ge_h5_fail(f, path);
    if (gcpl >= 0) H5Pclose(gcpl);
    return rc;
}

ge_status ge_h5_put_attribute(const struct ge_h5_file *f, const char *name, uint32_t value)
{
    ge_status rc = GE_OK;
    hid_t attribute = H5I_INVALID_HID, space = H5Screate(H5S_SCALAR);
    if (space < 0 ||
        (attribute = H5Acreate2(f->id, name, H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT)) < 0 ||
        H5Awrite(attribute, H5T_NATIVE_UINT32, &value) < 0) {
        rc = ge_h5_fail(f, name);
    }
    if (attribute >= 0 && H5Aclose(attribute) < 0 && rc == GE_OK) rc = ge_h5_fail(f, name);
    if (space >= 0) H5Sclose(space);
    return rc;
}

ge_status ge_h5_get_attribute(const struct ge_h5_file *f, const char *name, uint32_t *value)
{
    ge_status rc = GE_OK;
    hid_t attribute = H5I_INVALID_HID, space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    *value = 0;
    if (H5Aexists(f->id, name) <= 0) {
        return ge_fail(GE_EFORMAT, "%s: no attribute %s; not a gapeval store", f->path, name);
    }
    if ((attribute = H5Aopen(f->id, name, H5P_DEFAULT)) < 0 ||
        (space = H5Aget_space(attribute)) < 0 || (type = H5Aget_type(attribute)) < 0) {
        rc = ge_h5_fail(f, name);
        goto done;
    }
    if (H5Sget_simple_extent_npoints(space) != 1 || H5Tequal(type, H5T_STD_U32LE) <= 0) {
        rc = ge_fail(GE_EFORMAT, "%s: attribute %s is not one 32-bit number", f->path, name);
        goto done;
    }
    if (H5Aread(attribute, H5T_NATIVE_UINT32, value) < 0) rc = ge_h5_fail(f, name);
done:
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    if (attribute >= 0) H5Aclose(attribute);
    return rc;
}

/* Write one element as a scalar dataset. */
static ge_status put_scalar(const struct ge_h5_file *f, const char *path, enum ge_h5_type t,
                            size_t size, const void *data)
{
    ge_status rc = GE_OK;
    hid_t dataset = H5I_INVALID_HID, space = H5Screate(H5S_SCALAR), type = file_type(t, size);
    hid_t dcpl = creation_list(0);
    if (space < 0 || type < 0 || dcpl < 0 ||
        (dataset = H5Dcreate2(f->id, path, type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT)) < 0 ||
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        rc = ge_h5_fail(f, path);
    }
    if (dataset >= 0 && H5Dclose(dataset) < 0 && rc == GE_OK) rc = ge_h5_fail(f, path);
    if (dcpl >= 0) H5Pclose(dcpl);
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
    return rc;
}

ge_status ge_h5_put_text(const struct ge_h5_file *f, const char *path, const char *text)
{
    size_t len = strlen(text);
    return put_scalar(f, path, GE_H5_TEXT, len > 0 ? len : 1, text);
}

ge_status ge_h5_put_u64(const struct ge_h5_file *f, const char *path, uint64_t value)
{
    return put_scalar(f, path, GE_H5_U64, 0, &value);
}

/* Open a dataset whose link, type, rank and storage are as wanted. *size is in and out for text. */
static ge_status open_dataset(const struct ge_h5_file *f, const char *path, enum ge_h5_type t,
                              int rank, struct ge_h5_in *in)
{
    ge_status rc = GE_OK;
    size_t chunk = 0;
    hsize_t rows = 1;
    hid_t space = H5I_INVALID_HID, dapl = H5I_INVALID_HID;
    H5O_info_t object;
    in->file = f;
    GE_TRY(check_links(f, path));
    if (H5Oget_info_by_name(f->id, path, &object, H5P_DEFAULT) < 0 ||
        object.type != H5O_TYPE_DATASET) {
        rc = ge_fail(GE_EFORMAT, "%s: %s is not a dataset", f->path, path);
        goto done;
    }
    if ((in->dataset = H5Dopen2(f->id, path, H5P_DEFAULT)) < 0 ||
        (in->type = H5Dget_type(in->dataset)) < 0 || (space = H5Dget_space(in->dataset)) < 0) {
        rc = ge_h5_fail(f, path);
        goto done;
    }
    bool right = H5Sget_simple_extent_ndims(space) == rank &&
                 H5Sget_simple_extent_type(space) == (rank == 0 ? H5S_SCALAR : H5S_SIMPLE);
    in->size = H5Tget_size(in->type);
    hid_t wanted = file_type(t, in->size > 0 ? in->size : 1);
    right = right && wanted >= 0 && in->size > 0 && H5Tequal(in->type, wanted) > 0;
    if (wanted >= 0) H5Tclose(wanted);
    if (!right || (rank == 1 && H5Sget_simple_extent_dims(space, &rows, NULL) != 1)) {
        rc = ge_fail(GE_EFORMAT, "%s: %s has another type or shape than schema version 1 says",
                     f->path, path);
        goto done;
    }
    GE_TRY(check_storage(f, path, in->dataset, rows, in->size, &chunk));
    in->rows = rows;
    if (chunk > 0) {
        /* Room for one chunk: otherwise a large one is decompressed anew for every read. */
        H5Dclose(in->dataset);
        dapl = H5Pcreate(H5P_DATASET_ACCESS);
        if (dapl < 0 || H5Pset_chunk_cache(dapl, 11, chunk + 1, 1.0) < 0 ||
            (in->dataset = H5Dopen2(f->id, path, dapl)) < 0) {
            in->dataset = H5I_INVALID_HID;
            rc = ge_h5_fail(f, path);
        }
    }
done:
    if (dapl >= 0) H5Pclose(dapl);
    if (space >= 0) H5Sclose(space);
    return rc;
}

static const struct ge_h5_in closed_in = {.dataset = H5I_INVALID_HID, .type = H5I_INVALID_HID};

ge_status ge_h5_get_text(const struct ge_h5_file *f, const char *path, struct ge_arena *arena,
                         const char **text)
{
    ge_status rc = GE_OK;
    char *out = NULL;
    struct ge_h5_in in = closed_in;
    GE_TRY(open_dataset(f, path, GE_H5_TEXT, 0, &in));
    GE_TRY_PTR(out, ge_arena_alloc(arena, in.size + 1, 1));
    if (H5Dread(in.dataset, in.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
        rc = ge_h5_fail(f, path);
    }
    *text = out;
done:
    ge_h5_in_close(&in);
    return rc;
}

ge_status ge_h5_get_u64(const struct ge_h5_file *f, const char *path, uint64_t *value)
{
    ge_status rc = GE_OK;
    struct ge_h5_in in = closed_in;
    *value = 0;
    GE_TRY(open_dataset(f, path, GE_H5_U64, 0, &in));
    if (H5Dread(in.dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) < 0) {
        rc = ge_h5_fail(f, path);
    }
done:
    ge_h5_in_close(&in);
    return rc;
}

/* ---- writing columns ------------------------------------------------------------------------------ */

ge_status ge_h5_out_open(struct ge_h5_out *out, const struct ge_h5_file *f, const char *path,
                         enum ge_h5_type type, size_t text_size)
{
    ge_status rc = GE_OK;
    *out = (struct ge_h5_out){.file = f, .dataset = H5I_INVALID_HID, .type = type};
    out->size = type == GE_H5_TEXT ? text_size : ge_h5_type_size(type);
    out->rows = GE_H5_ROWS;
    if (type == GE_H5_U8 || type == GE_H5_F32) out->rows = CHUNK_BYTES / out->size;
    if (type == GE_H5_TEXT) out->rows = CHUNK_BYTES / out->size + 1;
    GE_TRY_PTR(out->path, ge_strdup(path));
    GE_NEW(out->buffer, out->rows * out->size);
done:
    return rc;
}

/* Create the dataset. A short column gets one chunk of just its length. */
static ge_status create_dataset(struct ge_h5_out *out)
{
    ge_status rc = GE_OK;
    const hsize_t none = 0, unlimited = H5S_UNLIMITED;
    hid_t type = file_type(out->type, out->size), space = H5Screate_simple(1, &none, &unlimited);
    hid_t dcpl = creation_list(out->used > 0 ? out->used : 1);
    if (type < 0 || space < 0 || dcpl < 0 ||
        (out->dataset = H5Dcreate2(out->file->id, out->path, type, space, H5P_DEFAULT, dcpl,
                                   H5P_DEFAULT)) < 0) {
        rc = ge_h5_fail(out->file, out->path);
    }
    if (dcpl >= 0) H5Pclose(dcpl);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return rc;
}

/* Write the buffer behind what the dataset has. */
static ge_status flush_rows(struct ge_h5_out *out)
{
    ge_status rc = GE_OK;
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID, type = H5I_INVALID_HID;
    hsize_t first = out->total, n = out->used, extent = out->total + out->used;
    if (out->dataset < 0) GE_TRY(create_dataset(out));
    if (n == 0) goto done;
    if (H5Dset_extent(out->dataset, &extent) < 0 || (space = H5Dget_space(out->dataset)) < 0 ||
        (memory = H5Screate_simple(1, &n, NULL)) < 0 ||
        (type = file_type(out->type, out->size)) < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &n, NULL) < 0 ||
        H5Dwrite(out->dataset, type, memory, space, H5P_DEFAULT, out->buffer) < 0) {
        rc = ge_h5_fail(out->file, out->path);
        goto done;
    }
    out->total += n;
    out->used = 0;
done:
    if (type >= 0) H5Tclose(type);
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    return rc;
}

ge_status ge_h5_out_put(struct ge_h5_out *out, const void *elements, size_t n)
{
    ge_status rc = GE_OK;
    const unsigned char *p = elements;
    while (n > 0) {
        size_t room = out->rows - out->used, take = n < room ? n : room;
        memcpy(out->buffer + out->used * out->size, p, take * out->size);
        out->used += take;
        p += take * out->size;
        n -= take;
        if (out->used == out->rows) GE_TRY(flush_rows(out));
    }
done:
    return rc;
}

ge_status ge_h5_out_close(struct ge_h5_out *out)
{
    ge_status rc = flush_rows(out);
    if (out->dataset >= 0 && H5Dclose(out->dataset) < 0 && rc == GE_OK) {
        rc = ge_h5_fail(out->file, out->path);
    }
    out->dataset = H5I_INVALID_HID;
    ge_h5_out_free(out);
    return rc;
}

void ge_h5_out_free(struct ge_h5_out *out)
{
    if (out->path != NULL && out->dataset >= 0) H5Dclose(out->dataset);
    free(out->path);
    free(out->buffer);
    *out = (struct ge_h5_out){.dataset = H5I_INVALID_HID};
}

/* ---- reading columns ------------------------------------------------------------------------------ */

ge_status ge_h5_in_open(struct ge_h5_in *in, const struct ge_h5_file *f, const char *path,
                        enum ge_h5_type type)
{
    ge_status rc = GE_OK;
    *in = closed_in;
    GE_TRY_PTR(in->path, ge_strdup(path));
    GE_TRY(open_dataset(f, path, type, 1, in));
    if (in->size > MAX_TEXT_SIZE) {
        rc = ge_fail(GE_EFORMAT, "%s: %s: elements of %zu bytes, at most %d are possible", f->path,
                     path, in->size, MAX_TEXT_SIZE);
    }
done:
    if (rc != GE_OK) ge_h5_in_close(in);
    return rc;
}

ge_status ge_h5_in_get(struct ge_h5_in *in, uint64_t first, size_t n, void *elements)
{
    ge_status rc = GE_OK;
    hsize_t from = first, count = n;
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    if (first > in->rows || n > in->rows - first) {
        return ge_fail(GE_EFORMAT, "%s: %s: shorter than its table", in->file->path, in->path);
    }
    if (n == 0) return GE_OK;
    if ((space = H5Dget_space(in->dataset)) < 0 ||
        (memory = H5Screate_simple(1, &count, NULL)) < 0 ||
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &from, NULL, &count, NULL) < 0 ||
        H5Dread(in->dataset, in->type, memory, space, H5P_DEFAULT, elements) < 0) {
        rc = ge_h5_fail(in->file, in->path);
    }
    if (memory >= 0) H5Sclose(memory);
    if (space >= 0) H5Sclose(space);
    return rc;
}

void ge_h5_in_close(struct ge_h5_in *in)
{
    if (in->type >= 0) H5Tclose(in->type);
    if (in->dataset >= 0) H5Dclose(in->dataset);
    free(in->path);
    *in = closed_in;
}
