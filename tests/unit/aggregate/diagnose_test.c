/* Diagnoses of a run: rows and their order, the items shown, what counts and what does not. */
#include "aggregate/diagnose.h"

#include "aggregate/values.h"
#include "base/mem.h"
#include "test.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

enum { ITEMS = 8, ROWS = 64 };
enum { COPY_DETECTED, VQA_A, VQA_B, VQA_ANSWERED, ANLS, METRICS };
static const char *metric_names[METRICS] = {"copy.detected", "vqa.lmms", "vqa.vlmevalkit",
                                            "vqa.answered", "anls.lmms"};

/* Two systems of one chunk each; categories alternate between "right" and "left". */
struct fixture {
    struct ge_run run;
    struct ge_item items[ITEMS];
    struct ge_cell cells[2];
    struct ge_result results[2];
    struct ge_response_row responses[2][ROWS];
    struct ge_verdict_row verdicts[2][ROWS];
    struct ge_score_row scores[2][ROWS];
    struct ge_error_row errors[2][ROWS];
    struct ge_arena *arena;
    struct ge_diagnosis *rows; /* in the arena */
    size_t n;
};

static void set_up(struct fixture *f)
{
    static const char *const ids[ITEMS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    memset(f, 0, sizeof *f);
    for (uint32_t i = 0; i < ITEMS; i++) {
        f->items[i] = (struct ge_item){
            .id = ids[i], .index = i, .category = i % 2 == 0 ? "right" : "left", .cluster = ids[i]};
        f->items[i].task[GE_UND] = f->items[i].task[GE_GEN] =
            (struct ge_task){.present = true, .type = "t"};
    }
    for (uint32_t i = 0; i < 2; i++) {
        f->results[i] = (struct ge_result){.cell = i,
                                           .count = ITEMS,
                                           .responses = f->responses[i],
                                           .verdicts = f->verdicts[i],
                                           .scores = f->scores[i],
                                           .errors = f->errors[i]};
    }
    f->cells[0].system = "s";
    f->cells[1].system = "t";
    f->run = (struct ge_run){.items = f->items,
                             .n_items = ITEMS,
                             .cells = f->cells,
                             .n_cells = 2,
                             .metrics = {metric_names, METRICS},
                             .results = f->results,
                             .n_results = 2};
}

static void judges(struct fixture *f, uint32_t cell, struct ge_key key, double value)
{
    struct ge_result *r = &f->results[cell];
    r->verdicts[r->n_verdicts++] = (struct ge_verdict_row){key, value, 0, 1};
}

/* One verdict a direction. */
static void both(struct fixture *f, uint32_t cell, uint32_t item, double und, double gen)
{
    judges(f, cell, (struct ge_key){item, GE_UND, 0}, und);
    judges(f, cell, (struct ge_key){item, GE_GEN, 0}, gen);
}

static void says(struct fixture *f, uint32_t cell, struct ge_key key, const char *text)
{
    struct ge_result *r = &f->results[cell];
    r->responses[r->n_responses++] = (struct ge_response_row){.key = key, .text = text};
}

static void scores(struct fixture *f, uint32_t cell, struct ge_key key, uint16_t metric,
                   double value)
{
    struct ge_result *r = &f->results[cell];
    r->scores[r->n_scores++] = (struct ge_score_row){key, metric, value};
}

static void fails(struct fixture *f, uint32_t cell, struct ge_key key)
{
    struct ge_result *r = &f->results[cell];
    r->errors[r->n_errors++] = (struct ge_error_row){key, GE_EFORMAT, "broken"};
}

static ge_status diagnose(struct fixture *f)
{
    struct values values;
    ge_status rc = ge_values_make(&f->run, &values);
    if (rc != GE_OK) return rc;
    ge_arena_delete(&f->arena);
    f->arena = ge_arena_new();
    assert_non_null(f->arena);
    rc = ge_diagnose(&f->run, &values, f->arena, &f->rows, &f->n);
    ge_values_free(&values);
    return rc;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct ge_diagnosis *find(const struct fixture *f, const char *kind,
                                       const char *system, const char *category)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct ge_diagnosis *d = &f->rows[i];
        if (same(d->kind, kind) && same(d->system, system) && same(d->category, category)) return d;
    }
    return NULL;
}

