/* Which chunk next: the coordinator's queue of chunks that nobody holds. Used by coordinator.c.
 *
 * Chunks of one group (the same items in all cells) go to one worker if possible, so that what
 * the cells share is computed once; a worker without a group opens the next one, or takes a chunk
 * from another worker's group. Failed chunks wait for their retry time and then come first.
 * Every call is O(1), amortised. Local. */
#ifndef GE_DIST_SCHEDULE_H
#define GE_DIST_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct ge_schedule;

/* A queue of all chunks c < n_chunks with done[c] = 0 (done NULL: all). group[c] < n_chunks names
 * c's group; NULL: each chunk is a group of its own. Both are borrowed for the call. `levels`:
 * the different waiting times that ge_schedule_return() will be given. GE_EINVAL, GE_ENOMEM. */
ge_status ge_schedule_new(uint32_t n_chunks, const uint8_t *done, const uint32_t *group,
                          uint32_t n_workers, unsigned levels, struct ge_schedule **out);
void ge_schedule_delete(struct ge_schedule **s);

/* A chunk for this worker; false if there is none that it may have now. `alone`: no other worker
 * could do a chunk that is to avoid this one, so take it anyway. */
bool ge_schedule_take(struct ge_schedule *s, uint32_t worker, double now, bool alone,
                      uint32_t *chunk);

/* Put a taken chunk back, to be handed out from time `due` on, until `avoid_until` not to worker
 * `avoid`. Calls with one level must come with due times that never go back. */
void ge_schedule_return(struct ge_schedule *s, uint32_t chunk, unsigned level, double due,
                        uint32_t avoid, double avoid_until);

/* A queued chunk is no longer wanted. No-op for one that is not queued. */
void ge_schedule_drop(struct ge_schedule *s, uint32_t chunk);

/* The worker is gone: others may open its group. */
void ge_schedule_release(struct ge_schedule *s, uint32_t worker);

/* Queued chunks, those that wait for their time included. */
uint32_t ge_schedule_count(const struct ge_schedule *s);

#endif
