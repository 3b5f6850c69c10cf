#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int apus_affinity_count(void) {
    // The kernel refuses a mask that is smaller than its own, which may hold more than cpu_set_t's 1,024 processors.
    for (int processors = 1024; processors <= 1 << 20; processors *= 4) {
        cpu_set_t *mask = CPU_ALLOC(processors);
        if (!mask) return 0;
        size_t size = CPU_ALLOC_SIZE(processors);
        int count = sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;
        CPU_FREE(mask);
        if (count > 0) return count;
    }
    return 0;
}

int apus_bind(const int *processors, int count) {
    int most = 0;
    for (int i = 0; i < count; i++) if (processors[i] > most) most = processors[i];
    cpu_set_t *mask = CPU_ALLOC(most + 1);
    if (!mask) return -1;
    size_t size = CPU_ALLOC_SIZE(most + 1);
    CPU_ZERO_S(size, mask);
    for (int i = 0; i < count; i++) CPU_SET_S(processors[i], size, mask);
    int result = sched_setaffinity(0, size, mask);
    int code = errno;
    CPU_FREE(mask);
    errno = code;
    return result;
}

static void *wait_for_release(void *lock) {
    pthread_mutex_lock(lock);
    pthread_mutex_unlock(lock);
    return NULL;
}

int apus_try_threads(int count) {
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t attributes;
    if (!threads || pthread_attr_init(&attributes) != 0) {
        free(threads);
        return 0;
    }
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&held);
    int started = 0, code = 0;
    while (started < count && (code = pthread_create(&threads[started], &attributes, wait_for_release,
        &held)) == 0) started++;
    pthread_mutex_unlock(&held);
    for (int thread = 0; thread < started; thread++) pthread_join(threads[thread], NULL);
    pthread_attr_destroy(&attributes);
    free(threads);
    // Only EAGAIN means that a limit of the system was reached.
    return code == 0 || code == EAGAIN ? started : count;
}

static char last_words[512];

static void say_last_words(int number) {
    ssize_t written = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)written;
    (void)number;
    _exit(1);
}

void apus_use_one_heap(void) { mallopt(M_ARENA_MAX, 1); }

void apus_say_when_crashing(const char *line) {
    strncpy(last_words, line, sizeof last_words - 1);
    struct sigaction action = {.sa_handler = say_last_words, .sa_flags = SA_RESETHAND | SA_NODEFER};
    const int signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}