/* Counts of a row that must be there; its items, one letter each. */
static void shows(const struct fixture *f, const char *kind, const char *system,
                  const char *category, size_t n, size_t shown, double share, const char *items)
{
    const struct ge_diagnosis *d = find(f, kind, system, category);
    assert_non_null(d);
    assert_int_equal(d->n, n);
    assert_int_equal(d->shown, shown);
    assert_close(d->share, share, 1e-15);
    assert_int_equal(d->n_items, strlen(items));
    for (size_t i = 0; i < d->n_items; i++) assert_int_equal(d->items[i].id[0], items[i]);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void order(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    both(&f, 0, 0, 0, 1); /* shows-not-says, right */
    both(&f, 0, 1, 1, 0); /* says-not-shows, left */
    both(&f, 0, 2, 1, 0); /* and right */
    both(&f, 1, 2, 1, 0);
    static const struct {
        const char *kind, *system, *category;
    } want[] = {
        {"says-not-shows", "s", NULL},    {"says-not-shows", "s", "left"},
        {"says-not-shows", "s", "right"}, {"says-not-shows", "t", NULL},
        {"says-not-shows", "t", "right"}, {"shows-not-says", "s", NULL},
        {"shows-not-says", "s", "right"}, {"nobody-right", NULL, NULL},
        {"nobody-right", NULL, "right"},
    };
    assert_ok(diagnose(&f));
    assert_int_equal(f.n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < f.n; i++) {
        assert_true(same(f.rows[i].kind, want[i].kind));
        assert_true(same(f.rows[i].system, want[i].system));
        assert_true(same(f.rows[i].category, want[i].category));
    }
    shows(&f, "says-not-shows", "s", NULL, 3, 2, 2.0 / 3, "bc");
    shows(&f, "says-not-shows", "s", "left", 1, 1, 1, "b");
    shows(&f, "says-not-shows", "s", "right", 2, 1, 0.5, "c");
    shows(&f, "nobody-right", NULL, NULL, 1, 1, 1, "c"); /* the others were judged once */
    ge_arena_delete(&f.arena);
}

/* The table of kinds is that of the rows. */
static void kinds(void **state)
{
    (void)state;
    size_t n;
    const struct ge_diagnosis_kind *k = ge_diagnosis_kinds(&n);
    assert_int_equal(n, 9);
    assert_string_equal(k[0].name, "says-not-shows");
    assert_string_equal(k[n - 1].name, "nobody-right");
    for (size_t i = 0; i < n; i++) assert_true(k[i].help[0] != '\0');
}

/* Strongest first, equals in item order, five of them. */
static void strongest(void **state)
{
    (void)state;
    struct fixture f;
    static const double und[ITEMS] = {0.5, 1, 0.5, 0.5, 0.5, 0.75, 1, 0};
    set_up(&f);
    f.run.n_items = f.results[0].count = ITEMS;
    for (uint32_t i = 0; i < ITEMS; i++) both(&f, 0, i, und[i], 0);
    assert_ok(diagnose(&f));
    shows(&f, "says-not-shows", "s", NULL, 8, 7, 4.75 / 8, "bgfac");
    const struct ge_diagnosis *d = find(&f, "says-not-shows", "s", NULL);
    assert_close(d->items[2].strength, 0.75, 0);
    assert_close(d->items[4].strength, 0.5, 0);
    assert_string_equal(d->items[0].note, "");
    assert_null(find(&f, "shows-not-says", "s", NULL)); /* found in none: no row */
    ge_arena_delete(&f.arena);
}

/* Means over samples; failures, other directions and items without both tasks do not count. */
static void verdicts(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    judges(&f, 0, (struct ge_key){0, GE_UND, 0}, 1);
    judges(&f, 0, (struct ge_key){0, GE_UND, 1}, 0.5);
    judges(&f, 0, (struct ge_key){0, GE_GEN, 0}, 0);
    judges(&f, 0, (struct ge_key){0, GE_GEN, 1}, 1);
    fails(&f, 0, (struct ge_key){0, GE_GEN, 2}); /* judged by the rest */
    judges(&f, 0, (struct ge_key){1, GE_UND, 0}, 1);
    fails(&f, 0, (struct ge_key){1, GE_GEN, 0});
    both(&f, 0, 2, 1, 0);
    f.items[2].task[GE_GEN] = (struct ge_task){0};
    judges(&f, 0, (struct ge_key){3, GE_UND, 0}, 1);
    assert_ok(diagnose(&f));
    shows(&f, "says-not-shows", "s", NULL, 1, 1, 0.75 * 0.5, "a");
    shows(&f, "shows-not-says", "s", NULL, 1, 1, 0.25 * 0.5, "a");
    assert_int_equal(f.n, 4);   /* these two, and of the category */
    f.items[0].category = NULL; /* as of verdicts in a file */
    assert_ok(diagnose(&f));
    shows(&f, "says-not-shows", "s", NULL, 1, 1, 0.75 * 0.5, "a");
    assert_int_equal(f.n, 2);
    ge_arena_delete(&f.arena);
}

static void nobody_right(void **state)
{
    (void)state;
    static const char *const notes[] = {"und, gen", "und", "gen"};
    struct fixture f;
    set_up(&f);
    for (uint32_t cell = 0; cell < 2; cell++) {
        both(&f, cell, 0, 0, 0);
        both(&f, cell, 1, 0, cell); /* the second system shows it */
        both(&f, cell, 2, 1 - cell, 0);
        both(&f, cell, 3, cell, cell);
        judges(&f, cell, (struct ge_key){4, GE_UND, 0},
               cell == 0 ? 0 : 0.25); /* a sample was right */
    }
    judges(&f, 0, (struct ge_key){5, GE_GEN, 0}, 0); /* of one system: not judged */
    fails(&f, 1, (struct ge_key){5, GE_GEN, 0});
    assert_ok(diagnose(&f));
    shows(&f, "nobody-right", NULL, NULL, 5, 3, 0.6, "abc");
    const struct ge_diagnosis *d = find(&f, "nobody-right", NULL, NULL);
    for (size_t i = 0; i < 3; i++) assert_string_equal(d->items[i].note, notes[i]);
    f.run.n_cells = f.run.n_results = 1;
    assert_ok(diagnose(&f));
    assert_null(find(&f, "nobody-right", NULL, NULL));
    ge_arena_delete(&f.arena);
}

static void nothing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    assert_ok(diagnose(&f));
    assert_int_equal(f.n, 0);
    f.run.n_items = f.run.n_cells = f.run.n_results = 0;
    assert_ok(diagnose(&f));
    assert_int_equal(f.n, 0);
    ge_arena_delete(&f.arena);
}

