/* Layout of a journal record; docs/store.md describes it. Private to journal_*.c.
 *
 *    0  u64 checksum of everything after it     24  u64 sequence, from 0 in each epoch
 *    8  u32 magic "GEJ1"                        32  u64 durable: bytes of this file that were
 *   12  u16 version, 14 u16 type                        known to be on disk when this was made
 *   16  u64 payload length                      40  u32 epoch, 44 u32 zero, 48 payload
 *
 * All little-endian. `durable` tells a tail that a crash tore (nothing says it was ever on disk)
 * from damage (a later record says it was). */
#ifndef GE_STORE_JOURNAL_FRAME_H
#define GE_STORE_JOURNAL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "store/journal.h"

struct ge_frame {
    uint64_t check, length, sequence, durable;
    uint32_t magic, epoch;
    uint16_t version, type;
};

enum { GE_FRAME_MAGIC = 0x314A4547 }; /* "GEJ1" in little-endian order */

void ge_frame_encode(const struct ge_frame *f, unsigned char out[GE_JOURNAL_HEADER]);
void ge_frame_decode(const unsigned char in[GE_JOURNAL_HEADER], struct ge_frame *f);

/* Path of an epoch's file; heap string, NULL when out of memory. */
char *ge_journal_path(const char *dir, uint32_t epoch);

#endif
