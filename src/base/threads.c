/* threads.c - a parallel loop over independent tasks. */
#include "base/context_impl.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct loop {
    crdi_task_fn task;
    void *user;
    int64_t count;
    atomic_llong next; /* the first task that nobody has taken */
    pthread_mutex_t lock; /* guards the two below */
    int64_t failed; /* lowest task that failed, count if none */
    crd_status status;
};

static void *work(void *argument)
{
    struct loop *loop = argument;
    for (;;) {
        int64_t i = atomic_fetch_add(&loop->next, 1);
        if (i >= loop->count)
            return NULL;
        int64_t outer = crdi_task;
        crdi_task = i;
        crd_status status = loop->task(loop->user, i);
        crdi_task = outer;
        if (status == CRD_OK)
            continue;
        pthread_mutex_lock(&loop->lock);
        if (i < loop->failed) {
            loop->failed = i;
            loop->status = status;
        }
        pthread_mutex_unlock(&loop->lock);
    }
}

crd_status crdi_parallel(crd_context *ctx, int threads, int64_t count, crdi_task_fn task, void *user)
{
    enum { MAX_THREADS = 256 };
    pthread_t thread[MAX_THREADS];
    struct loop loop = {.task = task, .user = user, .count = count, .failed = count, .status = CRD_OK};
    atomic_init(&loop.next, 0);
    pthread_mutex_init(&loop.lock, NULL);
    if (threads < 1)
        threads = crdi_processors();
    if (threads > count)
        threads = (int)count;
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    int started = 0; /* a thread that cannot be had is no error: the others do its share */
    while (started < threads - 1 && pthread_create(&thread[started], NULL, work, &loop) == 0)
        started++;
    work(&loop);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&loop.lock);
    pthread_mutex_lock(&ctx->lock);
    ctx->task = crdi_task; /* the loop is over: an error of it is as any other now */
    pthread_mutex_unlock(&ctx->lock);
    return loop.status;
}

int crdi_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

double crdi_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
