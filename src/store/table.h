/* Tables of schema.h in an HDF5 file: rows of structs in, columns out, and back.
 * Private to store/. */
#ifndef GE_STORE_TABLE_H
#define GE_STORE_TABLE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "store/h5.h"
#include "store/schema.h"

/* Type of the dataset in the table's group that a column becomes. */
enum ge_h5_type ge_column_type(enum ge_column_kind kind);

/* ---- writing ------------------------------------------------------------------------------ */

/* One column; strings and vectors have a second dataset for their content. */
struct ge_column_out {
    struct ge_h5_out column, content;
    bool has_content;
};

struct ge_table_out {
    const struct ge_table *table;
    const uint32_t *systems; /* borrowed: system of each cell */
    struct ge_column_out columns[GE_TABLE_MAX_COLUMNS];
};

/* Make the group and open its columns. Zero `out` first. */
ge_status ge_table_out_open(struct ge_table_out *out, const struct ge_h5_file *f,
                            const struct ge_table *table, const uint32_t *systems);
ge_status ge_table_out_put(struct ge_table_out *out, uint32_t cell, const void *rows, size_t n);
ge_status ge_table_out_close(struct ge_table_out *out);
void ge_table_out_free(struct ge_table_out *out); /* after a failure; harmless after close */

/* ---- reading ------------------------------------------------------------------------------ */

/* Read a whole table: *rows (n) in `arena`, and when `cells` is given the cell and the system of
 * each row on the heap (free() both). All columns must have one length, content exactly the bytes
 * that the rows claim, strings no NUL. */
struct ge_row_cells {
    uint32_t *cell, *system; /* (n) */
};
ge_status ge_table_read(const struct ge_h5_file *f, const struct ge_table *table,
                        struct ge_arena *arena, void **rows, size_t *n, struct ge_row_cells *cells);

/* ---- name tables -------------------------------------------------------------------------- */

/* /names/<name>: fixed-length strings, for columns that hold positions in them. */
ge_status ge_names_write(const struct ge_h5_file *f, const char *name, const char *const *v,
                         size_t n);
ge_status ge_names_read(const struct ge_h5_file *f, const char *name, struct ge_arena *arena,
                        struct ge_strings *out);

/* Distinct strings in byte order. `v` is on the heap, the strings are borrowed. */
ge_status ge_distinct(const char *const *v, size_t n, struct ge_strings *out);
uint32_t ge_distinct_find(const struct ge_strings *names, const char *s); /* must be in it */

#endif
