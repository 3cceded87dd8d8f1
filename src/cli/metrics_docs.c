/* docs/metrics.md, written from the tables of metrics and rules. */
#include "cli/metrics.h"
#include "metric/corpus.h"
#include "score/metric.h"

static const char intro[] =
    "# Metrics and rules\n"
    "\n"
    "<!-- Written from the tables in src/score and src/metric by `gapeval docs metrics`. -->\n"
    "\n"
    "[metric-notes.md](metric-notes.md) tells what each family compares, how dialects of one name\n"
    "differ, and what empty and missing texts give, with examples. `gapeval metrics --list` "
    "prints\n"
    "these tables on a terminal.\n"
    "\n"
    "A metric of one answer gives one number for it. A job lists the metrics of each task type "
    "under\n"
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
    "numbers as digits; `match.exact` alone compares bytes. A metric with a dialect in its name\n"
    "follows the tool that publishes under it; its column *reference* says which.\n"
    "\n"
    "## Metrics of one answer\n"
    "\n"
    "| metric | value | range | better | role | reference |\n"
    "|:--|:--|:--|:--|:--|:--|\n";

static const char corpus_intro[] =
    "\n"
    "## Metrics of a corpus\n"
    "\n"
    "Of all answers of a system to one task type in one direction at once; exact, never a mean "
    "over\n"
    "parts. Those of embeddings are computed for each encoder that embedded the answers, and its\n"
    "name follows theirs: `cmmd.clip`.\n"
    "\n"
    "| metric | value | range | better | of | reference |\n"
    "|:--|:--|:--|:--|:--|:--|\n";

static const char absent_intro[] = "\n"
                                   "## Absent\n"
                                   "\n"
                                   "| metric | reason |\n"
                                   "|:--|:--|\n";

static const char rules_intro[] =
    "\n"
    "## Rules\n"
    "\n"
    "A rule turns an answer's metrics into its verdict, 1 (right) or 0 (wrong).\n"
    "\n"
    "| rule | right if |\n"
    "|:--|:--|\n";

static void add_row(struct ge_buf *out, const char *name, const char *help, double min, double max,
                    enum ge_better better, const char *with, const char *reference)
{
    char range[GE_METRICS_RANGE_ROOM];
    ge_metrics_range(min, max, range);
    ge_buf_printf(out, "| `%s` | %s | %s | %s | %s | %s |\n", name, help, range,
                  ge_metrics_better(better), with, ge_metrics_reference(reference));
}

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
        ge_buf_str(out,
                   "never: `copy.detected` = 1 is wrong before any rule, where "
                   "`scoring.copies` is `zero` and the task does not say `may_copy`; not to be "
                   "chosen, it is what the store names such a verdict |\n");
    } else {
        ge_buf_str(out, "the verdicts that came with the answer say so: their mean, which may lie "
                        "between 0 and 1 |\n");
    }
}

void ge_metrics_markdown(struct ge_buf *out)
{
    size_t n;
    ge_buf_str(out, intro);
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        add_row(out, m->name, m->help, m->min, m->max, m->better,
                ge_role_needs_encoder(m->role) ? ge_role_name(m->role) : "", m->reference);
    }
    ge_buf_str(out, corpus_intro);
    const struct ge_corpus_metric *c = ge_corpus_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        add_row(out, c[i].name, c[i].help, c[i].min, c[i].max, c[i].better,
                c[i].texts != NULL ? "texts" : "embeddings", c[i].reference);
    }
    ge_buf_str(out, absent_intro);
    const struct ge_absent_metric *absent = ge_absent_metrics(&n);
    for (size_t i = 0; i < n; i++) {
        ge_buf_printf(out, "| %s | %s |\n", absent[i].name, absent[i].reason);
    }
    ge_buf_str(out, rules_intro);
    for (int i = 0; i < GE_RULE_NONE; i++) add_rule(out, (enum ge_rule)i);
}