/* ---- from scores --------------------------------------------------------------------------- */

static void copies(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    scores(&f, 0, (struct ge_key){0, GE_GEN, 0}, COPY_DETECTED, 0);
    scores(&f, 0, (struct ge_key){1, GE_GEN, 0}, COPY_DETECTED, 1); /* one of two samples */
    scores(&f, 0, (struct ge_key){1, GE_GEN, 1}, COPY_DETECTED, 0);
    scores(&f, 0, (struct ge_key){2, GE_GEN, 0}, ANLS, 1);
    scores(&f, 1, (struct ge_key){0, GE_GEN, 0}, COPY_DETECTED, 0);
    assert_ok(diagnose(&f));
    shows(&f, "copies", "s", NULL, 2, 1, 0.5, "b");
    shows(&f, "copies", "s", "left", 1, 1, 1, "b");
    assert_null(find(&f, "copies", "s", "right"));
    assert_null(find(&f, "copies", "t", NULL));
    ge_arena_delete(&f.arena);
}

static void disagreement(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    scores(&f, 0, (struct ge_key){0, GE_UND, 0}, VQA_A, 0.25);
    scores(&f, 0, (struct ge_key){0, GE_UND, 0}, VQA_B, 0.75);
    scores(&f, 0, (struct ge_key){0, GE_UND, 1}, VQA_A, 1);
    scores(&f, 0, (struct ge_key){0, GE_UND, 1}, VQA_B, 0.125); /* another sample: more */
    scores(&f, 0, (struct ge_key){1, GE_UND, 0}, VQA_A, 0.5);
    scores(&f, 0, (struct ge_key){1, GE_UND, 0}, VQA_B, 0.5);
    scores(&f, 0, (struct ge_key){1, GE_UND, 0}, VQA_ANSWERED, 1); /* of another thing */
    scores(&f, 0, (struct ge_key){1, GE_UND, 0}, ANLS, 1);         /* of another family */
    scores(&f, 0, (struct ge_key){2, GE_UND, 0}, VQA_A, 1);        /* alone */
    scores(&f, 0, (struct ge_key){3, GE_UND, 0}, VQA_A, NAN);
    scores(&f, 0, (struct ge_key){3, GE_UND, 0}, VQA_B, 1);
    scores(&f, 0, (struct ge_key){4, GE_UND, 0}, VQA_A, 0);
    scores(&f, 0, (struct ge_key){4, GE_UND, 0}, VQA_B, 100); /* a share is at most 1 */
    assert_ok(diagnose(&f));
    shows(&f, "metrics-disagree", "s", NULL, 3, 2, 1.875 / 3, "ea");
    const struct ge_diagnosis *d = find(&f, "metrics-disagree", "s", NULL);
    assert_string_equal(d->items[0].note, "vqa.lmms 0, vqa.vlmevalkit 100");
    assert_string_equal(d->items[1].note, "vqa.vlmevalkit 0.125, vqa.lmms 1");
    ge_arena_delete(&f.arena);
}

