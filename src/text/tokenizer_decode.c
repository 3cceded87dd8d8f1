/* Decoding: ids to tokens, tokens to text by the decoder, then what the class does to the text. */
#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"
#include "text/tokenizer_internal.h"
#include "text/unicode.h"

#define TEXT_MAX ((size_t)1 << 30)

/* The text of an id; NULL: there is no such id, or it is to be left out. */
static const char *text_of(const struct ge_tokenizer *t, int32_t id, bool skip_special)
{
    const struct added_token *added = ge_added_find_id(&t->added, id);
    if (added == NULL) return ge_vocab_token(&t->vocab, id);
    if (skip_special && added->skipped) return NULL;
    return added->shown != NULL ? added->shown : added->content;
}

/* Append text with every `from` replaced. */
static void replace_all(const char *text, size_t len, const char *from, const char *to,
                        struct ge_buf *out)
{
    size_t n = strlen(from);
    const char *at;
    while (n > 0 && n <= len && (at = memmem(text, len, from, n)) != NULL) {
        ge_buf_add(out, text, (size_t)(at - text));
        ge_buf_str(out, to);
        len -= (size_t)(at - text) + n;
        text = at + n;
    }
    ge_buf_add(out, text, len);
}

/* Replace in the whole of a buffer. */
static void replace_in(struct ge_buf *text, struct ge_buf *spare, const char *from, const char *to)
{
    if (text->len == 0) return;
    ge_buf_reset(spare);
    replace_all(text->data, text->len, from, to, spare);
    struct ge_buf t = *text;
    *text = *spare;
    *spare = t;
}

/* What tokenizer_config.json's clean_up_tokenization_spaces does. */
static void clean_up(struct ge_buf *text, struct ge_buf *spare)
{
    static const char *const pairs[][2] = {
        {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
        {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        replace_in(text, spare, pairs[i][0], pairs[i][1]);
    }
}

/* Append without the white space at both ends. */
static void add_stripped(const char *s, size_t len, struct ge_buf *out)
{
    size_t n;
    len = ge_unicode_trimmed(s, len);
    while (len > 0 && (ge_unicode_class(ge_unicode_at(s, len, &n)) & GE_CHAR_SPACE)) {
        s += n;
        len -= n;
    }
    ge_buf_add(out, s, len);
}

ge_status ge_tokenizer_decode(const struct ge_tokenizer *t, const int32_t *ids, size_t n,
                              bool skip_special, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct token_list tokens;
    struct ge_buf text, spare;
    ge_token_list_init(&tokens);
    ge_buf_init(&text, TEXT_MAX);
    ge_buf_init(&spare, TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *token = text_of(t, ids[i], skip_special);
        if (token != NULL) GE_TRY(ge_token_list_add(&tokens, token, strlen(token)));
    }
    GE_TRY(ge_decoder_run(&t->decoder, &tokens, &text));
    if (t->decoded_suffix != NULL) replace_in(&text, &spare, t->decoded_suffix, " ");
    if (t->clean_up) clean_up(&text, &spare);
    GE_TRY(ge_buf_status(&text));
    if (text.len > 0) {
        if (t->decoded_suffix != NULL) {
            add_stripped(text.data, text.len, out);
        } else {
            ge_buf_add(out, text.data, text.len);
        }
    }
    rc = ge_buf_status(out);
done:
    ge_token_list_free(&tokens);
    ge_buf_free(&text);
    ge_buf_free(&spare);
    return rc;
}
