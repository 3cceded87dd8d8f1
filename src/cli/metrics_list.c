#include "cli/metrics.h"

#include <math.h>

#include "metric/corpus.h"
#include "score/metric.h"

const char *ge_metrics_better(enum ge_better better)
{
    static const char *const names[] = {"higher", "lower", "neither"};
    return names[better];
}

void ge_metrics_range(double min, double max, char text[GE_METRICS_RANGE_ROOM])
{
    const size_t room = GE_METRICS_RANGE_ROOM;
    if (isinf(min) && isinf(max)) {
        snprintf(text, room, "any");
    } else if (isinf(max)) {
        snprintf(text, room, "%g and more", min);
    } else if (isinf(min)) {
        snprintf(text, room, "at most %.3g", max);
    } else {
        snprintf(text, room, "%g to %g", min, max);
    }
}

const char *ge_metrics_reference(const char *reference)
{
    return reference != NULL ? reference : "own definition";
}

static void print_row(FILE *out, const char *name, const char *help, double min, double max,
                      enum ge_better better, const char *role, const char *reference)
{
    char range[GE_METRICS_RANGE_ROOM];
    ge_metrics_range(min, max, range);
    fprintf(out, "%s\n    %s\n    %s, %s is better", name, help, range, ge_metrics_better(better));
    if (role != NULL) fprintf(out, ", encoder of role %s", role);
    fprintf(out, "; reference: %s\n", ge_metrics_reference(reference));
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
    fprintf(out, "\n# absent\n\n");
    for (size_t i = 0; i < n; i++) fprintf(out, "%s\n    %s\n", absent[i].name, absent[i].reason);
}
