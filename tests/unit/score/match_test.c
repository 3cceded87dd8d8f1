/* The matchers on answers as people and models write them: what a careful reader would say. */
#include "test.h"

#include "base/log.h"
#include "score/match.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (const char *[]){__VA_ARGS__},                                                        \
        .n = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)                          \
    }

enum { R = GE_MATCH_RIGHT, W = GE_MATCH_WRONG, N = GE_MATCH_NO_ANSWER };
static const char *const outcomes[] = {"wrong", "right", "no answer"};

struct answer {
    const char *text;
    int want;
};

typedef ge_status matcher(const char *text, const struct ge_task *task, enum ge_match *out);

static ge_status choice(const char *text, const struct ge_task *task, enum ge_match *out)
{
    int chosen;
    return ge_match_choice(text, task, &chosen, out);
}

static void check(matcher *match, const struct ge_task *task, const struct answer *a, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        enum ge_match got = (enum ge_match)9;
        assert_ok(match(a[i].text, task, &got));
        if ((int)got == a[i].want) continue;
        print_error("\"%s\": %s, wanted %s\n", a[i].text, outcomes[got], outcomes[a[i].want]);
        bad++;
    }
    assert_int_equal(bad, 0);
}
#define CHECK(match, task, answers) check(match, task, answers, sizeof answers / sizeof answers[0])

static void test_exact(void **state)
{
    (void)state;
    struct ge_task task = {.references = LIST("Red circle", "caf\xC3\xA9")};
    static const struct answer answers[] = {
        {"Red circle", R},  {"  Red circle\n", R}, {"red circle", W}, {"Red circle.", W},
        {"caf\xC3\xA9", R}, {"cafe", W},           {"", N},           {" \t\n", N},
        {"Red  circle", W}, {"The Red circle", W},
    };
    CHECK(ge_match_exact, &task, answers);
}

static void test_alias(void **state)
{
    (void)state;
    struct ge_task task = {.references = LIST("red circle", "crimson disc"),
                           .text_distractors = LIST("blue circle", "dark red circle")};
    static const struct answer answers[] = {
        {"red circle", R},
        {"A red circle.", R},
        {"**Red Circle**", R},
        {"I see a red circle in the middle", R},
        {"It is a crimson disc!", R},
        {"a dark red circle", W},
        {"a red circle and a blue circle", W},
        {"not a red circle", W},
        {"It isn't a red circle", W},
        {"It is not really a red circle", W},
        {"There is no red circle", W},
        {"not a blue circle but a red circle", R},
        {"a red circle rather than a blue circle", R},
        {"a blue circle instead of a red circle", W},
        {"red, circle", R},
        {"redcircle", W},
        {"circle", W},
        {"", N},
        {"...", N},
        {"the", N},
        {"\xF0\x9F\x94\xB4", W},
        {"RED\tCIRCLE", R},
    };
    CHECK(ge_match_alias, &task, answers);
}

static void test_yes_no(void **state)
{
    (void)state;
    struct ge_task no = {.references = LIST("no"), .text_distractors = LIST("yes")};
    static const struct answer no_answers[] = {
        {"No", R},
        {"no.", R},
        {"No, there are no circles.", R},
        {"No, it is blue", R},
        {"The answer is no.", R},
        {"Yes", W},
        {"Yes, no doubt about it", W},
        {"Yes and no", W},
        {"There are none", W},
    };
    CHECK(ge_match_alias, &no, no_answers);
    struct ge_task yes = {.references = LIST("yes"), .text_distractors = LIST("no")};
    static const struct answer yes_answers[] = {
        {"Yes", R}, {"Yes, there are no other shapes", R},     {"yes!", R},
        {"No", W},  {"The answer is no because it is red", W},
    };
    CHECK(ge_match_alias, &yes, yes_answers);
}

