/* HDF5 files whose bytes go through store/io.h: the driver, open and close, error messages. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/h5.h"
#include "store/io.h"
#include "store/store.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/* ---- driver --------------------------------------------------------------------------------- */

/* HDF5's view of an open file; `file` is the caller's. */
struct driver {
    H5FD_t base; /* must be first */
    struct ge_h5_file *file;
    haddr_t end; /* end of the allocated addresses */
};

/* What the access property list carries to the driver. */
struct driver_info {
    struct ge_h5_file *file;
};

#define MAX_ADDRESS ((haddr_t)INT64_MAX)

static void keep_failure(struct ge_h5_file *f, ge_status rc)
{
    if (f->failed != GE_OK) return;
    f->failed = rc;
    snprintf(f->why, sizeof f->why, "%s", ge_error());
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t fapl, haddr_t max)
{
    (void)name;
    (void)flags;
    (void)max;
    const struct driver_info *info = H5Pget_driver_info(fapl);
    struct driver *d = info != NULL ? ge_calloc(1, sizeof *d) : NULL;
    if (d == NULL) return NULL;
    d->file = info->file;
    return &d->base;
}

static herr_t driver_close(H5FD_t *base)
{
    free(base); /* the descriptor is the caller's */
    return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b)
{
    int x = ((const struct driver *)a)->file->fd, y = ((const struct driver *)b)->file->fd;
    return x < y ? -1 : x > y;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags)
{
    (void)base;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct driver *)base)->end;
}

static herr_t driver_set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((struct driver *)base)->end = end;
    return 0;
}

static haddr_t driver_get_eof(const H5FD_t *base, H5FD_mem_t type)
{
    (void)type;
    return ((const struct driver *)base)->file->size;
}

static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t dxpl, haddr_t at, size_t size,
                          void *data)
{
    struct ge_h5_file *f = ((struct driver *)base)->file;
    size_t got = 0;
    (void)type;
    (void)dxpl;
    if (at > MAX_ADDRESS || size > MAX_ADDRESS - at) return -1;
    ge_status rc = ge_io_pread(f->fd, data, size, at, &got, f->path);
    if (rc != GE_OK) {
        keep_failure(f, rc);
        return -1;
    }
    /* What lies behind the end of the file reads as zeros: HDF5 asks for whole blocks. */
    memset((char *)data + got, 0, size - got);
    return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t dxpl, haddr_t at, size_t size,
                           const void *data)
{
    struct ge_h5_file *f = ((struct driver *)base)->file;
    (void)type;
    (void)dxpl;
    if (at > MAX_ADDRESS || size > MAX_ADDRESS - at) return -1;
    if (f->failed == GE_OK) {
        ge_status rc = ge_io_pwrite(f->fd, data, size, at, f->path);
        if (rc != GE_OK) keep_failure(f, rc);
    }
    if (at + size > f->size) f->size = at + size;
    return 0;
}

static herr_t driver_truncate(H5FD_t *base, hid_t dxpl, hbool_t closing)
{
    struct driver *d = (struct driver *)base;
    struct ge_h5_file *f = d->file;
    (void)dxpl;
    (void)closing;
    if (d->end == f->size || f->failed != GE_OK) return 0;
    if (ge_io()->ftruncate(f->fd, (off_t)d->end) != 0) {
        keep_failure(f, ge_fail(GE_EIO, "%s: cannot set its length", f->path));
    }
    f->size = d->end;
    return 0;
}

static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)513, /* in the range for drivers without registration */
#endif
    .name = "gapeval",
    .maxaddr = MAX_ADDRESS,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(struct driver_info),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- library-wide settings -------------------------------------------------------------------- */

/* Id of the registered driver, with the library silenced and plugins switched off. */
static hid_t driver_id(void)
{
    static hid_t id = H5I_INVALID_HID;
    if (id < 0) {
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        H5PLset_loading_state(0);
        id = H5FDregister(&driver_class);
    }
    return id;
}

