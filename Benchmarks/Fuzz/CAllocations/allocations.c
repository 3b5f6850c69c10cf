#define _GNU_SOURCE
#include "allocations.h"
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

static _Thread_local int counting;
static _Thread_local ptrdiff_t held, most;

// Called from inside a sanitizer's malloc, these are not to call the sanitizer.
#define UNWATCHED __attribute__((no_sanitize("thread", "address")))

UNWATCHED static void took(size_t bytes) {
    if (!counting) return;
    held += (ptrdiff_t)bytes;
    if (held > most) most = held;
}

UNWATCHED static void gave(size_t bytes) {
    if (counting) held -= (ptrdiff_t)bytes;
}

void allocations_begin(void) {
    held = most = 0;
    counting = 1;
}

size_t allocations_end(void) {
    counting = 0;
    return most > 0 ? (size_t)most : 0;
}

#if defined(__has_feature) && (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))

// The sanitizer has its own malloc and tells of it.
extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
    void (*)(const volatile void *));
extern size_t __sanitizer_get_allocated_size(const volatile void *);

UNWATCHED static void taken(const volatile void *pointer, size_t bytes) {
    (void)pointer;
    took(bytes);
}

UNWATCHED static void given(const volatile void *pointer) {
    if (counting && pointer) gave(__sanitizer_get_allocated_size(pointer));
}

__attribute__((constructor)) static void install(void) { __sanitizer_install_malloc_and_free_hooks(taken, given); }

#else

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *noted(void *pointer) {
    if (pointer && counting) took(malloc_usable_size(pointer));
    return pointer;
}

void *malloc(size_t bytes) { return noted(__libc_malloc(bytes)); }
void *calloc(size_t count, size_t bytes) { return noted(__libc_calloc(count, bytes)); }

void *realloc(void *pointer, size_t bytes) {
    if (pointer && counting) gave(malloc_usable_size(pointer));
    return noted(__libc_realloc(pointer, bytes));
}

void *memalign(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes)); }
void *aligned_alloc(size_t alignment, size_t bytes) { return noted(__libc_memalign(alignment, bytes)); }

int posix_memalign(void **pointer, size_t alignment, size_t bytes) {
    void *found = noted(__libc_memalign(alignment, bytes));
    if (!found) return ENOMEM;
    *pointer = found;
    return 0;
}

void free(void *pointer) {
    if (pointer && counting) gave(malloc_usable_size(pointer));
    __libc_free(pointer);
}

#endif
