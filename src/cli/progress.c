/* Rate, time left, failures. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

void ge_progress_init(struct ge_progress *p, enum ge_progress_mode mode)
{
    memset(p, 0, sizeof *p);
    p->mode = mode;
    p->terminal = isatty(STDERR_FILENO);
}

/* "1h02m03s", "2m03s", "3s". */
static void duration(double seconds, char out[32])
{
    unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;
    if (s >= 3600) {
        snprintf(out, 32, "%luh%02lum%02lus", s / 3600, s / 60 % 60, s % 60);
    } else if (s >= 60) {
        snprintf(out, 32, "%lum%02lus", s / 60, s % 60);
    } else {
        snprintf(out, 32, "%lus", s);
    }
}

static void line(const struct ge_dist_progress *state, char *out, size_t size)
{
    const struct ge_coordinator_stats *s = state->stats;
    uint32_t done = s->chunks_before + s->chunks_done - s->chunks_partial;
    double rate = state->seconds > 0 ? (double)s->samples / state->seconds : 0;
    double left = s->chunks_done == 0 ? -1 : state->seconds * (s->chunks - done) / s->chunks_done;
    char eta[32] = "?", lost[48] = "";
    if (left >= 0) duration(left, eta);
    if (s->workers_dead > 0) snprintf(lost, sizeof lost, ", %u ranks lost", s->workers_dead);
    snprintf(out, size, "%u/%u chunks, %llu samples, %.1f/s, ETA %s, %llu errors, %llu undone%s",
             done, s->chunks, (unsigned long long)s->samples, rate, eta,
             (unsigned long long)s->errors, (unsigned long long)s->samples_undone, lost);
}

static void print_json(const struct ge_dist_progress *state)
{
    const struct ge_coordinator_stats *s = state->stats;
    struct ge_buf out;
    struct ge_jsonw w;
    ge_buf_init(&out, 4096);
    ge_jsonw_init(&w, &out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_double(&w, "seconds", state->seconds);
    ge_jsonw_int(&w, "chunks", s->chunks);
    ge_jsonw_int(&w, "chunks_done", (int64_t)s->chunks_before + s->chunks_done - s->chunks_partial);
    ge_jsonw_int(&w, "samples", (int64_t)s->samples);
    ge_jsonw_int(&w, "errors", (int64_t)s->errors);
    ge_jsonw_int(&w, "undone", (int64_t)s->samples_undone);
    ge_jsonw_int(&w, "ranks_alive", s->workers_alive);
    ge_jsonw_int(&w, "ranks_lost", s->workers_dead);
    ge_jsonw_object_end(&w);
    ge_buf_char(&out, '\n');
    if (ge_buf_status(&out) == GE_OK) fputs(out.data, stderr);
    ge_buf_free(&out);
}

void ge_progress_show(struct ge_progress *p, const struct ge_dist_progress *state, bool last_call)
{
    char text[256];
    double period = p->mode == GE_PROGRESS_JSON ? 1 : p->terminal ? 0.2 : 30;
    if (p->mode == GE_PROGRESS_QUIET) return;
    if (!last_call && state->seconds - p->last < period) return;
    p->last = state->seconds;
    if (p->mode == GE_PROGRESS_JSON) {
        print_json(state);
        return;
    }
    line(state, text, sizeof text);
    if (!p->terminal) {
        ge_info("%s", text);
        return;
    }
    fprintf(stderr, "\r\033[K%s%s", text, last_call ? "\n" : "");
    fflush(stderr);
}
