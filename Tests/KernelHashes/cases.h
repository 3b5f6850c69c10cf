// A case runs one kernel on all its inputs and adds what it writes to a hash.
#ifndef APUS_KERNEL_CASES_H
#define APUS_KERNEL_CASES_H
#include "inputs.h"

// Every kernel has one: without it, kernel_hashes.c does not link.
#define APUS_DECLARE_CASE(result, name, parameters, arguments) void apus_case_##name(hashing *h);
APUS_KERNELS(APUS_DECLARE_CASE)
#undef APUS_DECLARE_CASE

void apus_case_multiply_in_pairs(hashing *h);
void apus_case_log(hashing *h);
void apus_case_exponential(hashing *h);
void apus_case_power(hashing *h);
void apus_case_cosine_of_pi(hashing *h);

#endif
