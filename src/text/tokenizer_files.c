#include "text/tokenizer_files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "text/unicode.h"

#define LIST_MAX_BYTES ((size_t)64 << 20)

void ge_tokenizer_files_free(struct tokenizer_files *f)
{
    struct model_file *m = &f->model;
    free(f->json_path);
    free(f->config_path);
    free(f->tokenizer_class);
    free(m->type);
    free(m->unk);
    free(m->prefix);
    free(m->suffix);
    free(m->scores);
    ge_vocab_free(&m->vocab);
    ge_buf_free(&m->merges);
    free(f->spm_path);
    ge_spm_free(&f->spm);
    ge_json_delete(&f->added);
    ge_json_delete(&f->normalizer);
    ge_json_delete(&f->pretokenizer);
    ge_json_delete(&f->postprocessor);
    ge_json_delete(&f->decoder);
    ge_json_delete(&f->truncation);
    ge_json_delete(&f->config);
    ge_json_delete(&f->special_map);
    ge_json_delete(&f->added_file);
    memset(f, 0, sizeof *f);
}

/* ---- vocabulary files --------------------------------------------------------------------- */

/* A line of a text: its bytes without the newline. */
struct line {
    const char *text;
    size_t len;
};

static bool next_line(const char *data, size_t len, size_t *pos, struct line *out)
{
    if (*pos >= len) return false;
    const char *end = memchr(data + *pos, '\n', len - *pos);
    out->text = data + *pos;
    out->len = end == NULL ? len - *pos : (size_t)(end - out->text);
    *pos += out->len + 1;
    return true;
}

static ge_status read_text(const char *path, char **data, size_t *len)
{
    ge_status rc = ge_fs_read(path, LIST_MAX_BYTES, data, len);
    if (rc != GE_OK) return rc;
    size_t valid = ge_utf8_valid(*data, *len);
    if (valid == *len) return GE_OK;
    free(*data);
    *data = NULL;
    return ge_fail(GE_EFORMAT, "%s: byte %zu is not UTF-8", path, valid);
}

/* vocab.txt: a token per line, white space at its end removed, its id the line's number. */
static ge_status read_vocab_txt(const char *path, struct model_file *m)
{
    ge_status rc = GE_OK;
    char *data = NULL;
    size_t len = 0, pos = 0;
    struct line line;
    GE_TRY(read_text(path, &data, &len));
    for (int64_t id = 0; next_line(data, len, &pos, &line); id++) {
        rc = ge_vocab_add(&m->vocab, line.text, ge_unicode_trimmed(line.text, line.len), id);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s:%lld", path, (long long)id + 1);
            goto done;
        }
    }
done:
    free(data);
    return rc;
}

static ge_status read_vocab_json(const char *path, struct model_file *m)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    GE_TRY(ge_json_read(path, &doc));
    if (ge_json_type(doc) != GE_JSON_OBJECT) {
        rc = ge_fail(GE_EFORMAT, "%s: not an object of tokens and ids", path);
        goto done;
    }
    for (const ge_json *c = ge_json_first(doc); c != NULL; c = ge_json_next(c)) {
        int64_t id;
        const char *token = ge_json_key(c);
        rc = ge_json_int(c, token, 0, VOCAB_MAX_ID, &id);
        if (rc == GE_OK) rc = ge_vocab_add(&m->vocab, token, strlen(token), id);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s", path);
            goto done;
        }
    }
done:
    ge_json_delete(&doc);
    return rc;
}

/* merges.txt: "left right" per line, by rank; lines that begin with #version are comments. */
static ge_status read_merges_txt(const char *path, struct model_file *m)
{
    ge_status rc = GE_OK;
    char *data = NULL;
    size_t len = 0, pos = 0;
    struct line line;
    GE_TRY(read_text(path, &data, &len));
    for (size_t number = 1; next_line(data, len, &pos, &line); number++) {
        if (line.len > 0 && line.text[line.len - 1] == '\r') line.len--;
        if (line.len == 0 || (line.len >= 8 && memcmp(line.text, "#version", 8) == 0)) continue;
        const char *space = memchr(line.text, ' ', line.len);
        size_t left = space == NULL ? line.len : (size_t)(space - line.text);
        size_t right = space == NULL ? 0 : line.len - left - 1;
        if (space == NULL || memchr(space + 1, ' ', right) != NULL ||
            memchr(line.text, '\0', line.len) != NULL) {
            rc = ge_fail(GE_EFORMAT, "%s:%zu: wanted two tokens with one space between", path,
                         number);
            goto done;
        }
        ge_model_file_add_merge(m, line.text, left, space + 1, right);
    }
    rc = ge_buf_status(&m->merges);
done:
    free(data);
    return rc;
}

/* ---- folder ------------------------------------------------------------------------------- */

