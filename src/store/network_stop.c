/* network_stop.c - see network_stop.h. */
#include "store/network_stop.h"
#include "store/network_looks.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const int64_t FIRST_LOOK = 100;
enum { MOST_LOOKS = 128 };

/* The state of a chain behind the draws of a look that is still to come. */
struct kept {
    struct kept *next;
    int64_t draws;
    crdi_sampler_state state; /* its bytes stand behind this */
    double bytes[];
};

struct chain {
    struct kept *kept; /* latest first; guarded by `lock` */
    int64_t reached; /* draws that are on their way into the file, with all before them; guarded by `lock` */
    int64_t wish; /* behind so many a state was wished for, and comes next; the chain's own */
};

struct crdi_network_stop {
    crdi_network_fit *fit;
    const crdi_sink *to;
    double over; /* when the time is; 0: never */
    int (*stop)(void *user); /* the caller's */
    void *stop_user;
    atomic_int ending; /* the first that came */

    /* Of a rule. */
    int64_t look[MOST_LOOKS]; /* draws a chain, rising */
    double r_hat[MOST_LOOKS]; /* that they found */
    int looks;
    struct chain *chain; /* (chains); NULL: no rule */
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t lock; /* guards what is below */
    pthread_cond_t news;
    bool drawn; /* no chain draws any more */
    int next; /* look to come */
    int64_t held; /* the rule holds for so many draws; 0: it does not, so far */
    crdi_fit_verdict verdict;
    crd_status failed;
};

const char *crdi_fit_ending_name(crdi_fit_ending ending)
{
    static const char *const name[] = {"done", "signal", "time", "rule", "change", "modes"};
    return name[ending];
}

/* ---- stopping ----------------------------------------------------------------------------------------------- */

static void end(crdi_network_stop *s, crdi_fit_ending why)
{
    int none = CRDI_ENDED_DONE;
    atomic_compare_exchange_strong(&s->ending, &none, (int)why);
}

static int must_stop(void *user)
{
    crdi_network_stop *s = user;
    if (atomic_load_explicit(&s->ending, memory_order_relaxed) != CRDI_ENDED_DONE)
        return 1;
    if (s->stop && s->stop(s->stop_user))
        end(s, CRDI_ENDED_SIGNAL);
    else if (s->over > 0 && crdi_seconds() >= s->over)
        end(s, CRDI_ENDED_TIME);
    return atomic_load_explicit(&s->ending, memory_order_relaxed) != CRDI_ENDED_DONE;
}

/* ---- the chains' side --------------------------------------------------------------------------------------- */

static bool is_look(const crdi_network_stop *s, int64_t draws)
{
    int low = 0, high = s->looks;
    while (low < high) {
        int middle = (low + high) / 2;
        if (s->look[middle] < draws)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->looks && s->look[low] == draws;
}

static crd_status pass_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    const crdi_network_stop *s = user;
    return s->to->draws(s->to->user, chain, first, count, values);
}

static bool wants_state(void *user, int chain, int64_t draws)
{
    crdi_network_stop *s = user;
    bool wanted = is_look(s, draws);
    if (wanted)
        s->chain[chain].wish = draws;
    return wanted;
}

static crd_status add_kept(crdi_network_stop *s, int chain, int64_t draws, const crdi_sampler_state *state)
{
    struct kept *kept = crdi_alloc(s->fit->ctx, sizeof *kept + state->size);
    if (!kept)
        return CRD_ENOMEM;
    kept->draws = draws;
    kept->state = *state;
    kept->state.bytes = kept->bytes;
    memcpy(kept->bytes, state->bytes, state->size);
    pthread_mutex_lock(&s->lock);
    kept->next = s->chain[chain].kept;
    s->chain[chain].kept = kept;
    s->chain[chain].reached = draws;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    return CRD_OK;
}

