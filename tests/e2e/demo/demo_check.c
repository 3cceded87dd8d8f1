/* Does a run of the demo agree with what was drawn? demo_check DATA CONFUSION RUN TABLE SYSTEMS
 *
 * DATA is data/demo, CONFUSION its confusion.json, RUN the run's folder, TABLE what the run printed,
 * SYSTEMS how many systems there must be. Every difference is printed; exit status 1 if there is one.
 *
 * The bounds are fixed by the data, not by the run:
 *  - what an answer says is decided by rules without error, so every und verdict must be the truth,
 *    and exactly the planted failures are error rows;
 *  - a picture is misjudged with the encoder's measured rate at most (upper end of its interval, for
 *    the kind of scene and for right and wrong pictures apart). A cell's misjudged pictures are a sum
 *    of such events; its 99.9 % limit L is the least number that they exceed with probability 0.001
 *    at most. No count of a cell's table may be further from the truth than L, no printed figure by
 *    more than L in its number of items;
 *  - the bounds with every failure decided for or against the system, widened by L, must contain the
 *    truth before anything was lost. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "world.h"

#define TAIL 0.001
enum { MAX_CELL = 4096 };

static unsigned failures;

__attribute__((format(printf, 1, 2))) static void wrong(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    failures++;
}

/* ---- one cell of the tables ---------------------------------------------------------------------- */

struct cell {
    const char *system, *dimension, *group;
    size_t items, judged;
    double k[2][2];                       /* truth of the judged items by (und, gen) */
    double drawn[DIRECTIONS], drawn_both; /* truth of all items */
    size_t limit, limit_all;              /* misjudged pictures: of the judged items, of all */
};

/* dist[i] = P(i misjudged) of n events; takes one more in. */
static void add_event(double *dist, size_t n, double p)
{
    dist[n + 1] = 0;
    for (size_t i = n + 2; i-- > 1;) dist[i] = dist[i] * (1 - p) + dist[i - 1] * p;
    dist[0] *= 1 - p;
}

static size_t limit_of(const double *dist, size_t n)
{
    double tail = 0;
    size_t i = n + 1;
    while (i > 0 && tail + dist[i - 1] <= TAIL) tail += dist[--i];
    return i == 0 ? 0 : i - 1;
}

static void make_cell(const struct world *w, const ge_json *row, struct cell *c)
{
    static double judged[MAX_CELL + 2], all[MAX_CELL + 2];
    *c = (struct cell){.system = ge_json_string(ge_json_get(row, "system"), ""),
                       .dimension = ge_json_string(ge_json_get(row, "dimension"), ""),
                       .group = ge_json_string(ge_json_get(row, "group"), "")};
    judged[0] = all[0] = 1;
    for (size_t i = 0; i < w->n && c->items < MAX_CELL; i++) {
        const struct sample *s = &w->samples[i];
        if (!world_in_cell(s, c->system, c->dimension, c->group)) continue;
        c->drawn[UND] += s->truth[UND];
        c->drawn[GEN] += s->truth[GEN];
        c->drawn_both += s->truth[UND] && s->truth[GEN];
        add_event(all, c->items++, s->error);
        if (s->lost[UND] || s->lost[GEN]) continue;
        c->k[s->truth[UND]][s->truth[GEN]]++;
        add_event(judged, c->judged++, s->error);
    }
    c->limit = limit_of(judged, c->judged);
    c->limit_all = limit_of(all, c->items);
}

/* |found - truth| <= slack, where NaN is not. */
static void close_to(const struct cell *c, const char *what, double found, double truth,
                     double slack)
{
    if (fabs(found - truth) <= slack + 1e-9) return;
    wrong("%s, %s %s: %s is %g, the truth %g, allowed %g", c->system, c->dimension, c->group, what,
          found, truth, slack);
}

static double number_at(const ge_json *row, const char *path)
{
    return ge_json_number(ge_json_get_path(row, path), NAN);
}

