/* Arguments of a command: flags with and without values, words, job settings, what is refused. */
#include "test.h"

#include "cli/cli.h"

/* The flags of a made-up command. */
struct options {
    const char *out;
    long count;
    bool quiet;
};

static ge_status parse(struct options *o, struct ge_args *args, bool job_options, char **argv)
{
    const struct ge_flag flags[] = {{"--out", &o->out, NULL, NULL},
                                    {"--count", NULL, &o->count, NULL},
                                    {"--quiet", NULL, NULL, &o->quiet},
                                    {NULL, NULL, NULL, NULL}};
    int argc = 0;
    while (argv[argc] != NULL) argc++;
    *o = (struct options){0};
    *args = (struct ge_args){.command = "made-up", .flags = flags, .job_options = job_options};
    ge_status rc = ge_args_parse(args, argc, argv);
    args->flags = NULL; /* ends with this call */
    return rc;
}

static void test_flags_and_words(void **state)
{
    (void)state;
    struct options o;
    struct ge_args args;
    char *argv[] = {"made-up", "first",   "--out", "a b",   "--count=12",
                    "-",       "--quiet", "--",    "--out", NULL};
    assert_ok(parse(&o, &args, false, argv));
    assert_string_equal(o.out, "a b");
    assert_int_equal(o.count, 12);
    assert_true(o.quiet);
    assert_int_equal(args.n_words, 3);
    assert_string_equal(args.words[0], "first");
    assert_string_equal(args.words[1], "-");
    assert_string_equal(args.words[2], "--out");
    ge_args_free(&args);
    ge_args_free(&args);
}

static void test_the_last_value_counts(void **state)
{
    (void)state;
    struct options o;
    struct ge_args args;
    char *argv[] = {"made-up", "--out=", "--count", "0", "--out", "--count", NULL};
    assert_ok(parse(&o, &args, false, argv));
    assert_string_equal(o.out, "--count");
    assert_int_equal(o.count, 0);
    assert_int_equal(args.n_words, 0);
    ge_args_free(&args);
}

static void test_job_settings(void **state)
{
    (void)state;
    struct options o;
    struct ge_args args;
    char *argv[] = {"made-up", "job.json", "--set", "name=\"x\"", "--quiet", NULL};
    assert_ok(parse(&o, &args, true, argv));
    assert_int_equal(args.n_overrides, 1);
    assert_int_equal(args.n_words, 1);
    assert_true(o.quiet);
    ge_args_free(&args);
    assert_status(parse(&o, &args, false, argv), GE_EINVAL);
    ge_args_free(&args);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static char *const wrong[][3] = {
        {"--colour", "red", NULL},   {"--out", NULL, NULL},    {"--count", "x", NULL},
        {"--count", "-1", NULL},     {"--count", "1.5", NULL}, {"--count=", NULL, NULL},
        {"--quiet=yes", NULL, NULL}, {"--outer", "x", NULL},   {"-o", "x", NULL}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct options o;
        struct ge_args args;
        char *argv[] = {"made-up", wrong[i][0], wrong[i][1], NULL};
        assert_status(parse(&o, &args, false, argv), GE_EINVAL);
        ge_args_free(&args);
    }
}

static void test_too_many_words(void **state)
{
    (void)state;
    struct options o;
    struct ge_args args;
    char *argv[GE_CLI_WORDS + 3];
    for (int i = 0; i < GE_CLI_WORDS + 2; i++) argv[i] = "word";
    argv[GE_CLI_WORDS + 2] = NULL;
    assert_status(parse(&o, &args, false, argv), GE_EINVAL);
    ge_args_free(&args);
    argv[GE_CLI_WORDS + 1] = NULL;
    assert_ok(parse(&o, &args, false, argv));
    assert_int_equal(args.n_words, GE_CLI_WORDS);
    ge_args_free(&args);
}

/* Every command can be found by name, says how it is used, and has something to run. */
static void test_commands(void **state)
{
    (void)state;
    for (const struct ge_command *c = ge_commands; c->name != NULL; c++) {
        assert_non_null(c->usage);
        assert_non_null(c->main);
        assert_true(strlen(c->help) > 0);
        for (const struct ge_command *d = c + 1; d->name != NULL; d++) {
            assert_string_not_equal(c->name, d->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags_and_words), cmocka_unit_test(test_the_last_value_counts),
        cmocka_unit_test(test_job_settings),    cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_too_many_words),  cmocka_unit_test(test_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
