/* The tuned table of a run: where it comes from, that it stays, and what is refused. */
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/tuned.h"
#include "test.h"

static const char table[] = "{\"gpu\":\"A\",\"cublaslt\":1,\"entries\":[]}\n";
static const char other[] = "{\"gpu\":\"B\",\"cublaslt\":1,\"entries\":[]}\n";

static char folder[] = "/tmp/gapeval-tuned-XXXXXX";
static char *file, *copy;

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    file = ge_fs_join(folder, "given.json");
    copy = ge_fs_join(folder, "tuned.json");
    return file == NULL || copy == NULL;
}

static int clear(void **state)
{
    (void)state;
    unlink(file);
    unlink(copy);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rmdir(folder);
    free(file);
    free(copy);
    return 0;
}

static void put(const char *path, const char *text)
{
    assert_ok(ge_fs_replace(path, text, strlen(text)));
}

static struct ge_job job_with(const char *tuned)
{
    return (struct ge_job){.output.dir = folder, .runtime.tuned = tuned};
}

static void loads(const struct ge_job *job, const char *want)
{
    char *text;

    assert_ok(ge_tuned_load(job, NULL, &text));
    assert_string_equal(text, want);
    free(text);
}

static void fails(const struct ge_job *job, ge_status want, const char *words)
{
    char *text;

    assert_status(ge_tuned_load(job, NULL, &text), want);
    assert_null(text);
    assert_non_null(strstr(ge_error(), words));
}

static void test_none(void **state)
{
    struct ge_job job = job_with(NULL);
    char *text;

    (void)state;
    put(copy, table); /* of no interest to a job that names none */
    assert_ok(ge_tuned_load(&job, NULL, &text));
    assert_null(text);
    unlink(copy);
    assert_ok(ge_tuned_keep(&job, NULL));
    assert_false(ge_fs_exists(copy));
}

/* First start, a second one, one whose file is gone, one whose file changed. */
static void test_kept(void **state)
{
    struct ge_job job = job_with(file);

    (void)state;
    put(file, table);
    loads(&job, table);
    assert_ok(ge_tuned_keep(&job, table));
    loads(&job, table);
    unlink(file);
    loads(&job, table);
    put(file, other);
    fails(&job, GE_ECONFLICT, "begun with");
    job.runtime.tuned = copy; /* what the message advises */
    loads(&job, table);
}

static void test_bad(void **state)
{
    struct ge_job job = job_with(file);

    (void)state;
    fails(&job, GE_ENOENT, "bench gemm --tune");
    put(file, "{\"gpu\":");
    fails(&job, GE_EFORMAT, "given.json");
    put(file, "[1]");
    fails(&job, GE_EFORMAT, "found array");
    put(file, table);
    put(copy, "no table");
    fails(&job, GE_EFORMAT, "tuned.json");
    job.runtime.tuned = folder;
    unlink(copy);
    fails(&job, GE_EFORMAT, folder);
}

/* A CPU has no algorithms to choose from. */
static void test_write(void **state)
{
    const struct ge_work_shape shape = {.n = 64, .k = 32, .times = 2, .rows = 200};
    struct ge_device *dev;

    (void)state;
    assert_ok(ge_device_register_builtin());
    assert_ok(ge_device_open("cpu", NULL, &dev));
    assert_status(ge_tuned_write(dev, &shape, 1, GE_F32, file), GE_EUNSUPPORTED);
    assert_false(ge_fs_exists(file));
    ge_device_close(&dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_none, clear),
        cmocka_unit_test_teardown(test_kept, clear),
        cmocka_unit_test_teardown(test_bad, clear),
        cmocka_unit_test_teardown(test_write, clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