static void test_alias_numbers_and_units(void **state)
{
    (void)state;
    struct ge_task task = {.references = LIST("21 km", "21 kilometres")};
    static const struct answer answers[] = {
        {"21 km", R},
        {"twenty-one km", R},
        {"Twenty one kilometres", R},
        {"about 21 km away", R},
        {"121 km", W},
        {"21", W},
        {"21 miles", W},
        {"21.5 km", W},
    };
    CHECK(ge_match_alias, &task, answers);
    struct ge_task accents = {.references = LIST("caf\xC3\xA9")};
    static const struct answer accented[] = {
        {"Cafe\xCC\x81", R}, {"a CAF\xC3\x89", R}, {"cafe", W}, {"\xFF\xFE", W}};
    CHECK(ge_match_alias, &accents, accented);
}

static void test_label(void **state)
{
    (void)state;
    struct ge_task task = {.labels = LIST("red", "blue", "dark blue", "green"),
                           .answer = "Blue",
                           .references = LIST("azure")};
    static const struct answer answers[] = {
        {"blue", R},
        {"It is blue.", R},
        {"azure", R},
        {"dark blue", W},
        {"blue or green", N},
        {"blue, not green", R},
        {"not blue", N},
        {"green", W},
        {"neither blue nor green", N},
        {"purple", N},
        {"", N},
        {"Blue! Definitely blue.", R},
        {"it can't be red, so blue", R},
        {"bluegreen", N},
        {"green rather than blue", W},
        {"azure blue", R},
    };
    CHECK(ge_match_label, &task, answers);
    enum ge_match m;
    task.answer = "pink";
    assert_status(ge_match_label("blue", &task, &m), GE_EINVAL);
}

static const struct answer choices_b[] = {
    /* the letter alone */
    {"B", R},
    {"b", R},
    {"B.", R},
    {"(b)", R},
    {"(B)", R},
    {"[B]", R},
    {"**B**", R},
    {"__B__", R},
    {"`B`", R},
    {"\"B\"", R},
    {"B)", R},
    {"b)", R},
    {"$\\boxed{B}$", R},
    {"\\boxed{\\text{B}}", R},
    {"A", W},
    {"a", W},
    {"(A)", W},
    {"D.", W},
    {"E", N},
    {"Z", N},
    /* the letter and more */
    {"B) two", R},
    {"B. blue square", R},
    {"B: blue square", R},
    {"b. blue square", R},
    {"**B.** blue square", R},
    {"B - blue square", R},
    {"Option B", R},
    {"option b", R},
    {"choice B", R},
    {"option c", W},
    {"Option C: green star", W},
    {"(B) because (A) is too small", R},
    {"(A) because (B) is too large", W},
    {"B, because the others are wrong", R},
    {"I think B", R},
    {"I think it's B.", R},
    {"I think A", W},
    {"I'd go with B", R},
    {"I would go with option B", R},
    {"I choose B", R},
    {"I pick (b)", R},
    {"My answer: B", R},
    {"Answer: B", R},
    {"Answer:\nB", R},
    {"Answer = B", R},
    {"**Answer: B**", R},
    {"**Answer:** B", R},
    {"answer is b", R},
    {"The answer is: D.", W},
    {"The answer is: B.", R},
    {"The correct answer is B", R},
    {"The correct option is (B) blue square", R},
    {"The correct choice is B", R},
    {"The answer is option B.", R},
    {"The final answer is $B$.", R},
    {"B is correct", R},
    {"B is the right answer", R},
    {"Therefore, B", R},
    {"So it must be B", R},
    {"It is B", R},
    /* reasoning before or after */
    {"A is wrong, C is wrong, so B", R},
    {"A and C are wrong. The answer is B.", R},
    {"It's not A. It's B.", R},
    {"It's not A, it's B", R},
    {"The answer is not A. The answer is B.", R},
    {"The answer is A. No, wait: the answer is B.", R},
    {"The answer is B. Wait, the answer is C.", W},
    {"The answer is B, not C", R},
    {"The answer is B. A) is wrong because it is red.", R},
    {"(A) is too small, (C) is too large, (D) is odd. Answer: (B)", R},
    {"B rather than A", R},
    {"Neither A nor C. B is correct.", R},
    {"I don't think it is A. B!", R},
    {"Eliminate A, C and D; choose B", R},
    {"A red thing would be odd. B.", R},
    {"Let me think step by step. A circle has no corners. The answer is B", R},
    /* no choice */
    {"", N},
    {"I don't know", N},
    {"A or B", N},
    {"The answer is A or B", N},
    {"The answer is A and B.", N},
    {"A, B", N},
    {"A/B", N},
    {"Both A and B", N},
    {"Either (A) or (B)", N},
    {"A) red circle B) blue square C) green star D) yellow ring", N},
    {"A. red circle\nB. blue square\nC. green star\nD. yellow ring", N},
    {"not B", N},
    {"B is wrong", N},
    {"The answer is not B", N},
    {"It isn't B", N},
    {"It cannot be B", N},
    {"I would not choose B", N},
    {"Not A, not B", N},
    {"neither A nor B", N},
    {"A", W},
    {"All of them", N},
    {"AB", N},
    {"b b b bb", N},
    /* the option's text */
    {"blue square", R},
    {"The blue square.", R},
    {"It shows a blue square", R},
    {"a red circle", W},
    {"A red circle", W},
    {"the answer is a blue square", R},
    {"The answer is a red circle", W},
    {"the red circle or the blue square", N},
    {"not the red circle but the blue square", R},
    {"a square", N},
    {"I see a blue square", R},
    /* a capital that is no option's */
    {"Vitamin C, which is the blue square", N},
    {"I am sure", N},
    {"\xEF\xBC\xA2", N},
};

