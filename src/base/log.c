/* One write per message, so that lines of threads and ranks do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 };

static atomic_int max_level = GE_LOG_INFO;
static atomic_int my_rank = -1;

void ge_log_set_level(enum ge_log_level level)
{
    atomic_store(&max_level, (int)level);
}

void ge_log_set_rank(int rank)
{
    atomic_store(&my_rank, rank);
}

/* Append to line[0…LINE_BYTES-1); what does not fit is cut. */
static size_t append(char *line, size_t len, const char *fmt, va_list ap)
{
    int n = vsnprintf(line + len, LINE_BYTES - len, fmt, ap);
    if (n < 0) return len;
    size_t end = len + (size_t)n;
    return end < LINE_BYTES - 1 ? end : LINE_BYTES - 1;
}

static size_t append_text(char *line, size_t len, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    len = append(line, len, fmt, ap);
    va_end(ap);
    return len;
}

/* A message is one line whatever a file name or an answer in it holds. */
static void flatten(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f) text[i] = ' ';
    }
}

static void write_line(char *line, size_t len)
{
    flatten(line, len);
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; /* there is no one left to tell */
}

void ge_log_print(enum ge_log_level level, const char *fmt, ...)
{
    static const char *const marks[] = {"error: ", "warning: ", "", "debug: "};
    if ((int)level > atomic_load(&max_level)) return;
    char line[LINE_BYTES + 1];
    int rank = atomic_load(&my_rank);
    size_t len = append_text(line, 0, "gapeval");
    if (rank >= 0) len = append_text(line, len, "[%d]", rank);
    len = append_text(line, len, ": %s", marks[level]);
    va_list ap;
    va_start(ap, fmt);
    len = append(line, len, fmt, ap);
    va_end(ap);
    write_line(line, len);
}

void ge_assert_fail(const char *cond, const char *file, int line)
{
    ge_log_print(GE_LOG_ERROR, "%s:%d: broken invariant: %s; this is a bug in gapeval", file, line,
                 cond);
    abort();
}

double ge_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void ge_utc(char out[21])
{
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm) == NULL || strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        memcpy(out, "0000-00-00T00:00:00Z", 21);
    }
}
