/* The operation suite on the GPU of this machine, by the module that gapeval loads. */
#include "gpu.h"
#include "suite.h"

int main(void)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    int failed = 0;

    gpu_or_skip();
    for (size_t d = 0; d < 3; d++) failed += suite_run("cuda", "native", dtypes[d], 1);
    return failed != 0;
}
