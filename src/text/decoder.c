#include "text/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/unicode.h"

#define TEXT_MAX ((size_t)1 << 30)

/* ---- lists -------------------------------------------------------------------------------- */

void ge_token_list_init(struct token_list *l)
{
    *l = (struct token_list){0};
    ge_buf_init(&l->text, TEXT_MAX);
}

void ge_token_list_free(struct token_list *l)
{
    ge_buf_free(&l->text);
    free(l->ends);
    l->ends = NULL;
    l->n = l->cap = 0;
}

/* The text added to the buffer since the last call is a token. */
static ge_status end_token(struct token_list *l)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_buf_status(&l->text));
    GE_GROW(l->ends, l->n, l->cap);
    l->ends[l->n++] = l->text.len;
done:
    return rc;
}

ge_status ge_token_list_add(struct token_list *l, const char *text, size_t len)
{
    ge_buf_add(&l->text, text, len);
    return end_token(l);
}

/* Token i and its length. */
static const char *token_at(const struct token_list *l, size_t i, size_t *len)
{
    size_t begin = i == 0 ? 0 : l->ends[i - 1];
    *len = l->ends[i] - begin;
    return *len == 0 ? "" : l->text.data + begin;
}

/* ---- steps -------------------------------------------------------------------------------- */

/* Append bytes; what is not UTF-8 becomes U+FFFD, one for each beginning of a sequence that goes
 * wrong and for each other byte. */
static void add_lossy(const char *s, size_t len, struct ge_buf *out)
{
    while (len > 0) {
        size_t valid = ge_utf8_valid(s, len), bad = 1;
        ge_buf_add(out, s, valid);
        s += valid;
        len -= valid;
        if (len == 0) break;
        unsigned char lead = (unsigned char)s[0];
        size_t want = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : 2;
        while (lead >= 0xC2 && lead <= 0xF4 && bad < want && bad < len) {
            unsigned char c = (unsigned char)s[bad];
            unsigned char low = 0x80, high = 0xBF;
            if (bad == 1 && lead == 0xE0) low = 0xA0;
            if (bad == 1 && lead == 0xED) high = 0x9F;
            if (bad == 1 && lead == 0xF0) low = 0x90;
            if (bad == 1 && lead == 0xF4) high = 0x8F;
            if (c < low || c > high) break;
            bad++;
        }
        ge_unicode_put(out, 0xFFFD);
        s += bad;
        len -= bad;
    }
}

static ge_status apply_byte_level(const struct decoder_step *step, const struct token_list *in,
                                  struct token_list *out)
{
    struct ge_buf bytes;
    (void)step;
    ge_buf_init(&bytes, TEXT_MAX);
    for (size_t i = 0; i < in->n; i++) {
        size_t len, n, before = bytes.len;
        const char *s = token_at(in, i, &len);
        for (size_t k = 0; k < len; k += n) {
            unsigned char byte;
            if (ge_unicode_shown_byte(ge_unicode_at(s + k, len - k, &n), &byte)) {
                ge_buf_char(&bytes, (char)byte);
                continue;
            }
            /* Not a byte-level token: it stands for itself. */
            if (bytes.status == GE_OK) bytes.len = before;
            ge_buf_add(&bytes, s, len);
            break;
        }
    }
    if (bytes.len > 0) add_lossy(bytes.data, bytes.len, &out->text);
    ge_status rc = ge_buf_status(&bytes);
    ge_buf_free(&bytes);
    return rc == GE_OK ? end_token(out) : rc;
}

/* Replace every `from` in text[begin, …), in place: no replacement is longer. */
static void tidy(struct ge_buf *text, size_t begin, const char *from, const char *to)
{
    size_t n = strlen(from), m = strlen(to), kept = begin;
    if (text->status != GE_OK || text->len == begin) return;
    char *data = text->data;
    for (size_t i = begin; i < text->len;) {
        if (text->len - i >= n && memcmp(data + i, from, n) == 0) {
            memcpy(data + kept, to, m);
            kept += m;
            i += n;
        } else {
            data[kept++] = data[i++];
        }
    }
    text->len = kept;
    data[kept] = '\0';
}

