/* The answer metrics: what tasks may lack, hostile texts, failures of memory, and the parts that the
 * golden file shows only through a whole metric. */
#include "test.h"

#include "base/mem.h"
#include "base/rng.h"
#include "metric/anls.h"
#include "metric/choice.h"
#include "metric/count.h"
#include "metric/edit.h"
#include "metric/exact.h"
#include "metric/open.h"
#include "metric/open_numbers.h"
#include "metric/pystr.h"
#include "metric/relaxed.h"
#include "metric/vqa.h"
#include "metric/vqa_normalize.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static ge_text_metric_fn *const of_references[] = {
    ge_vqa_official,       ge_vqa_lmmseval,       ge_vqa_vlmevalkit,   ge_vqa_textvqa,
    ge_anls_lmmseval,      ge_anls_strict,        ge_exact_evaluate,   ge_exact_evaluate_loose,
    ge_relaxed_pix2struct, ge_relaxed_vlmevalkit, ge_exact_vlmevalkit, ge_count_countbench,
    ge_count_pixmo,        ge_count_tallyqa,      ge_open_mmmu};
static ge_text_metric_fn *const of_choices[] = {
    ge_choice_mmmu,       ge_choice_mmmu_answered,       ge_choice_mmmu_corrected,
    ge_choice_vlmevalkit, ge_choice_vlmevalkit_answered, ge_choice_vlmevalkit_corrected};

static double value_of(ge_text_metric_fn *metric, const char *text, const struct ge_task *task)
{
    double value = -7;
    assert_ok(metric(text, task, &value));
    return value;
}

static void test_what_a_task_may_lack(void **state)
{
    (void)state;
    struct ge_task none = {0}, choices = {.choices = LIST("cat", "dog"), .answer = "B"};
    for (size_t i = 0; i < COUNT(of_references); i++) {
        assert_true(isnan(value_of(of_references[i], "yes", &none)));
        assert_true(isnan(value_of(of_references[i], "yes", &choices)));
    }
    for (size_t i = 0; i < COUNT(of_choices); i++) {
        assert_true(isnan(value_of(of_choices[i], "A", &none)));
    }
    static const char *const keys[] = {"B", "b", "dog"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        choices.answer = keys[i];
        assert_close(value_of(ge_choice_mmmu, "B", &choices), 1, 0);
        assert_close(value_of(ge_choice_vlmevalkit_corrected, "A", &choices), -1, 0);
    }
    static const char *const bad[] = {"C", "Dog", "", "?", NULL};
    for (size_t i = 0; i < COUNT(bad); i++) {
        choices.answer = bad[i];
        assert_true(isnan(value_of(ge_choice_mmmu, "B", &choices)));
        assert_true(isnan(value_of(ge_choice_vlmevalkit_corrected, "B", &choices)));
        assert_close(value_of(ge_choice_mmmu_answered, "B", &choices), 1, 0);
    }
    struct ge_task one = {.choices = LIST("cat"), .answer = "A"};
    assert_close(value_of(ge_choice_mmmu, "A", &one), 1, 0);
    assert_true(isnan(value_of(ge_choice_mmmu_corrected, "A", &one)));
    const char *many[27];
    for (size_t i = 0; i < COUNT(many); i++) many[i] = "x";
    struct ge_task too_many = {.choices = {many, COUNT(many)}, .answer = "A"};
    for (size_t i = 0; i < COUNT(of_choices); i++) {
        assert_true(isnan(value_of(of_choices[i], "A", &too_many)));
    }
}

/* Counts are read off references, or off the only object. */
static void test_right_counts(void **state)
{
    (void)state;
    struct ge_object objects[] = {{.name = "dog", .number = 3}, {.name = "cat", .number = 2}};
    struct ge_task task = {.objects = objects, .n_objects = 1};
    assert_close(value_of(ge_count_tallyqa, "I see three dogs", &task), 1, 0);
    assert_close(value_of(ge_count_tallyqa, "none", &task), 0, 0);
    assert_close(value_of(ge_count_countbench, " Three\n", &task), 1, 0);
    assert_close(value_of(ge_count_pixmo, "all 3 of them", &task), 1, 0);
    objects[0].number = -1; /* any */
    assert_true(isnan(value_of(ge_count_pixmo, "3", &task)));
    task.n_objects = 2;
    assert_true(isnan(value_of(ge_count_tallyqa, "2", &task)));
    task.references = (struct ge_strings)LIST("many", "4", "2");
    assert_close(value_of(ge_count_tallyqa, "2", &task), 1, 0);
    assert_close(value_of(ge_count_tallyqa, "3", &task), 0, 0);
    assert_close(value_of(ge_count_pixmo, "many", &task), 1, 0);
    task.references = (struct ge_strings)LIST("many", "3.5", "inf");
    assert_true(isnan(value_of(ge_count_tallyqa, "3", &task)));
}

