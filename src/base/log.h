/* Messages to people, on stderr, one line each: "gapeval[rank]: text". Local; thread-safe. */
#ifndef GE_BASE_LOG_H
#define GE_BASE_LOG_H

enum ge_log_level { GE_LOG_ERROR, GE_LOG_WARN, GE_LOG_INFO, GE_LOG_DEBUG };

void ge_log_set_level(enum ge_log_level level); /* default GE_LOG_INFO */
void ge_log_set_rank(int rank);                 /* -1 (default): no rank in the prefix */

void ge_log_print(enum ge_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define ge_error_log(...) ge_log_print(GE_LOG_ERROR, __VA_ARGS__)
#define ge_warn(...)      ge_log_print(GE_LOG_WARN, __VA_ARGS__)
#define ge_info(...)      ge_log_print(GE_LOG_INFO, __VA_ARGS__)
#define ge_debug(...)     ge_log_print(GE_LOG_DEBUG, __VA_ARGS__)

/* A broken invariant of our own: print rank, file, line, condition; abort. */
#define GE_ASSERT(cond) ((cond) ? (void)0 : ge_assert_fail(#cond, __FILE__, __LINE__))
void ge_assert_fail(const char *cond, const char *file, int line) __attribute__((noreturn));

/* Seconds since an arbitrary start (CLOCK_MONOTONIC) and UTC now as "2026-01-31T12:00:00Z". */
double ge_now(void);
void ge_utc(char out[21]);

#endif
