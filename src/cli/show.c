/* Items and results as lines of text. */
#include "cli/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"

enum { LABEL = 18 };

void ge_show_text(const char *label, const char *text)
{
    struct ge_buf quoted;
    if (text == NULL) return;
    ge_buf_init(&quoted, (size_t)1 << 28);
    ge_json_escape(&quoted, text, strlen(text));
    const char *shown = ge_buf_status(&quoted) == GE_OK ? quoted.data : "(out of memory)";
    printf("  %-*s %s\n", LABEL, label, shown);
    ge_buf_free(&quoted);
}

void ge_show_list(const char *label, const struct ge_strings *list)
{
    for (size_t i = 0; i < list->n; i++) ge_show_text(i == 0 ? label : "", list->v[i]);
}

void ge_show_item(const struct ge_item *item)
{
    printf("item %s\n", item->id);
    ge_show_text("category", item->category);
    ge_show_text("subcategory", item->subcategory);
    ge_show_list("tags", &item->tags);
    ge_show_text("cluster", item->cluster);
    if (item->extra != NULL) printf("  %-*s %s\n", LABEL, "extra", item->extra);
}

static void show_objects(const struct ge_task *t)
{
    for (size_t i = 0; i < t->n_objects; i++) {
        const struct ge_object *o = &t->objects[i];
        printf("  %-*s %s", LABEL, i == 0 ? "objects" : "", o->name);
        if (!o->present) printf(", absent");
        if (o->number >= 0) printf(", number %" PRId64, o->number);
        for (size_t k = 0; k < o->synonyms.n; k++) {
            printf("%s%s", k == 0 ? "; also called " : ", ", o->synonyms.v[k]);
        }
        printf("\n");
    }
}

void ge_show_task(const struct ge_task *t, enum ge_direction direction)
{
    printf("%s, task %s\n", ge_direction_name(direction), t->type);
    ge_show_text("prompt", t->prompt);
    ge_show_list("images", &t->images);
    ge_show_list("references", &t->references);
    ge_show_list("reference images", &t->reference_images);
    ge_show_list("choices", &t->choices);
    ge_show_text("answer", t->answer);
    ge_show_list("labels", &t->labels);
    show_objects(t);
    ge_show_list("details", &t->details);
    ge_show_list("text distractors", &t->text_distractors);
    ge_show_list("image distractors", &t->image_distractors);
    if (t->constraints != NULL) printf("  %-*s %s\n", LABEL, "constraints", t->constraints);
}

static const char *name_of(const struct ge_strings *names, uint16_t i)
{
    return i < names->n ? names->v[i] : "?";
}

void ge_show_sample(const struct ge_result *r, struct ge_key key, const struct ge_strings *metrics,
                    const struct ge_strings *rules)
{
    for (size_t i = 0; i < r->n_scores; i++) {
        if (ge_key_compare(r->scores[i].key, key) != 0) continue;
        printf("  score   %-36s %.9g\n", name_of(metrics, r->scores[i].metric), r->scores[i].value);
    }
    for (size_t i = 0; i < r->n_verdicts; i++) {
        const struct ge_verdict_row *v = &r->verdicts[i];
        if (ge_key_compare(v->key, key) != 0) continue;
        printf("  verdict %g by rule %s", v->value, name_of(rules, v->rule));
        if (v->judges > 1) printf(", mean of %" PRIu32 " judgements", v->judges);
        printf("\n");
    }
    for (size_t i = 0; i < r->n_errors; i++) {
        if (ge_key_compare(r->errors[i].key, key) != 0) continue;
        printf("  error   %s: %s\n", ge_status_name((ge_status)r->errors[i].status),
               r->errors[i].reason);
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        if (ge_key_compare(r->undone[i].key, key) != 0) continue;
        printf("  undone  %s: %s\n", ge_status_name((ge_status)r->undone[i].status),
               r->undone[i].reason);
    }
}