/* The mean of the corrected values is the accuracy corrected for chance. */
static void test_chance_correction(void **state)
{
    (void)state;
    struct ge_task task = {.choices = LIST("cat", "dog", "cow", "hen"), .answer = "C"};
    static const char *const answers[] = {"C", "A", "(C)", "no idea", "C.", "D"};
    double right = 0, corrected = 0, n = COUNT(answers), k = 4;
    for (size_t i = 0; i < COUNT(answers); i++) {
        right += value_of(ge_choice_mmmu, answers[i], &task);
        corrected += value_of(ge_choice_mmmu_corrected, answers[i], &task);
    }
    assert_close(right, 3, 0);
    assert_close(corrected / n, (right / n - 1 / k) / (1 - 1 / k), 1e-15);
}

/* ---- hostile texts ------------------------------------------------------------------------ */

static const char *const hostile[] = {
    "",
    " ",
    "\xFF",
    "\x80\x80\x80",
    " \x80",
    "\xC3",
    "yes\xC3",
    "\xE2\x82",
    "\xED\xA0\x80",
    "\xF0\x9F\x98",
    "\xC0\x80.",
    "5\xFF",
    "\xEF\xBC\x95\xFF%",
    "%%%%",
    ".\xFF.",
    ",\xFF,",
    "1,\xD9\xA1",
    "\x01\x02\x1C\x1F\x7F",
    "\xCE\xA3\xCC\x81\xFF\xCE\xA3",
    "(\xFF) A",
    "'s's's",
    "_",
    "1_",
    "e",
    "+",
    "-.e-",
};

static void test_hostile_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        for (size_t j = 0; j < COUNT(hostile); j++) {
            struct ge_task task = {.references = LIST(hostile[j], hostile[i], "x"),
                                   .choices = LIST(hostile[j], "x"),
                                   .answer = "A"};
            for (size_t m = 0; m < COUNT(of_references); m++) {
                double value = value_of(of_references[m], hostile[i], &task);
                bool whole =
                    of_references[m] != ge_count_tallyqa; /* the references are no numbers */
                assert_true(whole ? value >= 0 && value <= 1 : isnan(value));
            }
            assert_close(value_of(ge_exact_evaluate, hostile[i], &task), 1, 0);
            assert_close(value_of(ge_anls_lmmseval, hostile[i], &task), 1, 0);
            for (size_t m = 0; m < COUNT(of_choices); m++) {
                double value = value_of(of_choices[m], hostile[i], &task);
                assert_true(value >= -1 && value <= 1);
            }
        }
    }
}

enum { LONG = 1 << 20 };

/* A text of at most so many bytes, made of copies of a piece. */
static char *repeat(const char *piece, size_t bytes)
{
    size_t n = strlen(piece), used = 0;
    char *s = ge_calloc(bytes + 1, 1);
    assert_non_null(s);
    for (; used + n <= bytes; used += n) memcpy(s + used, piece, n);
    return s;
}

/* Nothing that a mebibyte may hold takes more than linear time. */
static void test_long_texts(void **state)
{
    (void)state;
    static const char *const pieces[] = {"A b\xCE\xA3', (1.", "a",    ". ,",  "1,",
                                         "\xCE\xA3'",         "\x80", "A b ("};
    for (size_t i = 0; i < COUNT(pieces); i++) {
        size_t bytes = i == 0 ? LONG : LONG / 64;
        char *text = repeat(pieces[i], bytes), *half = repeat(pieces[i], bytes / 2);
        half[0] = 'y';
        struct ge_task task = {
            .references = LIST(text), .choices = LIST(text, half, half), .answer = "A"};
        for (size_t m = 0; m < COUNT(of_references); m++) {
            double value = value_of(of_references[m], text, &task);
            if (of_references[m] == ge_count_tallyqa) continue;
            if (of_references[m] == ge_open_mmmu)
                continue;                          /* it drops periods of the answer alone */
            assert_close(value, m < 4 ? 0 : 1, 0); /* VQA: nobody is left to agree */
        }
        for (size_t m = 0; m < COUNT(of_choices); m++) {
            double value = value_of(of_choices[m], text, &task);
            assert_true(value >= -1 && value <= 1);
        }
        free(text);
        free(half);
    }
    char *digits = repeat("9", LONG);
    struct ge_task number = {.references = LIST(digits, "inf")};
    assert_close(value_of(ge_relaxed_pix2struct, "1e999", &number), 0, 0); /* inf - inf is NaN */
    assert_close(value_of(ge_relaxed_pix2struct, digits, &number), 0, 0);
    free(digits);
}

