#include "metric/family.h"

#include "base/log.h"
#include "metric/captions.h"
#include "metric/chair.h"
#include "metric/constraints.h"

static const struct ge_text_family families[] = {
    {ge_text_captions,
     {ge_text_bleu1, ge_text_bleu2, ge_text_bleu3, ge_text_bleu4, ge_text_rouge_l},
     GE_TEXT_CAPTIONS},
    {ge_chair_all, {ge_chair_i, ge_chair_s, ge_objects_recall}, GE_CHAIR_ALL},
    {ge_constraints_all,
     {ge_constraints_strict, ge_constraints_loose, ge_constraints_share_strict,
      ge_constraints_share_loose},
     GE_CONSTRAINTS_ALL},
};

const struct ge_text_family *ge_text_family_find(ge_text_metric_fn *metric, size_t *place)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (size_t k = 0; k < families[i].n; k++) {
            if (families[i].members[k] != metric) continue;
            *place = k;
            return &families[i];
        }
    }
    return NULL;
}

ge_status ge_text_family_member(ge_text_family_fn *all, size_t place, const char *text,
                                const struct ge_task *task, double *value)
{
    bool wanted[GE_FAMILY_MOST] = {false};
    double values[GE_FAMILY_MOST];
    GE_ASSERT(place < GE_FAMILY_MOST);
    wanted[place] = true;
    ge_status rc = all(text, task, wanted, values);
    if (rc == GE_OK) *value = values[place];
    return rc;
}
