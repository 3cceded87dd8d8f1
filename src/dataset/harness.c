#include "dataset/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "dataset/fields.h"
#include "dataset/index.h"
#include "dataset/lines.h"

static const char *const names[] = {"lmms-eval", "vlmevalkit"};
enum { NAMES = sizeof names / sizeof names[0] };

const char *ge_harness_name(enum ge_harness h)
{
    return names[h];
}

bool ge_harness_find(const char *name, enum ge_harness *h)
{
    for (int i = 0; i < NAMES; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *h = (enum ge_harness)i;
        return true;
    }
    return false;
}

/* One file on its way. */
struct import {
    const struct ge_import_options *options;
    struct ge_import_counts *counts;
    struct ge_dataset_index *ids; /* of the items that have their answers */
    struct ge_buf *out;
    const char *folder; /* absolute, of the file: images are relative to it */
};

/* ---- one answer ---------------------------------------------------------------------------- */

static ge_status open_line(struct import *im, struct ge_jsonw *w, const char *id)
{
    char *item = ge_sprintf("%s%s", im->options->prefix != NULL ? im->options->prefix : "", id);
    if (item == NULL) return GE_ENOMEM;
    ge_jsonw_init(w, im->out, 0);
    ge_jsonw_object(w, NULL);
    if (im->options->system != NULL) ge_jsonw_string(w, "system", im->options->system);
    ge_jsonw_string(w, "item", item);
    ge_jsonw_string(w, "direction", ge_direction_name(im->options->direction));
    free(item);
    return GE_OK;
}

static ge_status close_line(struct import *im, struct ge_jsonw *w, bool empty)
{
    ge_jsonw_object_end(w);
    ge_buf_char(im->out, '\n');
    im->counts->answers++;
    im->counts->empty += empty;
    return ge_buf_status(im->out);
}

static ge_status add_text(struct import *im, const char *id, size_t sample, const char *text)
{
    struct ge_jsonw w;
    ge_status rc = open_line(im, &w, id);
    if (rc != GE_OK) return rc;
    ge_jsonw_int(&w, "sample", (int64_t)sample);
    ge_jsonw_string(&w, "text", text);
    return close_line(im, &w, text[0] == '\0');
}

/* The images of a unified model's response; each becomes a sample of its own. */
static ge_status add_images(struct import *im, const struct ge_fields *f, const char *id,
                            size_t *sample, const ge_json *images)
{
    ge_status rc = GE_OK;
    const char **paths = NULL;
    char *path = NULL;
    size_t n;
    struct ge_jsonw w;
    GE_TRY(ge_json_strings(images, "images", &paths, &n));
    if (n == 0) { /* it drew nothing: an answer that is a failure of the system */
        GE_TRY(add_text(im, id, *sample, ""));
        ++*sample;
    }
    for (size_t i = 0; i < n; i++) {
        free(path);
        path = NULL;
        if (paths[i][0] == '\0') {
            GE_TRY(ge_fields_refuse(f, "images", images, "paths, none empty"));
        }
        GE_TRY_PTR(path, ge_fs_join(im->folder, paths[i]));
        GE_TRY(open_line(im, &w, id));
        ge_jsonw_int(&w, "sample", (int64_t)*sample);
        ge_jsonw_string(&w, "image", path);
        GE_TRY(close_line(im, &w, false));
        ++*sample;
    }
done:
    free(paths);
    free(path);
    return rc;
}

static ge_status note_item(struct import *im, const struct ge_fields *f, const char *key,
                           const char *id)
{
    bool fresh;
    ge_status rc = ge_index_add(im->ids, id, 0, &fresh);
    if (rc != GE_OK || fresh) return rc;
    return ge_fail(GE_EFORMAT,
                   "%s: %s: found \"%s\", which an earlier line has, allowed: each id once",
                   f->place, key, id);
}

/* ---- lmms-eval ------------------------------------------------------------------------------ */

/* A response that is itself a JSON object with "images"; *object is NULL for any other text. */
static void read_composite(const char *text, ge_json **object)
{
    *object = NULL;
    if (text[strspn(text, " \t\r\n")] != '{') return;
    if (ge_json_parse(text, strlen(text), "response", object) != GE_OK) {
        ge_error_clear(); /* a text that happens to begin with a brace */
        return;
    }
    const ge_json *images = ge_json_get(*object, "images");
    if (images == NULL || ge_json_type(images) != GE_JSON_ARRAY) ge_json_delete(object);
}

static ge_status add_response(struct import *im, const struct ge_fields *f, const char *id,
                              size_t *sample, const ge_json *node)
{
    ge_status rc = GE_OK;
    ge_json *object = NULL;
    const char *text = ge_json_string(node, NULL);
    if (text == NULL) {
        GE_TRY(ge_fields_refuse(f, "resps", node,
                                "texts: answers that the model wrote, not "
                                "log-likelihoods of given ones"));
    }
    read_composite(text, &object);
    if (object != NULL && im->options->direction == GE_GEN) {
        GE_TRY(add_images(im, f, id, sample, ge_json_get(object, "images")));
        goto done;
    }
    if (object != NULL) text = ge_json_string(ge_json_get(object, "text"), "");
    GE_TRY(add_text(im, id, *sample, text));
    ++*sample;
done:
    ge_json_delete(&object);
    return rc;
}

static bool holds_lists(const ge_json *node)
{
    const ge_json *first = ge_json_first(node);
    return first != NULL && ge_json_type(first) == GE_JSON_ARRAY;
}

