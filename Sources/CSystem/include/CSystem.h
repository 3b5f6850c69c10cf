// Calls of the C library that Swift's Glibc module does not show.
#ifndef APUS_SYSTEM_H
#define APUS_SYSTEM_H

#include <malloc.h>

/// Exchanges two names of one file system in one step. Returns 0, or -1 with errno set.
int apus_exchange_names(const char *first, const char *second);

#endif
