/* tokenizer.json: the vocabulary and the merges are read as a stream (they are most of a file of
 * tens of MB), the small parts as documents. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json_pull.h"
#include "base/mem.h"
#include "text/tokenizer_files.h"

#define JSON_MAX_BYTES ((size_t)256 << 20)

static const char *event_name(enum ge_jsonp_event e)
{
    static const char *const names[] = {
        [GE_JSONP_END] = "the end",      [GE_JSONP_OBJECT] = "an object",
        [GE_JSONP_OBJECT_END] = "\"}\"", [GE_JSONP_ARRAY] = "an array",
        [GE_JSONP_ARRAY_END] = "\"]\"",  [GE_JSONP_KEY] = "a key",
        [GE_JSONP_STRING] = "a string",  [GE_JSONP_NUMBER] = "a number",
        [GE_JSONP_TRUE] = "true",        [GE_JSONP_FALSE] = "false",
        [GE_JSONP_NULL] = "null",
    };
    return names[e];
}

static ge_status unexpected(const struct ge_jsonp *p, const char *what, enum ge_jsonp_event got,
                            const char *wanted)
{
    size_t line, column;
    ge_jsonp_where(p, &line, &column);
    return ge_fail(GE_EFORMAT, "%s:%zu:%zu: %s is %s, wanted %s", p->name, line, column, what,
                   event_name(got), wanted);
}

static ge_status expect(struct ge_jsonp *p, enum ge_jsonp_event want, const char *what)
{
    enum ge_jsonp_event e;
    ge_status rc = ge_jsonp_next(p, &e);
    if (rc != GE_OK) return rc;
    return e == want ? GE_OK : unexpected(p, what, e, event_name(want));
}

/* Text of the last key or string; "" while the parser's buffer is still empty. */
static const char *text_of(const struct ge_jsonp *p)
{
    return p->text.len > 0 ? p->text.data : "";
}

/* ---- values ------------------------------------------------------------------------------- */

static ge_status read_string(struct ge_jsonp *p, const char *what, char **out)
{
    ge_status rc = GE_OK;
    enum ge_jsonp_event e;
    free(*out);
    *out = NULL;
    GE_TRY(ge_jsonp_next(p, &e));
    if (e == GE_JSONP_NULL) return GE_OK;
    if (e != GE_JSONP_STRING) return unexpected(p, what, e, "a string or null");
    GE_TRY_PTR(*out, ge_strndup(text_of(p), p->text.len));
done:
    return rc;
}

static ge_status read_bool(struct ge_jsonp *p, const char *what, bool *out)
{
    enum ge_jsonp_event e;
    ge_status rc = ge_jsonp_next(p, &e);
    if (rc != GE_OK) return rc;
    *out = e == GE_JSONP_TRUE;
    if (e == GE_JSONP_TRUE || e == GE_JSONP_FALSE || e == GE_JSONP_NULL) return GE_OK;
    return unexpected(p, what, e, "true, false or null");
}

static ge_status read_number(struct ge_jsonp *p, const char *what, double *out)
{
    enum ge_jsonp_event e;
    ge_status rc = ge_jsonp_next(p, &e);
    if (rc != GE_OK) return rc;
    *out = e == GE_JSONP_NUMBER ? p->number : NAN;
    if (e == GE_JSONP_NUMBER || e == GE_JSONP_NULL) return GE_OK;
    return unexpected(p, what, e, "a number or null");
}

/* The value that comes next as a document of its own. */
static ge_status read_document(struct ge_jsonp *p, const char *what, ge_json **out)
{
    ge_status rc = GE_OK;
    char *name = NULL;
    size_t begin = p->pos;
    if (*out != NULL) {
        size_t line, column;
        ge_jsonp_where(p, &line, &column);
        return ge_fail(GE_EFORMAT, "%s:%zu:%zu: a second \"%s\"", p->name, line, column, what);
    }
    GE_TRY(ge_jsonp_skip(p));
    /* The parser may stand before or after the colon. */
    while (begin < p->pos && memchr(" \t\r\n:", p->data[begin], 5) != NULL) begin++;
    GE_TRY_PTR(name, ge_sprintf("%s: %s", p->name, what));
    GE_TRY(ge_json_parse(p->data + begin, p->pos - begin, name, out));
done:
    free(name);
    return rc;
}

/* ---- model -------------------------------------------------------------------------------- */

void ge_model_file_add_merge(struct model_file *m, const char *left, size_t left_len,
                             const char *right, size_t right_len)
{
    ge_buf_add(&m->merges, left, left_len);
    ge_buf_char(&m->merges, '\0');
    ge_buf_add(&m->merges, right, right_len);
    ge_buf_char(&m->merges, '\0');
    m->n_merges++;
}

ge_status ge_model_file_add_piece(struct model_file *m, const char *text, size_t len, double score)
{
    ge_status rc = GE_OK;
    size_t id = m->vocab.n_ids;
    m->vocab.keep_ids = true; /* a piece that is there twice is found under its last id */
    GE_TRY(ge_vocab_add(&m->vocab, text, len, (int64_t)id));
    GE_GROW(m->scores, id, m->scores_cap);
    m->scores[id] = score;
done:
    return rc;
}