/* A chain's behind looks, in the order of their draws, into `out`, which may be NULL; how many. With the lock. */
static int64_t list_kept(const crdi_network_stop *s, int chain, crdi_look_state *out)
{
    int64_t count = 0, at = 0;
    for (const struct kept *k = s->chain[chain].kept; k; k = k->next)
        count += is_look(s, k->draws);
    for (const struct kept *k = s->chain[chain].kept; k && out; k = k->next)
        if (is_look(s, k->draws))
            out[count - ++at] = (crdi_look_state){.chain = chain, .draws = k->draws, .state = k->state};
    return count;
}

/* The chain runs on while others are not there yet: a kill must not lose the state that the rule may turn out to end at. */
static crd_status save_kept(crdi_network_stop *s, int chain)
{
    pthread_mutex_lock(&s->lock);
    int64_t count = list_kept(s, chain, NULL);
    crdi_look_state *states = crdi_alloc_array(s->fit->ctx, count, sizeof *states);
    crd_status status = states ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK) {
        list_kept(s, chain, states);
        status = crdi_run_looks_write(s->fit->ctx, s->fit->run, chain, states, count);
    }
    pthread_mutex_unlock(&s->lock);
    crdi_free(s->fit->ctx, states);
    return status;
}

static crd_status pass_state(void *user, int chain, const crdi_sampler_state *state)
{
    crdi_network_stop *s = user;
    int64_t draws = s->chain ? s->chain[chain].wish : 0;
    if (draws > 0) { /* before the file may have the draws behind it */
        CRD_TRY(add_kept(s, chain, draws, state));
        CRD_TRY(save_kept(s, chain));
        s->chain[chain].wish = 0;
    }
    return s->to->state(s->to->user, chain, state);
}

crdi_sink crdi_network_stop_sink(crdi_network_stop *s)
{
    return (crdi_sink){.user = s,
                       .draws = pass_draws,
                       .state = s->to->state ? pass_state : NULL,
                       .pause = s->to->pause,
                       .wants_state = s->chain ? wants_state : NULL,
                       .together = s->chain || s->over > 0};
}

/* ---- the looks ---------------------------------------------------------------------------------------------- */

/* States behind fewer draws than the look that comes next are of no use any more. */
static void forget(crdi_network_stop *s, int64_t before)
{
    for (int c = 0; c < s->fit->chains; c++)
        for (struct kept **at = &s->chain[c].kept; *at;) {
            struct kept *kept = *at;
            if (kept->draws >= before) {
                at = &kept->next;
                continue;
            }
            *at = kept->next;
            crdi_free(s->fit->ctx, kept);
        }
}

static bool is_reached(const crdi_network_stop *s)
{
    for (int c = 0; c < s->fit->chains; c++)
        if (s->chain[c].reached < s->look[s->next])
            return false;
    return true;
}

/* Without the lock: chains go on. */
static crd_status look(crdi_network_stop *s, int number, crdi_fit_verdict *verdict)
{
    const crdi_fit_rule *rule = s->fit->rule;
    CRD_TRY(crdi_run_flush(s->fit->run));
    return rule->look(rule->user, s->fit->path, s->look[number], number == s->looks - 1 || s->fit->may_change, verdict);
}

/* From counts that the file holds: the same however often the run was stopped on the way. */
static const crdi_plan_change *find_change(const crdi_network_stop *s, const crdi_fit_verdict *v)
{
    const crdi_network_fit *fit = s->fit;
    double more = fmax(1, fit->rule->ess / CRDI_PLAN_ESS);
    const crdi_plan_facts facts = {.rows = fit->network.x.shape.dim[0], .parameters = fit->dim};
    crdi_plan_progress p = {.method = fit->method, .draws = v->draws, .r_hat = v->r_hat};
    for (int i = 0; i < s->next && 3 * s->look[i] <= v->draws; i++)
        p.before = s->r_hat[i];
    p.each = v->steps * fit->chains;
    p.most = (int64_t)((double)fit->mcmc.draws / more);
    p.needed = crdi_plan_needed(v->draws, v->ess, v->r_hat, fmin(fit->rule->ess, CRDI_PLAN_ESS),
                                fit->rule->r_hat > 0 ? fmax(fit->rule->r_hat, CRDI_PLAN_R_HAT) : 0);
    p.seconds = p.needed * p.each * crdi_plan_gradient(&facts);
    return fit->may_change ? crdi_plan_change_find(&p) : NULL;
}

