/* team.c - threads that wait for short loops.
 *
 * A loop of a tenth of a millisecond is over before a sleeping thread has woken, so members look for the next loop for a
 * while before they sleep. A loop is opened by raising `round`; tasks are taken from a counter that holds the round and
 * counts down, so that a member who comes late can neither take a task of another loop nor needs to know how many there
 * were. */
#include "base/base.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

enum { SPINS = 20000, TASK_BITS = 24, MOST_THREADS = 64 };
#define TASK_MASK ((1ULL << TASK_BITS) - 1)

struct crdi_team {
    crd_context *ctx;
    int members; /* threads besides the caller */
    pthread_t thread[MOST_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    _Alignas(64) atomic_ullong open; /* round << TASK_BITS | tasks that nobody has taken */
    _Alignas(64) atomic_llong left; /* tasks that are not done */
    _Alignas(64) atomic_ullong round; /* of the loop that was opened last; 0: none yet */
    atomic_int sleepers;
    atomic_bool ended;
    int64_t
        count; /* of the loop that is open; with task and user written before it opens, read after a task is taken */
    void (*task)(void *user, int64_t i);
    void *user;
};

/* Takes and does tasks of a round until none is left. */
static void take_part(crdi_team *team, unsigned long long round)
{
    for (;;) {
        unsigned long long seen = atomic_load(&team->open);
        if (seen >> TASK_BITS != round || (seen & TASK_MASK) == 0)
            return;
        if (!atomic_compare_exchange_weak(&team->open, &seen, seen - 1))
            continue;
        team->task(team->user, team->count - (int64_t)(seen & TASK_MASK));
        atomic_fetch_sub(&team->left, 1);
    }
}

/* Waits for a round after the one that was seen last; 0 when the team ends. */
static unsigned long long wait_for_round(crdi_team *team, unsigned long long last)
{
    for (int i = 0; i < SPINS; i++) {
        unsigned long long round = atomic_load_explicit(&team->round, memory_order_acquire);
        if (atomic_load_explicit(&team->ended, memory_order_relaxed))
            return 0;
        if (round != last)
            return round;
        PAUSE();
    }
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->round) == last && !atomic_load(&team->ended))
        pthread_cond_wait(&team->wake, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
    return atomic_load(&team->ended) ? 0 : atomic_load(&team->round);
}

static void *member(void *argument)
{
    crdi_team *team = argument;
    for (unsigned long long round = 0; (round = wait_for_round(team, round)) != 0;)
        take_part(team, round);
    return NULL;
}

crd_status crdi_team_create(crd_context *ctx, int threads, crdi_team **out)
{
    crdi_team *team = crdi_alloc(ctx, sizeof *team);
    if (!team)
        return CRD_ENOMEM;
    team->ctx = ctx;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->wake, NULL);
    threads = threads < 1 ? crdi_processors() : threads;
    while (team->members < threads - 1 && team->members < MOST_THREADS && /* the others do a missing one's share */
           pthread_create(&team->thread[team->members], NULL, member, team) == 0)
        team->members++;
    *out = team;
    return CRD_OK;
}

static void wake_all(crdi_team *team)
{
    if (atomic_load(&team->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->lock);
}

void crdi_team_destroy(crdi_team **team)
{
    if (!team || !*team)
        return;
    crdi_team *t = *team;
    pthread_mutex_lock(&t->lock);
    atomic_store(&t->ended, true);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
    for (int i = 0; i < t->members; i++)
        pthread_join(t->thread[i], NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    crdi_free(t->ctx, t);
    *team = NULL;
}

void crdi_team_run(crdi_team *team, int64_t count, void (*task)(void *user, int64_t i), void *user)
{
    CRDI_ASSERT(count >= 0 && count <= (int64_t)TASK_MASK);
    unsigned long long round = atomic_load(&team->round) + 1;
    team->count = count;
    team->task = task;
    team->user = user;
    atomic_store(&team->left, count);
    atomic_store(&team->open, round << TASK_BITS | (unsigned long long)count);
    atomic_store(&team->round, round);
    wake_all(team);
    take_part(team, round);
    for (int i = 0; atomic_load_explicit(&team->left, memory_order_acquire) > 0; i++)
        if (i < SPINS)
            PAUSE();
        else
            sched_yield(); /* more threads than processors: let the one that has the last task go on */
}
