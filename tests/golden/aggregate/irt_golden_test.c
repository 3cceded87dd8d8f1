/* The irt estimator against R's lme4: irt_lme4.csv, made by make_irt.R. */
#include "test.h"

#include "aggregate/irt.h"
#include "base/csv.h"

#define FOLDER GE_SOURCE_DIR "/tests/golden/aggregate/"

enum { MOST_PAIRS = 2000 };

/* How near a fit must be to lme4's. */
struct gate {
    const char *data, *nodes, *tolerance; /* which lines of the file */
    double theta, se, loglik;             /* NaN: not compared */
};

static size_t number_of(char names[][16], size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++) {
        if (strcmp(names[i], name) == 0) return i;
    }
    snprintf(names[*n], sizeof names[0], "%.15s", name);
    return (*n)++;
}

struct input {
    struct ge_irt_pair pairs[MOST_PAIRS];
    size_t n, n_models, n_items;
    char models[16][16], items[512][16];
};

static struct input in;

static void read_pairs(const char *file)
{
    char path[512];
    struct ge_csv *csv = NULL;
    snprintf(path, sizeof path, FOLDER "%s", file);
    assert_ok(ge_csv_read(path, ',', &csv));
    size_t judges_at = ge_csv_find(csv, "judges");
    in.n = in.n_models = in.n_items = 0;
    assert_true(csv->n_rows <= MOST_PAIRS);
    for (size_t r = 0; r < csv->n_rows; r++) {
        struct ge_irt_pair *p = &in.pairs[in.n++];
        double und, gen, judges = 1;
        assert_ok(ge_csv_number(csv, r, ge_csv_find(csv, "und"), &und));
        assert_ok(ge_csv_number(csv, r, ge_csv_find(csv, "gen"), &gen));
        if (judges_at != GE_CSV_ABSENT) assert_ok(ge_csv_number(csv, r, judges_at, &judges));
        p->model = (uint32_t)number_of(in.models, &in.n_models, ge_csv_field(csv, r, 0));
        p->item = (uint32_t)number_of(in.items, &in.n_items, ge_csv_field(csv, r, 1));
        p->count[GE_UND].judged = p->count[GE_GEN].judged = (uint32_t)judges;
        assert_ok(ge_irt_right(und, (uint32_t)judges, &p->count[GE_UND].right));
        assert_ok(ge_irt_right(gen, (uint32_t)judges, &p->count[GE_GEN].right));
    }
    ge_csv_delete(&csv);
}

static double field(const struct ge_csv *csv, size_t row, const char *column)
{
    double v = NAN;
    assert_ok(ge_csv_number(csv, row, ge_csv_find(csv, column), &v));
    return v;
}

static void check_model(const struct ge_csv *csv, size_t row, const struct ge_irt_model *m,
                        const struct gate *gate)
{
    assert_close(m->und.theta, field(csv, row, "theta_und"), gate->theta);
    assert_close(m->gen.theta, field(csv, row, "theta_gen"), gate->theta);
    assert_close(m->delta, field(csv, row, "delta"), gate->theta);
    assert_close(m->und.se, field(csv, row, "se_und"), gate->se);
    assert_close(m->gen.se, field(csv, row, "se_gen"), gate->se);
    assert_close(m->se_delta, field(csv, row, "se_delta"), gate->se);
    assert_int_equal(m->und.reason, GE_IRT_ESTIMATED);
}

static void check_gate(const struct ge_csv *csv, const struct gate *gate)
{
    struct ge_irt_fit fit;
    size_t seen = 0;
    read_pairs(gate->data);
    struct ge_irt_options options = {.nodes = atoi(gate->nodes)};
    assert_ok(ge_irt(in.pairs, in.n, in.n_models, in.n_items, &options, &fit));
    for (size_t r = 0; r < csv->n_rows; r++) {
        if (strcmp(ge_csv_field(csv, r, 0), gate->data) != 0 ||
            strcmp(ge_csv_field(csv, r, 1), gate->nodes) != 0 ||
            strcmp(ge_csv_field(csv, r, 2), gate->tolerance) != 0) {
            continue;
        }
        size_t m = number_of(in.models, &in.n_models, ge_csv_field(csv, r, 3));
        check_model(csv, r, &fit.models[m], gate);
        assert_close(fit.sd_item, field(csv, r, "sd_item"), gate->theta);
        if (!isnan(gate->loglik)) assert_close(fit.loglik, field(csv, r, "loglik"), gate->loglik);
        seen++;
    }
    assert_int_equal(seen, fit.n_models);
    ge_irt_free(&fit);
}

static void test_lme4(void **state)
{
    (void)state;
    /* lme4's standard errors come from differences of a function that it knows to its inner tolerance;
     * at 1 node they are of Laplace's likelihood, ours of the marginal one. At its default tolerance
     * (1e-07) its Laplace maximum is off by up to 2.6e-3: make_irt.R. Its likelihood of counts by
     * quadrature lacks the binomial coefficients. */
    static const struct gate gates[] = {
        {"irt_verdicts.csv", "25", "1e-10", 1e-5, 1e-5, 1e-5},
        {"irt_verdicts.csv", "1", "1e-10", 2e-5, 2e-3, 1e-5},
        {"irt_verdicts.csv", "1", "1e-07", 3e-3, 2e-3, 1e-2},
        {"irt_counts.csv", "25", "1e-10", 1e-5, 1e-5, NAN},
        {"irt_counts.csv", "1", "1e-10", 2e-5, 2e-3, 1e-5},
    };
    struct ge_csv *csv = NULL;
    assert_ok(ge_csv_read(FOLDER "irt_lme4.csv", ',', &csv));
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) check_gate(csv, &gates[i]);
    ge_csv_delete(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lme4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
