/* Every operation on every device in every type that it computes in, against a naive reference in
 * double precision, over the shapes that models use and degenerate ones; and invariant 1: a row's
 * bits depend on its inputs alone.
 *
 * To add an operation: a test in the suite_*.c of its kind, a row in the table of tolerances
 * (suite.c), and its name below. To add a device: register it in main(); nothing else. The
 * reference computes from operands as they are in the type. Results are fetched with the memory
 * around them, which must be untouched; NaN fails every comparison. A device, level or type that
 * this machine lacks is reported as skipped. GE_TEST_LEVEL pins the instruction-set level. */
#include "fake_device.h"
#include "suite.h"

#ifndef GE_TEST_LEVEL
#define GE_TEST_LEVEL "native"
#endif

int main(void)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    int failed = 0;

    if (ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK)
        return 1;
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; ge_device_name_at(i) != NULL; i++)
            failed += suite_run(ge_device_name_at(i), GE_TEST_LEVEL, dtypes[d], 1 + (int)i);
        failed += suite_run("cpu", "base", dtypes[d], 2);
    }
    return failed != 0;
}
