// Calls of the C library that Swift's Glibc module does not show.
#ifndef APUS_SYSTEM_H
#define APUS_SYSTEM_H

#include <malloc.h>
#include <stddef.h>
#include <stdint.h>

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

/// Binds the calling thread, and threads that it starts later, to these processors. Returns 0, or -1 with errno set.
int apus_bind(const int *processors, int count);

/// Keeps glibc from reserving a heap of 64 MiB for each thread. To be called before the first thread starts.
void apus_use_one_heap(void);

/// Tries to start `count` more threads and ends them again. Returns how many could be started.
int apus_try_threads(int count);

/// Waits until somebody calls apus_wake for `word`, unless it no longer has this value. May return earlier.
void apus_wait_while(const uint32_t *word, uint32_t value);

/// Wakes at most `most` threads that wait at `word`.
void apus_wake(const uint32_t *word, int most);

/// Starts a detached thread in which all signals are blocked. Returns 0, or an errno.
int apus_start_thread(const char *name, void *(*body)(void *), void *argument);

/// Number of threads that the kernels called by this thread may use; 1 unless set.
int apus_team_threads(void);
void apus_set_team_threads(int threads);

/// How often the calling thread divided work among a team.
void apus_note_fork(void);
uint64_t apus_forks(void);

/// At least `count` floats of unspecified value that belong to the calling thread until it asks for more of them.
float *apus_thread_scratch(size_t count);

/// Tells the processor that the calling thread is waiting for memory to change.
static inline void apus_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Makes the process write `line` to standard error and exit with status 1 when its own fault would end it by a signal.
void apus_say_when_crashing(const char *line);

#endif
