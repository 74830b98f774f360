/* monitor.c - progress of a run: a set of atomics that a thread reads ten times a second. */
#include "infer/mcmc/run.h"

#include <pthread.h>
#include <time.h>

struct crdi_mcmc_monitor {
    crdi_mcmc_run_state *run;
    crd_chain_progress *progress;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started, ended;
};

static void report_progress(crdi_mcmc_monitor *m)
{
    crdi_mcmc_run_state *run = m->run;
    for (int64_t c = 0; c < run->options.chains; c++) {
        crdi_mcmc_news *news = &run->news[c];
        double started = atomic_load(&news->started);
        int64_t gradients = atomic_load(&news->gradients);
        m->progress[c] = (crd_chain_progress){.iteration = atomic_load(&news->iteration),
                                              .warmup = run->options.warmup,
                                              .total = run->options.warmup + run->options.draws * run->options.thin,
                                              .step_size = atomic_load(&news->step_size),
                                              .gradients = gradients,
                                              .sampling_gradients = gradients - atomic_load(&news->warmup_gradients),
                                              .divergences = atomic_load(&news->divergences),
                                              .seconds = started > 0 ? crdi_seconds() - started : 0,
                                              .before = atomic_load(&news->before)};
    }
    run->options.progress(run->options.progress_user, m->progress, (int)run->options.chains);
}

static void *watch(void *argument)
{
    crdi_mcmc_monitor *m = argument;
    pthread_mutex_lock(&m->lock);
    while (!m->ended) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&m->wake, &m->lock, &until);
        if (!m->ended)
            report_progress(m);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

crd_status crdi_mcmc_monitor_start(crdi_mcmc_run_state *run, crdi_mcmc_monitor **out)
{
    *out = NULL;
    if (!run->options.progress)
        return CRD_OK;
    crdi_mcmc_monitor *m = crdi_alloc(run->ctx, sizeof *m);
    if (!m)
        return CRD_ENOMEM;
    *m = (crdi_mcmc_monitor){.run = run,
                             .progress = crdi_alloc_array(run->ctx, run->options.chains, sizeof *m->progress)};
    if (!m->progress) {
        crdi_free(run->ctx, m);
        return CRD_ENOMEM;
    }
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->wake, NULL);
    m->started = pthread_create(&m->thread, NULL, watch, m) == 0;
    *out = m;
    return CRD_OK;
}

void crdi_mcmc_monitor_end(crdi_mcmc_monitor **monitor)
{
    crdi_mcmc_monitor *m = *monitor;
    if (!m)
        return;
    if (m->started) {
        pthread_mutex_lock(&m->lock);
        m->ended = true;
        pthread_cond_signal(&m->wake);
        pthread_mutex_unlock(&m->lock);
        pthread_join(m->thread, NULL);
    }
    report_progress(m);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    crd_context *ctx = m->run->ctx;
    crdi_free(ctx, m->progress);
    crdi_free(ctx, m);
    *monitor = NULL;
}
