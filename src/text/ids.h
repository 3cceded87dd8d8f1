/* Where the models put ids: the caller's ge_tokens, up to the room that truncation leaves. Local. */
#ifndef GE_TEXT_IDS_H
#define GE_TEXT_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "text/tokenizer.h"

struct ids {
    struct ge_tokens *out;
    size_t room; /* ids that may still be added */
    bool full;   /* an id found no room: the rest of the text does not matter any more */
};

ge_status ge_ids_add(struct ids *ids, int32_t id); /* GE_ENOMEM */

#endif
