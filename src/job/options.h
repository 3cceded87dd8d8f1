/* The option table: one row per job setting.
 *
 * It drives the job file's validation and defaults, --set and the flags, --help, docs/job.md, and
 * says which settings affect results. A row's path is dotted; `*` stands for any name (a map's
 * key) and `[]` for a list's element: "encoders.*.model", "systems[].name". Not here: what a
 * setting does, and checks between settings (spec.h). Used by spec.c and by cli/.
 * All functions are local and thread-safe. */
#ifndef GE_JOB_OPTIONS_H
#define GE_JOB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"

enum ge_option_type {
    GE_OPT_STRING,
    GE_OPT_NAME,    /* a string of letters, digits, '.', '_', '-', '+'; also a file name */
    GE_OPT_PATH,    /* a string; relative paths are relative to the job file */
    GE_OPT_INT,     /* whole number in [min, max] */
    GE_OPT_REAL,    /* finite number in [min, max] */
    GE_OPT_BOOL,    /* */
    GE_OPT_ENUM,    /* one of `allowed` */
    GE_OPT_STRINGS, /* list of strings, or one string; each one of `allowed` if that is set */
    GE_OPT_PATHS,   /* list of paths, or one path */
    GE_OPT_OBJECT,  /* fixed keys: the rows "<path>.key" */
    GE_OPT_MAP,     /* free keys (names): the row "<path>.*" */
    GE_OPT_LIST     /* list of objects: the row "<path>[]"; min = least number of elements */
};

struct ge_option {
    const char *path;
    enum ge_option_type type;
    bool required;        /* must be given */
    bool affects_results; /* enters the cell hash; a resume refuses another value */
    const char *def;      /* default as JSON text; NULL: none */
    const char *allowed;  /* "a|b|c"; NULL: anything of the type */
    double min, max;      /* numbers and list lengths; both 0: no bounds */
    const char *flag;     /* long flag, "--limit"; NULL: none */
    const char *help;     /* one sentence without a full stop */
};

/* All rows in the order of the documents and of the resolved JSON. */
const struct ge_option *ge_options(size_t *n);

/* Row of a concrete key path ("encoders.clip.model", "systems[1].name"), or NULL. */
const struct ge_option *ge_option_find(const char *path);

/* Row whose flag this is ("--limit", also "--limit=5"), or NULL. */
const struct ge_option *ge_option_by_flag(const char *arg);

/* Nearest name among n by edit distance, if it is near enough to suggest; NULL otherwise. */
const char *ge_nearest_name(const char *name, const char *const *names, size_t n);

/* A setting given on the command line. It wins over the job file; of two, the later one. */
struct ge_override {
    const char *path;  /* dotted, through objects and maps only */
    const char *value; /* JSON, or else taken as a string; options of type string, path or enum
                          take any unquoted text as it is */
    const char *label; /* what messages call it: "--limit"; NULL: "--set <path>" */
};

/* Split "a.b=value" (--set). Strings are copied into the arena.
 * GE_EINVAL (no '=', or a path that no option has, with a suggestion), GE_ENOMEM. */
ge_status ge_override_parse(const char *text, struct ge_arena *arena, struct ge_override *out);

/* Read argv[*i] as "--set a.b=value", "--flag value", "--flag=value" or, for a bool, "--flag".
 * If it is one of these, *found is true, *i stands on its last word and *out is filled; otherwise
 * *found is false. GE_EINVAL (value missing, bad --set), GE_ENOMEM. */
ge_status ge_override_from_args(int argc, char **argv, int *i, struct ge_arena *arena, bool *found,
                                struct ge_override *out);

/* Where a part of a job came from, for messages. */
struct ge_origin {
    const char *path; /* concrete key path of the part */
    const char *name; /* "--set dataset.limit", or the file behind a "$file" */
};

/* Check a job against the table and write it with every default filled in: keys in table order,
 * names of maps in byte order, lists in their own order, options without value left out. The
 * result is canonical: two jobs that say the same give the same bytes.
 * `source` (the job file) and `origins` name places in messages: the longest origin path that
 * holds the bad key wins, the last one among equals.
 * GE_EINVAL: unknown key (with a suggestion), wrong type, out of range, missing; the message
 * names source, key path, what was found and what is allowed. */
ge_status ge_options_resolve(const ge_json *job, const char *source,
                             const struct ge_origin *origins, size_t n_origins, struct ge_buf *out);

/* The part of a resolved job that affects results, as canonical JSON on one line: rows with
 * affects_results; of the list `systems` only element `system`, written as an object
 * "system". */
ge_status ge_options_results(const ge_json *resolved, size_t system, struct ge_buf *out);

/* One difference between two resolved jobs. */
struct ge_option_change {
    const char *path;      /* concrete key path */
    const char *old_value; /* compact JSON; NULL: not there */
    const char *new_value;
    bool affects_results; /* also true for a key that this version does not know */
};

/* Keys that differ between two resolved jobs, in table order of `old_job` and then what only
 * `new_job` has. Lists are compared as a whole, except lists of objects: element by element.
 * In the arena. GE_ENOMEM. */
ge_status ge_options_diff(const ge_json *old_job, const ge_json *new_job, struct ge_arena *arena,
                          struct ge_option_change **changes, size_t *n);

/* The text of docs/job.md. */
void ge_options_markdown(struct ge_buf *out);

/* The options that have a flag, for --help: two columns, 100 characters wide. */
void ge_options_help(struct ge_buf *out);

#endif
