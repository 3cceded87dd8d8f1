/* The ranks of a run and how bytes get from one to another. comm_mpi*.c are the only users of mpi.h.
 *
 * A NULL comm is a run of one rank: every function accepts it, and MPI is never started.
 * Start-up uses the collectives; from ge_comm_send() and ge_comm_receive() on everything is
 * nonblocking point-to-point, so a dead peer can never hold up a living one. All calls come from
 * the thread that called ge_comm_start() (MPI_THREAD_FUNNELED). */
#ifndef GE_DIST_COMM_H
#define GE_DIST_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

struct ge_comm;

/* Join the other ranks if a launcher (mpirun, srun --mpi=pmix) started several; otherwise
 * *comm = NULL without touching MPI. Install signal handlers before. GE_ECOMM: MPI does not start
 * or disagrees with the launcher; GE_EUNSUPPORTED: srun started several tasks without PMIx, which
 * would each take themselves for the whole run. Collective. */
ge_status ge_comm_start(struct ge_comm **comm);

/* Leave. clean: nobody was lost, so MPI_Finalize is called (collective). Otherwise only this
 * process's part is forgotten: MPI_Finalize could hang, and the caller must end by _exit(). */
void ge_comm_finish(struct ge_comm **comm, bool clean);

int ge_comm_rank(const struct ge_comm *comm);       /* 0 without ranks */
int ge_comm_size(const struct ge_comm *comm);       /* 1 without ranks */
int ge_comm_local_rank(const struct ge_comm *comm); /* among the ranks of this node */
int ge_comm_local_size(const struct ge_comm *comm);
const char *ge_comm_library(void); /* MPI library's version line; works before the start */

/* ---- start-up: collective, blocking ------------------------------------------------------ */

/* All learn the status of the lowest rank that failed and its message, with the rank in front.
 * Every rank calls it before it leaves a collective path. */
ge_status ge_comm_agree(struct ge_comm *comm, ge_status mine);

/* GE_ECONFLICT on all ranks, naming the first rank that differs from rank 0, unless all passed
 * the same hash. */
ge_status ge_comm_same(struct ge_comm *comm, struct ge_hash mine, const char *what);

/* Rank 0's bytes to all. In: rank 0's *data (kept by the caller), *len. Out on the others: a heap
 * block, NUL-terminated (free() it). GE_ELIMIT on all ranks when *len > max; GE_ENOMEM on all when
 * one rank cannot hold it. */
ge_status ge_comm_broadcast(struct ge_comm *comm, void **data, size_t *len, size_t max);

/* Every rank's bytes (each at most max) to rank 0: parts[r] of lens[r] bytes. Two heap blocks,
 * free() both: parts holds the bytes, too. NULL on the others. GE_ELIMIT, GE_ENOMEM: on all
 * ranks. */
ge_status ge_comm_gather(struct ge_comm *comm, const void *data, size_t len, size_t max,
                         void ***parts, size_t **lens);

/* ---- the run: nonblocking, local --------------------------------------------------------- */

/* Send a frame; takes ownership of the heap block in any case. Never blocks. GE_ECOMM: the frame
 * is lost (the protocol copes; the caller counts it). */
ge_status ge_comm_send(struct ge_comm *comm, int rank, void *frame, size_t size);

/* The next frame that has come in, from any rank: a heap block to free(). false if there is none
 * now. Frames of one sender may overtake each other. */
bool ge_comm_receive(struct ge_comm *comm, int *rank, void **frame, size_t *size);

/* Forget a peer: what is on the way to or from it, and what is sent to it later, is no longer
 * watched and its memory is left to MPI. */
void ge_comm_abandon(struct ge_comm *comm, int rank);

/* Sends that have not completed, to peers that are not abandoned. */
size_t ge_comm_unsent(struct ge_comm *comm);

/* MPI calls that failed and frames that were refused (too large, no memory). */
uint64_t ge_comm_failures(const struct ge_comm *comm);

#endif
