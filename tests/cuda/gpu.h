/* The real CUDA module and a real GPU, for tests that need them. */
#ifndef GE_TESTS_CUDA_GPU_H
#define GE_TESTS_CUDA_GPU_H

/* Load the module beside the test program (or in $GAPEVAL_MODULE_DIR) and open the GPU once. What is
 * missing is said, and the program ends with 77, which CTest reports as skipped; other failures end it
 * with 1. */
void gpu_or_skip(void);

#endif