/* Unless something else has ended it: then the change comes when it is taken up again. */
static bool take_change(crdi_network_stop *s)
{
    s->fit->change = s->next < s->looks - 1 ? find_change(s, &s->verdict) : NULL;
    if (!s->fit->change)
        return false;
    if (!s->fit->change->method)
        s->held = s->look[s->next];
    end(s, s->fit->change->method ? CRDI_ENDED_CHANGE : CRDI_ENDED_MODES);
    return true;
}

/* What a look has come to; whether it was the last. */
static bool take_verdict(crdi_network_stop *s, crd_status status, const crdi_fit_verdict *verdict)
{
    if (status < 0) {
        s->failed = status;
        end(s, CRDI_ENDED_SIGNAL);
        return true;
    }
    s->verdict = *verdict;
    s->r_hat[s->next] = verdict->r_hat;
    if (verdict->holds) {
        s->held = s->look[s->next];
        end(s, CRDI_ENDED_RULE);
        return true;
    }
    if (take_change(s))
        return true;
    forget(s, ++s->next < s->looks ? s->look[s->next] : INT64_MAX);
    return false;
}

/* When all chains have stopped, the looks at what they have drawn still come: the end must not depend on who was faster. */
static void *watch(void *user)
{
    crdi_network_stop *s = user;
    pthread_mutex_lock(&s->lock);
    while (s->next < s->looks) {
        if (!is_reached(s)) {
            if (s->drawn)
                break;
            pthread_cond_wait(&s->news, &s->lock);
            continue;
        }
        if (must_stop(s)) /* the looks that are left come when it is taken up again */
            break;
        crdi_fit_verdict verdict = {0};
        int number = s->next;
        pthread_mutex_unlock(&s->lock);
        crd_status status = look(s, number, &verdict);
        pthread_mutex_lock(&s->lock);
        if (take_verdict(s, status, &verdict))
            break;
    }
    pthread_mutex_unlock(&s->lock);
    s->fit->rule->done(s->fit->rule->user);
    return NULL;
}

/* 100, 150, 225, ... and all draws; where the rule came later, from then on. */
static void plan_looks(crdi_network_stop *s)
{
    int64_t all = s->fit->mcmc.draws, first = s->fit->rule->first;
    if (first > 0 && first < all)
        s->look[s->looks++] = first;
    for (int64_t at = FIRST_LOOK; at < all && s->looks < MOST_LOOKS - 1; at += at / 2)
        if (at > first)
            s->look[s->looks++] = at;
    s->look[s->looks++] = all;
}

/* One that was kept before the run was stopped or killed: of draws that are still there. */
static crd_status take_look_state(void *user, const crdi_look_state *state)
{
    crdi_network_stop *s = user;
    const crdi_network_resume *r = s->fit->resume;
    if (state->chain < 0 || state->chain >= s->fit->chains || state->draws < 1)
        return crdi_raise(s->fit->ctx, CRD_EDAMAGED, "%s: its look_states are of other chains", s->fit->path);
    return state->draws <= r->draws[state->chain] ? add_kept(s, (int)state->chain, state->draws, &state->state)
                                                  : CRD_OK;
}

