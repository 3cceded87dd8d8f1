/* The operation suite on the GPU of this machine, by the module that gapeval loads:
 *
 *     gpu_ops_test [fp32|bf16|fp16]...       default: all three */
#include <string.h>

#include "gpu.h"
#include "suite.h"

static bool wanted(const char *dtype, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], dtype) == 0) return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    int failed = 0;

    gpu_or_skip();
    for (size_t d = 0; d < 3; d++)
        if (wanted(ge_dtype_name(dtypes[d]), argc, argv))
            failed += suite_run("cuda", "native", dtypes[d], 1);
    return failed != 0;
}