static void test_choice(void **state)
{
    (void)state;
    struct ge_task task = {
        .choices = LIST("red circle", "blue square", "green star", "yellow ring"), .answer = "B"};
    CHECK(choice, &task, choices_b);
    task.answer = "the Blue Square";
    CHECK(choice, &task, choices_b);
    task.answer = "b";
    CHECK(choice, &task, choices_b);
    enum ge_match m;
    task.answer = "E";
    assert_status(choice("B", &task, &m), GE_EINVAL);
    task.answer = "purple";
    assert_status(choice("B", &task, &m), GE_EINVAL);
}

static void test_choice_chosen(void **state)
{
    (void)state;
    struct ge_task task = {.choices = LIST("1", "2", "none of the above"), .answer = "A"};
    enum ge_match m;
    int chosen;
    assert_ok(ge_match_choice("two", &task, &chosen, &m));
    assert_int_equal(chosen, 1);
    assert_ok(ge_match_choice("None of the above.", &task, &chosen, &m));
    assert_int_equal(chosen, 2);
    assert_ok(ge_match_choice("?", &task, &chosen, &m));
    assert_int_equal(chosen, -1);
    assert_int_equal(m, GE_MATCH_NO_ANSWER);
}

static void test_number_one_object(void **state)
{
    (void)state;
    struct ge_object circle = {.name = "circle", .number = 3};
    struct ge_task task = {.objects = &circle, .n_objects = 1};
    static const struct answer three[] = {
        {"3", R},
        {"three", R},
        {"Three.", R},
        {"**3**", R},
        {"3 circles", R},
        {"There are three circles.", R},
        {"three large shiny red circles", R},
        {"I count 3.", R},
        {"I count three (3) circles", R},
        {"circles: 3", R},
        {"Circles = 3", R},
        {"The number of circles is 3", R},
        {"The answer is 3", R},
        {"Answer: 3 circles", R},
        {"2 + 1 = 3", R},
        {"There are 2 red circles and 1 blue circle, so 3 in total", R},
        {"A total of 3 circles", R},
        {"not 4 but 3 circles", R},
        {"3.0 circles", R},
        {"three of the shapes are circles", R},
        {"There are three circles and two squares", R},
        {"4", W},
        {"four circles", W},
        {"thirty-three", W},
        {"3.5 circles", W},
        {"-3", W},
        {"3 or 4 circles", W},
        {"3-4 circles", W},
        {"between 3 and 4 circles", W},
        {"no circles", W},
        {"There aren't any circles", W},
        {"None", W},
        {"zero", W},
        {"a circle", W},
        {"There are three circles. There are four circles.", W},
        {"The answer is 3. The answer is 4.", W},
        {"many circles", N},
        {"", N},
        {"circles", N},
        {"I don't know", N},
        {"2 squares and 5 stars", N},
        {"1. look 2. count", N},
        {"not 3", N},
    };
    CHECK(ge_match_number, &task, three);
    circle.number = 0;
    static const struct answer zero[] = {
        {"0", R},
        {"zero circles", R},
        {"no circles", R},
        {"There are none.", R},
        {"none", R},
        {"There isn't any circle", R},
        {"without circles", R},
        {"one circle", W},
        {"a circle", W},
        {"there are no squares", N},
    };
    CHECK(ge_match_number, &task, zero);
    circle.number = 21;
    static const struct answer twenty_one[] = {{"twenty-one", R}, {"twenty one circles", R},
                                               {"21", R},         {"twenty", W},
                                               {"one", W},        {"1,021 circles", W}};
    CHECK(ge_match_number, &task, twenty_one);
    circle.number = 1;
    static const struct answer one[] = {{"a circle", R},
                                        {"There is a single red circle", R},
                                        {"one circle", R},
                                        {"a few circles", N},
                                        {"a picture of circles", N},
                                        {"two circles", W},
                                        {"There is a circle, two circles in fact", W}};
    CHECK(ge_match_number, &task, one);
}

