/* samples.csv: one line per sample, RFC 4180. The rows of a result are in key order, so one pass
 * with a finger on each table is enough. */
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "report/report.h"

/* A field, quoted when it must be. */
void ge_report_csv_field(struct ge_buf *out, const char *s)
{
    if (s == NULL) return;
    if (strpbrk(s, ",\"\r\n") == NULL) {
        ge_buf_str(out, s);
        return;
    }
    ge_buf_char(out, '"');
    for (; *s != '\0'; s++) {
        if (*s == '"') ge_buf_char(out, '"');
        ge_buf_char(out, *s);
    }
    ge_buf_char(out, '"');
}

/* All tags as one field, separated by ';'. */
static void tags_field(struct ge_buf *out, const struct ge_strings *tags)
{
    struct ge_buf joined;
    ge_buf_init(&joined, out->max);
    for (size_t i = 0; i < tags->n; i++) {
        if (i > 0) ge_buf_char(&joined, ';');
        ge_buf_str(&joined, tags->v[i]);
    }
    if (joined.status != GE_OK) out->status = joined.status;
    ge_report_csv_field(out, joined.data);
    ge_buf_free(&joined);
}

static void number(struct ge_buf *out, double v)
{
    char text[32];
    ge_double_text(v, text);
    ge_buf_str(out, text);
}

static void header(const struct ge_run *run, struct ge_buf *out)
{
    ge_buf_str(out, "system,item,direction,sample,category,subcategory,tags,cluster,status,verdict,"
                    "rule,judges,reason");
    for (size_t i = 0; i < run->metrics.n; i++) {
        ge_buf_char(out, ',');
        ge_report_csv_field(out, run->metrics.v[i]);
    }
    ge_buf_str(out, "\r\n");
}

/* Rows may only name what the run has. */
static ge_status check_key(const struct ge_run *run, const struct ge_result *r, struct ge_key key)
{
    if (r->cell < run->n_cells && key.item < run->n_items && key.direction < GE_DIRECTIONS) {
        return GE_OK;
    }
    return ge_fail(GE_EFORMAT, "a row names cell %u, item %u, direction %u, of %zu x %zu", r->cell,
                   key.item, key.direction, run->n_cells, run->n_items);
}

/* Place in each table of a result. */
struct fingers {
    size_t verdict, error, undone, score;
};

static void key_fields(const struct ge_run *run, const struct ge_result *r, struct ge_key key,
                       struct ge_buf *out)
{
    const struct ge_item *item = &run->items[key.item];
    ge_report_csv_field(out, run->cells[r->cell].system);
    ge_buf_char(out, ',');
    ge_report_csv_field(out, item->id);
    ge_buf_printf(out, ",%s,%u,", ge_direction_name((enum ge_direction)key.direction), key.sample);
    ge_report_csv_field(out, item->category);
    ge_buf_char(out, ',');
    ge_report_csv_field(out, item->subcategory);
    ge_buf_char(out, ',');
    tags_field(out, &item->tags);
    ge_buf_char(out, ',');
    ge_report_csv_field(out, item->cluster);
}

static void outcome_fields(const struct ge_run *run, const struct ge_result *r, struct ge_key key,
                           struct fingers *f, struct ge_buf *out)
{
    if (f->verdict < r->n_verdicts && ge_key_compare(r->verdicts[f->verdict].key, key) == 0) {
        const struct ge_verdict_row *v = &r->verdicts[f->verdict++];
        ge_buf_str(out, ",ok,");
        number(out, v->value);
        ge_buf_printf(out, ",%s,%u,", v->rule < run->rules.n ? run->rules.v[v->rule] : "unknown",
                      v->judges);
    } else if (f->error < r->n_errors && ge_key_compare(r->errors[f->error].key, key) == 0) {
        const struct ge_error_row *e = &r->errors[f->error++];
        ge_buf_printf(out, ",%s,,,,", ge_status_name((ge_status)e->status));
        ge_report_csv_field(out, e->reason);
    } else {
        const struct ge_undone_row *u = &r->undone[f->undone++];
        ge_buf_printf(out, ",undone:%s,,,,", ge_status_name((ge_status)u->status));
        ge_report_csv_field(out, u->reason);
    }
}

static void metric_fields(const struct ge_run *run, const struct ge_result *r, struct ge_key key,
                          struct fingers *f, struct ge_buf *out)
{
    while (f->score < r->n_scores && ge_key_compare(r->scores[f->score].key, key) < 0) {
        f->score++; /* a row of no sample, or of no known metric */
    }
    for (size_t m = 0; m < run->metrics.n; m++) {
        ge_buf_char(out, ',');
        if (f->score >= r->n_scores) continue;
        const struct ge_score_row *s = &r->scores[f->score];
        if (ge_key_compare(s->key, key) != 0 || s->metric != m) continue;
        number(out, s->value);
        f->score++;
    }
}

/* The smallest key that no finger has passed; false at the end. */
static bool next_key(const struct ge_result *r, const struct fingers *f, struct ge_key *key)
{
    bool found = false;
    const struct ge_key *candidates[] = {
        f->verdict < r->n_verdicts ? &r->verdicts[f->verdict].key : NULL,
        f->error < r->n_errors ? &r->errors[f->error].key : NULL,
        f->undone < r->n_undone ? &r->undone[f->undone].key : NULL,
    };
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (candidates[i] == NULL) continue;
        if (!found || ge_key_compare(*candidates[i], *key) < 0) *key = *candidates[i];
        found = true;
    }
    return found;
}

ge_status ge_report_csv(const struct ge_run *run, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    header(run, out);
    for (size_t i = 0; i < run->n_results; i++) {
        const struct ge_result *r = &run->results[i];
        struct fingers f = {0};
        struct ge_key key;
        while (next_key(r, &f, &key)) {
            GE_TRY(check_key(run, r, key));
            key_fields(run, r, key, out);
            outcome_fields(run, r, key, &f, out);
            metric_fields(run, r, key, &f, out);
            ge_buf_str(out, "\r\n");
        }
    }
    rc = ge_buf_status(out);
done:
    return rc;
}
