/* gapeval score: one item and system of a job, with every step shown. Rows come from the functions
 * that run calls; the similarities between are computed once more, pair by pair, to show them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/score_pairs.h"
#include "cli/session.h"
#include "cli/show.h"
#include "score/match.h"
#include "score/metric.h"
#include "text/words.h"

struct score {
    const char *item_id, *system, *direction;
    long sample; /* -1: all */
    struct ge_session session;
    const struct ge_item *item;
    size_t cell;
    struct ge_run *run; /* head: names of metrics and rules */
};

/* ---- texts ------------------------------------------------------------------------------------------ */

static ge_status show_normal_form(const char *label, const char *text)
{
    struct ge_buf form;
    ge_buf_init(&form, (size_t)1 << 28);
    ge_status rc = ge_words_normalize(text, strlen(text), GE_WORDS_ANSWER, &form);
    if (rc == GE_OK) ge_show_text(label, form.data != NULL ? form.data : "");
    ge_buf_free(&form);
    return rc;
}

/* What the matchers compare. */
static ge_status show_normal_forms(const struct ge_task *task, const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    enum ge_match match;
    int chosen;
    GE_TRY(show_normal_form("answer as words", answer->text));
    for (size_t i = 0; i < task->references.n; i++) {
        GE_TRY(show_normal_form(i == 0 ? "references" : "", task->references.v[i]));
    }
    if (task->choices.n == 0 || task->answer == NULL) goto done;
    rc = ge_match_choice(answer->text, task, &chosen, &match);
    if (rc == GE_EINVAL) rc = GE_OK; /* the row below has it as an error */
    if (rc == GE_OK && chosen >= 0) {
        printf("  option chosen      %c\n", (char)('A' + chosen));
    } else if (rc == GE_OK) {
        printf("  option chosen      none\n");
    }
done:
    return rc;
}

/* ---- one sample ---------------------------------------------------------------------------------------- */

static void show_rule(const struct ge_task_scoring *s)
{
    printf("  rule    %s", ge_rule_name(s->rule));
    if (s->rule == GE_RULE_CONTRASTIVE) {
        printf(": %s > %g", ge_metric_info(s->metric)->name, s->margin);
        if (s->fallback != GE_METRIC_NONE) {
            printf("; without distractors %s %s %g", ge_metric_info(s->fallback)->name,
                   s->lower_is_better ? "<=" : ">=", s->threshold);
        }
    } else if (s->rule == GE_RULE_THRESHOLD) {
        printf(": %s %s %g", ge_metric_info(s->metric)->name,
               s->lower_is_better ? "<=" : ">=", s->threshold);
    } else if (ge_rule_metric(s->rule) != GE_METRIC_NONE) {
        printf(": %s = 1", ge_metric_info(ge_rule_metric(s->rule))->name);
    }
    printf("\n");
}

static const struct ge_task_scoring *find_scoring(const struct ge_session *s, const char *type)
{
    for (size_t i = 0; i < s->n_scoring; i++) {
        if (strcmp(s->scoring[i].task, type) == 0) return &s->scoring[i];
    }
    return NULL;
}

static void show_recorded(const struct ge_answer *a)
{
    for (uint32_t i = 0; i < a->n_judgements; i++) {
        printf("  %s %g", i == 0 ? "recorded verdicts " : "", a->judgements[i]);
    }
    if (a->n_judgements > 0) printf("\n");
}

static ge_status show_answer(const struct score *c, const struct ge_result *r,
                             enum ge_direction direction, const struct ge_answer *answer)
{
    ge_status rc = GE_OK;
    const struct ge_task *task = &c->item->task[direction];
    const struct ge_task_scoring *s = find_scoring(&c->session, task->type);
    struct ge_key key = {c->item->index, (uint8_t)direction, answer != NULL ? answer->sample : 0};
    printf("\n%s, %s, sample %u\n", c->system, ge_direction_name(direction), key.sample);
    if (answer != NULL) {
        ge_show_text("answer", answer->text);
        ge_show_text("answer image", answer->image);
        ge_show_text("problem", answer->problem);
        show_recorded(answer);
        if (answer->text != NULL) GE_TRY(show_normal_forms(task, answer));
        if (s != NULL && answer->problem == NULL) {
            GE_TRY(ge_show_pairs(&c->session, s, task, answer));
        }
    }
    if (s != NULL) show_rule(s);
    ge_show_sample(r, key, &c->run->metrics, &c->run->rules);
done:
    return rc;
}

static bool is_wanted(const struct score *c, enum ge_direction d)
{
    return c->item->task[d].present &&
           (c->direction == NULL || strcmp(c->direction, ge_direction_name(d)) == 0);
}

/* Every wanted sample; *shown counts them. */
static ge_status show_answers(const struct score *c, const struct ge_result *r, size_t *shown)
{
    ge_status rc = GE_OK;
    const struct ge_answers *answers = &c->session.answers[c->cell]->answers;
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        enum ge_direction direction = (enum ge_direction)d;
        size_t n;
        if (!is_wanted(c, direction)) continue;
        printf("\n");
        ge_show_task(&c->item->task[d], direction);
        const struct ge_answer *a = ge_answers_find(answers, c->item->index, direction, &n);
        if (n == 0 && c->sample <= 0) {
            GE_TRY(show_answer(c, r, direction, NULL));
            ++*shown;
        }
        for (size_t i = 0; i < n; i++) {
            if (c->sample >= 0 && a[i].sample != (uint32_t)c->sample) continue;
            GE_TRY(show_answer(c, r, direction, &a[i]));
            ++*shown;
        }
    }