static void test_number_names(void **state)
{
    (void)state;
    struct ge_object o = {.name = "white squares", .number = 1};
    struct ge_task task = {.objects = &o, .n_objects = 1};
    static const struct answer squares[] = {
        {"There is one white square.", R},
        {"1", R},
        {"one square", R},
        {"There are two white squares", W},
        {"one white square and two black squares", R},
        {"a white square", R},
    };
    CHECK(ge_match_number, &task, squares);
    struct ge_object mice = {.name = "mouse", .synonyms = LIST("rodent"), .number = 2};
    task.objects = &mice;
    static const struct answer animals[] = {{"two mice", R},
                                            {"2 rodents and 3 cats", R},
                                            {"three mice", W},
                                            {"two mice, 3 rodents", W}};
    CHECK(ge_match_number, &task, animals);
    struct ge_object puppy = {.name = "puppies", .number = 2};
    task.objects = &puppy;
    static const struct answer puppies[] = {{"2 puppies", R}, {"1 puppy", W}};
    CHECK(ge_match_number, &task, puppies);
}

static void test_number_several_objects(void **state)
{
    (void)state;
    struct ge_object objects[] = {{.name = "circle", .number = 3},
                                  {.name = "square", .number = 2},
                                  {.name = "star", .number = -1}};
    struct ge_task task = {.objects = objects, .n_objects = 3};
    static const struct answer shapes[] = {
        {"three circles and two squares", R},
        {"2 squares, 3 circles", R},
        {"circles: 3, squares: 2", R},
        {"circles: 3 squares: 2", R},
        {"Circles: 3\nSquares: 2", R},
        {"circle = 3; square = 2", R},
        {"3 circles (red), 2 squares (blue), 7 stars", R},
        {"| circles | 3 |\n| squares | 2 |", R},
        {"- circles: **3**\n- squares: **2**", R},
        {"1. circles: 3\n2. squares: 2", R},
        {"The circles are 3 and the squares are 2", R},
        {"squares: 3, circles: 2", W},
        {"three circles and three squares", W},
        {"three circles and no squares", W},
        {"three circles", N},
        {"5", N},
        {"3 and 2", N},
        {"three shapes, two colours", N},
        {"", N},
    };
    CHECK(ge_match_number, &task, shapes);
    struct ge_object same_noun[] = {{.name = "red circle", .number = 2},
                                    {.name = "blue circle", .number = 3}};
    task.objects = same_noun;
    task.n_objects = 2;
    static const struct answer colours[] = {
        {"two red circles and three blue circles", R}, {"red circles: 2, blue circles: 3", R},
        {"three red circles and two blue circles", W}, {"five circles", N},
        {"no red circles and three blue circles", W},
    };
    CHECK(ge_match_number, &task, colours);
    enum ge_match m;
    objects[0].number = objects[1].number = -1;
    task.objects = objects;
    task.n_objects = 3;
    assert_status(ge_match_number("3", &task, &m), GE_EINVAL);
}

