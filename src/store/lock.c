/* The lock file and who may take it over.
 *
 * The file is made under a name of its own and put in place by link() (first taker) or rename()
 * (take-over), so it is never seen half-written. Its holder keeps it open and bumps the counter in
 * place: if the file was replaced meanwhile, the bump goes into the old one and harms nobody. */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/io.h"

enum { MAX_BYTES = 8192, NAME_BYTES = 256, COUNTER_DIGITS = 12 };

/* Who a process is, so that another one can tell whether it still lives. */
struct holder {
    char host[NAME_BYTES];
    char boot[64];    /* boot id */
    char space[64];   /* process id namespace: containers on one host share host and boot */
    char started[32]; /* the process's start time, in clock ticks since boot */
    char job[NAME_BYTES];
    char token[GE_HASH_HEX]; /* unique to this lock */
    int64_t pid, restarts;
    uint64_t counter;
};

struct ge_lock {
    struct holder me;
    char *path;
    int fd;    /* the lock file, kept open */
    bool held; /* taken: to be removed on release */
    double period, bumped;
};

/* ---- identity ------------------------------------------------------------------------------- */

/* First line of a small system file; "" if there is none. */
static void read_line(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    out[0] = '\0';
    if (f == NULL) return;
    if (fgets(out, (int)size, f) == NULL) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(f);
}

/* Start time of a process: field 22 of its stat line; "" if there is no such process, "ended" if
 * it only waits to be collected. */
static void process_started(int64_t pid, char out[32])
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_line(path, line, sizeof line);
    out[0] = '\0';
    char *p = strrchr(line, ')'); /* the name before it may hold anything */
    if (p == NULL) return;
    char *save = NULL;
    char *field = strtok_r(p + 1, " ", &save);
    if (field != NULL && strcmp(field, "Z") == 0) {
        snprintf(out, 32, "ended");
        return;
    }
    for (int i = 3; field != NULL && i < 22; i++) field = strtok_r(NULL, " ", &save);
    if (field != NULL) snprintf(out, 32, "%s", field);
}

static void identify(struct holder *h, const struct ge_lock_options *o)
{
    struct timespec now;
    memset(h, 0, sizeof *h);
    if (gethostname(h->host, sizeof h->host - 1) != 0) snprintf(h->host, sizeof h->host, "unknown");
    read_line("/proc/sys/kernel/random/boot_id", h->boot, sizeof h->boot);
    ssize_t n = readlink("/proc/self/ns/pid", h->space, sizeof h->space - 1);
    if (n < 0) h->space[0] = '\0';
    h->pid = getpid();
    process_started(h->pid, h->started);
    snprintf(h->job, sizeof h->job, "%s", o->job_id != NULL ? o->job_id : "");
    h->restarts = o->restarts;
    clock_gettime(CLOCK_REALTIME, &now);
    char seed[NAME_BYTES + 128];
    int len = snprintf(seed, sizeof seed, "%s %s %lld %lld.%09ld %p", h->host, h->boot,
                       (long long)h->pid, (long long)now.tv_sec, now.tv_nsec, (void *)h);
    ge_hash_hex(ge_hash_bytes(seed, (size_t)len), h->token);
}

/* ---- file content --------------------------------------------------------------------------- */

/* The same number of bytes for every counter, so that it can be rewritten in place. */
static ge_status print_holder(const struct holder *h, struct ge_buf *out)
{
    struct ge_jsonw w;
    char counter[32];
    snprintf(counter, sizeof counter, "%0*llu", COUNTER_DIGITS, (unsigned long long)h->counter);
    ge_buf_reset(out);
    ge_jsonw_init(&w, out, 0);
    ge_jsonw_object(&w, NULL);
    ge_jsonw_string(&w, "host", h->host);
    ge_jsonw_int(&w, "pid", h->pid);
    ge_jsonw_string(&w, "started", h->started);
    ge_jsonw_string(&w, "boot", h->boot);
    ge_jsonw_string(&w, "space", h->space);
    ge_jsonw_string(&w, "job", h->job);
    ge_jsonw_int(&w, "restarts", h->restarts);
    ge_jsonw_string(&w, "token", h->token);
    ge_jsonw_string(&w, "counter", counter);
    ge_jsonw_object_end(&w);
    ge_buf_char(out, '\n');
    return ge_buf_status(out);
}

static void copy_string(const ge_json *doc, const char *key, char *out, size_t size)
{
    snprintf(out, size, "%s", ge_json_string(ge_json_get(doc, key), ""));
}

/* Who a lock file names. A file that cannot be understood gives a holder without a token, which
 * is never us and never provably dead: it is watched like any other. */
