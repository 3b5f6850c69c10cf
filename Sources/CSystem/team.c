#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

void apus_wait_while(const uint32_t *word, uint32_t value) {
    // A changed value, a signal, or a wake-up without cause: the caller looks again.
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void apus_wake(const uint32_t *word, int most) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0); }

int apus_start_thread(const char *name, void *(*body)(void *), void *argument) {
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) return ENOMEM;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // Signals belong to the threads that were there before; a new thread begins with its creator's mask.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int code = pthread_create(&thread, &attributes, body, argument);
    if (code == 0) pthread_setname_np(thread, name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return code;
}

static _Thread_local int team_threads = 1;

int apus_team_threads(void) { return team_threads; }
void apus_set_team_threads(int threads) { team_threads = threads; }

static _Thread_local uint64_t forks;

void apus_note_fork(void) { forks++; }
uint64_t apus_forks(void) { return forks; }

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local float *scratch;
static _Thread_local size_t scratch_count;

static void make_key(void) { pthread_key_create(&scratch_key, free); }

float *apus_thread_scratch(size_t count) {
    if (count > scratch_count) {
        pthread_once(&scratch_once, make_key);
        free(scratch);
        scratch_count = (count + 1023) / 1024 * 1024;
        scratch = aligned_alloc(64, scratch_count * sizeof(float));
        if (!scratch) abort();
        pthread_setspecific(scratch_key, scratch);
    }
    return scratch;
}
