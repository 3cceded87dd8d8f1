/* The packed form of a message: one frame of fixed header and payload (docs/wire-protocol.md).
 * Used by pump.c alone; knows no transport. Local; thread-safe. */
#ifndef GE_DIST_WIRE_H
#define GE_DIST_WIRE_H

#include "dist/protocol.h"

enum {
    GE_WIRE_VERSION = 1,
    GE_WIRE_HEADER = 64,      /* bytes in front of the payload */
    GE_WIRE_MAX_REASON = 1024 /* bytes of a FAILED message's reason; cut when packed */
};
#define GE_WIRE_MAX_FRAME (GE_WIRE_HEADER + GE_DIST_MAX_PAYLOAD)

/* Pack m into a heap block (free() it). Borrows m. GE_ELIMIT: the payload is too large to send.
 * GE_ENOMEM. */
ge_status ge_wire_pack(const struct ge_message *m, void **frame, size_t *size);

/* Read a frame. out->payload points into `frame`. GE_EFORMAT for anything that is not exactly one
 * sound message: length, magic, version, type, ranges, unused fields, both checksums. Who sent it
 * and whether it makes sense now is the caller's business. */
ge_status ge_wire_unpack(const void *frame, size_t size, struct ge_message *out);

#endif
