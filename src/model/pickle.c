#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pickle_machine.h"

enum { MAX_STACK = 1 << 16 }; /* Python's pickler stores a dict in batches of 1,000 items */

ge_status ge_pickle_bad(const struct ge_pickle_machine *m, const char *what)
{
    return ge_fail(GE_EFORMAT, "pickle, byte %zu: %s", m->at, what);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static ge_status take(struct ge_pickle_machine *m, size_t n, const unsigned char **out)
{
    *out = m->p->data + m->at;
    if (n > m->len - m->at) {
        if (m->capped)
            return ge_fail(GE_ELIMIT, "the pickle is longer than %d bytes", GE_PICKLE_MAX_BYTES);
        return ge_pickle_bad(m, "the pickle is cut off");
    }
    m->at += n;
    return GE_OK;
}

/* A little-endian number of n <= 8 bytes, with the top bit as sign if `is_signed`. */
static ge_status take_int(struct ge_pickle_machine *m, size_t n, bool is_signed, int64_t *out)
{
    const unsigned char *b;
    uint64_t v = 0;
    ge_status rc = take(m, n, &b);

    *out = 0;
    if (rc != GE_OK) return rc;
    for (size_t i = n; i-- > 0;) v = v << 8 | b[i];
    if (is_signed && n > 0 && n < 8 && b[n - 1] >= 128) v |= UINT64_MAX << 8 * n;
    memcpy(out, &v, sizeof *out);
    return GE_OK;
}

ge_status ge_pickle_line(struct ge_pickle_machine *m, const char **text, size_t *length)
{
    const unsigned char *begin = m->p->data + m->at;
    const unsigned char *end = m->at < m->len ? memchr(begin, '\n', m->len - m->at) : NULL;

    if (end == NULL) return ge_pickle_bad(m, "a name without an end");
    for (const unsigned char *c = begin; c < end; c++)
        if (*c <= ' ' || *c > '~') return ge_pickle_bad(m, "not the name of anything");
    *text = (const char *)begin;
    *length = (size_t)(end - begin);
    m->at += *length + 1;
    return GE_OK;
}

/* ---- stack -------------------------------------------------------------------------------- */

ge_status ge_pickle_push(struct ge_pickle_machine *m, struct ge_pickle_value v)
{
    ge_status rc = GE_OK;

    if (m->n_stack >= MAX_STACK) return ge_pickle_bad(m, "too many values on the stack");
    GE_GROW(m->stack, m->n_stack, m->cap_stack);
    m->stack[m->n_stack++] = v;
done:
    return rc;
}

ge_status ge_pickle_pop(struct ge_pickle_machine *m, size_t n, const struct ge_pickle_value **out)
{
    size_t floor = m->n_marks > 0 ? m->marks[m->n_marks - 1] : 0;

    *out = NULL;
    if (m->n_stack - floor < n) return ge_pickle_bad(m, "a value is missing on the stack");
    m->n_stack -= n;
    *out = m->stack + m->n_stack;
    return GE_OK;
}

/* The values above the last mark, and the mark. */
static ge_status pop_mark(struct ge_pickle_machine *m, const struct ge_pickle_value **out,
                          size_t *n)
{
    *out = NULL;
    *n = 0;
    if (m->n_marks == 0) return ge_pickle_bad(m, "a mark is missing on the stack");
    *n = m->n_stack - m->marks[--m->n_marks];
    m->n_stack -= *n;
    *out = m->stack + m->n_stack;
    return GE_OK;
}

static ge_status push_mark(struct ge_pickle_machine *m)
{
    ge_status rc = GE_OK;

    if (m->n_marks >= MAX_STACK) return ge_pickle_bad(m, "too many marks on the stack");
    GE_GROW(m->marks, m->n_marks, m->cap_marks);
    m->marks[m->n_marks++] = m->n_stack;
done:
    return rc;
}

/* The value that stays on top, which must be of that kind. */
static ge_status top(struct ge_pickle_machine *m, enum ge_pickle_kind kind,
                     struct ge_pickle_value *out)
{
    const struct ge_pickle_value *v;
    ge_status rc = ge_pickle_pop(m, 1, &v);

    if (rc != GE_OK) return rc;
    m->n_stack++;
    *out = *v;
    return v->kind == kind ? GE_OK : ge_pickle_bad(m, "a value of the wrong kind is on the stack");
}

/* ---- sequences ---------------------------------------------------------------------------- */

static ge_status append(struct ge_pickle *p, size_t sequence, const struct ge_pickle_value *items,
                        size_t n)
{
    struct ge_pickle_sequence *s = &p->sequences[sequence];
    ge_status rc = GE_OK;

    for (size_t i = 0; i < n; i++) {
        GE_GROW(p->cells, p->n_cells, p->cap_cells);
        p->cells[p->n_cells++] = (struct ge_pickle_cell){.value = items[i]};
        if (s->last > 0)
            p->cells[s->last - 1].next = (uint32_t)p->n_cells;
        else
            s->first = (uint32_t)p->n_cells;
        s->last = (uint32_t)p->n_cells;
        s->count++;
    }
done:
    return rc;
}

ge_status ge_pickle_push_sequence(struct ge_pickle_machine *m, enum ge_pickle_kind kind,
                                  const struct ge_pickle_value *items, size_t n)
{
    struct ge_pickle *p = m->p;
    ge_status rc = GE_OK;

    GE_GROW(p->sequences, p->n_sequences, p->cap_sequences);
    p->sequences[p->n_sequences] = (struct ge_pickle_sequence){0};
    GE_TRY(append(p, p->n_sequences, items, n));
    GE_TRY(ge_pickle_push(m, (struct ge_pickle_value){kind, 0, (int64_t)p->n_sequences}));
    p->n_sequences++;
done:
    return rc;
}

/* ---- memo --------------------------------------------------------------------------------- */

/* The pickler numbers its entries in order, and each costs it a byte at least. */
static ge_status memo_put(struct ge_pickle_machine *m, int64_t at)
{
    const struct ge_pickle_value *v;
    ge_status rc = GE_OK;

    if (at < 0 || (uint64_t)at > m->at) return ge_pickle_bad(m, "a memo entry out of order");
    GE_TRY(ge_pickle_pop(m, 1, &v));
    m->n_stack++;
    while (m->n_memo <= (size_t)at) {
        GE_GROW(m->memo, m->n_memo, m->cap_memo);
        m->memo[m->n_memo++] = (struct ge_pickle_value){0};
    }
    m->memo[at] = *v;
done:
    return rc;
}

static ge_status memo_get(struct ge_pickle_machine *m, int64_t at)
{
    if (at < 0 || (uint64_t)at >= m->n_memo || m->memo[at].kind == GE_PICKLE_ABSENT)
        return ge_pickle_bad(m, "a memo entry that was not stored");
    return ge_pickle_push(m, m->memo[at]);
}

/* ---- opcodes ------------------------------------------------------------------------------ */

static ge_status push_int(struct ge_pickle_machine *m, size_t bytes, bool is_signed)
{
    struct ge_pickle_value v = {GE_PICKLE_INT, 0, 0};
    ge_status rc = take_int(m, bytes, is_signed, &v.n);

    return rc == GE_OK ? ge_pickle_push(m, v) : rc;
}

/* A whole number of any length; more than 8 bytes are in no state dict. */
static ge_status push_long(struct ge_pickle_machine *m)
{
    int64_t n;
    ge_status rc = take_int(m, 1, false, &n);

    if (rc != GE_OK) return rc;
    return n <= 8 ? push_int(m, (size_t)n, true)
                  : ge_pickle_bad(m, "a whole number of more than 8 bytes");
}

static ge_status push_string(struct ge_pickle_machine *m, size_t length_bytes)
{
    struct ge_pickle_value v = {GE_PICKLE_STRING, 0, 0};
    const unsigned char *text;
    int64_t length = 0;
    ge_status rc = GE_OK;

    GE_TRY(take_int(m, length_bytes, false, &length));
    v.n = (int64_t)m->at;
    v.length = (uint32_t)length;
    GE_TRY(take(m, (size_t)length, &text));
    GE_TRY(ge_pickle_push(m, v));
done:
    return rc;
}

static ge_status push_float(struct ge_pickle_machine *m)
{
    const unsigned char *bytes;
    ge_status rc = take(m, 8, &bytes);

    return rc == GE_OK ? ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_FLOAT, 0, 0}) : rc;
}

