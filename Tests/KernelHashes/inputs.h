// Fixed inputs for kernels, and a hash of what they write.
#ifndef APUS_KERNEL_HASH_INPUTS_H
#define APUS_KERNEL_HASH_INPUTS_H
#include "vector_math.h"

/// Lengths of rows below, at and above whole vectors.
enum { LENGTHS = 14 };
extern const size_t apus_lengths[LENGTHS];

/// What the inputs of a case come from, and the hash of its results.
typedef struct {
    uint64_t random, hash;
} hashing;

uint64_t apus_next(hashing *h);
/// A whole number below `limit`.
size_t apus_below(hashing *h, size_t limit);

/// Memory until the case ends, filled with one fixed number.
float *apus_output(size_t n);
/// Any memory, with zeros.
void *apus_memory(size_t bytes);
/// n numbers between -scale and scale.
float *apus_numbers(hashing *h, size_t n, float scale);
/// n numbers of any size and sign, in between zeros, subnormal numbers and numbers at the edges of the range.
float *apus_wild_numbers(hashing *h, size_t n);
/// The same with infinities and NaN.
float *apus_any_numbers(hashing *h, size_t n);
/// Random bits.
uint16_t *apus_bits(hashing *h, size_t words);
/// Lanes of these numbers of rows, up to the first negative one, joined as the reduction tree joins them.
const apus_lanes *apus_lanes_of(const int *rows);
/// Some divisions of rows into lanes, and their number.
enum { LANE_CASES = 5 };
extern const int apus_lane_cases[LANE_CASES][9];
size_t apus_rows_of(const apus_lanes *lanes);

/// Adds results to the hash; every NaN counts as the same.
void apus_add_floats(hashing *h, const float *x, size_t n);
void apus_add_double(hashing *h, double x);
void apus_add_word(hashing *h, uint64_t x);
void apus_add_words(hashing *h, const uint32_t *x, size_t n);
/// Frees the case's memory.
void apus_forget_inputs(void);

#endif