/* ---- from texts ---------------------------------------------------------------------------- */

/* Four words that three texts of a task type begin with. */
static void templated(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.items[0].task[GE_GEN].type = NULL; /* as only a damaged store has it */
    f.items[4].task[GE_GEN].type = "u";
    says(&f, 0, (struct ge_key){0, GE_UND, 0}, "a photo of a zebra");
    says(&f, 0, (struct ge_key){0, GE_GEN, 0}, "A photo of a fox.");
    says(&f, 0, (struct ge_key){1, GE_GEN, 0}, "A photo of a cat.");
    says(&f, 0, (struct ge_key){2, GE_GEN, 0}, "a  PHOTO of a dog.");
    says(&f, 0, (struct ge_key){3, GE_GEN, 0}, "Too short.");
    says(&f, 0, (struct ge_key){4, GE_GEN, 0}, "A photo of a cow.");
    says(&f, 0, (struct ge_key){5, GE_GEN, 0}, "Here is a cat.");
    says(&f, 0, (struct ge_key){6, GE_GEN, 0}, "A photo of a bird.");
    fails(&f, 0, (struct ge_key){6, GE_GEN, 0});
    assert_ok(diagnose(&f)); /* two of a type, of another, and one that failed */
    assert_null(find(&f, "templated", "s", NULL));
    says(&f, 0, (struct ge_key){7, GE_GEN, 0}, "Something else entirely, sorry.");
    says(&f, 0, (struct ge_key){7, GE_GEN, 1}, "A photo of a horse.");
    says(&f, 0, (struct ge_key){7, GE_GEN, 2}, "And something else again.");
    assert_ok(diagnose(&f));
    shows(&f, "templated", "s", NULL, 5, 3, 0.6, "bch");
    shows(&f, "templated", "s", "right", 2, 1, 0.5, "c");
    const struct ge_diagnosis *d = find(&f, "templated", "s", NULL);
    assert_string_equal(d->items[0].note, "\"a photo of a …\"");
    ge_arena_delete(&f.arena);
}

static void details(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.items[0].task[GE_GEN].details =
        (struct ge_strings)LIST("red circle", "blue square", "green star");
    f.items[1].task[GE_GEN].details = f.items[0].task[GE_GEN].details;
    f.items[1].task[GE_UND].details = f.items[0].task[GE_GEN].details;
    says(&f, 0, (struct ge_key){0, GE_GEN, 0}, "A red circle, a blue square. A green star.");
    says(&f, 0, (struct ge_key){0, GE_GEN, 1}, "There is a red circle.");
    says(&f, 0, (struct ge_key){0, GE_GEN, 2}, "Nothing, but it failed.");
    fails(&f, 0, (struct ge_key){0, GE_GEN, 2});
    says(&f, 0, (struct ge_key){1, GE_UND, 0}, "Nothing at all.");
    says(&f, 0, (struct ge_key){1, GE_GEN, 0}, "A red circle, a blue square and a green star.");
    says(&f, 0, (struct ge_key){2, GE_GEN, 0}, "No details are asked for.");
    assert_ok(diagnose(&f));
    shows(&f, "missing-details", "s", NULL, 2, 1, 1.0 / 3, "a");
    const struct ge_diagnosis *d = find(&f, "missing-details", "s", NULL);
    assert_string_equal(d->items[0].note, "blue square; green star");
    ge_arena_delete(&f.arena);
}

