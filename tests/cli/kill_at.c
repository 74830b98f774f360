/* kill_at.c - loaded before a program (LD_PRELOAD) it ends it with SIGKILL just before its k-th call that changes files: a kill at a
 * moment that random ones hardly ever meet. KILL_AT=k; KILL_COUNT=FILE: nothing is killed, and FILE returns how many there were. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static void count(void)
{
    const char *at = getenv("KILL_AT");
    if (atomic_fetch_add(&calls, 1) + 1 == (at ? atol(at) : 0))
        kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("KILL_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

/* A call of the C library that is counted before it is made. */
#define COUNTED(type, name, parameters, arguments)                                                                     \
    __attribute__((visibility("default"))) type name parameters;                                                       \
    type name parameters                                                                                               \
    {                                                                                                                  \
        type(*real) parameters;                                                                                        \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                     \
        count();                                                                                                       \
        return real arguments;                                                                                         \
    }

COUNTED(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at))
COUNTED(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at))
COUNTED(int, ftruncate, (int file, off_t size), (file, size))
COUNTED(int, ftruncate64, (int file, off64_t size), (file, size))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(int, rename, (const char *from, const char *to), (from, to))
COUNTED(int, fsync, (int file), (file))
COUNTED(int, fdatasync, (int file), (file))
