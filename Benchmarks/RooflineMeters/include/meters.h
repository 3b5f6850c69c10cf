// Measures each matrix product and each vector kernel that a program runs, without any mark in what is measured.
//
// A program that links this may put a table of timed kernels in front of the library's, matrix products among them. One
// thread at a time.
#ifndef APUS_METERS_H
#define APUS_METERS_H

#include <stddef.h>
#include <stdint.h>

/// One kind of work, added up.
typedef struct {
    const char *name;
    uint64_t calls;
    double seconds;
    double operations;  // floating-point operations
    double bytes;       // read and written, were each operand to travel once
} meter;

/// Begins: forgets what was measured and puts the timed kernels in front.
void meters_start(void);
/// Ends: the library's own kernels again.
void meters_stop(void);
/// What was measured; `index` from 0 on. Null beyond the last one.
const meter *meters_at(size_t index);

/// Runs the recorded matrix products once more, back to back, on memory of their own; returns seconds.
double meters_repeat_products(void);
/// Runs attention's products once more as products of their own: scores and context, and the four of the backward pass.
double meters_repeat_attention(void);
/// Seconds that a call of the clock itself takes.
double meters_clock(void);
/// Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc and anonymous mmap by this process so far, and the
/// bytes asked for.
void meters_allocations(uint64_t *calls, uint64_t *bytes);
/// The largest speed of fused multiply-adds that one core was seen to reach, in operations a second.
double meters_peak(void);
/// The speed at which one core adds one large array to another, in bytes a second.
double meters_bandwidth(void);

#endif
