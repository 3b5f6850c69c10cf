// Calls of the C library that Swift's Glibc module does not show.
#ifndef APUS_SYSTEM_H
#define APUS_SYSTEM_H

#include <malloc.h>

/// Exchanges two names of one file system in one step. Returns 0, or -1 with errno set.
int apus_exchange_names(const char *first, const char *second);

/// Opens a pipe whose ends no child process inherits: ends[0] to read, ends[1] to write.
/// Returns 0, or -1 with errno set.
int apus_private_pipe(int ends[2]);

/// Duplicates `descriptor` of another process of this user. Returns a descriptor of this process, or -1 with errno set:
/// EPERM if the system does not let this process trace the other one, ENOSYS before Linux 5.6.
int apus_copy_descriptor(int process, int descriptor);

/// Has the kernel drop (closed != 0) or accept new connections at a listening TCP socket; established connections stay.
/// Returns 0, or -1 with errno set.
int apus_close_door(int listener, int closed);

/// Number of processors in the calling process's affinity mask; 0 if the system does not say.
int apus_affinity_count(void);

/// Tries to start `count` more threads and ends them again. Returns how many could be started.
int apus_try_threads(int count);

/// Makes the process write `line` to standard error before its own fault ends it by a signal.
void apus_say_when_crashing(const char *line);

#endif
