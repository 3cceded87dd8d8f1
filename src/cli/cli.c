/* The table of commands and what is common to all. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/version.h"

const struct ge_command ge_commands[] = {
    {"run", "JOB [--set KEY=VALUE]… [job options]",
     "evaluate a job, alone or under mpirun/srun; run again to resume", ge_cmd_run},
    {"plan",
     "JOB [job options] | --power [JOB] [--items N] [--gap POINTS] [--und PERCENT]\n"
     "               [--phi R] [--confidence L] [--chance P]",
     "check everything and print what run would do; or what gap so many items can show",
     ge_cmd_plan},
    {"status", "RUN", "how far a run is", ge_cmd_status},
    {"aggregate",
     "STORE [--output DIR] [--ratings FILE] [--set aggregation.KEY=VALUE]…\n"
     "               [--set ratings.KEY=VALUE]… [--quiet]",
     "recompute all tables from a store", ge_cmd_aggregate},
    {"calibrate",
     "STORE [--ratings FILE] [--dimension D] [--min M] [--metric NAME|all] [--task TYPE]\n"
     "               [--by agreement|youden] [--folds N] [--seed N] [--out thresholds.json]\n"
     "               [--roc curves.csv]",
     "compare metrics with human ratings, find thresholds", ge_cmd_calibrate},
    {"report", "STORE [--diagnoses]",
     "print the tables of a store as Markdown, or its diagnoses by category", ge_cmd_report},
    {"gap",
     "INPUT.json [--estimator upstream] [--output FILE.json] [--threads N]\n"
     "       gapeval gap --verdicts FILE.csv [--estimator logit|irt|upstream] [--by category]\n"
     "               [--agq N] [--level L] [--out FILE.json] [--threads N]",
     "the gap from verdicts or shares in a file, by an estimator of choice", ge_cmd_gap},
    {"inspect", "STORE [--item ID [--system NAME]]",
     "what a store holds, or everything about one item", ge_cmd_inspect},
    {"verify", "RUN|STORE", "check journal, store and tables for damage", ge_cmd_verify},
    {"digest", "RUN|STORE…", "hash of a store's scores and verdicts", ge_cmd_digest},
    {"pack", "RUN", "build results.h5 from a run's journal", ge_cmd_pack},
    {"embed",
     "--model FOLDER (--images LIST|DIR | --texts FILE) --out FILE.npy [--normalize]\n"
     "               [--device D] [--level L] [--dtype fp32|bf16|fp16] [--batch-size N] [--threads "
     "N]\n"
     "               [--exif apply|ignore] [--alpha drop|white] [--pillow 12|13]\n"
     "               [--resize pil|torchvision] [--quiet]",
     "embed images or texts", ge_cmd_embed},
    {"tokenize", "--model FOLDER --texts FILE [--no-truncate] [--out FILE]",
     "token ids, one JSON array per line", ge_cmd_tokenize},
    {"preprocess",
     "--model FOLDER --images LIST|DIR --out FILE.npy [--stage pixels|tensor] [--threads N]\n"
     "               [--exif apply|ignore] [--alpha drop|white] [--pillow 12|13]\n"
     "               [--resize pil|torchvision]",
     "pictures as an encoder sees them", ge_cmd_preprocess},
    {"score", "JOB --item ID --system NAME [--direction und|gen] [--sample N] [job options]",
     "score one answer and show every step", ge_cmd_score},
    {"import",
     "lmms-eval|vlmevalkit FILE… --out ANSWERS.jsonl [--system NAME] [--direction und|gen]\n"
     "               [--id KEY] [--prefix TEXT] [--filtered]",
     "answers that another harness recorded, as recorded answers", ge_cmd_import},
    {"metrics",
     "--predictions FILE.jsonl --metric NAME,… [--out FILE]\n"
     "               [--encoder clip|sentence|bertscore=FOLDER]…\n"
     "               [--bertscore-layer N] [--bertscore-idf] [--bertscore-baseline P,R,F1]\n"
     "               [--device D] [--level L] [--dtype fp32|bf16|fp16] [--batch-size N] [--threads "
     "N]\n"
     "               [--exif apply|ignore] [--alpha drop|white] [--pillow 12|13]\n"
     "               [--resize pil|torchvision]; or --list",
     "metrics of a file of predictions; --list documents all", ge_cmd_metrics},
    {"doctor", "", "libraries, devices, MPI and CPU features found", ge_cmd_doctor},
    {"bench",
     "gemm|ops|encode|tokenize|decode|pipeline|grants|store|bootstrap [--repeats N] [--threads N]\n"
     "               [--decode-threads N] [--batch-size N] [--model FOLDER | --shape vit-b-32]\n"
     "               [--images LIST|DIR] [--resize pil|torchvision] [--texts FILE]\n"
     "               [--device D] [--dtype fp32|bf16|fp16] [--level L] [--dir FOLDER]\n"
     "               [--tune FILE] [--tuned FILE] [--json | --follow]",
     "measure this machine", ge_cmd_bench},
    {"docs", "job|metrics", "print reference documents made from the program's tables",
     ge_cmd_docs},
    {NULL, NULL, NULL, NULL},
};

int ge_cli_fail(ge_status rc)
{
    ge_error_log("%s", ge_error()[0] != '\0' ? ge_error() : ge_status_name(rc));
    return rc == GE_EINTERRUPTED ? GE_EXIT_AGAIN : GE_EXIT_FAILED;
}

ge_status ge_cli_print(FILE *out, const struct ge_buf *text)
{
    ge_status rc = ge_buf_status(text);
    if (rc != GE_OK) return rc;
    fwrite(text->data, 1, text->len, out);
    if (fflush(out) != 0 || ferror(out)) return ge_fail(GE_EIO, "the output cannot be written");
    return GE_OK;
}

static const struct ge_command *find_command(const char *name)
{
    for (const struct ge_command *c = ge_commands; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) return c;
    }
    return NULL;
}

int ge_cli_usage(const char *command, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const struct ge_command *c = find_command(command);
    fprintf(stderr, "gapeval %s: %s\nusage: gapeval %s %s\n`gapeval %s --help` tells more\n",
            command, text, command, c != NULL ? c->usage : "", command);
    return GE_EXIT_USAGE;
}

static void print_overview(FILE *out)
{
    fprintf(out,
            "gapeval %s: measures the gap between what unified multimodal models understand\n"
            "and what they can generate.\n\nusage: gapeval COMMAND …\n\n",
            GE_VERSION);
    for (const struct ge_command *c = ge_commands; c->name != NULL; c++) {
        fprintf(out, "  %-11s %s\n", c->name, c->help);
    }
    fprintf(out, "\nExit codes: 0 done, 1 failed, 2 usage, 75 not finished (run it again).\n"
                 "`gapeval COMMAND --help` tells more.\n");
}

static int print_help(const struct ge_command *c)
{
    struct ge_buf options;
    printf("usage: gapeval %s %s\n\n%s\n", c->name, c->usage, c->help);
    if (strstr(c->usage, "job options") == NULL) return GE_EXIT_DONE;
    ge_buf_init(&options, 1 << 20);
    ge_options_help(&options);
    if (ge_buf_status(&options) == GE_OK && options.data != NULL) {
        printf("\nEvery setting of a job (docs/job.md) can be given as --set key=value. Flags:\n"
               "%s",
               options.data);
    }
    ge_buf_free(&options);
    return GE_EXIT_DONE;
}

/* What a command has printed must have arrived: a full disk behind a redirection is a failure. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (code != GE_EXIT_DONE) return code; /* it has said why */
    return ge_cli_fail(ge_fail(GE_EIO, "the standard output cannot be written"));
}

int ge_cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return GE_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return GE_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("gapeval %s\n", GE_VERSION_LONG);
        return GE_EXIT_DONE;
    }
    const struct ge_command *c = find_command(argv[1]);
    if (c == NULL) {
        fprintf(stderr, "gapeval: unknown command \"%s\"; `gapeval --help` lists them\n", argv[1]);
        return GE_EXIT_USAGE;
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return print_help(c);
    }
    return finish_output(c->main(argc - 1, argv + 1));
}