/* "a", ["a", "b"] or [["a", "b"]]: the samples of one request. */
static ge_status add_responses(struct import *im, const struct ge_fields *f, const char *id,
                               const ge_json *node)
{
    ge_status rc = GE_OK;
    size_t sample = 0;
    if (ge_json_type(node) == GE_JSON_ARRAY && holds_lists(node)) {
        if (ge_json_count(node) > 1) {
            GE_TRY(ge_fail(GE_EUNSUPPORTED,
                           "%s: resps: found the responses to %zu requests, allowed: those to one; "
                           "log-likelihoods of choices are recorded so, and are no answers",
                           f->place, ge_json_count(node)));
        }
        node = ge_json_first(node);
    }
    if (ge_json_type(node) != GE_JSON_ARRAY) {
        GE_TRY(add_response(im, f, id, &sample, node));
        goto done;
    }
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        GE_TRY(add_response(im, f, id, &sample, e));
    }
done:
    return rc;
}

/* The id at a dotted path, a text or a whole number. */
static ge_status read_id(const struct ge_fields *f, const char *key, const char **id)
{
    struct ge_fields inner = *f;
    const char *dot = strrchr(key, '.');
    ge_status rc = GE_OK;
    char *path = NULL;
    if (dot != NULL) {
        GE_TRY_PTR(path, ge_strndup(key, (size_t)(dot - key)));
        inner.object = ge_json_get_path(f->object, path);
        if (inner.object == NULL)
            GE_TRY(ge_fields_refuse(f, key, NULL, "a text or a whole number"));
    }
    GE_TRY(ge_fields_id(&inner, dot != NULL ? dot + 1 : key, id));
done:
    free(path);
    return rc;
}

static ge_status import_line(void *ctx, const struct ge_fields *f, size_t number)
{
    struct import *im = ctx;
    ge_status rc = GE_OK;
    (void)number;
    const char *key = im->options->id != NULL ? im->options->id : "doc_id", *id;
    const ge_json *filtered = ge_json_get(f->object, "filtered_resps");
    const ge_json *responses = ge_json_get(f->object, "resps");
    if (responses == NULL || (im->options->filtered && filtered != NULL)) responses = filtered;
    if (responses == NULL) {
        GE_TRY(ge_fields_refuse(f, "resps, filtered_resps", NULL,
                                "one of the two, as lmms-eval --log_samples writes them"));
    }
    GE_TRY(read_id(f, key, &id));
    GE_TRY(note_item(im, f, key, id));
    GE_TRY(add_responses(im, f, id, responses));
    im->counts->lines++;
done:
    return rc;
}

/* ---- VLMEvalKit ------------------------------------------------------------------------------ */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static ge_status import_table(struct import *im, const char *path)
{
    ge_status rc = GE_OK;
    struct ge_csv *csv = NULL;
    char *place = NULL;
    const char *key = im->options->id != NULL ? im->options->id : "index";
    size_t id, prediction;
    if (ends_with(path, ".xlsx") || ends_with(path, ".pkl") || ends_with(path, ".json")) {
        GE_TRY(ge_fail(GE_EUNSUPPORTED,
                       "%s: found neither .tsv nor .csv; save the table as one of "
                       "them (in VLMEvalKit: PRED_FORMAT=tsv)",
                       path));
    }
    GE_TRY(ge_csv_read(path, ends_with(path, ".tsv") ? '\t' : ',', &csv));
    GE_TRY(ge_csv_need(csv, key, &id));
    GE_TRY(ge_csv_need(csv, "prediction", &prediction));
    for (size_t i = 0; i < csv->n_rows; i++) {
        const char *name = ge_csv_field(csv, i, id);
        free(place);
        GE_TRY_PTR(place, ge_sprintf("%s line %zu", path, csv->lines[i]));
        struct ge_fields f = {.place = place, .prefix = ""};
        if (name[0] == '\0') GE_TRY(ge_fields_refuse(&f, key, NULL, "an id"));
        GE_TRY(note_item(im, &f, key, name));
        GE_TRY(add_text(im, name, 0, ge_csv_field(csv, i, prediction)));
        im->counts->lines++;
    }
done:
    ge_csv_delete(&csv);
    free(place);
    return rc;
}

/* ---- public ----------------------------------------------------------------------------------- */

static ge_status absolute_folder(const char *path, char **out)
{
    ge_status rc = GE_OK;
    char *folder = NULL, *real = NULL;
    GE_TRY_PTR(folder, ge_fs_dirname(path));
    real = realpath(folder, NULL);
    if (real == NULL) GE_TRY(ge_fail(GE_ENOENT, "%s: no such folder", folder));
    GE_TRY_PTR(*out, ge_strdup(real));
done:
    free(folder);
    free(real);
    return rc;
}

ge_status ge_import(const char *path, const struct ge_import_options *options, struct ge_buf *out,
                    struct ge_import_counts *counts)
{
    ge_status rc = GE_OK;
    struct import im = {.options = options, .counts = counts, .out = out};
    char *folder = NULL;
    GE_TRY(absolute_folder(path, &folder));
    im.folder = folder;
    GE_TRY_PTR(im.ids, ge_index_new());
    GE_TRY(options->harness == GE_HARNESS_LMMS_EVAL
               ? ge_lines_each(path, im.folder, NULL, import_line, &im, NULL)
               : import_table(&im, path));
done:
    ge_index_delete(&im.ids);
    free(folder);
    return rc;
}
