/* Where and how a run was computed: versions, hosts, devices, times, batch system. Goes into the
 * journal's START records and from there into the store; never into a digest. */
#ifndef GE_CLI_PROVENANCE_H
#define GE_CLI_PROVENANCE_H

#include "base/arena.h"
#include "cli/session.h"
#include "dist/pump.h"

/* The batch system's job id (SLURM_JOB_ID, PBS_JOBID, LSB_JOBID) or NULL, and how often it has
 * restarted the job. */
const char *ge_provenance_job_id(void);
uint32_t ge_provenance_restarts(void);

/* A new run's id: 32 hex digits that no other run has; in the arena. NULL when out of memory. */
char *ge_provenance_run_id(struct ge_arena *arena);

/* A number that names this start of a run. */
uint64_t ge_provenance_start_id(void);

/* JSON object about this start, heap string on rank 0 (free() it), NULL elsewhere. Collective. */
ge_status ge_provenance_make(const struct ge_session *s, struct ge_comm *comm,
                             struct ge_hash golden, char **json);

/* One line for people: where the time went on rank 0 and what the coordinator took of it. */
void ge_provenance_print_times(const struct ge_eval_times *t, const struct ge_dist_report *report);

#endif