/* Long answers of any make take time in proportion to their length. */
static void test_long_answers(void **state)
{
    (void)state;
    static const char *const parts[] = {"A ",          "is ",   "(A) or ",
                                        "not ",        "3 ",    "circle ",
                                        "a circle 3 ", "blue ", "                    ",
                                        "answer is "};
    enum { BYTES = 512 << 10 };
    struct ge_object circle = {.name = "red circle", .number = 3};
    struct ge_task task = {.objects = &circle,
                           .n_objects = 1,
                           .choices = LIST("red", "blue"),
                           .labels = LIST("red", "blue", "dark blue"),
                           .references = LIST("red circle"),
                           .answer = "B"};
    char *text = malloc(BYTES + 32);
    assert_non_null(text);
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        size_t len = strlen(parts[p]), n = 0;
        for (; n < BYTES; n += len) memcpy(text + n, parts[p], len);
        text[n] = '\0';
        enum ge_match m;
        double start = ge_now();
        assert_ok(choice(text, &task, &m));
        assert_ok(ge_match_number(text, &task, &m));
        assert_ok(ge_match_alias(text, &task, &m));
        task.answer = "blue";
        assert_ok(ge_match_label(text, &task, &m));
        task.answer = "B";
        assert_true(ge_now() - start < 30); /* a quadratic one takes minutes */
    }
    free(text);
}

/* Random bytes: any outcome, no fault. */
static void test_random_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "AaBb(). :=-\n3i'\xE2\x80\x99\xFF*_orisnt ";
    struct ge_object circle = {.name = "a", .number = 3};
    struct ge_task task = {.objects = &circle,
                           .n_objects = 1,
                           .choices = LIST("a", "b or", ""),
                           .labels = LIST("a", "b", "is"),
                           .references = LIST("b is", ""),
                           .text_distractors = LIST("a b"),
                           .answer = "b"};
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        char text[40];
        size_t n = (size_t)i % 39;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[k] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
        }
        text[n] = '\0';
        enum ge_match m;
        int chosen = -2;
        assert_ok(ge_match_choice(text, &task, &chosen, &m));
        assert_true(chosen >= -1 && chosen < 3);
        assert_int_equal(m == GE_MATCH_NO_ANSWER, chosen == -1);
        assert_ok(ge_match_number(text, &task, &m));
        assert_ok(ge_match_alias(text, &task, &m));
        assert_ok(ge_match_label(text, &task, &m));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),         cmocka_unit_test(test_alias),
        cmocka_unit_test(test_yes_no),        cmocka_unit_test(test_alias_numbers_and_units),
        cmocka_unit_test(test_label),         cmocka_unit_test(test_choice),
        cmocka_unit_test(test_choice_chosen), cmocka_unit_test(test_number_one_object),
        cmocka_unit_test(test_number_names),  cmocka_unit_test(test_number_several_objects),
        cmocka_unit_test(test_long_answers),  cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