done:
    return rc;
}

/* ---- the command ---------------------------------------------------------------------------------------- */

/* Load the job, with the one item alone so that nothing else is read; document frequencies, though, are
 * those of all that the job selects. */
static ge_status load(struct score *c, struct ge_args *args)
{
    ge_status rc = GE_OK;
    struct ge_job *job = NULL;
    const char **item;
    GE_TRY(ge_job_load(args->words[0], args->overrides, args->n_overrides, ge_session_vocabulary(),
                       &job));
    if (!job->scoring.how_bertscore.idf) {
        item = ge_arena_alloc(job->arena, 1, sizeof *item);
        if (item == NULL) {
            ge_job_delete(&job);
            GE_TRY(GE_ENOMEM);
        }
        *item = c->item_id;
        job->dataset.items = (struct ge_strings){item, 1};
    }
    GE_TRY(ge_session_open(&c->session, job));
done:
    return rc;
}

static ge_status find_pair(struct score *c)
{
    const struct ge_job *job = c->session.job;
    struct ge_buf known;
    c->item = ge_dataset_find(c->session.dataset, c->item_id, NULL);
    if (c->item == NULL) return ge_fail(GE_EINVAL, "--item %s: no such item", c->item_id);
    for (size_t i = 0; i < job->n_systems; i++) {
        c->cell = i;
        if (strcmp(job->systems[i].name, c->system) == 0) return GE_OK;
    }
    ge_buf_init(&known, 1024);
    for (size_t i = 0; i < job->n_systems; i++) ge_buf_printf(&known, " %s", job->systems[i].name);
    ge_status rc = ge_fail(GE_EINVAL, "--system %s: no such system in %s; it has%s", c->system,
                           job->source, known.data != NULL ? known.data : " none");
    ge_buf_free(&known);
    return rc;
}

static void show_encoders(const struct ge_session *s)
{
    printf("device %s\n", ge_device_describe(s->device));
    for (size_t i = 0; i < s->job->n_encoders; i++) {
        char hex[GE_HASH_HEX];
        ge_hash_hex(ge_encoder_hash(s->encoders[i]), hex);
        printf("encoder %s: %s, %zu dimensions, hash %s\n", s->job->encoders[i].name,
               ge_encoder_kind(s->encoders[i]), ge_encoder_dim(s->encoders[i]), hex);
    }
}

static ge_status score(struct score *c, struct ge_args *args)
{
    ge_status rc = GE_OK;
    struct ge_eval_chunk *chunk = NULL;
    const struct ge_result *result;
    size_t shown = 0;
    GE_TRY(load(c, args));
    GE_TRY(find_pair(c));
    GE_TRY(ge_session_look_at_images(&c->session, NULL));
    GE_TRY(ge_session_load_encoders(&c->session, NULL));
    GE_TRY(ge_session_make_evaluator(&c->session));
    GE_TRY(ge_session_make_run(&c->session, 1, &c->run));
    GE_TRY(ge_eval_prepare(&c->session.evaluator, (uint32_t)c->cell, c->item->index, 1, &chunk));
    GE_TRY(ge_eval_encode(&c->session.evaluator, chunk));
    GE_TRY(ge_eval_score(&c->session.evaluator, chunk, &result));
    ge_show_item(c->item);
    show_encoders(&c->session);
    GE_TRY(show_answers(c, result, &shown));
    if (shown == 0) {
        GE_TRY(ge_fail(GE_EINVAL, "item %s has nothing of that direction and sample", c->item_id));
    }
done:
    ge_eval_chunk_delete(&chunk);
    ge_run_delete(&c->run);
    ge_session_close(&c->session);
    return rc;
}

static ge_status read_args(struct score *c, struct ge_args *args, int argc, char **argv,
                           const char **sample)
{
    ge_status rc = GE_OK;
    enum ge_direction direction;
    char *end;
    GE_TRY(ge_args_parse(args, argc, argv));
    if (args->n_words != 1 || c->item_id == NULL || c->system == NULL) {
        GE_TRY(ge_fail(GE_EINVAL, "wanted one job file, --item and --system"));
    }
    if (c->direction != NULL && !ge_direction_find(c->direction, &direction)) {
        GE_TRY(ge_fail(GE_EINVAL, "--direction %s: wanted und or gen", c->direction));
    }
    c->sample = -1;
    if (*sample == NULL) goto done;
    c->sample = strtol(*sample, &end, 10);
    if (**sample == '\0' || *end != '\0' || c->sample < 0 || c->sample > UINT32_MAX) {
        GE_TRY(ge_fail(GE_EINVAL, "--sample %s: wanted a whole number, 0 or more", *sample));
    }
done:
    return rc;
}

int ge_cmd_score(int argc, char **argv)
{
    struct score c = {0};
    const char *sample = NULL;
    const struct ge_flag flags[] = {{"--item", &c.item_id, NULL, NULL},
                                    {"--system", &c.system, NULL, NULL},
                                    {"--direction", &c.direction, NULL, NULL},
                                    {"--sample", &sample, NULL, NULL},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "score", .flags = flags, .job_options = true};
    int code = GE_EXIT_DONE;
    if (read_args(&c, &args, argc, argv, &sample) != GE_OK) {
        code = ge_cli_usage("score", "%s", ge_error());
    } else {
        ge_status rc = score(&c, &args);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
