/* Stand-in for NVTX: ranges are counted, so that a test sees that they are balanced. */
#ifndef GE_EMULATOR_NVTOOLSEXT_H
#define GE_EMULATOR_NVTOOLSEXT_H

#ifdef __cplusplus
extern "C" {
#endif
int nvtxRangePushA(const char *name);
int nvtxRangePop(void);
#ifdef __cplusplus
}
#endif

#endif