/* Read a JSON file of the folder if it is there; *path (may be NULL) gets its name. */
static ge_status read_optional(const char *folder, const char *name, ge_json **doc, char **path)
{
    ge_status rc = GE_OK;
    char *full = NULL;
    GE_TRY_PTR(full, ge_fs_join(folder, name));
    if (ge_fs_exists(full)) {
        GE_TRY(ge_json_read(full, doc));
        if (ge_json_type(*doc) != GE_JSON_OBJECT) {
            rc = ge_fail(GE_EFORMAT, "%s: not an object", full);
            goto done;
        }
    }
    if (path != NULL) {
        *path = full;
        full = NULL;
    }
done:
    free(full);
    return rc;
}

/* The class that reads the folder: tokenizer_config.json's, or else config.json's. */
static ge_status read_class(const char *folder, struct tokenizer_files *f)
{
    ge_status rc = GE_OK;
    ge_json *model_config = NULL;
    const char *name = ge_json_string(ge_json_get(f->config, "tokenizer_class"), NULL);
    if (name == NULL) {
        GE_TRY(read_optional(folder, "config.json", &model_config, NULL));
        name = ge_json_string(ge_json_get(model_config, "tokenizer_class"), NULL);
    }
    if (name != NULL) {
        size_t len = strlen(name);
        if (len > 4 && strcmp(name + len - 4, "Fast") == 0) len -= 4;
        GE_TRY_PTR(f->tokenizer_class, ge_strndup(name, len));
    }
done:
    ge_json_delete(&model_config);
    return rc;
}

static ge_status no_vocabulary(const char *folder, enum vocab_layout layout, const char *spm)
{
    const char *names = layout == VOCAB_JSON_AND_MERGES ? "vocab.json with merges.txt"
                        : layout == VOCAB_TXT           ? "vocab.txt"
                                                        : spm;
    return ge_fail(GE_ENOENT,
                   "%s: no tokenizer: there is neither tokenizer.json nor %s; copy the model's "
                   "tokenizer files here",
                   folder, names);
}

static ge_status read_lists(const char *folder, enum vocab_layout layout, struct tokenizer_files *f)
{
    ge_status rc = GE_OK;
    bool bpe = layout == VOCAB_JSON_AND_MERGES;
    char *vocab = NULL, *merges = NULL;
    GE_TRY_PTR(vocab, ge_fs_join(folder, bpe ? "vocab.json" : "vocab.txt"));
    GE_TRY_PTR(merges, ge_fs_join(folder, "merges.txt"));
    if (!ge_fs_exists(vocab) || (bpe && !ge_fs_exists(merges))) {
        rc = no_vocabulary(folder, layout, NULL);
        goto done;
    }
    GE_TRY(bpe ? read_vocab_json(vocab, &f->model) : read_vocab_txt(vocab, &f->model));
    if (bpe) GE_TRY(read_merges_txt(merges, &f->model));
done:
    free(vocab);
    free(merges);
    return rc;
}

/* The added tokens of a tokenizer.json that does not count otherwise. */
static ge_status read_added(const char *path, struct tokenizer_files *f)
{
    struct tokenizer_files whole = {0};
    ge_buf_init(&whole.model.merges, (size_t)256 << 20);
    ge_status rc = ge_tokenizer_json_read(path, &whole);
    f->added = whole.added;
    whole.added = NULL;
    ge_tokenizer_files_free(&whole);
    return rc;
}

ge_status ge_tokenizer_files_read_vocab(const char *folder, enum vocab_layout layout,
                                        const char *spm, bool spm_first, struct tokenizer_files *f)
{
    ge_status rc = GE_OK;
    char *json = NULL, *model = NULL;
    GE_TRY_PTR(json, ge_fs_join(folder, "tokenizer.json"));
    if (spm != NULL) GE_TRY_PTR(model, ge_fs_join(folder, spm));
    bool has_json = ge_fs_exists(json), has_spm = model != NULL && ge_fs_exists(model);
    if (has_json && !(has_spm && spm_first)) {
        GE_TRY(ge_tokenizer_json_read(json, f));
        f->json_path = json;
        json = NULL;
    } else if (has_spm) {
        GE_TRY(ge_spm_read(model, &f->spm));
        f->spm_path = model;
        model = NULL;
        if (has_json && ge_json_get(f->config, "added_tokens_decoder") == NULL) {
            GE_TRY(read_added(json, f));
        }
    } else if (layout == VOCAB_SPM) {
        rc = no_vocabulary(folder, layout, spm);
    } else {
        GE_TRY(read_lists(folder, layout, f));
    }
done:
    free(json);
    free(model);
    return rc;
}

ge_status ge_tokenizer_files_read(const char *folder, struct tokenizer_files *f)
{
    ge_status rc = GE_OK;
    memset(f, 0, sizeof *f);
    f->model.max_chars = f->model.unk_id = -1;
    ge_buf_init(&f->model.merges, (size_t)256 << 20);
    GE_TRY(read_optional(folder, "tokenizer_config.json", &f->config, &f->config_path));
    GE_TRY(read_optional(folder, "special_tokens_map.json", &f->special_map, NULL));
    GE_TRY(read_optional(folder, "added_tokens.json", &f->added_file, NULL));
    GE_TRY(read_class(folder, f));
done:
    if (rc != GE_OK) ge_tokenizer_files_free(f);
    return rc;
}