static ge_status apply_wordpiece(const struct decoder_step *step, const struct token_list *in,
                                 struct token_list *out)
{
    static const char *const pairs[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
    ge_status rc = GE_OK;
    size_t len, prefix = strlen(step->content);
    for (size_t i = 0; i < in->n; i++) {
        const char *s = token_at(in, i, &len);
        size_t begin = out->text.len;
        if (i > 0) {
            if (len >= prefix && memcmp(s, step->content, prefix) == 0) {
                s += prefix;
                len -= prefix;
            } else {
                ge_buf_char(&out->text, ' ');
            }
        }
        ge_buf_add(&out->text, s, len);
        for (size_t k = 0; step->cleanup && k < sizeof pairs / sizeof pairs[0]; k++) {
            tidy(&out->text, begin, pairs[k][0], pairs[k][1]);
        }
        GE_TRY(end_token(out));
    }
done:
    return rc;
}

static ge_status replace_in(const struct decoder_step *step, const char *s, size_t len,
                            struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct pattern_search at = {0};
    size_t from = 0;
    bool found = false;
    while (len > 0) {
        GE_TRY(ge_pattern_next(&step->pattern, s, len, &at, &found));
        if (!found) break;
        ge_buf_add(out, s + from, at.begin - from);
        ge_buf_str(out, step->content);
        from = at.end;
    }
    ge_buf_add(out, s + from, len - from);
done:
    ge_pattern_end(&at);
    return rc;
}

static ge_status apply_replace(const struct decoder_step *step, const struct token_list *in,
                               struct token_list *out)
{
    ge_status rc = GE_OK;
    size_t len;
    for (size_t i = 0; i < in->n; i++) {
        const char *s = token_at(in, i, &len);
        GE_TRY(replace_in(step, s, len, &out->text));
        GE_TRY(end_token(out));
    }
done:
    return rc;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of a token <0xNN>, or -1. */
static int fallback_byte(const char *s, size_t len)
{
    if (len != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>') return -1;
    int high = s[3] == '+' ? 0 : hex_digit(s[3]), low = hex_digit(s[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* The bytes collected so far: one token if they are UTF-8, else U+FFFD for each. */
static ge_status end_bytes(struct ge_buf *bytes, struct token_list *out)
{
    ge_status rc = GE_OK;
    size_t n = bytes->len;
    GE_TRY(ge_buf_status(bytes));
    if (n > 0 && ge_utf8_valid(bytes->data, n) == n) {
        GE_TRY(ge_token_list_add(out, bytes->data, n));
    } else {
        for (size_t i = 0; i < n; i++) GE_TRY(ge_token_list_add(out, "\xEF\xBF\xBD", 3));
    }
    ge_buf_reset(bytes);
done:
    return rc;
}

static ge_status apply_byte_fallback(const struct decoder_step *step, const struct token_list *in,
                                     struct token_list *out)
{
    ge_status rc = GE_OK;
    struct ge_buf bytes;
    size_t len;
    (void)step;
    ge_buf_init(&bytes, TEXT_MAX);
    for (size_t i = 0; i < in->n; i++) {
        const char *s = token_at(in, i, &len);
        int byte = fallback_byte(s, len);
        if (byte >= 0) {
            ge_buf_char(&bytes, (char)byte);
            continue;
        }
        GE_TRY(end_bytes(&bytes, out));
        GE_TRY(ge_token_list_add(out, s, len));
    }
    GE_TRY(end_bytes(&bytes, out));
done:
    ge_buf_free(&bytes);
    return rc;
}

static ge_status apply_fuse(const struct decoder_step *step, const struct token_list *in,
                            struct token_list *out)
{
    (void)step;
    return ge_token_list_add(out, in->text.len > 0 ? in->text.data : "", in->text.len);
}

static ge_status apply_strip(const struct decoder_step *step, const struct token_list *in,
                             struct token_list *out)
{
    ge_status rc = GE_OK;
    char content[4];
    size_t len, n = ge_utf8_encode(step->cp, content);
    for (size_t i = 0; i < in->n; i++) {
        const char *s = token_at(in, i, &len);
        size_t begin = 0, end = len;
        for (size_t k = 0; k < step->left && len - begin >= n; k++, begin += n) {
            if (memcmp(s + begin, content, n) != 0) break;
        }
        for (size_t k = 0; k < step->right && end - begin >= n; k++, end -= n) {
            if (memcmp(s + end - n, content, n) != 0) break;
        }
        GE_TRY(ge_token_list_add(out, s + begin, end - begin));
    }
done:
    return rc;
}

static ge_status apply_metaspace(const struct decoder_step *step, const struct token_list *in,
                                 struct token_list *out)
{
    ge_status rc = GE_OK;
    size_t len, n;
    for (size_t i = 0; i < in->n; i++) {
        const char *s = token_at(in, i, &len);
        for (size_t k = 0; k < len; k += n) {
            if (ge_unicode_at(s + k, len - k, &n) != step->cp) {
                ge_buf_add(&out->text, s + k, n);
            } else if (i > 0 || step->keeps_first) {
                ge_buf_char(&out->text, ' ');
            }
        }
        GE_TRY(end_token(out));
    }
done:
    return rc;
}

/* ---- building ----------------------------------------------------------------------------- */

void ge_decoder_free(struct decoder *d)
{
    for (size_t i = 0; i < d->n; i++) {
        ge_pattern_free(&d->steps[i].pattern);
        free(d->steps[i].content);
    }
    memset(d, 0, sizeof *d);
}

static ge_status add_step(struct decoder *d, decoder_apply_fn *apply, struct decoder_step **out)
{
    if (d->n == DECODER_MAX_STEPS) {
        return ge_fail(GE_ELIMIT, "more than %d decoder steps", DECODER_MAX_STEPS);
    }
    *out = &d->steps[d->n++];
    **out = (struct decoder_step){.apply = apply};
    return GE_OK;
}

ge_status ge_decoder_add_byte_level(struct decoder *d)
{
    struct decoder_step *step = NULL;
    return add_step(d, apply_byte_level, &step);
}

ge_status ge_decoder_add_byte_fallback(struct decoder *d)
{
    struct decoder_step *step = NULL;
    return add_step(d, apply_byte_fallback, &step);
}

ge_status ge_decoder_add_fuse(struct decoder *d)
{
    struct decoder_step *step = NULL;
    return add_step(d, apply_fuse, &step);
}

ge_status ge_decoder_add_wordpiece(struct decoder *d, const char *prefix, bool cleanup)
{
    ge_status rc = GE_OK;
    struct decoder_step *step = NULL;
    GE_TRY(add_step(d, apply_wordpiece, &step));
    step->cleanup = cleanup;
    GE_TRY_PTR(step->content, ge_strdup(prefix));
done:
    return rc;
}

ge_status ge_decoder_add_metaspace(struct decoder *d, uint32_t symbol, bool keeps_first)
{
    struct decoder_step *step = NULL;
    ge_status rc = add_step(d, apply_metaspace, &step);
    if (rc != GE_OK) return rc;
    step->cp = symbol;
    step->keeps_first = keeps_first;
    return GE_OK;
}

ge_status ge_decoder_add_replace(struct decoder *d, const char *pattern, bool literal,
                                 const char *content)
{
    ge_status rc = GE_OK;
    struct decoder_step *step = NULL;
    GE_TRY(add_step(d, apply_replace, &step));
    GE_TRY_PTR(step->content, ge_strdup(content));
    GE_TRY(ge_pattern_init(&step->pattern, pattern, literal));
done:
    return rc;
}

ge_status ge_decoder_add_strip(struct decoder *d, uint32_t cp, size_t left, size_t right)
{
    struct decoder_step *step = NULL;
    ge_status rc = add_step(d, apply_strip, &step);
    if (rc != GE_OK) return rc;
    step->cp = cp;
    step->left = left;
    step->right = right;
    return GE_OK;
}

/* ---- running ------------------------------------------------------------------------------ */

static ge_status join(const struct token_list *tokens, const char *between, struct ge_buf *out)
{
    size_t len;
    for (size_t i = 0; i < tokens->n; i++) {
        const char *s = token_at(tokens, i, &len);
        if (i > 0) ge_buf_str(out, between);
        ge_buf_add(out, s, len);
    }
    return ge_buf_status(out);
}

ge_status ge_decoder_run(const struct decoder *d, struct token_list *tokens, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct token_list next;
    ge_token_list_init(&next);
    for (size_t i = 0; i < d->n; i++) {
        ge_buf_reset(&next.text);
        next.n = 0;
        GE_TRY(d->steps[i].apply(&d->steps[i], tokens, &next));
        struct token_list t = *tokens;
        *tokens = next;
        next = t;
    }
    GE_TRY(join(tokens, d->none ? " " : "", out));
done:
    ge_token_list_free(&next);
    return rc;
}