static void check_counts(const struct cell *c, const ge_json *row)
{
    static const char *const key[2][2] = {{"table.k00", "table.k01"}, {"table.k10", "table.k11"}};
    double n = (double)c->judged, limit = (double)c->limit;
    close_to(c, "items", number_at(row, "items"), (double)c->items, 0);
    close_to(c, "judged", number_at(row, "judged"), n, 0);
    for (int u = 0; u < 2; u++) {
        for (int g = 0; g < 2; g++) {
            close_to(c, key[u][g], number_at(row, key[u][g]), c->k[u][g], limit);
        }
    }
    double und = c->k[1][0] + c->k[1][1], gen = c->k[0][1] + c->k[1][1];
    close_to(c, "und", number_at(row, "und.value"), und / n, 0);
    close_to(c, "gen", number_at(row, "gen.value"), gen / n, limit / n);
    close_to(c, "succ", number_at(row, "succ.value"), c->k[1][1] / n, limit / n);
    close_to(c, "points", number_at(row, "points.value"), (und - gen) / n, limit / n);
}

static void contains(const struct cell *c, const ge_json *row, const char *what, double truth,
                     double slack)
{
    char lo[64], hi[64];
    snprintf(lo, sizeof lo, "bounds.%s.lo", what);
    snprintf(hi, sizeof hi, "bounds.%s.hi", what);
    double low = number_at(row, lo) - slack - 1e-9, high = number_at(row, hi) + slack + 1e-9;
    if (low <= truth && truth <= high) return;
    wrong("%s, %s %s: bounds of %s, widened, are %g to %g, the truth is %g", c->system,
          c->dimension, c->group, what, low, high, truth);
}

static void check_bounds(const struct cell *c, const ge_json *row)
{
    double n = (double)c->items, slack = (double)c->limit_all / n;
    contains(c, row, "und", c->drawn[UND] / n, 0);
    contains(c, row, "gen", c->drawn[GEN] / n, slack);
    contains(c, row, "succ", c->drawn_both / n, slack);
    contains(c, row, "points", (c->drawn[UND] - c->drawn[GEN]) / n, slack);
}

/* ---- what was printed ------------------------------------------------------------------------------- */

/* The text behind "| system | group |" in the table of a dimension, or NULL. */
static const char *find_line(const char *table, const struct cell *c)
{
    char head[256], start[512];
    bool overall = strcmp(c->dimension, "overall") == 0;
    snprintf(head, sizeof head, "### %s\n", overall ? "All items" : c->dimension);
    if (overall) {
        snprintf(start, sizeof start, "\n| %s | ", c->system);
    } else {
        snprintf(start, sizeof start, "\n| %s | %s | ", c->system, c->group);
    }
    const char *from = strstr(table, head);
    const char *line = from == NULL ? NULL : strstr(from, start);
    const char *next = from == NULL ? NULL : strstr(from + 1, "\n### ");
    if (line == NULL || (next != NULL && line > next)) return NULL;
    return line + strlen(start);
}

/* Cell number `index` of a Markdown line, as a number. */
static double printed(const char *line, int index)
{
    const char *end = strchr(line, '\n');
    for (; index > 0 && line != NULL; index--) {
        line = strstr(line, " | ");
        if (line != NULL) line += 3;
    }
    if (line == NULL || (end != NULL && line > end)) return NAN;
    char *stop;
    double v = strtod(line, &stop);
    return stop == line ? NAN : v;
}

static void check_printed(const struct cell *c, const char *table)
{
    const char *line = find_line(table, c);
    if (line == NULL) {
        wrong("%s, %s %s: no line in the printed table", c->system, c->dimension, c->group);
        return;
    }
    double n = (double)c->judged, slack = 100 * (double)c->limit / n + 0.0501; /* rounding */
    double und = c->k[1][0] + c->k[1][1], gen = c->k[0][1] + c->k[1][1];
    close_to(c, "printed n", printed(line, 0), n, 0);
    close_to(c, "printed succ", printed(line, 1), 100 * c->k[1][1] / n, slack);
    close_to(c, "printed und", printed(line, 2), 100 * und / n, 0.0501);
    close_to(c, "printed gen", printed(line, 3), 100 * gen / n, slack);
    close_to(c, "printed points", printed(line, 4), 100 * (und - gen) / n, slack);
}

/* ---- single samples ------------------------------------------------------------------------------------ */

static void check_sample(const struct sample *s)
{
    static const char *const name[DIRECTIONS] = {"und", "gen"};
    for (int d = 0; d < DIRECTIONS; d++) {
        if (!s->seen[d]) {
            wrong("%s, %s, %s: no row in samples.csv", s->system, s->item, name[d]);
        } else if (s->judged[d] == s->lost[d]) {
            wrong("%s, %s, %s: %s", s->system, s->item, name[d],
                  s->lost[d] ? "a lost answer is no error row" : "a good answer is an error row");
        } else if (d == UND && s->judged[d] && s->verdict[d] != s->truth[d]) {
            wrong("%s, %s, und: judged %d, drawn %d", s->system, s->item, s->verdict[d],
                  s->truth[d]);
        }
    }
}

