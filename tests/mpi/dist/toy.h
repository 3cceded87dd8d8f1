/* Work for the run tests: a thread that fills a chunk's rows from its number, after a moment. */
#ifndef GE_TESTS_DIST_TOY_H
#define GE_TESTS_DIST_TOY_H

#include "dist/work.h"

struct toy;

/* `milliseconds` per chunk. die_at >= 0: this process kills itself when it begins its die_at-th
 * chunk (0: the first); hang_at the same, but it computes no further. */
struct toy *toy_new(double milliseconds, int die_at, int hang_at);
void toy_delete(struct toy **t);
struct ge_work_ops toy_ops(struct toy *t);

/* The rows of a chunk: sizes from 8 bytes to 1.5 MB. */
size_t toy_size(uint32_t chunk);
void toy_fill(uint32_t chunk, unsigned char *out);

#endif
