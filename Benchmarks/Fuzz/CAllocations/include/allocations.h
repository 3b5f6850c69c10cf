#pragma once
#include <stddef.h>

// Counts the bytes that a thread holds from malloc and its kin, which Swift cannot see.

/// Begins to count on this thread, from 0.
void allocations_begin(void);

/// Ends counting; the most bytes that were held at one time since the beginning.
size_t allocations_end(void);
