/* Encoding of journal record headers. */
#include "store/journal_frame.h"

#include <string.h>

#include "base/mem.h"

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

void ge_frame_encode(const struct ge_frame *f, unsigned char out[GE_JOURNAL_HEADER])
{
    memset(out, 0, GE_JOURNAL_HEADER);
    put(out, f->check, 8);
    put(out + 8, f->magic, 4);
    put(out + 12, f->version, 2);
    put(out + 14, f->type, 2);
    put(out + 16, f->length, 8);
    put(out + 24, f->sequence, 8);
    put(out + 32, f->durable, 8);
    put(out + 40, f->epoch, 4);
}

void ge_frame_decode(const unsigned char in[GE_JOURNAL_HEADER], struct ge_frame *f)
{
    f->check = get(in, 8);
    f->magic = (uint32_t)get(in + 8, 4);
    f->version = (uint16_t)get(in + 12, 2);
    f->type = (uint16_t)get(in + 14, 2);
    f->length = get(in + 16, 8);
    f->sequence = get(in + 24, 8);
    f->durable = get(in + 32, 8);
    f->epoch = (uint32_t)get(in + 40, 4);
}

char *ge_journal_path(const char *dir, uint32_t epoch)
{
    return ge_sprintf("%s/%08u", dir, epoch);
}
