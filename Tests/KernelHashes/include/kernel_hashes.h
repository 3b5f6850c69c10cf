// One hash of each kernel's results on fixed inputs: the same with every instruction set and on every processor.
//
// Tests/Fixtures/kernel-hashes.tsv has the expected ones. The unit tests compare them with each instruction set that
// the processor has; scripts/test-arm64.sh does so for other architectures, emulated.
#ifndef APUS_KERNEL_HASHES_H
#define APUS_KERNEL_HASHES_H
#include <stddef.h>
#include <stdint.h>

/// Number of kernels that are hashed.
size_t apus_hashed_kernels(void);
/// The name of one of them.
const char *apus_hashed_kernel(size_t index);
/// The hash of its results with the instruction set in use. Not to be called by two threads at a time.
uint64_t apus_kernel_hash(size_t index);

/// Fused multiply-adds with operands for which rounding twice, or too early, gives another result.
enum { APUS_HARD_CASES = 10000 };
/// How many of them differ from the C library's, with the instruction set in use.
size_t apus_wrong_fused_multiply_adds(void);

#endif
