/* The operation suite on the emulated GPU: the CUDA module's own sources, run on the CPU. */
#include "emulator/emulator.h"
#include "suite.h"

int main(void)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    int failed = 0;

    if (ge_device_register(ge_device_module()) != GE_OK) return 1;
    for (size_t d = 0; d < 3; d++) failed += suite_run("cuda", "native", dtypes[d], 1);
    return failed != 0;
}
