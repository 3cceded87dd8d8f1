/* gapeval plan --power: the smallest gap that a number of items shows, or the number of items that a gap
 * needs. Arithmetic over what the user expects; nothing is read but the job's items. */
#ifndef GE_CLI_POWER_H
#define GE_CLI_POWER_H

#include <stdbool.h>

#include "base/status.h"
#include "dataset/dataset.h"

struct ge_power_options {
    bool on;
    long items;                                  /* 0: not given */
    const char *gap, *und, *phi, *level, *power; /* as typed; NULL: not given */
};

/* Are the options in range, and is there something to plan? GE_EINVAL. */
ge_status ge_plan_power_check(const struct ge_power_options *options, bool job);

/* Print the plan. dataset: of the job, or NULL. Options are checked. */
ge_status ge_plan_power(const struct ge_power_options *options, const struct ge_dataset *dataset);

#endif
