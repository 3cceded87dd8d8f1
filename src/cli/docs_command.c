/* gapeval docs: reference documents that are made from the program's own tables. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/metrics.h"

static ge_status print_document(const char *name)
{
    struct ge_buf text;
    ge_status rc = GE_OK;
    ge_buf_init(&text, (size_t)16 << 20);
    if (strcmp(name, "job") == 0) {
        ge_options_markdown(&text);
    } else {
        ge_metrics_markdown(&text);
    }
    GE_TRY(ge_cli_print(stdout, &text));
done:
    ge_buf_free(&text);
    return rc;
}

int ge_cmd_docs(int argc, char **argv)
{
    const struct ge_flag flags[] = {{NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "docs", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    bool known = rc == GE_OK && args.n_words == 1 &&
                 (strcmp(args.words[0], "job") == 0 || strcmp(args.words[0], "metrics") == 0);
    if (rc == GE_OK && !known) rc = ge_fail(GE_EINVAL, "wanted job or metrics");
    if (rc != GE_OK) {
        code = ge_cli_usage("docs", "%s", ge_error());
    } else {
        rc = print_document(args.words[0]);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
