/* Tuned tables: which algorithm a device runs for the products of a shape (ge_device_tune()). They
 * decide digits, so a run keeps the table that it was begun with, as tuned.json in its folder and in
 * its provenance, and goes on with that. Used by every command with a session, and by bench. */
#ifndef GE_CLI_TUNED_H
#define GE_CLI_TUNED_H

#include "device/device.h"
#include "dist/comm.h"
#include "job/spec.h"

/* The table for this run's device, a heap string that ends with NUL; NULL: the job names none. It
 * is the run's own copy where there is one, otherwise the file that the job names. Rank 0 reads it
 * for all. GE_ECONFLICT: the file is not what the run was begun with. GE_ENOENT, GE_EFORMAT (no
 * JSON object), GE_ELIMIT, GE_EIO. Collective; comm may be NULL. */
ge_status ge_tuned_load(const struct ge_job *job, struct ge_comm *comm, char **text);

/* A table's text, checked to be a JSON object; freed by the caller. GE_ENOENT, GE_EFORMAT, GE_ELIMIT,
 * GE_EIO. Local. */
ge_status ge_tuned_read(const char *path, char **text);

/* Put the run's copy into its folder, which is there, unless it has one; text NULL: nothing. To be
 * called when the run has begun: its numerics id holds the table's hash already. Local. */
ge_status ge_tuned_keep(const struct ge_job *job, const char *text);

/* Measure what the device has for layers of the shapes, each with every combination of bias, GELU
 * and residual that models have, and write the table to a file. Rows per product are rows / times.
 * GE_EUNSUPPORTED: the device has nothing to choose. GE_EIO. Local. */
ge_status ge_tuned_write(struct ge_device *dev, const struct ge_work_shape *shapes, size_t n,
                         enum ge_dtype dtype, const char *path);

#endif
