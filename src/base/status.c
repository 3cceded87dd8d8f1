/* One message per thread. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[2048];

const char *ge_status_name(ge_status s)
{
    static const char *const names[] = {
        [GE_OK] = "ok",
        [GE_EINVAL] = "invalid",
        [GE_EFORMAT] = "format",
        [GE_ELIMIT] = "limit",
        [GE_EUNSUPPORTED] = "unsupported",
        [GE_ENOENT] = "missing",
        [GE_EIO] = "io",
        [GE_ENOMEM] = "memory",
        [GE_EDEVICE] = "device",
        [GE_ECOMM] = "communication",
        [GE_ECONFLICT] = "conflict",
        [GE_EINTERRUPTED] = "interrupted",
        [GE_EINTERNAL] = "internal",
    };
    size_t n = sizeof names / sizeof names[0];
    return (size_t)s < n ? names[s] : "unknown";
}

int ge_status_is_content(ge_status s)
{
    return s == GE_EINVAL || s == GE_EFORMAT || s == GE_ELIMIT || s == GE_EUNSUPPORTED;
}

ge_status ge_fail(ge_status s, const char *fmt, ...)
{
    char text[sizeof message]; /* the arguments may hold the old message */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(message, text, sizeof message);
    return s;
}

ge_status ge_fail_in(ge_status s, const char *fmt, ...)
{
    char text[sizeof message];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof text - 2 ? (size_t)n : sizeof text - 3;
    memcpy(text + used, ": ", 2);
    used += 2;
    size_t rest = strnlen(message, sizeof text - used - 1);
    memcpy(text + used, message, rest);
    text[used + rest] = '\0';
    memcpy(message, text, sizeof message);
    return s;
}

const char *ge_error(void)
{
    return message;
}

void ge_error_clear(void)
{
    message[0] = '\0';
}
