// Calls of the C library that Swift's Glibc module does not show.
#ifndef APUS_SYSTEM_H
#define APUS_SYSTEM_H

#include <malloc.h>

/// Exchanges two names of one file system in one step. Returns 0, or -1 with errno set.
int apus_exchange_names(const char *first, const char *second);

/// Opens what another process of this user has open as `descriptor`. Returns a descriptor of this process, or -1 with errno set:
/// EPERM where the system does not let this process trace the other one, ENOSYS before Linux 5.6.
int apus_copy_descriptor(int process, int descriptor);

#endif