static ge_status push_tuple(struct ge_pickle_machine *m, size_t n)
{
    const struct ge_pickle_value *items;
    ge_status rc = ge_pickle_pop(m, n, &items);

    return rc == GE_OK ? ge_pickle_push_sequence(m, GE_PICKLE_TUPLE, items, n) : rc;
}

static ge_status push_marked_tuple(struct ge_pickle_machine *m)
{
    const struct ge_pickle_value *items;
    size_t n;
    ge_status rc = pop_mark(m, &items, &n);

    return rc == GE_OK ? ge_pickle_push_sequence(m, GE_PICKLE_TUPLE, items, n) : rc;
}

/* Add the upper n values, or those above the mark (n = 0), to the list or dict below them. */
static ge_status add_items(struct ge_pickle_machine *m, enum ge_pickle_kind kind, size_t n)
{
    const struct ge_pickle_value *items;
    struct ge_pickle_value to;
    ge_status rc = GE_OK;

    if (n > 0)
        GE_TRY(ge_pickle_pop(m, n, &items));
    else
        GE_TRY(pop_mark(m, &items, &n));
    GE_TRY(top(m, kind, &to));
    if (kind == GE_PICKLE_DICT && n % 2 != 0) return ge_pickle_bad(m, "a key without a value");
    GE_TRY(append(m->p, (size_t)to.n, items, n));
done:
    return rc;
}