/* Long texts that differ: an exact distance up to the limit, NaN beyond it. */
static void test_long_distances(void **state)
{
    (void)state;
    char *ab = repeat("ab", 20000), *ba = repeat("ba", 20000);
    struct ge_task task = {.references = LIST(ba)};
    assert_close(value_of(ge_anls_lmmseval, ab, &task), 1 - 2.0 / 20000, 1e-15);
    assert_close(value_of(ge_anls_strict, ab, &task), 1 - 2.0 / 20000, 1e-15);
    assert_close(value_of(ge_anls_lmmseval, "ab", &task), 0, 0);
    free(ab);
    free(ba);
    ab = repeat("ab", LONG), ba = repeat("ba", LONG);
    task = (struct ge_task){.references = LIST("short", ba)};
    assert_true(isnan(value_of(ge_anls_lmmseval, ab, &task)));
    ba[0] = 'a', ba[LONG - 1] = 'b', ba[LONG / 2] = ba[LONG / 2 + 1];
    memcpy(ba, ab, LONG / 2 - 8);
    memcpy(ba + LONG / 2 + 8, ab + LONG / 2 + 8, LONG / 2 - 8);
    double value = value_of(ge_anls_lmmseval, ab, &task); /* the equal ends do not count */
    assert_true(value >= 1 - 16.0 / LONG && value < 1);
    free(ab);
    free(ba);
}

static void test_memory_failures(void **state)
{
    (void)state;
    struct ge_task task = {.references =
                               LIST("couldnt the two \xCE\xA3, x.", "dog's", "1_000", "2"),
                           .choices = LIST("a red dog", "a blue dog, two of them", "2"),
                           .answer = "B"};
    static const char *const texts[] = {"cant see two red, dogs.",
                                        "it is what one calls a red dog"};
    for (size_t m = 0; m < COUNT(of_references) + COUNT(of_choices); m++) {
        bool choice = m >= COUNT(of_references);
        ge_text_metric_fn *fn = choice ? of_choices[m - COUNT(of_references)] : of_references[m];
        for (size_t t = 0; t < COUNT(texts); t++) {
            double want = value_of(fn, texts[t], &task), value;
            for (uint64_t n = 1;; n++) {
                ge_mem_fail_at(n, 0);
                ge_status rc = fn(texts[t], &task, &value);
                bool pending = ge_mem_fault_pending() != 0;
                ge_mem_fail_at(0, 0);
                if (pending) {
                    assert_int_equal(rc, GE_OK);
                    assert_close(value, want, 0);
                    assert_true(n > 1 || fn == ge_count_pixmo); /* that one needs none */
                    break;
                }
                assert_int_equal(rc, GE_ENOMEM);
            }
        }
    }
}

/* ---- parts -------------------------------------------------------------------------------- */

