/* The operation suite on the emulated GPU: the CUDA module's own sources, run on the CPU. */
#include "emulator/emulator.h"
#include "suite.h"

#ifndef GE_TEST_DTYPES
#define GE_TEST_DTYPES GE_F32, GE_BF16, GE_F16
#define GE_TEST_MAJOR  9
#define GE_TEST_MINOR  0
#endif

int main(void)
{
    static const enum ge_dtype dtypes[] = {GE_TEST_DTYPES};
    static const struct emu_gpu gpu = {
        "Emulated GPU", "0000:1a:00.0", GE_TEST_MAJOR, GE_TEST_MINOR, 64, (size_t)4 << 30};
    int failed = 0;

    emu_gpus(&gpu, 1);
    if (ge_device_register(ge_device_module()) != GE_OK) return 1;
    for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++)
        failed += suite_run("cuda", "native", dtypes[d], 1);
    return failed != 0;
}
