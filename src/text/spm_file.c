#include "text/spm_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/vocab.h"

#define SPM_MAX_BYTES ((size_t)64 << 20)
/* Splitting a piece into two takes time by the square of its length. */
enum { SPM_MAX_PIECE = 1 << 14 };

/* ---- protocol buffers --------------------------------------------------------------------- */

/* A field: its number and its value, which is a number or a stretch of bytes. */
struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;
    const unsigned char *bytes;
    size_t len;
};

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct message {
    const unsigned char *at, *end;
};

static bool read_varint(struct message *m, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && m->at < m->end; shift += 7) {
        unsigned char byte = *m->at++;
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_fixed(struct message *m, size_t n, uint64_t *out)
{
    *out = 0;
    if ((size_t)(m->end - m->at) < n) return false;
    for (size_t i = 0; i < n; i++) *out |= (uint64_t)m->at[i] << 8 * i;
    m->at += n;
    return true;
}

/* The next field; *f has number 0 at the end. GE_EFORMAT: there is none, and yet bytes are left. */
static ge_status next_field(struct message *m, struct field *f)
{
    uint64_t tag, len;
    bool ok;
    *f = (struct field){0};
    if (m->at == m->end) return GE_OK;
    ok = read_varint(m, &tag);
    f->number = tag >> 3;
    f->wire = (unsigned)(tag & 7);
    switch (f->wire) {
    case WIRE_VARINT:
        ok = ok && read_varint(m, &f->value);
        break;
    case WIRE_FIXED64:
        ok = ok && read_fixed(m, 8, &f->value);
        break;
    case WIRE_FIXED32:
        ok = ok && read_fixed(m, 4, &f->value);
        break;
    case WIRE_BYTES:
        ok = ok && read_varint(m, &len) && len <= (uint64_t)(m->end - m->at);
        if (!ok) break;
        f->bytes = m->at;
        f->len = (size_t)len;
        m->at += len;
        break;
    default:
        ok = false;
    }
    if (ok && f->number > 0) return GE_OK;
    return ge_fail(GE_EFORMAT, "not a sentencepiece model: a field is cut off or of no known form");
}

static float as_float(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float v;
    memcpy(&v, &low, sizeof v);
    return v;
}

/* ---- the parts ---------------------------------------------------------------------------- */

static ge_status read_piece(struct spm_file *f, const struct field *outer)
{
    ge_status rc = GE_OK;
    struct message m = {outer->bytes, outer->bytes + outer->len};
    struct spm_piece p = {.type = SPM_NORMAL};
    struct field field;
    for (;;) {
        GE_TRY(next_field(&m, &field));
        if (field.number == 0) break;
        if (field.number == 1 && field.wire == WIRE_BYTES) {
            p.text = (const char *)field.bytes;
            p.len = field.len;
        } else if (field.number == 2 && field.wire == WIRE_FIXED32) {
            p.score = as_float(field.value);
        } else if (field.number == 3 && field.wire == WIRE_VARINT) {
            if (field.value < SPM_NORMAL || field.value > SPM_BYTE) {
                return ge_fail(GE_EUNSUPPORTED, "piece %zu is of unknown type %llu", f->n,
                               (unsigned long long)field.value);
            }
            p.type = (enum spm_type)field.value;
        }
    }
    if (p.len == 0 || memchr(p.text, '\0', p.len) != NULL ||
        ge_utf8_valid(p.text, p.len) != p.len) {
        return ge_fail(GE_EFORMAT, "piece %zu is empty, holds a NUL or is not UTF-8", f->n);
    }
    if (p.len > SPM_MAX_PIECE)
        return ge_fail(GE_ELIMIT, "piece %zu has %zu bytes, at most %d are read", f->n, p.len,
                       SPM_MAX_PIECE);
    if (!isfinite(p.score))
        return ge_fail(GE_EFORMAT, "the score of piece %zu is not finite", f->n);
    if (f->n > VOCAB_MAX_ID) return ge_fail(GE_ELIMIT, "more than %d pieces", VOCAB_MAX_ID + 1);
    GE_GROW(f->pieces, f->n, f->cap);
    f->pieces[f->n++] = p;
done:
    return rc;
}

static ge_status read_trainer(struct spm_file *f, const struct field *outer)
{
    ge_status rc = GE_OK;
    struct message m = {outer->bytes, outer->bytes + outer->len};
    struct field field;
    for (;;) {
        GE_TRY(next_field(&m, &field));
        if (field.number == 0) break;
        if (field.wire != WIRE_VARINT) continue;
        switch (field.number) {
        case 3:
            if (field.value != SPM_UNIGRAM && field.value != SPM_BPE) {
                return ge_fail(GE_EUNSUPPORTED,
                               "model_type %llu is not supported (known: 1 unigram, 2 BPE)",
                               (unsigned long long)field.value);
            }
            f->model = (enum spm_model)field.value;
            break;
        case 24:
            f->spaces.at_end = field.value != 0;
            break;
        case 35:
            f->byte_fallback = field.value != 0;
            break;
        default:
            break;
        }
    }
done:
    return rc;
}

static ge_status read_normalizer(struct spm_file *f, const struct field *outer)
{
    ge_status rc = GE_OK;
    struct message m = {outer->bytes, outer->bytes + outer->len};
    struct field field;
    for (;;) {
        GE_TRY(next_field(&m, &field));
        if (field.number == 0) break;
        if (field.number == 2 && field.wire == WIRE_BYTES) {
            f->charsmap = field.len == 0 ? NULL : (const char *)field.bytes;
            f->charsmap_len = field.len;
        }
        if (field.wire != WIRE_VARINT) continue;
        if (field.number == 3) f->spaces.dummy_prefix = field.value != 0;
        if (field.number == 4) f->spaces.collapse = field.value != 0;
        if (field.number == 5) f->spaces.escape = field.value != 0;
    }
done:
    return rc;
}

static ge_status check_pieces(const struct spm_file *f)
{
    ge_status rc = GE_OK;
    struct vocab seen = {0};
    size_t n_unknown = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct spm_piece *p = &f->pieces[i];
        if (p->type == SPM_UNKNOWN) n_unknown++;
        if (ge_vocab_find(&seen, p->text, p->len) >= 0) {
            rc = ge_fail(GE_EFORMAT, "piece %zu, \"%.*s\", is there twice", i,
                         (int)(p->len < 64 ? p->len : 64), p->text);
            goto done;
        }
        GE_TRY(ge_vocab_add(&seen, p->text, p->len, (int64_t)i));
    }
    if (n_unknown != 1) {
        rc = ge_fail(GE_EFORMAT, "%zu pieces of type \"unknown\" among %zu, wanted one", n_unknown,
                     f->n);
    }
done:
    ge_vocab_free(&seen);
    return rc;
}

