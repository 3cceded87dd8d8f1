/* Item-level verdicts from a CSV file, as a run: what `gapeval gap --verdicts` aggregates. Local. */
#ifndef GE_CLI_VERDICTS_H
#define GE_CLI_VERDICTS_H

#include <stdbool.h>

#include "base/status.h"
#include "record/run.h"

/* Read columns model, item, category, und, gen, in any order, and where they are there cluster and judges
 * (judgements behind each verdict of the line, 1 where it is empty); other columns are left alone. One line
 * for each model and item; und and gen in [0, 1], empty: that direction failed. An item's category and
 * cluster are the same on all of its lines; an empty cluster is the item itself. `whole`: verdicts times
 * judges must be whole, as irt needs. Systems and items come in the order of their first lines; the run
 * holds verdicts and errors alone. GE_EFORMAT, GE_EINVAL with the line; GE_ENOENT, GE_EIO, GE_ENOMEM. Free
 * with ge_run_delete(). */
ge_status ge_verdicts_read(const char *path, bool whole, struct ge_run **run);

#endif
