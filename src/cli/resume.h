/* May a run that is already on disk be gone on with? Used by run; local. */
#ifndef GE_CLI_RESUME_H
#define GE_CLI_RESUME_H

#include "job/spec.h"
#include "record/run.h"

/* Compare the stored run with what this start would write. GE_ECONFLICT names what differs:
 * settings that affect results, the numerics id, the golden batch's bits, items, or files that a
 * cell depends on. runtime.allow_mixed lets digits differ, nothing else. */
ge_status ge_resume_check(const struct ge_job *job, const struct ge_run *stored,
                          const struct ge_run *now, struct ge_hash golden);

#endif