/* Unigram's list: [["<unk>", 0.0], ["▁the", -3.2], …] */
static ge_status read_pieces(struct ge_jsonp *p, struct model_file *m)
{
    ge_status rc = GE_OK;
    enum ge_jsonp_event e;
    struct ge_buf text;
    ge_buf_init(&text, JSON_MAX_BYTES);
    for (;;) {
        GE_TRY(ge_jsonp_next(p, &e));
        if (e == GE_JSONP_ARRAY_END) break;
        if (e != GE_JSONP_ARRAY) {
            rc = unexpected(p, "an entry of model.vocab, a list,", e, "a piece and its score");
            goto done;
        }
        GE_TRY(expect(p, GE_JSONP_STRING, "a piece of model.vocab"));
        ge_buf_reset(&text);
        ge_buf_add(&text, text_of(p), p->text.len);
        GE_TRY(ge_buf_status(&text));
        GE_TRY(expect(p, GE_JSONP_NUMBER, "the score of a piece of model.vocab"));
        if (!isfinite(p->number)) {
            rc = unexpected(p, "the score of a piece", GE_JSONP_NUMBER, "a finite one");
            goto done;
        }
        rc = ge_model_file_add_piece(m, text.len > 0 ? text.data : "", text.len, p->number);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s: model.vocab", p->name);
            goto done;
        }
        GE_TRY(expect(p, GE_JSONP_ARRAY_END, "what follows a piece and its score"));
    }
done:
    ge_buf_free(&text);
    return rc;
}

static ge_status read_vocab(struct ge_jsonp *p, struct model_file *m)
{
    ge_status rc = GE_OK;
    enum ge_jsonp_event e;
    struct ge_buf token;
    ge_buf_init(&token, JSON_MAX_BYTES);
    GE_TRY(ge_jsonp_next(p, &e));
    if (m->vocab.n > 0) {
        rc = ge_fail(GE_EFORMAT, "%s: a second \"vocab\"", p->name);
        goto done;
    }
    if (e == GE_JSONP_ARRAY) {
        GE_TRY(read_pieces(p, m));
        goto done;
    }
    if (e != GE_JSONP_OBJECT) {
        rc = unexpected(p, "model.vocab", e, "an object or an array");
        goto done;
    }
    for (;;) {
        GE_TRY(ge_jsonp_next(p, &e));
        if (e == GE_JSONP_OBJECT_END) break;
        ge_buf_reset(&token);
        ge_buf_add(&token, text_of(p), p->text.len);
        GE_TRY(ge_buf_status(&token));
        GE_TRY(ge_jsonp_next(p, &e));
        bool whole = e == GE_JSONP_NUMBER && floor(p->number) == p->number;
        if (!whole || !(p->number >= 0 && p->number <= VOCAB_MAX_ID)) {
            rc = unexpected(p, "an id in model.vocab", e, "a whole number from 0 to 4194303");
            goto done;
        }
        rc =
            ge_vocab_add(&m->vocab, token.len > 0 ? token.data : "", token.len, (int64_t)p->number);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s: model.vocab", p->name);
            goto done;
        }
    }
done:
    ge_buf_free(&token);
    return rc;
}

/* One entry of model.merges: "left right" or ["left", "right"]. */
static ge_status read_merge(struct ge_jsonp *p, enum ge_jsonp_event e, struct model_file *m)
{
    ge_status rc = GE_OK;
    char *left = NULL;
    if (e == GE_JSONP_STRING) {
        const char *text = text_of(p), *space = memchr(text, ' ', p->text.len);
        if (space == NULL || strchr(space + 1, ' ') != NULL) {
            return unexpected(p, "an entry of model.merges", e, "two tokens with one space");
        }
        ge_model_file_add_merge(m, text, (size_t)(space - text), space + 1, strlen(space + 1));
        return GE_OK;
    }
    if (e != GE_JSONP_ARRAY) {
        return unexpected(p, "an entry of model.merges", e, "a string or an array");
    }
    GE_TRY(expect(p, GE_JSONP_STRING, "the left side of a merge"));
    size_t left_len = p->text.len;
    GE_TRY_PTR(left, ge_strndup(text_of(p), left_len));
    GE_TRY(expect(p, GE_JSONP_STRING, "the right side of a merge"));
    ge_model_file_add_merge(m, left, left_len, text_of(p), p->text.len);
    GE_TRY(expect(p, GE_JSONP_ARRAY_END, "what follows the two sides of a merge"));
done:
    free(left);
    return rc;
}

static ge_status read_merges(struct ge_jsonp *p, struct model_file *m)
{
    ge_status rc = GE_OK;
    enum ge_jsonp_event e;
    GE_TRY(expect(p, GE_JSONP_ARRAY, "model.merges"));
    for (;;) {
        GE_TRY(ge_jsonp_next(p, &e));
        if (e == GE_JSONP_ARRAY_END) break;
        GE_TRY(read_merge(p, e, m));
    }
    rc = ge_buf_status(&m->merges);
done:
    return rc;
}