static void objects(void **state)
{
    (void)state;
    struct ge_object list[] = {{.name = "dog", .number = -1, .present = true},
                               {.name = "cat", .number = -1},
                               {.name = "bird", .number = -1}};
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < 3; i++) {
        f.items[i].task[GE_GEN].objects = list;
        f.items[i].task[GE_GEN].n_objects = i == 2 ? 1 : 3; /* the last lists no absent one */
    }
    says(&f, 0, (struct ge_key){0, GE_GEN, 0}, "A dog, two birds and a cat.");
    says(&f, 0, (struct ge_key){1, GE_GEN, 0}, "A dog.");
    says(&f, 0, (struct ge_key){2, GE_GEN, 0}, "A cat.");
    assert_ok(diagnose(&f));
    shows(&f, "invented-objects", "s", NULL, 2, 1, 0.5, "a");
    assert_string_equal(find(&f, "invented-objects", "s", NULL)->items[0].note, "cat; bird");
    ge_arena_delete(&f.arena);
}

#define INCLUDE "{\"kind\":\"include\",\"text\":\"blue\"}"
#define EXCLUDE "{\"kind\":\"exclude\",\"text\":\"red\"}"

static void constraints(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < 3; i++) f.items[i].task[GE_GEN].constraints = "[" INCLUDE "," EXCLUDE "]";
    says(&f, 0, (struct ge_key){0, GE_GEN, 0}, "blue and red");
    says(&f, 0, (struct ge_key){1, GE_GEN, 0}, "red alone");
    says(&f, 0, (struct ge_key){2, GE_GEN, 0}, "blue alone");
    assert_ok(diagnose(&f));
    shows(&f, "broken-constraints", "s", NULL, 3, 2, 0.5, "ba");
    const struct ge_diagnosis *d = find(&f, "broken-constraints", "s", NULL);
    assert_string_equal(d->items[0].note, INCLUDE " " EXCLUDE);
    assert_string_equal(d->items[1].note, EXCLUDE);
    f.items[1].task[GE_GEN].constraints = "[{\"kind\":\"no such kind\"}]";
    assert_status(diagnose(&f), GE_EUNSUPPORTED);
    ge_arena_delete(&f.arena);
}

/* What is long in the dataset may be long in a note: it must not end the report. */
static void long_lists(void **state)
{
    (void)state;
    enum { DETAILS = 3000, BYTES = 48 };
    static char text[DETAILS][BYTES];
    static const char *list[DETAILS];
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < DETAILS; i++) {
        snprintf(text[i], BYTES, "the detail of number %d in the list", i);
        list[i] = text[i];
    }
    f.items[3].task[GE_GEN].details = (struct ge_strings){list, DETAILS};
    says(&f, 0, (struct ge_key){3, GE_GEN, 0}, "Nothing of it.");
    assert_ok(diagnose(&f));
    shows(&f, "missing-details", "s", NULL, 1, 1, 1, "d");
    assert_true(strlen(find(&f, "missing-details", "s", NULL)->items[0].note) > 1 << 16);
    ge_arena_delete(&f.arena);
}

/* ---- size and faults ----------------------------------------------------------------------- */

/* As many categories as items, and no text before the second half: both once took the square of the
 * number of items, which the test's time limit would not allow. */
