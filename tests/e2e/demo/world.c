/* Readers of the demo's files. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

#define MAX_FILE ((size_t)64 << 20)

/* ---- JSON lines -------------------------------------------------------------------------------- */

static ge_status read_lines(struct world *w, const char *folder, const char *name)
{
    ge_status rc = GE_OK;
    char *path = NULL, *text = NULL;
    size_t cap = w->n_lines, len;
    GE_TRY_PTR(path, ge_fs_join(folder, name));
    GE_TRY(ge_fs_read(path, MAX_FILE, &text, &len));
    for (char *line = text, *end; line < text + len; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        if (end == NULL) GE_TRY(ge_fail(GE_EFORMAT, "%s: does not end in a line end", path));
        GE_GROW(w->lines, w->n_lines, cap);
        GE_TRY(ge_json_parse(line, (size_t)(end - line), path, &w->lines[w->n_lines]));
        w->n_lines++;
    }
done:
    free(path);
    free(text);
    return rc;
}

static const ge_json *find_item(const struct world *w, const char *id)
{
    for (size_t i = 1; i < w->first_truth; i++) { /* line 0 is the manifest's header */
        if (strcmp(ge_json_string(ge_json_get(w->lines[i], "id"), ""), id) == 0) return w->lines[i];
    }
    return NULL;
}

/* ---- truth and confusion ------------------------------------------------------------------------ */

/* The kind of scene that a category's items ask for. */
static const char *kind_of(const char *category)
{
    if (strcmp(category, "counting") == 0) return "count";
    if (strcmp(category, "composition") == 0) return "two";
    return category;
}

static ge_status error_of(const ge_json *kinds, const struct sample *s, double *out)
{
    const char *kind = kind_of(s->category);
    const char *side = s->truth[GEN] ? "judged_wrong_of_right" : "judged_right_of_wrong";
    *out = ge_json_number(ge_json_get(ge_json_get(ge_json_get(kinds, kind), side), "upper"), -1);
    if (*out >= 0 && *out < 1) return GE_OK;
    return ge_fail(GE_EFORMAT, "confusion: kinds.%s.%s.upper is no probability", kind, side);
}

static ge_status read_truth(const struct world *w, const ge_json *line, const ge_json *kinds,
                            struct sample *s)
{
    static const char *const name[DIRECTIONS] = {"und", "gen"};
    *s = (struct sample){.system = ge_json_string(ge_json_get(line, "system"), ""),
                         .item = ge_json_string(ge_json_get(line, "item"), "")};
    const ge_json *item = find_item(w, s->item), *failed = ge_json_get(line, "failed");
    if (item == NULL) return ge_fail(GE_EFORMAT, "truth of an unknown item \"%s\"", s->item);
    s->category = ge_json_string(ge_json_get(item, "category"), "");
    s->tags = ge_json_get(item, "tags");
    for (int d = 0; d < DIRECTIONS; d++) {
        double truth = ge_json_number(ge_json_get(line, name[d]), -1);
        if (truth != 0 && truth != 1) {
            return ge_fail(GE_EFORMAT, "truth of %s, %s: neither 0 nor 1", s->item, name[d]);
        }
        s->truth[d] = truth == 1;
        s->lost[d] = ge_json_get(failed, name[d]) != NULL;
    }
    return error_of(kinds, s, &s->error);
}

ge_status world_load(const char *data, const char *confusion, struct world *w)
{
    ge_status rc = GE_OK;
    ge_json *doc = NULL;
    memset(w, 0, sizeof *w);
    GE_TRY(read_lines(w, data, "items.jsonl"));
    w->first_truth = w->n_lines;
    GE_TRY(read_lines(w, data, "truth.jsonl"));
    GE_TRY(ge_json_read(confusion, &doc));
    GE_NEW(w->samples, w->n_lines - w->first_truth);
    for (size_t i = w->first_truth; i < w->n_lines; i++) {
        GE_TRY(read_truth(w, w->lines[i], ge_json_get(doc, "kinds"), &w->samples[w->n]));
        w->n++;
    }
done:
    ge_json_delete(&doc);
    return rc;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n_lines; i++) ge_json_delete(&w->lines[i]);
    free(w->lines);
    free(w->samples);
    memset(w, 0, sizeof *w);
}