/* An object's attributes: a state dict has some beside its items, none of which matter. */
static ge_status drop_attributes(struct ge_pickle_machine *m)
{
    const struct ge_pickle_value *state;
    struct ge_pickle_value to;
    ge_status rc = ge_pickle_pop(m, 1, &state);

    return rc == GE_OK ? top(m, GE_PICKLE_DICT, &to) : rc;
}

static ge_status check_protocol(struct ge_pickle_machine *m)
{
    int64_t n;
    ge_status rc = take_int(m, 1, false, &n);

    if (rc != GE_OK || n == 2) return rc;
    return ge_fail(GE_EUNSUPPORTED, "pickle protocol %d; torch.save() writes 2", (int)n);
}

static ge_status memo_op(struct ge_pickle_machine *m, size_t bytes,
                         ge_status (*op)(struct ge_pickle_machine *, int64_t))
{
    int64_t at;
    ge_status rc = take_int(m, bytes, false, &at);

    return rc == GE_OK ? op(m, at) : rc;
}

/* Opcodes as Python's pickletools names them. */
static ge_status run(struct ge_pickle_machine *m, int op)
{
    switch (op) {
    case 0x80: /* PROTO */
        return check_protocol(m);
    case 'N': /* NONE */
        return ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_NONE, 0, 0});
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return ge_pickle_push(m, (struct ge_pickle_value){GE_PICKLE_BOOL, 0, op == 0x88});
    case 'J': /* BININT */
        return push_int(m, 4, true);
    case 'K': /* BININT1 */
        return push_int(m, 1, false);
    case 'M': /* BININT2 */
        return push_int(m, 2, false);
    case 0x8A: /* LONG1 */
        return push_long(m);
    case 'G': /* BINFLOAT */
        return push_float(m);
    case 'X': /* BINUNICODE */
        return push_string(m, 4);
    case 'U': /* SHORT_BINSTRING, of Python 2 */
        return push_string(m, 1);
    case '(': /* MARK */
        return push_mark(m);
    case ')': /* EMPTY_TUPLE */
        return push_tuple(m, 0);
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
        return push_tuple(m, (size_t)(op - 0x84));
    case 't': /* TUPLE */
        return push_marked_tuple(m);
    case ']': /* EMPTY_LIST */
        return ge_pickle_push_sequence(m, GE_PICKLE_LIST, NULL, 0);
    case '}': /* EMPTY_DICT */
        return ge_pickle_push_sequence(m, GE_PICKLE_DICT, NULL, 0);
    case 'a': /* APPEND */
        return add_items(m, GE_PICKLE_LIST, 1);
    case 'e': /* APPENDS */
        return add_items(m, GE_PICKLE_LIST, 0);
    case 's': /* SETITEM */
        return add_items(m, GE_PICKLE_DICT, 2);
    case 'u': /* SETITEMS */
        return add_items(m, GE_PICKLE_DICT, 0);
    case 'q': /* BINPUT */
    case 'r': /* LONG_BINPUT */
        return memo_op(m, op == 'q' ? 1 : 4, memo_put);
    case 'h': /* BINGET */
    case 'j': /* LONG_BINGET */
        return memo_op(m, op == 'h' ? 1 : 4, memo_get);
    case 'c': /* GLOBAL */
        return ge_pickle_import(m);
    case 'Q': /* BINPERSID */
        return ge_pickle_storage(m);
    case 'R': /* REDUCE */
        return ge_pickle_call(m);
    case 'b': /* BUILD */
        return drop_attributes(m);
    default:
        return ge_fail(GE_EUNSUPPORTED,
                       "pickle, byte %zu: opcode 0x%02x, which torch.save() does not write for "
                       "a state dict",
                       m->at - 1, (unsigned)op);
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