static ge_status read_model(struct spm_file *f)
{
    ge_status rc = GE_OK;
    struct message m = {(const unsigned char *)f->data, (const unsigned char *)f->data + f->len};
    struct field field;
    for (;;) {
        GE_TRY(next_field(&m, &field));
        if (field.number == 0) break;
        if (field.wire != WIRE_BYTES) continue;
        if (field.number == 1) GE_TRY(read_piece(f, &field));
        if (field.number == 2) GE_TRY(read_trainer(f, &field));
        if (field.number == 3) GE_TRY(read_normalizer(f, &field));
    }
    GE_TRY(check_pieces(f));
done:
    return rc;
}

ge_status ge_spm_read(const char *path, struct spm_file *f)
{
    ge_status rc = GE_OK;
    /* What holds where the file says nothing. */
    *f = (struct spm_file){.model = SPM_UNIGRAM,
                           .spaces = {.dummy_prefix = true, .collapse = true, .escape = true}};
    GE_TRY(ge_fs_read(path, SPM_MAX_BYTES, &f->data, &f->len));
    rc = read_model(f);
    if (rc != GE_OK) rc = ge_fail_in(rc, "%s", path);
done:
    if (rc != GE_OK) ge_spm_free(f);
    return rc;
}

void ge_spm_free(struct spm_file *f)
{
    free(f->data);
    free(f->pieces);
    *f = (struct spm_file){0};
}
