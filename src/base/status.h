/* Status codes and error messages.
 *
 * Every function that can fail returns a ge_status. The message that explains the failure is
 * kept per thread: ge_fail() sets it, ge_fail_in() puts the outer context in front of it, and
 * whoever handles the failure (an error row, main) reads it with ge_error(). Not here: printing
 * (log.h) and exiting (only main does). Local; thread-safe. */
#ifndef GE_BASE_STATUS_H
#define GE_BASE_STATUS_H

typedef enum ge_status {
    GE_OK = 0,
    GE_EINVAL,       /* an argument, option or job setting is out of its documented range */
    GE_EFORMAT,      /* a file's content breaks its format */
    GE_ELIMIT,       /* content exceeds a declared cap (pixels, depth, bytes) */
    GE_EUNSUPPORTED, /* valid, but of a kind that this program does not handle */
    GE_ENOENT,       /* a file or an entry is missing */
    GE_EIO,          /* the operating system failed an I/O call */
    GE_ENOMEM,       /* out of memory */
    GE_EDEVICE,      /* a compute device failed */
    GE_ECOMM,        /* message passing failed */
    GE_ECONFLICT,    /* state on disk belongs to another job, run or writer */
    GE_EINTERRUPTED, /* asked to stop; the work can be continued later */
    GE_EINTERNAL     /* a broken invariant of our own */
} ge_status;

/* Lower-case name of a status, e.g. "format"; stored in error rows. Never NULL. */
const char *ge_status_name(ge_status s);

/* True for a failure that is a property of the input (error row), false for a failure of the
 * node (retry, then undone): design invariant 3. GE_OK is neither: false. */
int ge_status_is_content(ge_status s);

/* Set this thread's message (printf style; truncated at 2 KiB) and return s.
 * Say what, where, what was expected, what to do. */
ge_status ge_fail(ge_status s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "<context>: " in front of this thread's message and return s. */
ge_status ge_fail_in(ge_status s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* This thread's message; "" if none was set since ge_error_clear(). Valid until the next call. */
const char *ge_error(void);
void ge_error_clear(void);

/* Run an expression that gives a ge_status; on failure keep it in `rc` and go to `done`. */
#define GE_TRY(expr)                                                                               \
    do {                                                                                           \
        rc = (expr);                                                                               \
        if (rc != GE_OK) goto done;                                                                \
    } while (0)

#endif