/* Where a chain itself is. */
static crd_status take_place(crdi_network_stop *s, int chain)
{
    const crdi_network_resume *r = s->fit->resume;
    const crdi_mcmc_saved *saved = &r->states.saved[chain];
    int64_t chains = s->fit->chains, sum = r->cost.gradient_evaluations; /* older versions wrote the sum alone */
    int64_t own = sum / chains + (chain < sum % chains);
    if (!saved->bytes || r->draws[chain] < 1 || s->chain[chain].reached == r->draws[chain])
        return CRD_OK;
    crdi_run_gradients(s->fit->run, chain, &own);
    return add_kept(s, chain, r->draws[chain],
                    &(crdi_sampler_state){.iteration = r->states.iteration[chain],
                                          .bytes = saved->bytes,
                                          .size = saved->size,
                                          .warmup_seconds = r->cost.warmup_seconds,
                                          .sampling_seconds = r->cost.sampling_seconds,
                                          .gradient_evaluations = own});
}

/* What a run that is taken up again has already. */
static crd_status take_up(crdi_network_stop *s)
{
    const crdi_network_resume *r = s->fit->resume;
    for (int c = 0; r && c < s->fit->chains && c < r->states.lanes; c++) {
        if (r->looks[c].bytes)
            CRD_TRY(crdi_run_looks_each(s->fit->ctx, r->looks[c].bytes, r->looks[c].size, take_look_state, s));
        CRD_TRY(take_place(s, c));
        if (is_look(s, r->draws[c]))
            CRD_TRY(save_kept(s, c));
    }
    return CRD_OK;
}

static crd_status start_rule(crdi_network_stop *s)
{
    if (!(s->chain = crdi_alloc_array(s->fit->ctx, s->fit->chains, sizeof *s->chain)))
        return CRD_ENOMEM;
    plan_looks(s);
    CRD_TRY(take_up(s));
    if (pthread_create(&s->thread, NULL, watch, s) != 0)
        return crdi_raise(s->fit->ctx, CRD_ENOMEM, "the system gives no thread to look at the draws");
    s->thread_runs = true;
    return CRD_OK;
}

static void join(crdi_network_stop *s)
{
    if (!s->thread_runs)
        return;
    pthread_mutex_lock(&s->lock);
    s->drawn = true;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->thread_runs = false;
}

/* ---- the cut ------------------------------------------------------------------------------------------------ */

/* Of a chain, at the draws that the rule has left; NULL: it was written by a credence that did not keep it. */
static struct kept *find_held(const crdi_network_stop *s, int chain)
{
    struct kept *kept = s->chain[chain].kept;
    while (kept && kept->draws != s->held)
        kept = kept->next;
    return kept;
}

/* First the states, then the draws: a kill between the two leaves a run that can be resumed. */
static crd_status cut(crdi_network_stop *s, crdi_mcmc_report *report)
{
    crdi_network_fit *fit = s->fit;
    int64_t gradients = 0, known = 0;
    for (int c = 0; c < fit->chains; c++) {
        const struct kept *kept = find_held(s, c);
        CRD_TRY(s->to->state(s->to->user, c, kept ? &kept->state : &(crdi_sampler_state){0}));
        gradients += kept ? kept->state.gradient_evaluations : 0;
        known += kept && kept->state.gradient_evaluations > 0;
    }
    if (known == fit->chains)
        report->gradient_evaluations = gradients;
    CRD_TRY(crdi_run_flush(fit->run));
    return crdi_run_cut(fit->run, s->held);
}

/* Of a run that has ended nothing is kept for looks. */
static crd_status drop_looks(void *user)
{
    const crdi_network_stop *s = user;
    for (int c = 0; c < s->fit->chains; c++)
        CRD_TRY(crdi_run_looks_write(s->fit->ctx, s->fit->run, c, NULL, 0));
    return CRD_OK;
}

