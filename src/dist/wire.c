#include "dist/wire.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* Offsets in the header. */
enum {
    AT_MAGIC = 0,    /* u16 */
    AT_VERSION = 2,  /* u8 */
    AT_TYPE = 3,     /* u8 */
    AT_WORKER = 4,   /* u32 */
    AT_RUN = 8,      /* u64 */
    AT_LEASE = 16,   /* u64 */
    AT_CHUNK = 24,   /* u32 */
    AT_ATTEMPT = 28, /* u8 */
    AT_STRIKES = 29, /* u8 */
    AT_STATUS = 30,  /* u8 */
    AT_WANT = 31,    /* u8 */
    AT_SAMPLES = 32, /* u32 */
    AT_UNDONE = 36,  /* u32 */
    AT_ERRORS = 40,  /* u32 */
    AT_LENGTH = 44,  /* u32 */
    AT_PAYLOAD = 48, /* u64: check of the payload */
    AT_CHECK = 56    /* u64: check of the 56 bytes before */
};
enum { MAGIC = 0x4547, BEAT = 8 + 8 * GE_DIST_SLOTS }; /* "GE"; a heartbeat's payload */

static void put(unsigned char *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get(const unsigned char *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static size_t payload_size(const struct ge_message *m)
{
    if (m->type == GE_MSG_HEARTBEAT) return BEAT;
    if (m->type == GE_MSG_FAILED && m->length > GE_WIRE_MAX_REASON) return GE_WIRE_MAX_REASON;
    return m->length;
}

static void pack_header(const struct ge_message *m, unsigned char *p, size_t length)
{
    put(p + AT_MAGIC, MAGIC, 2);
    put(p + AT_VERSION, GE_WIRE_VERSION, 1);
    put(p + AT_TYPE, (uint64_t)m->type, 1);
    put(p + AT_WORKER, m->worker, 4);
    put(p + AT_RUN, m->run, 8);
    put(p + AT_LEASE, m->lease, 8);
    put(p + AT_CHUNK, m->chunk, 4);
    put(p + AT_ATTEMPT, m->attempt, 1);
    put(p + AT_STRIKES, m->strikes, 1);
    put(p + AT_STATUS, (uint64_t)m->status, 1);
    put(p + AT_WANT, m->want, 1);
    put(p + AT_SAMPLES, m->samples, 4);
    put(p + AT_UNDONE, m->undone, 4);
    put(p + AT_ERRORS, m->errors, 4);
    put(p + AT_LENGTH, length, 4);
    put(p + AT_PAYLOAD, length > 0 ? ge_check64(p + GE_WIRE_HEADER, length) : 0, 8);
    put(p + AT_CHECK, ge_check64(p, AT_CHECK), 8);
}

ge_status ge_wire_pack(const struct ge_message *m, void **frame, size_t *size)
{
    ge_status rc = GE_OK;
    unsigned char *p = NULL;
    size_t length = payload_size(m);
    if (length > GE_DIST_MAX_PAYLOAD) {
        rc = ge_fail(GE_ELIMIT, "a %s message of %zu bytes is too large to send (at most %zu)",
                     ge_message_name(m->type), length, GE_DIST_MAX_PAYLOAD);
        goto done;
    }
    GE_NEW(p, GE_WIRE_HEADER + length);
    if (m->type == GE_MSG_HEARTBEAT) {
        put(p + GE_WIRE_HEADER, m->progress, 8);
        for (int i = 0; i < GE_DIST_SLOTS; i++) put(p + GE_WIRE_HEADER + 8 + 8 * i, m->held[i], 8);
    } else if (length > 0) {
        memcpy(p + GE_WIRE_HEADER, m->payload, length);
    }
    pack_header(m, p, length);
    *frame = p;
    *size = GE_WIRE_HEADER + length;
done:
    return rc;
}

/* Which fields a type uses; the others must be 0. */
static const struct {
    bool lease, want, status, counts, payload;
} uses[GE_MSG_TYPES] = {
    [GE_MSG_HEARTBEAT] = {.want = true, .status = true, .payload = true},
    [GE_MSG_GRANT] = {.lease = true},
    [GE_MSG_RESULT] = {.lease = true, .want = true, .counts = true, .payload = true},
    [GE_MSG_FAILED] =
        {.lease = true, .want = true, .status = true, .counts = true, .payload = true},
    [GE_MSG_STOP] = {.status = true},
    [GE_MSG_BYE] = {.status = true},
    [GE_MSG_END] = {.status = true},
};

static bool header_is_sound(const unsigned char *p, size_t size)
{
    return size >= GE_WIRE_HEADER && size <= GE_WIRE_MAX_FRAME && get(p + AT_MAGIC, 2) == MAGIC &&
           p[AT_VERSION] == GE_WIRE_VERSION && get(p + AT_CHECK, 8) == ge_check64(p, AT_CHECK) &&
           p[AT_TYPE] >= GE_MSG_HEARTBEAT && p[AT_TYPE] < GE_MSG_TYPES &&
           p[AT_STATUS] <= GE_EINTERNAL && p[AT_WANT] <= GE_DIST_SLOTS &&
           get(p + AT_LENGTH, 4) == size - GE_WIRE_HEADER;
}

static bool fields_are_sound(const struct ge_message *m)
{
    int t = m->type;
    bool lease_ok = uses[t].lease ? m->lease != 0 : m->lease == 0 && m->chunk == 0;
    bool grant_ok = t == GE_MSG_GRANT || (m->attempt == 0 && m->strikes == 0);
    bool counts_ok = uses[t].counts ? m->undone <= m->samples && m->errors <= m->samples
                                    : m->samples == 0 && m->undone == 0 && m->errors == 0;
    bool status_ok = uses[t].status ? t != GE_MSG_FAILED || m->status != GE_OK : m->status == GE_OK;
    return lease_ok && grant_ok && counts_ok && status_ok && (uses[t].want || m->want == 0) &&
           (uses[t].payload || m->length == 0) && (t != GE_MSG_HEARTBEAT || m->length == BEAT) &&
           (t != GE_MSG_FAILED || m->length <= GE_WIRE_MAX_REASON);
}

static ge_status garbled(size_t size)
{
    return ge_fail(GE_EFORMAT, "a frame of %zu bytes is no sound message", size);
}

ge_status ge_wire_unpack(const void *frame, size_t size, struct ge_message *out)
{
    const unsigned char *p = frame;
    if (!header_is_sound(p, size)) return garbled(size);
    struct ge_message m = {
        .type = (enum ge_message_type)p[AT_TYPE],
        .worker = (uint32_t)get(p + AT_WORKER, 4),
        .run = get(p + AT_RUN, 8),
        .lease = get(p + AT_LEASE, 8),
        .chunk = (uint32_t)get(p + AT_CHUNK, 4),
        .attempt = p[AT_ATTEMPT],
        .strikes = p[AT_STRIKES],
        .want = p[AT_WANT],
        .status = (ge_status)p[AT_STATUS],
        .samples = (uint32_t)get(p + AT_SAMPLES, 4),
        .undone = (uint32_t)get(p + AT_UNDONE, 4),
        .errors = (uint32_t)get(p + AT_ERRORS, 4),
        .length = size - GE_WIRE_HEADER,
    };
    uint64_t check = m.length > 0 ? ge_check64(p + GE_WIRE_HEADER, m.length) : 0;
    if (!fields_are_sound(&m) || get(p + AT_PAYLOAD, 8) != check) return garbled(size);
    if (m.type == GE_MSG_HEARTBEAT) {
        m.progress = get(p + GE_WIRE_HEADER, 8);
        for (int i = 0; i < GE_DIST_SLOTS; i++) m.held[i] = get(p + GE_WIRE_HEADER + 8 + 8 * i, 8);
        m.length = 0;
    } else if (m.length > 0) {
        /* Only read through: a received payload is borrowed and never changed. */
        m.payload = (unsigned char *)(uintptr_t)(p + GE_WIRE_HEADER);
    }
    *out = m;
    return GE_OK;
}
