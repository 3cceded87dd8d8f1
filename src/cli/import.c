/* gapeval import: what other harnesses have recorded becomes recorded answers. */
#include <stdio.h>

#include "base/fs.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "dataset/harness.h"

#define MAX_ANSWERS ((size_t)1 << 32)

static ge_status import_all(const struct ge_args *args, const struct ge_import_options *options,
                            const char *path)
{
    ge_status rc = GE_OK;
    struct ge_buf out;
    struct ge_import_counts counts = {0};
    ge_buf_init(&out, MAX_ANSWERS);
    GE_TRY(ge_check_out(path));
    for (int i = 1; i < args->n_words; i++) {
        GE_TRY(ge_import(args->words[i], options, &out, &counts));
    }
    GE_TRY(ge_fs_replace(path, out.data != NULL ? out.data : "", out.len));
    ge_info("%s: %zu answers of %zu lines, %zu of them empty", path, counts.answers, counts.lines,
            counts.empty);
done:
    ge_buf_free(&out);
    return rc;
}

static ge_status read_args(struct ge_args *args, int argc, char **argv, const char **direction,
                           const char **out, struct ge_import_options *options)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_args_parse(args, argc, argv));
    if (args->n_words < 2 || *out == NULL) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted lmms-eval or vlmevalkit, a file or several, and --out"));
    }
    if (!ge_harness_find(args->words[0], &options->harness)) {
        GE_TRY(ge_fail(GE_EINVAL, "\"%s\": wanted lmms-eval or vlmevalkit", args->words[0]));
    }
    if (*direction != NULL && !ge_direction_find(*direction, &options->direction)) {
        GE_TRY(ge_fail(GE_EINVAL, "--direction %s: wanted und or gen", *direction));
    }
done:
    return rc;
}

int ge_cmd_import(int argc, char **argv)
{
    struct ge_import_options options = {.direction = GE_UND};
    const char *out = NULL, *direction = NULL;
    const struct ge_flag flags[] = {{"--out", &out, NULL, NULL},
                                    {"--system", &options.system, NULL, NULL},
                                    {"--direction", &direction, NULL, NULL},
                                    {"--id", &options.id, NULL, NULL},
                                    {"--prefix", &options.prefix, NULL, NULL},
                                    {"--filtered", NULL, NULL, &options.filtered},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "import", .flags = flags};
    int code = GE_EXIT_DONE;
    if (read_args(&args, argc, argv, &direction, &out, &options) != GE_OK) {
        code = ge_cli_usage("import", "%s", ge_error());
    } else {
        ge_status rc = import_all(&args, &options, out);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
