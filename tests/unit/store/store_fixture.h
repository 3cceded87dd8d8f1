/* A small made-up run for the store's tests: any number of items and cells, every kind of row,
 * deterministic content; a folder that is removed; an I/O table that fails on demand. */
#ifndef GE_TESTS_STORE_FIXTURE_H
#define GE_TESTS_STORE_FIXTURE_H

#include <stdint.h>

#include "record/run.h"
#include "store/io.h"
#include "store/run_dir.h"

/* Head of a run with `items` items (chunks of `chunk_items`) and `cells` cells. */
struct ge_run *fixture_run(uint32_t items, uint32_t cells, uint32_t chunk_items);

/* Result of one chunk of it, in `arena`. `undone`: its last item is left undone. */
struct ge_result fixture_result(const struct ge_run *run, uint64_t chunk, int undone,
                                struct ge_arena *arena);

/* Results of all chunks of a run, made once, so that fixture_record() allocates nothing for them
 * (for tests in which allocation fails). NULL: forget them. */
void fixture_prepare(const struct ge_run *run);

/* A new folder (heap string) and its removal with everything in it (frees the string). */
char *fixture_dir(void);
void fixture_remove(char *dir);

/* "<dir>/<name>" in a static buffer, good until the call after the next. */
const char *fixture_path(const char *dir, const char *name);

/* Whole file content, and a new file with it. */
unsigned char *fixture_read(const char *path, size_t *len);
void fixture_write(const char *path, const void *data, size_t len);
void fixture_copy(const char *from, const char *to); /* a folder's content, or a file */

/* Record chunks of `run` in `dir` in the given order (NULL: all, ascending), with a new epoch
 * before each position that `epoch_every` divides (0: one epoch); finish: close and pack, and make
 * empty summary files. The status of the first failing call. */
ge_status fixture_record(const char *dir, const struct ge_run *run, const uint64_t *order, size_t n,
                         size_t epoch_every, int finish);

/* I/O that fails at the n-th call (1 = the next one): every call, in turn with ENOSPC and EIO; or
 * only writes, of which half goes to disk first. `fixture_calls()` counts calls since. */
enum fixture_failure { FIXTURE_ERRORS, FIXTURE_SHORT_WRITES };
void fixture_fail_at(uint64_t n, enum fixture_failure kind);
uint64_t fixture_calls(void);
void fixture_fail_off(void);

#endif