static ge_status read_model_member(struct ge_jsonp *p, const char *key, struct model_file *m)
{
    double number = NAN;
    ge_status rc;
    if (strcmp(key, "vocab") == 0) return read_vocab(p, m);
    if (strcmp(key, "merges") == 0) return read_merges(p, m);
    if (strcmp(key, "type") == 0) return read_string(p, "model.type", &m->type);
    if (strcmp(key, "unk_token") == 0) return read_string(p, "model.unk_token", &m->unk);
    if (strcmp(key, "continuing_subword_prefix") == 0) {
        return read_string(p, "model.continuing_subword_prefix", &m->prefix);
    }
    if (strcmp(key, "end_of_word_suffix") == 0) {
        return read_string(p, "model.end_of_word_suffix", &m->suffix);
    }
    if (strcmp(key, "fuse_unk") == 0) return read_bool(p, "model.fuse_unk", &m->fuse_unk);
    if (strcmp(key, "ignore_merges") == 0) {
        return read_bool(p, "model.ignore_merges", &m->ignore_merges);
    }
    if (strcmp(key, "byte_fallback") == 0) {
        return read_bool(p, "model.byte_fallback", &m->byte_fallback);
    }
    if (strcmp(key, "dropout") == 0) {
        rc = read_number(p, "model.dropout", &number);
        m->dropout = number > 0;
        return rc;
    }
    if (strcmp(key, "unk_id") == 0) {
        rc = read_number(p, "model.unk_id", &number);
        if (rc != GE_OK || isnan(number)) return rc;
        if (!(number >= 0 && number <= VOCAB_MAX_ID) || floor(number) != number) {
            return unexpected(p, "model.unk_id", GE_JSONP_NUMBER,
                              "a whole number from 0 to 4194303");
        }
        m->unk_id = (int64_t)number;
        return GE_OK;
    }
    if (strcmp(key, "max_input_chars_per_word") == 0) {
        rc = read_number(p, "model.max_input_chars_per_word", &number);
        if (number >= 0 && number <= 1e9) m->max_chars = (int64_t)number;
        return rc;
    }
    return ge_jsonp_skip(p);
}

static ge_status read_model(struct ge_jsonp *p, struct model_file *m)
{
    ge_status rc = GE_OK;
    enum ge_jsonp_event e;
    char key[32];
    GE_TRY(expect(p, GE_JSONP_OBJECT, "model"));
    for (;;) {
        GE_TRY(ge_jsonp_next(p, &e));
        if (e == GE_JSONP_OBJECT_END) break;
        strncpy(key, text_of(p), sizeof key - 1);
        key[sizeof key - 1] = '\0';
        GE_TRY(read_model_member(p, key, m));
    }
done:
    return rc;
}

/* ---- file --------------------------------------------------------------------------------- */

static ge_status read_member(struct ge_jsonp *p, struct tokenizer_files *f, bool *model_seen)
{
    const char *key = text_of(p);
    if (strcmp(key, "added_tokens") == 0) return read_document(p, "added_tokens", &f->added);
    if (strcmp(key, "normalizer") == 0) return read_document(p, "normalizer", &f->normalizer);
    if (strcmp(key, "pre_tokenizer") == 0) {
        return read_document(p, "pre_tokenizer", &f->pretokenizer);
    }
    if (strcmp(key, "post_processor") == 0) {
        return read_document(p, "post_processor", &f->postprocessor);
    }
    if (strcmp(key, "decoder") == 0) return read_document(p, "decoder", &f->decoder);
    if (strcmp(key, "truncation") == 0) return read_document(p, "truncation", &f->truncation);
    if (strcmp(key, "model") == 0) {
        if (*model_seen) return ge_fail(GE_EFORMAT, "%s: a second \"model\"", p->name);
        *model_seen = true;
        return read_model(p, &f->model);
    }
    return ge_jsonp_skip(p); /* padding is the caller's business */
}

ge_status ge_tokenizer_json_read(const char *path, struct tokenizer_files *f)
{
    ge_status rc = GE_OK;
    char *data = NULL;
    size_t len;
    struct ge_jsonp p = {0};
    enum ge_jsonp_event e;
    bool model_seen = false;
    rc = ge_fs_read(path, JSON_MAX_BYTES, &data, &len);
    if (rc != GE_OK) return rc;
    ge_jsonp_init(&p, data, len, path);
    GE_TRY(expect(&p, GE_JSONP_OBJECT, "the document"));
    for (;;) {
        GE_TRY(ge_jsonp_next(&p, &e));
        if (e == GE_JSONP_OBJECT_END) break;
        GE_TRY(read_member(&p, f, &model_seen));
    }
    GE_TRY(expect(&p, GE_JSONP_END, "what follows the document"));
    if (!model_seen) {
        rc = ge_fail(GE_EFORMAT, "%s: there is no \"model\"; is this a tokenizer.json?", path);
    }
done:
    ge_jsonp_free(&p);
    free(data);
    return rc;
}
