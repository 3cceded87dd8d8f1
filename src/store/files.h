/* Names of what a run's folder holds, and the checksum file. Private to store/. */
#ifndef GE_STORE_FILES_H
#define GE_STORE_FILES_H

#include "base/hash.h"
#include "base/status.h"

#define GE_FILE_JOURNAL "journal"
#define GE_FILE_RESULTS "results.h5"
#define GE_FILE_LOCK    "lock"
#define GE_FILE_STATUS  "status"
#define GE_FILE_SUMMARY "summary.json"
#define GE_FILE_SAMPLES "samples.csv"

/* The checksum file `<path>.sum` beside a store: lines of 32 hex digits, two spaces, the store's
 * file name. While a new store takes the old one's place it has a line for each. */

enum ge_sum { GE_SUM_ABSENT, GE_SUM_RIGHT, GE_SUM_WRONG };

/* Compare a store with its checksum file. GE_EFORMAT: the checksum file is no such file. */
ge_status ge_sum_check(const char *path, enum ge_sum *found);

/* Put a finished file in the store's place: checksum file with both lines, rename, checksum file
 * with the new line alone. At every moment the store in place has a line that fits. */
ge_status ge_sum_install(const char *aside, const char *path);

#endif
