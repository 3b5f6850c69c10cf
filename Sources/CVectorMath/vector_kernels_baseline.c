// NEON on arm64, which every such processor has.
#if defined(__aarch64__)
#define VARIANT(name) apus_##name##_baseline
#include "vector_kernels.h"
#endif