/* What the next kernel begins with: of every chain a state behind its warm-up, which has its metric. */
static crd_status hand_over(crdi_network_stop *s)
{
    crdi_network_fit *fit = s->fit;
    crdi_network_warm_clear(&fit->warm);
    CRD_TRY(crdi_network_warm_room(&fit->warm, fit->ctx, fit->chains));
    for (int c = 0; c < fit->chains; c++) {
        struct kept *kept = s->chain[c].kept;
        size_t size;
        CRD_TRY(
            crdi_mcmc_learned_size(fit->model, &fit->mcmc, &(crdi_mcmc_saved){kept->bytes, kept->state.size}, &size));
        void *bytes = crdi_alloc(fit->ctx, size);
        if (!bytes)
            return CRD_ENOMEM;
        memcpy(bytes, kept->bytes, size);
        fit->warm.state[fit->warm.count++] = (crdi_mcmc_saved){bytes, size};
    }
    return CRD_OK;
}

crd_status crdi_network_stop_settle(crdi_network_stop *s, crd_status status, crdi_mcmc_report *report)
{
    join(s);
    if (status >= 0 && s->failed < 0)
        status = s->failed;
    if (status == CRD_OK && s->chain && s->held == 0 && s->next < s->looks)
        status = CRD_INTERRUPTED; /* all is drawn, and it was stopped before all looks */
    if (status >= 0 && s->held > 0)
        status = cut(s, report);
    if (status >= 0 && s->held == 0 && atomic_load(&s->ending) == CRDI_ENDED_CHANGE) {
        CRD_TRY(hand_over(s));
        status = CRD_INTERRUPTED; /* also where all draws were there already */
    }
    if (status == CRD_OK && s->chain)
        status = crdi_run_together(s->fit->run, drop_looks, s);
    s->fit->verdict = s->verdict;
    s->fit->ending = s->held > 0 && status == CRD_OK ? s->verdict.holds ? CRDI_ENDED_RULE : CRDI_ENDED_MODES
                     : status == CRD_OK              ? CRDI_ENDED_DONE
                                                     : (crdi_fit_ending)atomic_load(&s->ending);
    return status;
}

const crdi_mcmc_saved *crdi_network_stop_held(const crdi_network_stop *s, int64_t *held)
{
    *held = s->held;
    if (s->held == 0)
        return NULL;
    crdi_mcmc_saved *states = crdi_arena_alloc(s->fit->arena, sizeof *states * (size_t)s->fit->chains);
    for (int c = 0; states && c < s->fit->chains; c++) {
        struct kept *kept = find_held(s, c);
        states[c] = kept ? (crdi_mcmc_saved){kept->bytes, kept->state.size} : (crdi_mcmc_saved){0};
    }
    return states;
}

/* ---- begin and end ------------------------------------------------------------------------------------------ */

static void take_stop(crdi_network_stop *s)
{
    crdi_network_fit *fit = s->fit;
    s->stop = fit->mcmc.stop ? fit->mcmc.stop : fit->svi.stop;
    s->stop_user = fit->mcmc.stop ? fit->mcmc.stop_user : fit->svi.stop_user;
    fit->mcmc.stop = fit->svi.stop = must_stop;
    fit->mcmc.stop_user = fit->svi.stop_user = s;
}

crd_status crdi_network_stop_begin(crdi_network_fit *fit, const crdi_sink *to, crdi_network_stop **out)
{
    crdi_network_stop *s = crdi_alloc(fit->ctx, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    s->fit = fit;
    s->to = to;
    s->over = fit->seconds > 0 ? fit->begun + fit->seconds : 0;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->news, NULL);
    take_stop(s);
    crd_status status = fit->rule && fit->type->draws_behind && to->state ? start_rule(s) : CRD_OK;
    if (status < 0)
        crdi_network_stop_end(&s);
    else
        *out = s;
    return status;
}

void crdi_network_stop_end(crdi_network_stop **stop)
{
    crdi_network_stop *s = *stop;
    if (!s)
        return;
    join(s);
    if (s->chain)
        forget(s, INT64_MAX);
    s->fit->mcmc.stop = s->fit->svi.stop = s->stop;
    s->fit->mcmc.stop_user = s->fit->svi.stop_user = s->stop_user;
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->lock);
    crdi_free(s->fit->ctx, s->chain);
    crdi_free(s->fit->ctx, s);
    *stop = NULL;
}
