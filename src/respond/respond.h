/* Where a system's answers come from: recorded ones now. Evaluation asks per item and direction
 * and never knows how an answer came about. Used by evaluate/; local; thread-safe. */
#ifndef GE_RESPOND_RESPOND_H
#define GE_RESPOND_RESPOND_H

#include <stddef.h>

#include "base/status.h"
#include "record/item.h"

struct ge_responder {
    void *ctx;
    /* Answers of one item and direction in sample order: *answers borrowed until the next call of
     * the same thread, *n = 0 when there is none. A failure is one of the node. */
    ge_status (*respond)(void *ctx, const struct ge_item *item, enum ge_direction direction,
                         const struct ge_answer **answers, size_t *n);
};

/* Responder over recorded answers, which must outlive it. */
struct ge_responder ge_respond_recorded(const struct ge_answers *answers);

#endif
