/* turns.c - see turns.h. */
#include "infer/mcmc/turns.h"

#include <pthread.h>

static const double TURN = 0.02; /* seconds: long beside a change of threads, short beside a look at the draws */

struct place {
    int64_t iteration;
    double since; /* its turn began; its own thread's */
    bool waits;
};

struct crdi_turns {
    crd_context *ctx;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t freed;
    int64_t chains;
    int free; /* chains that may begin to run */
    struct place *place; /* (chains) */
};

crd_status crdi_turns_create(crd_context *ctx, int threads, int64_t chains, crdi_turns **out)
{
    crdi_turns *t = crdi_alloc(ctx, sizeof *t);
    if (!t)
        return CRD_ENOMEM;
    *t = (crdi_turns){.ctx = ctx, .chains = chains, .free = threads};
    if (!(t->place = crdi_alloc_array(ctx, chains, sizeof *t->place))) {
        crdi_free(ctx, t);
        return CRD_ENOMEM;
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->freed, NULL);
    *out = t;
    return CRD_OK;
}

void crdi_turns_destroy(crdi_turns **turns)
{
    if (!*turns)
        return;
    pthread_mutex_destroy(&(*turns)->lock);
    pthread_cond_destroy(&(*turns)->freed);
    crdi_free((*turns)->ctx, (*turns)->place);
    crdi_free((*turns)->ctx, *turns);
    *turns = NULL;
}

/* Whether no chain that waits is before this one; of equal ones the lowest number is. */
static bool is_next(const crdi_turns *t, int64_t chain)
{
    for (int64_t c = 0; c < t->chains; c++) {
        int64_t ahead = t->place[chain].iteration - t->place[c].iteration;
        if (t->place[c].waits && (ahead > 0 || (ahead == 0 && c < chain)))
            return false;
    }
    return true;
}

static void wait_for_turn(crdi_turns *t, int64_t chain)
{
    t->place[chain].waits = true;
    while (t->free == 0 || !is_next(t, chain))
        pthread_cond_wait(&t->freed, &t->lock);
    t->place[chain].waits = false;
    t->free--;
    if (t->free > 0)
        pthread_cond_broadcast(&t->freed); /* who comes next was told to wait for this one */
}

void crdi_turns_enter(crdi_turns *t, int64_t chain)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    wait_for_turn(t, chain);
    pthread_mutex_unlock(&t->lock);
    t->place[chain].since = crdi_seconds();
}

void crdi_turns_pass(crdi_turns *t, int64_t chain, int64_t iteration, double now)
{
    if (!t || now - t->place[chain].since < TURN)
        return;
    pthread_mutex_lock(&t->lock);
    t->place[chain].iteration = iteration;
    bool behind = false;
    for (int64_t c = 0; c < t->chains; c++)
        behind = behind || (t->place[c].waits && t->place[c].iteration < iteration);
    if (behind) {
        t->free++;
        pthread_cond_broadcast(&t->freed);
        wait_for_turn(t, chain);
    }
    pthread_mutex_unlock(&t->lock);
    t->place[chain].since = crdi_seconds();
}

void crdi_turns_leave(crdi_turns *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->free++;
    pthread_cond_broadcast(&t->freed);
    pthread_mutex_unlock(&t->lock);
}