static void parse_holder(const char *text, size_t len, struct holder *h)
{
    ge_json *doc = NULL;
    memset(h, 0, sizeof *h);
    if (ge_json_parse(text, len, "lock", &doc) != GE_OK) return;
    copy_string(doc, "host", h->host, sizeof h->host);
    copy_string(doc, "boot", h->boot, sizeof h->boot);
    copy_string(doc, "space", h->space, sizeof h->space);
    copy_string(doc, "started", h->started, sizeof h->started);
    copy_string(doc, "job", h->job, sizeof h->job);
    copy_string(doc, "token", h->token, sizeof h->token);
    if (ge_json_int(ge_json_get(doc, "pid"), "pid", 1, INT32_MAX, &h->pid) != GE_OK) h->pid = 0;
    if (ge_json_int(ge_json_get(doc, "restarts"), "restarts", 0, UINT32_MAX, &h->restarts)) {
        h->restarts = INT64_MAX;
    }
    ge_json_delete(&doc);
}

/* ---- judging a holder ----------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
    return a[0] != '\0' && strcmp(a, b) == 0;
}

/* Dead beyond doubt: a process of this host, boot and namespace that is gone, or whose id now
 * belongs to a later process. */
static bool is_dead(const struct holder *h, const struct holder *me)
{
    char started[32];
    if (h->pid <= 0 || !same(h->host, me->host) || !same(h->boot, me->boot) ||
        !same(h->space, me->space)) {
        return false;
    }
    process_started(h->pid, started);
    if (started[0] != '\0') return strcmp(started, h->started) != 0;
    return kill((pid_t)h->pid, 0) != 0 && errno == ESRCH;
}

/* An earlier start of the job that we are: the batch system ended it before it started us. */
static bool is_earlier_start(const struct holder *h, const struct holder *me)
{
    return same(h->job, me->job) && h->restarts < me->restarts;
}

static ge_status refuse(const char *path, const struct holder *h)
{
    char job[NAME_BYTES + 16] = "";
    if (h->job[0] != '\0') snprintf(job, sizeof job, ", job %s", h->job);
    return ge_fail(GE_ECONFLICT,
                   "%s: held by process %lld on %s%s; wait for it to end, stop it, or choose "
                   "another output",
                   path, (long long)h->pid, h->host[0] != '\0' ? h->host : "an unknown host", job);
}

/* ---- taking it ------------------------------------------------------------------------------ */

static void sleep_for(double s)
{
    struct timespec t = {.tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9)};
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

/* Make our lock file under `aside` and keep it open. */
static ge_status prepare(struct ge_lock *l, const char *aside)
{
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, MAX_BYTES);
    GE_TRY(print_holder(&l->me, &text));
    GE_TRY(ge_io_open(aside, O_WRONLY | O_CREAT | O_EXCL, &l->fd));
    GE_TRY(ge_io_write(l->fd, text.data, text.len, aside));
    GE_TRY(ge_io_sync(l->fd, aside));
done:
    ge_buf_free(&text);
    return rc;
}

/* Put our file in place if there is none. *taken says whether it worked. */
static ge_status try_link(const char *aside, const char *path, bool *taken)
{
    *taken = ge_io()->link(aside, path) == 0;
    if (*taken || errno == EEXIST) return GE_OK;
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
        /* A file system without hard links: look, then rename. Two starters at the very same
         * moment may both come this far; the check after it finds the loser. */
        if (ge_fs_exists(path)) return GE_OK;
        *taken = true;
        return ge_io_rename(aside, path);
    }
    return ge_fail(GE_EIO, "%s: cannot make the lock: %s", path, strerror(errno));
}

/* Watch a holder that may or may not live. GE_OK: it stood still for stale_s, or the file went
 * away; GE_ECONFLICT: it moves. */
static ge_status watch(const char *path, const char *seen, size_t seen_len, double stale_s)
{
    ge_status rc = GE_OK;
    char *text = NULL;
    size_t len = 0;
    double start = ge_now();
    double step = stale_s / 20 < 0.5 ? stale_s / 20 : 0.5;
    while (ge_now() - start < stale_s) {
        sleep_for(step > 0.001 ? step : 0.001);
        rc = ge_io_read_file(path, MAX_BYTES, &text, &len);
        if (rc == GE_ENOENT) return GE_OK;
        if (rc != GE_OK) return rc;
        bool moved = len != seen_len || memcmp(text, seen, len) != 0;
        if (moved) {
            struct holder h;
            parse_holder(text, len, &h);
            rc = refuse(path, &h);
        }
        free(text);
        if (rc != GE_OK) return rc;
    }
    return GE_OK;
}