static void many_items(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct fixture f;
    struct ge_item *items = ge_calloc(MANY, sizeof *items);
    struct ge_verdict_row *rows = ge_calloc(MANY, sizeof *rows);
    char(*names)[12] = ge_calloc(MANY, sizeof *names);
    assert_true(items != NULL && rows != NULL && names != NULL);
    set_up(&f);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "c%u", i);
        items[i] = f.items[0];
        items[i].id = items[i].category = items[i].cluster = names[i];
        if (i < MANY / 2) items[i].task[GE_GEN] = (struct ge_task){0};
    }
    for (uint32_t i = 0; i < MANY / 2; i++) {
        struct ge_key key = {MANY / 2 + i, GE_UND, 0};
        rows[2 * i] = (struct ge_verdict_row){key, 1, 0, 1};
        key.direction = GE_GEN;
        rows[2 * i + 1] = (struct ge_verdict_row){key, 0, 0, 1};
    }
    f.run.items = items;
    f.run.n_items = f.results[0].n_verdicts = MANY;
    f.results[0].verdicts = rows;
    assert_ok(diagnose(&f));
    assert_int_equal(f.n, 1 + MANY / 2);
    assert_string_equal(f.rows[1].category, "c50000");
    free(items);
    free(rows);
    free(names);
    ge_arena_delete(&f.arena);
}

/* Rows that name what is not there, after the table of verdicts has been made of sound ones. */
static void bad_rows(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct fixture f;
        set_up(&f);
        if (i == 0) says(&f, 1, (struct ge_key){ITEMS, GE_GEN, 0}, "text");
        if (i == 1) says(&f, 1, (struct ge_key){ITEMS, GE_UND, 0}, NULL);
        if (i == 2) scores(&f, 1, (struct ge_key){ITEMS, GE_GEN, 0}, VQA_A, 1);
        if (i == 3) scores(&f, 1, (struct ge_key){0, GE_GEN, 0}, METRICS, 1);
        assert_status(diagnose(&f), GE_EFORMAT);
        assert_non_null(strstr(ge_error(), i < 2 ? "names item 8" : "names metric"));
        assert_int_equal(f.n, 0);
        ge_arena_delete(&f.arena);
    }
}

/* Something of every kind. */
static void add_everything(struct fixture *f, struct ge_object *list)
{
    static const char *detail[] = {"blue square"};
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct ge_task *t = &f->items[i].task[GE_GEN];
        t->details = (struct ge_strings){detail, 1};
        t->objects = list;
        t->n_objects = 2;
        t->constraints = "[" INCLUDE "," EXCLUDE "]";
        for (uint32_t cell = 0; cell < 2; cell++) {
            both(f, cell, i, i % 3 == 0, i % 4 == 0);
            says(f, cell, (struct ge_key){i, GE_GEN, 0}, "A photo of a red cat.");
            scores(f, cell, (struct ge_key){i, GE_GEN, 0}, COPY_DETECTED, 1);
            scores(f, cell, (struct ge_key){i, GE_GEN, 0}, VQA_A, 1);
            scores(f, cell, (struct ge_key){i, GE_GEN, 0}, VQA_B, 0.5);
        }
    }
}

static void memory(void **state)
{
    (void)state;
    struct ge_object list[] = {{.name = "dog", .number = -1, .present = true},
                               {.name = "cat", .number = -1}};
    struct fixture f;
    struct values values;
    uint64_t failed = 0;
    set_up(&f);
    add_everything(&f, list);
    assert_ok(ge_values_make(&f.run, &values));
    for (uint64_t at = 1;; at++) {
        f.arena = ge_arena_new();
        assert_non_null(f.arena);
        ge_mem_fail_at(at, 0);
        ge_status rc = ge_diagnose(&f.run, &values, f.arena, &f.rows, &f.n);
        int pending = ge_mem_fault_pending();
        ge_mem_fail_at(0, 0);
        assert_int_equal(rc, pending ? GE_OK : GE_ENOMEM);
        assert_true(pending ? f.n > 40 : f.n == 0);
        ge_arena_delete(&f.arena);
        if (pending) break;
        failed++;
    }
    assert_true(failed > 100);
    ge_values_free(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),      cmocka_unit_test(kinds),        cmocka_unit_test(strongest),
        cmocka_unit_test(verdicts),   cmocka_unit_test(nobody_right), cmocka_unit_test(nothing),
        cmocka_unit_test(copies),     cmocka_unit_test(disagreement), cmocka_unit_test(templated),
        cmocka_unit_test(details),    cmocka_unit_test(objects),      cmocka_unit_test(constraints),
        cmocka_unit_test(long_lists), cmocka_unit_test(many_items),   cmocka_unit_test(bad_rows),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
