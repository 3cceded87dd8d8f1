/* What gapeval metrics gives: a line for each prediction, a summary, a table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/metrics_internal.h"
#include "score/metric.h"

#define MAX_BYTES ((size_t)1 << 31) /* of the file */

bool metrics_is_wanted(const struct metrics *c, const char *name)
{
    for (size_t i = 0; i < c->wanted.n; i++) {
        if (strcmp(c->wanted.v[i], name) == 0) return true;
    }
    return false;
}

/* Value of one answer in a row of the corpus; NaN if it is not among them. */
static double corpus_value(const struct ge_corpus_row *row, struct ge_key key)
{
    size_t lo = 0, hi = row->keys != NULL ? row->n : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = ge_key_compare(row->keys[mid], key);
        if (order == 0) return row->per_answer[mid];
        if (order < 0) lo = mid + 1;
        if (order > 0) hi = mid;
    }
    return NAN;
}

static const char *find_reason(const struct ge_result *r, uint32_t item)
{
    for (size_t i = 0; i < r->n_errors; i++) {
        if (r->errors[i].key.item == item) return r->errors[i].reason;
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        if (r->undone[i].key.item == item) return r->undone[i].reason;
    }
    return NULL;
}

/* One line: id, values by name, error. *score walks over the rows of the result. */
static void write_line(const struct metrics *c, const struct ge_result *r, uint32_t item,
                       size_t *score, struct ge_buf *out)
{
    struct ge_jsonw w;
    const char *reason = find_reason(r, item);
    const struct ge_item *it = &c->dataset->items[item];
    struct ge_key key = {.item = item, .direction = it->task[GE_UND].present ? GE_UND : GE_GEN};
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "id", it->id);
    for (; *score < r->n_scores && r->scores[*score].key.item == item; ++*score) {
        const struct ge_score_row *s = &r->scores[*score];
        const char *name = ge_metric_info((enum ge_metric_id)s->metric)->name;
        if (metrics_is_wanted(c, name)) ge_jsonw_double(&w, name, s->value);
    }
    for (size_t i = 0; i < c->n_corpus; i++) {
        const struct ge_corpus_row *row = &c->corpus[i];
        double value = corpus_value(row, key);
        if (isnan(value) || ge_metric_find(row->metric) != GE_METRIC_NONE) continue;
        ge_jsonw_double(&w, row->metric, value);
    }
    if (reason != NULL) ge_jsonw_string(&w, "error", reason);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
}

/* Mean of a metric over the lines that have it. */
struct mean {
    double sum;
    size_t n;
};

static struct mean mean_of(const struct metrics *c, const char *name)
{
    struct mean m = {0};
    enum ge_metric_id id = ge_metric_find(name);
    for (size_t i = 0; i < c->run.n_results; i++) {
        const struct ge_result *r = &c->run.results[i];
        for (size_t k = 0; k < r->n_scores; k++) {
            if (r->scores[k].metric != id) continue;
            m.sum += r->scores[k].value;
            m.n++;
        }
    }
    return m;
}

static void write_summary(const struct metrics *c, struct ge_buf *out)
{
    struct ge_jsonw w;
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_int(&w, "predictions", (int64_t)c->dataset->n);
    ge_jsonw_object(&w, "means");
    for (size_t i = 0; i < c->wanted.n; i++) {
        struct mean m = mean_of(c, c->wanted.v[i]);
        if (ge_metric_find(c->wanted.v[i]) == GE_METRIC_NONE) continue;
        ge_jsonw_object(&w, c->wanted.v[i]);
        ge_jsonw_int(&w, "n", (int64_t)m.n);
        ge_jsonw_double(&w, "mean", m.sum / (double)m.n);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_object_end(&w);
    ge_jsonw_array(&w, "corpus");
    for (size_t i = 0; i < c->n_corpus; i++) {
        ge_jsonw_object(&w, NULL);
        ge_jsonw_string(&w, "metric", c->corpus[i].metric);
        ge_jsonw_string(&w, "task", c->corpus[i].task);
        ge_jsonw_int(&w, "n", (int64_t)c->corpus[i].n);
        ge_jsonw_double(&w, "value", c->corpus[i].value);
        ge_jsonw_object_end(&w);
    }
    ge_jsonw_array_end(&w);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
}

ge_status metrics_write_file(const struct metrics *c)
{
    ge_status rc = GE_OK;
    struct ge_buf out;
    ge_buf_init(&out, MAX_BYTES);
    for (size_t i = 0; i < c->run.n_results; i++) {
        const struct ge_result *r = &c->run.results[i];
        size_t score = 0;
        for (uint32_t k = 0; k < r->count; k++) write_line(c, r, r->first + k, &score, &out);
    }
    write_summary(c, &out);
    GE_TRY(ge_buf_status(&out));
    GE_TRY(ge_fs_replace(c->out, out.data, out.len));
done:
    ge_buf_free(&out);
    return rc;
}

static void print_value(size_t n, double value)
{
    char text[32];
    ge_double_text(value, text);
    printf(" | %zu | %s |\n", n, isnan(value) ? "–" : text);
}

void metrics_print_table(const struct metrics *c)
{
    printf("| metric | over | n | value |\n|:--|:--|--:|--:|\n");
    for (size_t i = 0; i < c->wanted.n; i++) {
        if (ge_metric_find(c->wanted.v[i]) == GE_METRIC_NONE) continue;
        struct mean m = mean_of(c, c->wanted.v[i]);
        printf("| `%s` | mean of lines", c->wanted.v[i]);
        print_value(m.n, m.sum / (double)m.n);
    }
    for (size_t i = 0; i < c->n_corpus; i++) {
        printf("| `%s` | corpus of %s", c->corpus[i].metric, c->corpus[i].task);
        print_value(c->corpus[i].n, c->corpus[i].value);
    }
}
