/* Traces and topology: what a rank notes of its threads and where it keeps them. */
#include <pthread.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/topology.h"
#include "base/trace.h"
#include "test.h"

/* ---- traces ------------------------------------------------------------------------------- */

enum { SPANS = 50 };

static void *spans(void *name)
{
    ge_trace_thread(name);
    for (int i = 0; i < SPANS; i++) {
        double outer = ge_trace_begin("outer"), inner = ge_trace_begin("inner");
        ge_trace_end("inner", inner, 3);
        ge_trace_end("outer", outer, 1);
    }
    return NULL;
}

static const ge_json *argument(const ge_json *event, const char *key)
{
    return ge_json_get(ge_json_get(event, "args"), key);
}

static void test_trace(void **state)
{
    char dir[] = "/tmp/gapeval-trace-XXXXXX", *path;
    pthread_t a, b;
    ge_json *doc;
    int counts[3] = {0};
    double last = 0;

    (void)state;
    assert_non_null(mkdtemp(dir));
    path = ge_sprintf("%s/rank-7.json", dir);
    spans("before"); /* not kept */
    assert_ok(ge_trace_stop(path));
    assert_false(ge_fs_exists(path));
    ge_trace_start(7);
    assert_int_equal(pthread_create(&a, NULL, spans, "decode 1"), 0);
    assert_int_equal(pthread_create(&b, NULL, spans, "decode \"2\""), 0);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_ok(ge_trace_stop(path));
    assert_ok(ge_json_read(path, &doc));
    for (const ge_json *e = ge_json_first(ge_json_get(doc, "traceEvents")); e != NULL;
         e = ge_json_next(e)) {
        const char *name = ge_json_string(ge_json_get(e, "name"), "");
        double begin = ge_json_number(ge_json_get(e, "ts"), -1);
        double length = ge_json_number(ge_json_get(e, "dur"), -1);
        assert_int_equal((int)ge_json_number(ge_json_get(e, "pid"), -1), 7);
        if (strcmp(name, "thread_name") == 0)
            counts[2] += strncmp(ge_json_string(argument(e, "name"), ""), "decode", 6) == 0;
        if (strcmp(name, "outer") != 0 && strcmp(name, "inner") != 0) continue;
        counts[strcmp(name, "outer") == 0]++;
        assert_true(begin > 1.6e15 && length >= 0 && length < 60e6); /* microseconds of our time */
        assert_int_equal((int)ge_json_number(argument(e, "items"), -1), name[0] == 'i' ? 3 : 1);
        last = begin > last ? begin : last;
    }
    assert_int_equal(counts[0], 2 * SPANS);
    assert_int_equal(counts[1], 2 * SPANS);
    assert_int_equal(counts[2], 2);
    ge_json_delete(&doc);
    assert_int_equal(remove(path), 0);
    ge_trace_start(0);
    spans("nowhere");
    assert_status(ge_trace_stop("/nonesuch/trace.json"), GE_ENOENT);
    assert_int_equal(remove(dir), 0);
    free(path);
}

static int pushed, popped;

static void push(const char *name)
{
    pushed += name[0] == 'o' || name[0] == 'i';
}

static void pop(void)
{
    popped++;
}

static void test_hooks(void **state)
{
    (void)state;
    ge_trace_hooks(push, pop);
    spans("main");
    ge_trace_hooks(NULL, NULL);
    spans("main");
    assert_int_equal(pushed, 2 * SPANS);
    assert_int_equal(popped, 2 * SPANS);
}

/* ---- topology ----------------------------------------------------------------------------- */

/* A machine of two sockets with a CPU and a GPU each, as hwloc reads it from a file. */
static void test_near(void **state)
{
    cpu_set_t near, mine, before;
    char said[128];

    (void)state;
    assert_int_equal(
        setenv("HWLOC_XMLFILE", GE_SOURCE_DIR "/tests/unit/base/data/two_sockets.xml", 1), 0);
    ge_status rc = ge_topology_near("0000:65:00.0", &near);
    if (rc == GE_ENOENT && strstr(ge_error(), "without hwloc") != NULL) {
        print_message("Skipped: %s\n", ge_error());
        return;
    }
    assert_ok(rc);
    assert_true(CPU_COUNT(&near) == 1 && CPU_ISSET(1, &near));
    assert_ok(ge_topology_near("0000:17:00.0", &near));
    assert_true(CPU_COUNT(&near) == 1 && CPU_ISSET(0, &near));
    assert_status(ge_topology_near("0000:18:00.0", &near), GE_ENOENT);
    assert_status(ge_topology_near("GPU 0", &near), GE_EINVAL);
    assert_status(ge_topology_bind_near("", said, sizeof said), GE_EINVAL);

    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    if (!CPU_ISSET(0, &before) || !CPU_ISSET(1, &before)) {
        print_message("Skipped: binding wants CPUs 0 and 1\n");
        return;
    }
    assert_ok(ge_topology_bind_near("0000:65:00.0", said, sizeof said));
    assert_non_null(strstr(said, "bound to the 1 of"));
    assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
    assert_true(CPU_COUNT(&mine) == 1 && CPU_ISSET(1, &mine));
    assert_ok(ge_topology_bind_near("0000:17:00.0", said, sizeof said)); /* none of ours: stays */
    assert_non_null(strstr(said, "not bound"));
    assert_ok(ge_topology_bind_near("0000:65:00.0", said, sizeof said)); /* as it is already */
    assert_non_null(strstr(said, "all 1"));
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

/* A place on machine 7 with CPUs [from, to). */
static struct ge_cpu_place place(uint64_t machine, int from, int to)
{
    struct ge_cpu_place p = {.machine = machine};

    for (int cpu = from; cpu < to; cpu++) CPU_SET(cpu, &p.cpus);
    return p;
}

/* Ranks bound by a launcher, unbound, overlapping in part, on two machines, more than CPUs. */
static void test_cpu_share(void **state)
{
    const struct ge_cpu_place bound[] = {place(7, 0, 16), place(7, 16, 32), place(8, 0, 16)};
    const struct ge_cpu_place loose[] = {place(7, 0, 64), place(7, 0, 64), place(7, 0, 64)};
    const struct ge_cpu_place mixed[] = {place(7, 0, 8), place(7, 4, 8)};
    const struct ge_cpu_place many[] = {place(7, 0, 1), place(7, 0, 1), place(7, 0, 1)};
    struct ge_cpu_place here;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ge_cpu_share(bound, 3, i), 16);
        assert_int_equal(ge_cpu_share(loose, 3, i), 21);
        assert_int_equal(ge_cpu_share(many, 3, i), 1);
    }
    assert_int_equal(ge_cpu_share(loose, 2, 1), 32);
    assert_int_equal(ge_cpu_share(mixed, 2, 0), 6);
    assert_int_equal(ge_cpu_share(mixed, 2, 1), 2);
    ge_cpu_place_here(&here);
    assert_int_equal(ge_cpu_share(&here, 1, 0), ge_cpu_count());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_cpu_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
