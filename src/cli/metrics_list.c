#include "cli/metrics.h"

#include <math.h>

#include "metric/corpus.h"
#include "score/metric.h"

static const char *better_name(enum ge_better better)
{
    static const char *const names[] = {"higher is better", "lower is better", "neither is better"};
    return names[better];
}

static void print_row(FILE *out, const char *name, const char *help, double min, double max,
                      enum ge_better better, const char *role, const char *reference)
{
    fprintf(out, "%s\n    %s\n    ", name, help);
    if (isinf(max)) {
        fprintf(out, "%g and more", min);
    } else {
        fprintf(out, "%g to %g", min, max);
    }
    fprintf(out, ", %s", better_name(better));
    if (role != NULL) fprintf(out, ", encoder of role %s", role);
    if (reference != NULL) fprintf(out, "; reference: %s", reference);
    fprintf(out, "\n");
}

void ge_metrics_list(FILE *out)
{
    size_t n;
    const struct ge_corpus_metric *corpus = ge_corpus_metrics(&n);
    fprintf(out, "# one answer\n\n");
    for (int i = 0; i < GE_METRICS; i++) {
        const struct ge_metric_info *m = ge_metric_info((enum ge_metric_id)i);
        print_row(out, m->name, m->help, m->min, m->max, m->better,
                  ge_role_needs_encoder(m->role) ? ge_role_name(m->role) : NULL, m->reference);
    }
    fprintf(out, "\n# all answers of a system, direction and task type\n\n");
    for (size_t i = 0; i < n; i++) {
        print_row(out, corpus[i].name, corpus[i].help, corpus[i].min, corpus[i].max,
                  corpus[i].better, NULL, corpus[i].reference);
    }
    const struct ge_absent_metric *absent = ge_absent_metrics(&n);
    fprintf(out, "\n# not there\n\n");
    for (size_t i = 0; i < n; i++) fprintf(out, "%s\n    %s\n", absent[i].name, absent[i].reason);
}
