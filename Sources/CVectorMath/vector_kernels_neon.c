// NEON, which every arm64 processor has.
#if defined(__aarch64__)
#define VARIANT(name) apus_##name##_neon
#include "vector_kernels.h"
#endif