/* Keep the innermost description: it names the cause, the outer ones only the way to it. */
static herr_t innermost(unsigned n, const H5E_error2_t *error, void *ctx)
{
    const char **why = ctx;
    if (n == 0 && error->desc != NULL) *why = error->desc;
    return 0;
}

ge_status ge_h5_fail(const struct ge_h5_file *f, const char *object)
{
    if (f->failed != GE_OK) return ge_fail(f->failed, "%s", f->why);
    const char *why = "no reason given";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &why);
    return ge_fail(GE_EFORMAT, "%s: %s: HDF5: %s", f->path, object, why);
}

/* ---- files ------------------------------------------------------------------------------------ */

/* Access properties: our driver, everything closed with the file, one file format version. */
static hid_t access_list(struct ge_h5_file *f)
{
    struct driver_info info = {.file = f};
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    if (fapl < 0) return fapl;
    if (H5Pset_driver(fapl, driver_id(), &info) < 0 ||
        H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_libver_bounds(fapl, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0) {
        H5Pclose(fapl);
        return H5I_INVALID_HID;
    }
    return fapl;
}

ge_status ge_h5_create(struct ge_h5_file *f, const char *path)
{
    ge_status rc = GE_OK;
    hid_t fapl = H5I_INVALID_HID, fcpl = H5I_INVALID_HID;
    *f = (struct ge_h5_file){.id = H5I_INVALID_HID, .path = path, .fd = -1};
    GE_TRY(ge_io_open(path, O_RDWR | O_CREAT | O_TRUNC, &f->fd));
    fapl = driver_id() >= 0 ? access_list(f) : H5I_INVALID_HID;
    fcpl = H5Pcreate(H5P_FILE_CREATE);
    if (fapl < 0 || fcpl < 0 || H5Pset_obj_track_times(fcpl, false) < 0 ||
        (f->id = H5Fcreate(path, H5F_ACC_TRUNC, fcpl, fapl)) < 0) {
        rc = ge_h5_fail(f, "the file");
    }
done:
    if (fapl >= 0) H5Pclose(fapl);
    if (fcpl >= 0) H5Pclose(fcpl);
    return rc;
}

ge_status ge_h5_open(struct ge_h5_file *f, const char *path)
{
    ge_status rc = GE_OK;
    hid_t fapl = H5I_INVALID_HID;
    *f = (struct ge_h5_file){.id = H5I_INVALID_HID, .path = path, .fd = -1};
    GE_TRY(ge_io_open(path, O_RDONLY | O_NONBLOCK, &f->fd));
    GE_TRY(ge_io_size(f->fd, path, &f->size));
    fapl = driver_id() >= 0 ? access_list(f) : H5I_INVALID_HID;
    if (fapl < 0 || (f->id = H5Fopen(path, H5F_ACC_RDONLY, fapl)) < 0) {
        rc = ge_h5_fail(f, "the file");
    }
done:
    if (fapl >= 0) H5Pclose(fapl);
    return rc;
}

ge_status ge_h5_close(struct ge_h5_file *f, bool sync)
{
    ge_status rc = GE_OK;
    if (f->path == NULL) return GE_OK;
    if (f->id >= 0 && H5Fclose(f->id) < 0) rc = ge_h5_fail(f, "close");
    f->id = H5I_INVALID_HID;
    if (rc == GE_OK && f->failed != GE_OK) rc = ge_fail(f->failed, "%s", f->why);
    if (rc == GE_OK && sync) rc = ge_io_sync(f->fd, f->path);
    ge_status closed = f->fd >= 0 ? ge_io_close(&f->fd, f->path) : GE_OK;
    f->path = NULL;
    return rc != GE_OK ? rc : closed;
}

void ge_store_library(struct ge_buf *out)
{
    unsigned major, minor, release;
    if (H5get_libversion(&major, &minor, &release) < 0) return;
    ge_buf_printf(out, "HDF5 %u.%u.%u (compiled with %d.%d.%d)", major, minor, release,
                  H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
}
