/* Packed form of a chunk's rows.
 *
 *   u32 magic "GER1", u32 cell, u32 first, u32 count, u32 samples, u64 rows of each of six kinds
 *   (responses, scores, verdicts, errors, embeddings, undone), then the rows in that order. */
#include "record/result.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { MAGIC = 0x31524547 }; /* "GER1" in little-endian order */

/* Bytes that a row of each kind takes at least: a declared count is checked against what is left
 * before anything is allocated for it. */
enum {
    KEY_BYTES = 9,
    RESPONSE_MIN = KEY_BYTES + 4 + 4 + 16 + 1,
    SCORE_MIN = KEY_BYTES + 2 + 8,
    VERDICT_MIN = KEY_BYTES + 8 + 2 + 4,
    ERROR_MIN = KEY_BYTES + 1 + 4,
    EMBEDDING_MIN = KEY_BYTES + 2 + 4
};

int ge_key_compare(struct ge_key a, struct ge_key b)
{
    if (a.item != b.item) return a.item < b.item ? -1 : 1;
    if (a.direction != b.direction) return a.direction < b.direction ? -1 : 1;
    if (a.sample != b.sample) return a.sample < b.sample ? -1 : 1;
    return 0;
}

/* ---- packing ------------------------------------------------------------------------------ */

static void put_key(struct ge_buf *out, struct ge_key k)
{
    ge_buf_u32(out, k.item);
    ge_buf_u8(out, k.direction);
    ge_buf_u32(out, k.sample);
}

static void put_u16(struct ge_buf *out, uint16_t v)
{
    ge_buf_u8(out, (uint8_t)(v & 0xFF));
    ge_buf_u8(out, (uint8_t)(v >> 8));
}

static void put_floats(struct ge_buf *out, const float *v, uint32_t n)
{
    ge_buf_u32(out, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        ge_buf_u32(out, bits);
    }
}

static void put_reasons(struct ge_buf *out, struct ge_key key, uint8_t status, const char *reason)
{
    put_key(out, key);
    ge_buf_u8(out, status);
    ge_buf_lpstr(out, reason);
}

void ge_result_pack(const struct ge_result *r, struct ge_buf *out)
{
    const uint32_t head[] = {MAGIC, r->cell, r->first, r->count, r->n_samples};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) ge_buf_u32(out, head[i]);
    const size_t counts[] = {r->n_responses, r->n_scores,     r->n_verdicts,
                             r->n_errors,    r->n_embeddings, r->n_undone};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) ge_buf_u64(out, counts[i]);

    for (size_t i = 0; i < r->n_responses; i++) {
        const struct ge_response_row *row = &r->responses[i];
        put_key(out, row->key);
        ge_buf_lpstr(out, row->text);
        ge_buf_lpstr(out, row->image);
        ge_buf_u64(out, row->image_hash.hi);
        ge_buf_u64(out, row->image_hash.lo);
        ge_buf_u8(out, row->truncated);
    }
    for (size_t i = 0; i < r->n_scores; i++) {
        put_key(out, r->scores[i].key);
        put_u16(out, r->scores[i].metric);
        ge_buf_f64(out, r->scores[i].value);
    }
    for (size_t i = 0; i < r->n_verdicts; i++) {
        put_key(out, r->verdicts[i].key);
        ge_buf_f64(out, r->verdicts[i].value);
        put_u16(out, r->verdicts[i].rule);
        ge_buf_u32(out, r->verdicts[i].judges);
    }
    for (size_t i = 0; i < r->n_errors; i++) {
        put_reasons(out, r->errors[i].key, r->errors[i].status, r->errors[i].reason);
    }
    for (size_t i = 0; i < r->n_embeddings; i++) {
        put_key(out, r->embeddings[i].key);
        put_u16(out, r->embeddings[i].kind);
        put_floats(out, r->embeddings[i].values, r->embeddings[i].dim);
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        put_reasons(out, r->undone[i].key, r->undone[i].status, r->undone[i].reason);
    }
}

/* ---- unpacking ---------------------------------------------------------------------------- */

/* Reader state: `rc` keeps the first failure, so that a loop can read on and check once. */
struct source {
    struct ge_reader reader;
    struct ge_arena *arena;
    ge_status rc;
};

static void spoil(struct source *s, const char *what)
{
    if (s->rc == GE_OK) s->rc = ge_fail(GE_EFORMAT, "packed result: %s", what);
}

static struct ge_key get_key(struct source *s)
{
    struct ge_key k;
    k.item = ge_read_u32(&s->reader);
    k.direction = ge_read_u8(&s->reader);
    k.sample = ge_read_u32(&s->reader);
    if (k.direction >= GE_DIRECTIONS) spoil(s, "a row's direction is neither und nor gen");
    return k;
}

static uint16_t get_u16(struct source *s)
{
    uint16_t lo = ge_read_u8(&s->reader);
    return (uint16_t)(lo | (uint16_t)(ge_read_u8(&s->reader) << 8));
}

static const char *get_string(struct source *s)
{
    size_t len = 0;
    const char *p = ge_read_blob(&s->reader, &len);
    if (p == NULL) return NULL;
    if (memchr(p, '\0', len) != NULL) spoil(s, "a string holds a NUL");
    char *copy = ge_arena_strndup(s->arena, p, len);
    if (copy == NULL && s->rc == GE_OK) s->rc = GE_ENOMEM;
    return copy;
}

