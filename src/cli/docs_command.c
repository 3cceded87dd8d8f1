/* gapeval docs: reference documents that are made from the program's own tables. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "score/metric.h"

static const char metrics_intro[] =
    "# Metrics and rules\n"
    "\n"
    "<!-- Written from the tables in src/score by `gapeval docs metrics`. -->\n"
    "\n"
    "A metric gives one number for one answer. A job lists the metrics of each task type under\n"
    "`scoring.tasks.<type>.metrics` ([job.md](job.md)); those that the rule reads are added by\n"
    "themselves. A metric that does not apply to an answer (no reference in the item, a text "
    "where\n"
    "an image is compared) has no row in the store.\n"
    "\n"
    "Cosines are of embeddings divided by their Euclidean norm, summed in double precision in the\n"
    "order of the elements. The encoder of a similarity is the one that the job names for its "
    "role\n"
    "(`scoring.roles`). Matchers compare normalised words: lower case, no punctuation, no "
    "articles,\n"
    "numbers as digits; `match.exact` alone compares bytes.\n"
    "\n"
    "A metric with a dialect in its name follows the tool that publishes under it. CLIPScore "
    "means\n"
    "three things in three tools; all three are here. BERTScore compares the states of tokens "
    "behind\n"
    "one layer (`scoring.bertscore`), texts without the white space around them, as `bert_score` "
    "does\n"
    "with transformers 4: with RoBERTa behind a space, cut at the tokenizer's limit. A text "
    "without\n"
    "tokens has P = R = F1 = 0. `bert_score` pads the pairs of a batch, and there a token without "
    "any\n"
    "positive cosine may count 0; here a pair's value depends on the pair alone. With idf, where "
    "all\n"
    "tokens of a text have weight 0, P or R has no value and F1 is 0. The states of a chunk's "
    "texts are\n"
    "in memory until it is scored: tokens times width times 4 bytes, bounded by "
    "`runtime.chunk_items`.\n"
    "\n"
    "## Metrics\n"
    "\n"
    "| metric | value | range | role |\n"
    "|:--|:--|:--|:--|\n";

static const char rules_intro[] =
    "\n"
    "## Rules\n"
    "\n"
    "A rule turns an answer's metrics into its verdict, 1 (right) or 0 (wrong).\n"
    "\n"
    "| rule | right if |\n"
    "|:--|:--|\n";

static void add_rule(struct ge_buf *out, enum ge_rule rule)
{
    enum ge_metric_id metric = ge_rule_metric(rule);
    ge_buf_printf(out, "| `%s` | ", ge_rule_name(rule));
    if (metric != GE_METRIC_NONE) {
        ge_buf_printf(out, "`%s` = 1 |\n", ge_metric_info(metric)->name);
    } else if (rule == GE_RULE_THRESHOLD) {
        ge_buf_str(out, "the rule's metric is at or beyond its threshold |\n");
    } else if (rule == GE_RULE_CONTRASTIVE) {
        ge_buf_str(out, "the rule's margin metric is above its margin; for an item without "
                        "distractors, the fallback metric is at or beyond its threshold |\n");
    } else if (rule == GE_RULE_COPY) {
        ge_buf_str(out, "never: the answer image is a copy of a reference image; no job names this "
                        "rule, `scoring.copies` puts it before the job's |\n");
    } else {
        ge_buf_str(out, "the verdicts that came with the answer say so: their mean, which may lie "
                        "between 0 and 1 |\n");
    }
}

static void metrics_markdown(struct ge_buf *out)
{
    ge_buf_str(out, metrics_intro);
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        ge_buf_printf(out, "| `%s` | %s | %g to %g | %s |\n", m->name, m->help, m->min, m->max,
                      ge_role_needs_encoder(m->role) ? ge_role_name(m->role) : "");
    }
    ge_buf_str(out, rules_intro);
    for (int i = 0; i < GE_RULE_NONE; i++) add_rule(out, (enum ge_rule)i);
}

static ge_status print_document(const char *name)
{
    struct ge_buf text;
    ge_status rc = GE_OK;
    ge_buf_init(&text, (size_t)16 << 20);
    if (strcmp(name, "job") == 0) {
        ge_options_markdown(&text);
    } else {
        metrics_markdown(&text);
    }
    GE_TRY(ge_buf_status(&text));
    if (fwrite(text.data, 1, text.len, stdout) != text.len || fflush(stdout) != 0) {
        GE_TRY(ge_fail(GE_EIO, "the standard output cannot be written"));
    }
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
