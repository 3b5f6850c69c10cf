// For x86-64 processors without AVX2 and for other architectures: whatever the compiler may use everywhere.
#if !defined(__aarch64__)
#ifndef __FP_FAST_FMAF
#define SOFTWARE_FMA 1
#endif
// Without vector registers not every loop can be unrolled, and none needs to be.
#pragma clang diagnostic ignored "-Wpass-failed"
#define VARIANT(name) apus_##name##_portable
#include "vector_kernels.h"
#endif