static const float *get_floats(struct source *s, uint32_t *n)
{
    *n = ge_read_u32(&s->reader);
    if (*n > (s->reader.len - s->reader.pos) / 4) {
        spoil(s, "an embedding is longer than the data");
        *n = 0;
    }
    float *v = ge_arena_alloc(s->arena, *n, sizeof *v);
    if (v == NULL) {
        if (s->rc == GE_OK) s->rc = GE_ENOMEM;
        return NULL;
    }
    for (uint32_t i = 0; i < *n; i++) {
        uint32_t bits = ge_read_u32(&s->reader);
        memcpy(&v[i], &bits, sizeof bits);
    }
    return v;
}

/* Array for `count` rows of at least `min_bytes` each in what is left of the data. */
static void *get_rows(struct source *s, uint64_t count, size_t min_bytes, size_t size)
{
    if (s->rc != GE_OK || s->reader.status != GE_OK) return NULL;
    if (count > (s->reader.len - s->reader.pos) / min_bytes) {
        spoil(s, "more rows are declared than the data can hold");
        return NULL;
    }
    void *rows = ge_arena_alloc(s->arena, (size_t)count, size);
    if (rows == NULL) s->rc = GE_ENOMEM;
    return rows;
}

static void get_responses(struct source *s, uint64_t n, struct ge_result *out)
{
    out->responses = get_rows(s, n, RESPONSE_MIN, sizeof *out->responses);
    if (out->responses == NULL) return;
    out->n_responses = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_response_row *row = &out->responses[i];
        row->key = get_key(s);
        row->text = get_string(s);
        row->image = get_string(s);
        row->image_hash.hi = ge_read_u64(&s->reader);
        row->image_hash.lo = ge_read_u64(&s->reader);
        row->truncated = ge_read_u8(&s->reader);
    }
}

static void get_scores(struct source *s, uint64_t n, struct ge_result *out)
{
    out->scores = get_rows(s, n, SCORE_MIN, sizeof *out->scores);
    if (out->scores == NULL) return;
    out->n_scores = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_score_row *row = &out->scores[i];
        row->key = get_key(s);
        row->metric = get_u16(s);
        row->value = ge_read_f64(&s->reader);
        if (!isfinite(row->value)) spoil(s, "a score is not finite");
    }
}

static void get_verdicts(struct source *s, uint64_t n, struct ge_result *out)
{
    out->verdicts = get_rows(s, n, VERDICT_MIN, sizeof *out->verdicts);
    if (out->verdicts == NULL) return;
    out->n_verdicts = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_verdict_row *row = &out->verdicts[i];
        row->key = get_key(s);
        row->value = ge_read_f64(&s->reader);
        row->rule = get_u16(s);
        row->judges = ge_read_u32(&s->reader);
        if (!(row->value >= 0 && row->value <= 1)) spoil(s, "a verdict is outside [0,1]");
    }
}

static void get_errors(struct source *s, uint64_t n, struct ge_result *out)
{
    out->errors = get_rows(s, n, ERROR_MIN, sizeof *out->errors);
    if (out->errors == NULL) return;
    out->n_errors = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_error_row *row = &out->errors[i];
        row->key = get_key(s);
        row->status = ge_read_u8(&s->reader);
        row->reason = get_string(s);
    }
}

static void get_embeddings(struct source *s, uint64_t n, struct ge_result *out)
{
    out->embeddings = get_rows(s, n, EMBEDDING_MIN, sizeof *out->embeddings);
    if (out->embeddings == NULL) return;
    out->n_embeddings = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_embedding_row *row = &out->embeddings[i];
        row->key = get_key(s);
        row->kind = get_u16(s);
        row->values = get_floats(s, &row->dim);
    }
}

static void get_undone(struct source *s, uint64_t n, struct ge_result *out)
{
    out->undone = get_rows(s, n, ERROR_MIN, sizeof *out->undone);
    if (out->undone == NULL) return;
    out->n_undone = (size_t)n;
    for (size_t i = 0; i < n; i++) {
        struct ge_undone_row *row = &out->undone[i];
        row->key = get_key(s);
        row->status = ge_read_u8(&s->reader);
        row->reason = get_string(s);
    }
}

ge_status ge_result_unpack(const void *data, size_t len, struct ge_arena *arena,
                           struct ge_result *out)
{
    struct source s = {.arena = arena, .rc = GE_OK};
    ge_reader_init(&s.reader, data, len);
    memset(out, 0, sizeof *out);
    if (ge_read_u32(&s.reader) != MAGIC) {
        return ge_fail(GE_EFORMAT, "packed result: the first bytes are not GER1");
    }
    out->cell = ge_read_u32(&s.reader);
    out->first = ge_read_u32(&s.reader);
    out->count = ge_read_u32(&s.reader);
    out->n_samples = ge_read_u32(&s.reader);
    uint64_t n[6];
    for (int i = 0; i < 6; i++) n[i] = ge_read_u64(&s.reader);

    get_responses(&s, n[0], out);
    get_scores(&s, n[1], out);
    get_verdicts(&s, n[2], out);
    get_errors(&s, n[3], out);
    get_embeddings(&s, n[4], out);
    get_undone(&s, n[5], out);
    return s.rc != GE_OK ? s.rc : ge_reader_end(&s.reader);
}