/* The distance by its definition, a row at a time. */
static size_t plain_distance(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t row[512];
    for (size_t j = 0; j <= nb; j++) row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

static uint64_t draws;

static uint64_t below(uint64_t n)
{
    return ge_mix(1999, draws++) % n;
}

static void test_edit_distance(void **state)
{
    (void)state;
    draws = 0;
    for (size_t round = 0; round < 600; round++) {
        static const uint64_t alphabets[] = {2, 4, 30, 1000};
        uint32_t a[512], b[512];
        size_t na = below(1 + 500 * (round % 3) / 2), nb = below(400);
        uint64_t letters = alphabets[round % 4];
        for (size_t i = 0; i < na; i++) a[i] = (uint32_t)(128 * below(letters));
        for (size_t i = 0; i < nb; i++) b[i] = (uint32_t)(128 * below(letters));
        for (size_t i = 0; round % 5 == 0 && i < na && i < nb; i++) {
            if (below(9) > 0) b[i] = a[i]; /* near ones, too */
        }
        size_t distance;
        assert_ok(ge_edit_distance(a, na, b, nb, &distance));
        assert_int_equal(distance, plain_distance(a, na, b, nb));
    }
}

static void test_python_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *stripped;
    } strips[] = {
        {" a ", "a"},      {"\x1C\xC2\xA0\xE3\x80\x80", ""},           {" \x80", "\x80"},
        {"\x80 ", "\x80"}, {"a\xE3\x80\x80\x80", "a\xE3\x80\x80\x80"}, {"\xE3\x80", "\xE3\x80"},
    };
    for (size_t i = 0; i < COUNT(strips); i++) {
        const char *s = strips[i].text;
        size_t len = strlen(s);
        ge_pystr_strip(&s, &len);
        assert_int_equal(len, strlen(strips[i].stripped));
        assert_memory_equal(s, strips[i].stripped, len);
    }
    static const struct {
        const char *text;
        double want; /* NaN: no number */
    } numbers[] = {
        {"1_0.5", 10.5},        {" -5e-1\n", -0.5},   {"\xEF\xBC\x95", 5},
        {"INFINITY", INFINITY}, {"0x1p3", NAN},       {"1__0", NAN},
        {"nan(0x1)", NAN},      {"1e", NAN},          {"", NAN},
        {"1e400", INFINITY},    {"5e-324", 4.9e-324}, {"9007199254740993", 9007199254740992},
    };
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double value = 0;
        bool valid;
        assert_ok(ge_pystr_float(numbers[i].text, strlen(numbers[i].text), &value, &valid));
        assert_int_equal(valid, !isnan(numbers[i].want));
        if (valid) assert_true(value == numbers[i].want);
    }
    assert_int_equal(ge_pystr_digit(0x669), 9);
    assert_int_equal(ge_pystr_digit(0x66A), -1);
    assert_int_equal(ge_pystr_digit(0x10FFFF), -1);
    assert_int_equal(ge_pystr_upper_length("\xEF\xAC\x83\xC3\x9F\xFF", 6), 6);
}

/* The numbers of a text, form by form, with a bar behind each. */
static void test_numbers_of_open_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want[GE_OPEN_FORMS];
    } rows[] = {
        {"-1,234 and 5.5e3, .5", {"-1,234|", "5.5e3|", "234|5|.5|"}},
        {"1234,567 x1 1_ 1,23,456", {"23,456|", "", "567|1|456|"}},
        {"1,2345 12.5, -.5e 1.2.3", {"", "", "2345|12|-.5|1.2|.3|"}},
        {"", {"", "", ""}},
        {"\xD9\xA1\x65\xD9\xA2 \xFF\x37", {"", "\xD9\xA1\x65\xD9\xA2|", "\xD9\xA2|7|"}},
    };
    struct ge_buf out;
    ge_buf_init(&out, 1 << 10);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int f = 0; f < GE_OPEN_FORMS; f++) {
            size_t pos = 0, begin, len = strlen(rows[i].text);
            ge_buf_reset(&out);
            ge_buf_str(&out, "");
            while (ge_open_next_number(rows[i].text, len, (enum ge_open_form)f, &pos, &begin)) {
                ge_buf_add(&out, rows[i].text + begin, pos - begin);
                ge_buf_char(&out, '|');
            }
            assert_string_equal(out.data, rows[i].want[f]);
        }
    }
    ge_buf_free(&out);
}

static void test_normal_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want[4]; /* by enum ge_vqa_dialect */
    } rows[] = {
        {"The Two dogs.", {"2 dogs", "2 dogs", "2 dogs", "2 dogs"}},
        {"10.", {"10", "10", "10.", "10"}},
        {"1,,5-6", {"1 5 6", "156", "1 5 6", "15 6"}},
        {"dog's", {"dog's", "dog's", "dog's", "dog 's"}},
        {"a-b - c", {"ab c", "ab c", "ab c", "ab c"}},
        {"cant Im youre",
         {"can't im you're", "can't im you're", "can't im you're", "can't im you're"}},
    };
    struct ge_buf out;
    ge_buf_init(&out, 1 << 10);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int d = 0; d < 4; d++) {
            ge_buf_reset(&out);
            assert_ok(ge_vqa_normalize(rows[i].text, (enum ge_vqa_dialect)d, &out));
            assert_string_equal(out.data, rows[i].want[d]);
        }
    }
    ge_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_task_may_lack), cmocka_unit_test(test_right_counts),
        cmocka_unit_test(test_chance_correction),    cmocka_unit_test(test_hostile_texts),
        cmocka_unit_test(test_long_texts),           cmocka_unit_test(test_long_distances),
        cmocka_unit_test(test_memory_failures),      cmocka_unit_test(test_edit_distance),
        cmocka_unit_test(test_python_strings),       cmocka_unit_test(test_numbers_of_open_answers),
        cmocka_unit_test(test_normal_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
