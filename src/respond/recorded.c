/* Recorded answers: a lookup. */
#include "respond/respond.h"

static ge_status respond(void *ctx, const struct ge_item *item, enum ge_direction direction,
                         const struct ge_answer **answers, size_t *n)
{
    *answers = ge_answers_find(ctx, item->index, direction, n);
    return GE_OK;
}

struct ge_responder ge_respond_recorded(const struct ge_answers *answers)
{
    return (struct ge_responder){.ctx = (void *)answers, .respond = respond};
}