/* Decide about a lock file that is there: GE_OK with *take when it may be replaced. */
static ge_status judge(struct ge_lock *l, double stale_s, bool *take)
{
    ge_status rc = GE_OK;
    char *text = NULL;
    size_t len = 0;
    struct holder h;
    *take = false;
    rc = ge_io_read_file(l->path, MAX_BYTES, &text, &len);
    if (rc == GE_ENOENT) return GE_OK; /* given back meanwhile: try again */
    if (rc == GE_ELIMIT) {
        return ge_fail(GE_EFORMAT, "%s: not a lock file; remove it if no run uses this output",
                       l->path);
    }
    if (rc != GE_OK) return rc;
    parse_holder(text, len, &h);
    if (is_dead(&h, &l->me)) {
        ge_info("%s: process %lld of this host is gone; taking its lock", l->path,
                (long long)h.pid);
    } else if (is_earlier_start(&h, &l->me)) {
        ge_info("%s: restart %lld of job %s is over; taking its lock", l->path,
                (long long)h.restarts, h.job);
    } else {
        ge_info("%s: held by process %lld on %s; watching it for %.3g s", l->path, (long long)h.pid,
                h.host, stale_s);
        rc = watch(l->path, text, len, stale_s);
    }
    *take = rc == GE_OK;
    free(text);
    return rc;
}

/* Take the lock with our prepared file. */
static ge_status take(struct ge_lock *l, const char *aside, double stale_s)
{
    enum { TRIES = 100 };
    ge_status rc = GE_OK;
    for (int i = 0; i < TRIES; i++) {
        bool taken = false, replace = false;
        GE_TRY(try_link(aside, l->path, &taken));
        if (taken) goto done;
        GE_TRY(judge(l, stale_s, &replace));
        if (!replace) continue;
        if (!ge_fs_exists(l->path)) continue;
        GE_TRY(ge_io_rename(aside, l->path));
        /* Another starter may have come to the same verdict; the last rename wins, and whoever
         * does not find its own token afterwards has lost. */
        sleep_for(stale_s / 10 < 0.5 ? stale_s / 10 : 0.5);
        rc = ge_lock_still_ours(l);
        goto done;
    }
    rc = ge_fail(GE_ECONFLICT, "%s: the lock keeps changing hands; try again", l->path);
done:
    return rc;
}

ge_status ge_lock_acquire(const struct ge_lock_options *options, struct ge_lock **out)
{
    ge_status rc = GE_OK;
    struct ge_lock *l = NULL;
    char *aside = NULL, *dir = NULL;
    *out = NULL;
    if (!(options->stale_s > 0)) {
        return ge_fail(GE_EINVAL, "lock_stale_s: %g, wanted more than 0", options->stale_s);
    }
    GE_NEW(l, 1);
    l->fd = -1;
    identify(&l->me, options);
    l->period = options->period_s > 0 ? options->period_s : GE_LOCK_PERIOD;
    if (l->period > options->stale_s / 2) l->period = options->stale_s / 2;
    GE_TRY_PTR(l->path, ge_strdup(options->path));
    GE_TRY_PTR(aside, ge_sprintf("%s.%s", options->path, l->me.token));
    GE_TRY_PTR(dir, ge_fs_dirname(options->path));
    GE_TRY(prepare(l, aside));
    GE_TRY(take(l, aside, options->stale_s));
    GE_TRY(ge_io_sync_dir(dir));
    GE_TRY(ge_lock_still_ours(l));
    l->bumped = ge_now();
    l->held = true;
    *out = l;
    l = NULL;
done:
    if (aside != NULL) (void)ge_io()->unlink(aside);
    ge_lock_release(&l);
    free(aside);
    free(dir);
    return rc;
}

/* ---- holding it ----------------------------------------------------------------------------- */

ge_status ge_lock_still_ours(struct ge_lock *l)
{
    char *text = NULL;
    size_t len = 0;
    struct holder h;
    ge_status rc = ge_io_read_file(l->path, MAX_BYTES, &text, &len);
    if (rc == GE_ENOENT) {
        return ge_fail(GE_ECONFLICT, "%s: the lock was removed while we held it; stopping",
                       l->path);
    }
    if (rc != GE_OK) return rc;
    parse_holder(text, len, &h);
    free(text);
    if (strcmp(h.token, l->me.token) == 0) return GE_OK;
    refuse(l->path, &h);
    return ge_fail_in(GE_ECONFLICT, "the lock was taken from us");
}

ge_status ge_lock_tick(struct ge_lock *l, double now)
{
    if (now - l->bumped < l->period) return GE_OK;
    ge_status rc = GE_OK;
    struct ge_buf text;
    ge_buf_init(&text, MAX_BYTES);
    l->bumped = now;
    l->me.counter++;
    GE_TRY(print_holder(&l->me, &text));
    GE_TRY(ge_io_pwrite(l->fd, text.data, text.len, 0, l->path));
    GE_TRY(ge_io_datasync(l->fd, l->path));
    GE_TRY(ge_lock_still_ours(l));
done:
    ge_buf_free(&text);
    return rc;
}

void ge_lock_release(struct ge_lock **l)
{
    if (*l == NULL) return;
    if ((*l)->held && ge_lock_still_ours(*l) == GE_OK) (void)ge_io()->unlink((*l)->path);
    (void)ge_io_close(&(*l)->fd, (*l)->path);
    free((*l)->path);
    free(*l);
    *l = NULL;
}