const char *ge_pickle_kind_name(enum ge_pickle_kind k)
{
    static const char *const names[] = {"nothing", "None", "bool", "int",    "float",   "string",
                                        "tuple",   "list", "dict", "global", "storage", "tensor"};

    return names[k];
}

const char *ge_pickle_text(const struct ge_pickle *p, struct ge_pickle_value v)
{
    return (const char *)p->data + v.n;
}

const struct ge_pickle_cell *ge_pickle_first(const struct ge_pickle *p, struct ge_pickle_value v)
{
    uint32_t first;

    if (v.kind != GE_PICKLE_TUPLE && v.kind != GE_PICKLE_LIST && v.kind != GE_PICKLE_DICT)
        return NULL;
    first = p->sequences[v.n].first;
    return first > 0 ? &p->cells[first - 1] : NULL;
}

const struct ge_pickle_cell *ge_pickle_next(const struct ge_pickle *p,
                                            const struct ge_pickle_cell *c)
{
    return c->next > 0 ? &p->cells[c->next - 1] : NULL;
}

ge_status ge_pickle_read(struct ge_pickle *p, const unsigned char *data, size_t len, size_t *used)
{
    struct ge_pickle_machine m = {.p = p, .len = len};
    const unsigned char *op;
    ge_status rc = GE_OK;

    if (m.len > GE_PICKLE_MAX_BYTES) {
        m.len = GE_PICKLE_MAX_BYTES;
        m.capped = true;
    }
    p->data = data;
    for (;;) {
        GE_TRY(take(&m, 1, &op));
        if (*op == '.') break; /* STOP */
        GE_TRY(run(&m, *op));
    }
    if (m.n_stack != 1 || m.n_marks != 0) {
        rc = ge_pickle_bad(&m, "the pickle ends with more or less than one value");
        goto done;
    }
    p->root = m.stack[0];
    *used = m.at;
done:
    free(m.stack);
    free(m.memo);
    free(m.marks);
    return rc;
}

void ge_pickle_free(struct ge_pickle *p)
{
    free(p->cells);
    free(p->sequences);
    free(p->storages);
    free(p->tensors);
    *p = (struct ge_pickle){0};
}
