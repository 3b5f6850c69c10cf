// The table of all kernels and their cases.
#include "kernel_hashes.h"
#include "cases.h"

typedef struct {
    const char *name;
    void (*run)(hashing *h);
} kernel_case;

#define CASE(result, name, parameters, arguments) {#name, apus_case_##name},
static const kernel_case cases[] = {
    APUS_KERNELS(CASE)
    {"multiply_in_pairs", apus_case_multiply_in_pairs},
    {"log", apus_case_log},
    {"exponential", apus_case_exponential},
    {"power", apus_case_power},
    {"cosine_of_pi", apus_case_cosine_of_pi},
};

size_t apus_hashed_kernels(void) { return sizeof cases / sizeof *cases; }

const char *apus_hashed_kernel(size_t index) { return cases[index].name; }

uint64_t apus_kernel_hash(size_t index) {
    hashing h = {0x9e3779b97f4a7c15u, 0xcbf29ce484222325u};
    cases[index].run(&h);
    apus_forget_inputs();
    return h.hash;
}