/* ---- samples.csv ----------------------------------------------------------------------------------- */

enum { MAX_COLUMNS = 128 };

/* Cut one record of RFC 4180 in place; *cursor moves behind it. Returns the number of fields. */
static size_t cut_record(char **cursor, char *field[MAX_COLUMNS])
{
    char *in = *cursor, *out = in;
    size_t n = 0;
    bool quoted = false, more = true;
    field[n++] = out;
    while (more && *in != '\0') {
        char c = *in++;
        if (quoted && c == '"' && *in == '"') {
            *out++ = *in++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && c == ',' && n < MAX_COLUMNS) {
            *out++ = '\0';
            field[n++] = out;
        } else if (!quoted && c == '\n') {
            more = false;
        } else if (quoted || c != '\r') {
            *out++ = c;
        }
    }
    *out = '\0';
    *cursor = in;
    return n;
}

static int find_column(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) return (int)i;
    }
    return -1;
}

static struct sample *find_sample(struct world *w, const char *system, const char *item)
{
    for (size_t i = 0; i < w->n; i++) {
        struct sample *s = &w->samples[i];
        if (strcmp(s->item, item) == 0 && strcmp(s->system, system) == 0) return s;
    }
    return NULL;
}

static ge_status take_row(struct world *w, char *const *field, const int *column)
{
    const char *system = field[column[0]], *item = field[column[1]], *direction = field[column[2]];
    const char *status = field[column[3]], *verdict = field[column[4]];
    struct sample *s = find_sample(w, system, item);
    int d = strcmp(direction, "gen") == 0 ? GEN : UND;
    if (s == NULL || s->seen[d]) {
        return ge_fail(GE_EFORMAT, "samples.csv: %s, %s, %s: unknown, or there twice", system, item,
                       direction);
    }
    s->seen[d] = true;
    s->judged[d] = strcmp(status, "ok") == 0;
    s->verdict[d] = strcmp(verdict, "1") == 0;
    if (s->judged[d] ? strcmp(verdict, "1") != 0 && strcmp(verdict, "0") != 0
                     : verdict[0] != '\0') {
        return ge_fail(GE_EFORMAT, "samples.csv: %s, %s, %s: status %s with verdict \"%s\"", system,
                       item, direction, status, verdict);
    }
    return GE_OK;
}

ge_status world_read_samples(struct world *w, const char *csv)
{
    static const char *const wanted[] = {"system", "item", "direction", "status", "verdict"};
    ge_status rc = GE_OK;
    char *text = NULL, *field[MAX_COLUMNS];
    int column[5];
    GE_TRY(ge_fs_read(csv, MAX_FILE, &text, NULL));
    char *cursor = text;
    size_t n = cut_record(&cursor, field), got;
    for (int i = 0; i < 5; i++) {
        column[i] = find_column(field, n, wanted[i]);
        if (column[i] < 0) GE_TRY(ge_fail(GE_EFORMAT, "%s: no column %s", csv, wanted[i]));
    }
    while (*cursor != '\0') {
        got = cut_record(&cursor, field);
        if (got != n) GE_TRY(ge_fail(GE_EFORMAT, "%s: %zu fields, the head has %zu", csv, got, n));
        GE_TRY(take_row(w, field, column));
    }
done:
    free(text);
    return rc;
}

bool world_in_cell(const struct sample *s, const char *system, const char *dimension,
                   const char *group)
{
    if (strcmp(s->system, system) != 0) return false;
    if (strcmp(dimension, "overall") == 0) return true;
    if (strcmp(dimension, "category") == 0) return strcmp(s->category, group) == 0;
    for (const ge_json *t = ge_json_first(s->tags); t != NULL; t = ge_json_next(t)) {
        if (strcmp(ge_json_string(t, ""), group) == 0) return true;
    }
    return false;
}