static bool in_summary(const ge_json *gap, const char *system)
{
    for (const ge_json *r = ge_json_first(gap); r != NULL; r = ge_json_next(r)) {
        if (strcmp(ge_json_string(ge_json_get(r, "system"), ""), system) == 0) return true;
    }
    return false;
}

/* ---- order of the systems -------------------------------------------------------------------------------- */

/* Und - Gen of the joint table that a system was drawn from. */
static double planted(const ge_json *tables, const char *system)
{
    const ge_json *t = ge_json_get(tables, system);
    return ge_json_number(ge_json_get(t, "p10"), NAN) - ge_json_number(ge_json_get(t, "p01"), NAN);
}

static void check_order(const ge_json *tables, const ge_json *a, const ge_json *b)
{
    const char *first = ge_json_string(ge_json_get(a, "system"), "");
    const char *second = ge_json_string(ge_json_get(b, "system"), "");
    double difference = planted(tables, first) - planted(tables, second);
    if (fabs(difference) < 1e-9) return; /* equal truth is not ordered */
    const ge_json *more = difference > 0 ? a : b, *less = difference > 0 ? b : a;
    if (number_at(more, "points.lo") > number_at(less, "points.hi")) return;
    wrong("%s and %s: planted Und - Gen differ by %g, their intervals do not exclude each other "
          "in that order",
          first, second, difference);
}

static size_t check_systems(const ge_json *gap, const ge_json *tables)
{
    size_t n = 0;
    for (const ge_json *a = ge_json_first(gap); a != NULL; a = ge_json_next(a)) {
        if (strcmp(ge_json_string(ge_json_get(a, "dimension"), ""), "overall") != 0) continue;
        n++;
        for (const ge_json *b = ge_json_next(a); b != NULL; b = ge_json_next(b)) {
            if (strcmp(ge_json_string(ge_json_get(b, "dimension"), ""), "overall") != 0) continue;
            check_order(tables, a, b);
        }
    }
    return n;
}

/* ------------------------------------------------------------------------------------------------------------ */

static ge_status check(char **argv)
{
    ge_status rc = GE_OK;
    struct world w = {0};
    ge_json *summary = NULL, *tables = NULL;
    char *table = NULL, *path = NULL;
    struct cell cell;
    size_t cells = 0, largest = 0;
    GE_TRY(world_load(argv[1], argv[2], &w));
    GE_TRY_PTR(path, ge_sprintf("%s/samples.csv", argv[3]));
    GE_TRY(world_read_samples(&w, path));
    free(path);
    GE_TRY_PTR(path, ge_sprintf("%s/summary.json", argv[3]));
    GE_TRY(ge_json_read(path, &summary));
    free(path);
    GE_TRY_PTR(path, ge_sprintf("%s/systems.json", argv[1]));
    GE_TRY(ge_json_read(path, &tables));
    GE_TRY(ge_fs_read(argv[4], 1 << 24, &table, NULL));
    const ge_json *gap = ge_json_get(summary, "gap");
    for (size_t i = 0; i < w.n; i++) {
        if (in_summary(gap, w.samples[i].system)) check_sample(&w.samples[i]);
    }
    for (const ge_json *r = ge_json_first(gap); r != NULL; r = ge_json_next(r), cells++) {
        make_cell(&w, r, &cell);
        check_counts(&cell, r);
        check_bounds(&cell, r);
        check_printed(&cell, table);
        if (cell.limit > largest) largest = cell.limit;
    }
    size_t systems = check_systems(gap, tables), expected = strtoul(argv[5], NULL, 10);
    if (systems != expected) wrong("%zu systems, wanted %zu", systems, expected);
    printf("%zu cells of %zu systems, at most %zu pictures misjudged in one: %u differences\n",
           cells, systems, largest, failures);
done:
    free(path);
    free(table);
    ge_json_delete(&summary);
    ge_json_delete(&tables);
    world_free(&w);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: demo_check DATA CONFUSION RUN TABLE SYSTEMS\n");
        return 2;
    }
    if (check(argv) != GE_OK) {
        fprintf(stderr, "demo_check: %s\n", ge_error());
        return 1;
    }
    return failures == 0 ? 0 : 1;
}
