/* The command line: one file per command, a table of them, exit codes. Only main() exits. */
#ifndef GE_CLI_CLI_H
#define GE_CLI_CLI_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"
#include "job/options.h"

enum ge_exit {
    GE_EXIT_DONE = 0,
    GE_EXIT_FAILED = 1,
    GE_EXIT_USAGE = 2,
    GE_EXIT_AGAIN = 75 /* not finished: run the same command again */
};

struct ge_command {
    const char *name;
    const char *usage;                  /* behind "gapeval <name>" */
    const char *help;                   /* one line */
    int (*main)(int argc, char **argv); /* argv[0] is the command's name; gives an exit code */
};

/* Every command in the order of --help, ended by an entry without a name. */
extern const struct ge_command ge_commands[];

/* Run the program; the exit code. */
int ge_cli_main(int argc, char **argv);

/* Print a failure of this thread ("gapeval: <message>") and give its exit code. */
int ge_cli_fail(ge_status rc);

/* Print "gapeval <command>: <message>" and how to get help; GE_EXIT_USAGE. */
int ge_cli_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- arguments of a command ----------------------------------------------------------------- */

/* One flag of a command: exactly one of the targets is set. */
struct ge_flag {
    const char *name;    /* "--out" */
    const char **string; /* takes a value */
    long *number;        /* takes a whole number >= 0 */
    bool *on;            /* takes none */
};

/* What is not a flag: at most GE_CLI_WORDS words; and job settings (--set, --limit, …) where a
 * command takes them. */
enum { GE_CLI_WORDS = 64, GE_CLI_OVERRIDES = 256 };
struct ge_args {
    const char *command;
    const struct ge_flag *flags; /* ended by an entry without a name */
    bool job_options;            /* accept the flags of the option table */
    const char
        *repeatable; /* flag whose values, when given again, are joined by newlines; or NULL */
    struct ge_arena *arena;
    const char *words[GE_CLI_WORDS];
    int n_words;
    struct ge_override overrides[GE_CLI_OVERRIDES];
    size_t n_overrides;
};

/* Read a command's arguments; "--flag value" and "--flag=value"; "--" ends the flags. Free with
 * ge_args_free(), also after a failure. GE_EINVAL with the message for ge_cli_usage(). */
ge_status ge_args_parse(struct ge_args *a, int argc, char **argv);
void ge_args_free(struct ge_args *a);

/* A whole command that does one thing to each of its path arguments (at least one, at most `most`)
 * and takes no flags; the exit code. */
int ge_cli_each_path(const char *command, int most, ge_status (*fn)(const char *path), int argc,
                     char **argv);

/* ---- commands ---------------------------------------------------------------------------------- */

int ge_cmd_run(int argc, char **argv);
int ge_cmd_plan(int argc, char **argv);
int ge_cmd_status(int argc, char **argv);
int ge_cmd_pack(int argc, char **argv);
int ge_cmd_aggregate(int argc, char **argv);
int ge_cmd_calibrate(int argc, char **argv);
int ge_cmd_report(int argc, char **argv);
int ge_cmd_verify(int argc, char **argv);
int ge_cmd_digest(int argc, char **argv);
int ge_cmd_gap(int argc, char **argv);
int ge_cmd_inspect(int argc, char **argv);
int ge_cmd_embed(int argc, char **argv);
int ge_cmd_tokenize(int argc, char **argv);
int ge_cmd_preprocess(int argc, char **argv);
int ge_cmd_score(int argc, char **argv);
int ge_cmd_import(int argc, char **argv);
int ge_cmd_metrics(int argc, char **argv);
int ge_cmd_doctor(int argc, char **argv);
int ge_cmd_bench(int argc, char **argv);
int ge_cmd_docs(int argc, char **argv);

#endif
