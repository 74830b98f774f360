/* schedule.c - the pilot run: few particles go from the prior to the posterior, and what suits them is noted. */
#include "infer/tempered/population.h"

#include <math.h>
#include <string.h>

enum { MOST_TEMPERATURES = 100000 };
enum { KEY_DRAW, KEY_RESAMPLE, KEY_MOVE };

void crdi_schedule_destroy(crdi_schedule *s)
{
    crdi_arena_destroy(&s->arena);
    if (s->ctx)
        crdi_free(s->ctx, s->move);
    *s = (crdi_schedule){0};
}

static crd_status add(crdi_schedule *s, double beta, double step, int64_t dim)
{
    CRD_TRY(crdi_grow(s->ctx, &s->move, &s->capacity, s->count, sizeof *s->move));
    double *variance = crdi_arena_alloc(s->arena, sizeof *variance * (size_t)dim);
    if (!variance)
        return CRD_ENOMEM;
    s->move[s->count++] = (crdi_move){.beta = beta, .step = step, .variance = variance};
    return CRD_OK;
}

/* ---- how long until particles have forgotten ------------------------------------------------------------------ */

/* Where they were. */
struct before {
    double *u, *log_prior, *log_likelihood;
    double coordinates; /* mean correlation with it, when it was looked at last */
};

static void note(struct before *b, const crdi_population *p)
{
    memcpy(b->u, p->u, sizeof(double) * (size_t)(p->count * p->dim));
    memcpy(b->log_prior, p->log_prior, sizeof(double) * (size_t)p->count);
    memcpy(b->log_likelihood, p->log_likelihood, sizeof(double) * (size_t)p->count);
    b->coordinates = 1;
}

/* Of a[i stride] and b[i stride]; 0 where one does not vary. */
static double correlation(const double *a, const double *b, int64_t count, int64_t stride)
{
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (int64_t i = 0; i < count; i++) {
        mean_a += a[i * stride] / (double)count;
        mean_b += b[i * stride] / (double)count;
    }
    for (int64_t i = 0; i < count; i++) {
        double x = a[i * stride] - mean_a, y = b[i * stride] - mean_b;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    double r = ab / sqrt(aa * bb);
    return isfinite(r) ? r : 0;
}

/* The prior's and the likelihood's densities must have forgotten; coordinates too, unless they have ceased to: a particle may
 * never leave its mode. */
static bool forgotten(struct before *b, const crdi_population *p)
{
    static const double FORGOTTEN = 0.3, CEASED = 0.9;
    double before = b->coordinates, sum = 0;
    for (int64_t d = 0; d < p->dim; d++)
        sum += correlation(b->u + d, p->u + d, p->count, p->dim);
    b->coordinates = sum / (double)p->dim;
    return correlation(b->log_prior, p->log_prior, p->count, 1) < FORGOTTEN &&
           correlation(b->log_likelihood, p->log_likelihood, p->count, 1) < FORGOTTEN &&
           (b->coordinates < FORGOTTEN || b->coordinates > CEASED * before);
}

/* ---- one temperature ------------------------------------------------------------------------------------------ */

/* The run, between two rounds of moves. */
struct pilot {
    crdi_schedule *s;
    crdi_population p;
    struct before before;
    crd_key resample, moves;
    crdi_lane lane;
    bool drawn, ended;
    /* At the temperature that was noted last: */
    int64_t round; /* of moves */
    int64_t idle; /* such rounds that next to none was accepted in */
    double sum; /* of log step sizes, of the others */
};

/* At the next temperature, not moved yet. */
static crd_status arrive(struct pilot *q)
{
    crdi_schedule *s = q->s;
    crdi_population *p = &q->p;
    uint32_t k = (uint32_t)s->count;
    double step = k > 0 ? s->move[k - 1].step : 1 / sqrt(sqrt((double)p->dim));
    if (s->count == MOST_TEMPERATURES)
        return crdi_raise(s->ctx, CRD_EINVAL,
                          "%d temperatures did not lead from the prior to the posterior (beta is %g); a smaller "
                          "cess takes larger steps",
                          MOST_TEMPERATURES, p->beta);
    crdi_population_reweight(p, crdi_population_next(p, p->t->options.cess));
    CRD_TRY(add(s, p->beta, step, p->dim));
    crdi_population_variances(p, s->move[k].variance);
    crdi_population_resample(p, crd_key_fold_in(q->resample, k));
    note(&q->before, p);
    q->round = q->idle = 0;
    q->sum = 0;
    return CRD_OK;
}

/* What a round of moves has come to; whether it was the last here. The step size is chosen by the way. Moves of which next to none is
 * accepted are of a step size that is no use; they are made, but not counted. */
static bool judge(struct pilot *q)
{
    enum { MOST_IDLE = 30 };
    static const double IDLE = 0.3, GAIN = 2;
    const crd_tempered_options *o = &q->p.t->options;
    crdi_move *move = &q->s->move[q->s->count - 1];
    double accept = crdi_population_accept(&q->p), used = log(move->step);
    q->round++;
    move->step *= exp(fmin(0.5, GAIN * (accept - o->target_accept)));
    if (accept < IDLE && q->idle++ < MOST_IDLE)
        return false;
    q->sum += used;
    move->moves++;
    if (!forgotten(&q->before, &q->p) && move->moves < o->max_moves)
        return false;
    if (move->moves > 1)
        move->step = exp(q->sum / (double)move->moves);
    return true;
}

static crd_status go(struct pilot *q, crd_key draw)
{
    crdi_schedule *s = q->s;
    crd_status status = CRD_OK;
    if (!q->drawn) {
        status = crdi_population_draw(&q->p, draw);
        q->drawn = status == CRD_OK;
        if (q->drawn)
            status = arrive(q);
    }
    while (status == CRD_OK && !q->ended) {
        uint32_t k = (uint32_t)(s->count - 1);
        status = crdi_population_move(&q->p, &s->move[k], crd_key_fold_in(q->moves, k), q->round, 1);
        if (status != CRD_OK || !judge(q))
            continue;
        q->ended = q->p.beta >= 1;
        status = q->ended ? CRD_OK : arrive(q);
    }
    return status;
}

/* ---- its state ------------------------------------------------------------------------------------------------ */

static void damaged(crdi_archive *a)
{
    if (a->status == CRD_OK)
        a->status = crdi_raise(a->ctx, CRD_EDAMAGED, "the stored state has an impossible temperature");
}

/* Loading, into an empty one. */
static void schedule_state(crdi_schedule *s, int64_t dim, int64_t most_moves, crdi_archive *a)
{
    int64_t count = s->count;
    double below = 0;
    crdi_archive_count(a, &count, sizeof(double) * (size_t)(dim + 3));
    for (int64_t k = 0; k < count && a->status == CRD_OK; k++) {
        if (a->loading && (a->status = add(s, 0, 0, dim)) < 0)
            return;
        crdi_move *move = &s->move[k];
        crdi_archive_real(a, &move->beta);
        crdi_archive_real(a, &move->step);
        crdi_archive_integer(a, &move->moves);
        crdi_archive_reals(a, move->variance, dim);
        if (!(move->beta > below && move->beta <= 1 && move->step >= 0 && move->step < INFINITY && move->moves >= 0 &&
              move->moves <= most_moves))
            damaged(a);
        below = move->beta;
    }
}

/* Of a run that has ended nothing is wanted but what it has found. */
static void pilot_state(void *user, crdi_archive *a)
{
    struct pilot *q = user;
    crdi_population *p = &q->p;
    crdi_archive_same(a, p->dim, "number of parameters");
    crdi_archive_flag(a, &q->drawn);
    crdi_archive_flag(a, &q->ended);
    schedule_state(q->s, p->dim, p->t->options.max_moves, a);
    int64_t count = q->s->count;
    if (q->drawn != (count > 0) || (q->ended && (count == 0 || q->s->move[count - 1].beta < 1)))
        damaged(a);
    crdi_archive_integer(a, &q->round);
    crdi_archive_integer(a, &q->idle);
    crdi_archive_real(a, &q->sum);
    if (q->ended) {
        crdi_population_cost_state(p, a);
        return;
    }
    crdi_archive_reals(a, q->before.u, p->count * p->dim);
    crdi_archive_reals(a, q->before.log_prior, p->count);
    crdi_archive_reals(a, q->before.log_likelihood, p->count);
    crdi_archive_real(a, &q->before.coordinates);
    crdi_population_state(p, a);
}

/* Temperatures of the ladder in place of one that was found. */
static int64_t parts_of(const crdi_move *move, double anneal)
{
    return (int64_t)ceil(anneal * (double)move->moves);
}

/* Who looks on learns from its count how many temperatures the runs will have. */
static crd_status keep(void *user)
{
    struct pilot *q = user;
    int64_t temperatures = 0;
    for (int64_t k = 0; k < q->s->count; k++)
        temperatures += parts_of(&q->s->move[k], q->p.t->options.anneal);
    return crdi_lane_keep(&q->lane, (crdi_sampler_state){.iteration = q->ended ? temperatures : 0,
                                                         .gradient_evaluations = crdi_population_gradients(&q->p),
                                                         .gradient_seconds = crdi_population_seconds(&q->p)});
}

/* ---- the whole ------------------------------------------------------------------------------------------------ */

/* The ladder between the temperatures that were found. */
static crd_status refine(crdi_schedule *s, double anneal)
{
    crdi_schedule fine = {.ctx = s->ctx};
    double below = 0;
    crd_status status = CRD_OK;
    for (int64_t k = 0; k < s->count && status == CRD_OK; k++) {
        const crdi_move *move = &s->move[k];
        int64_t parts = parts_of(move, anneal);
        for (int64_t j = 1; j <= parts && status == CRD_OK; j++) {
            status = crdi_grow(fine.ctx, &fine.move, &fine.capacity, fine.count, sizeof *fine.move);
            if (status < 0)
                break;
            crdi_move *one = &fine.move[fine.count++];
            *one = *move;
            one->moves = 1;
            if (j < parts)
                one->beta = below + (move->beta - below) * (double)j / (double)parts;
        }
        below = move->beta;
    }
    crdi_free(s->ctx, s->move);
    s->move = fine.move;
    s->count = fine.count;
    s->capacity = fine.capacity;
    return status;
}

/* Loads what there is, and goes on. */
static crd_status find(struct pilot *q, crdi_tempered *t, crd_key key)
{
    int64_t n = t->options.pilot;
    bool found;
    struct before *before = &q->before;
    before->u = crdi_alloc_array(t->ctx, n, sizeof(double) * (size_t)t->dim);
    before->log_prior = crdi_alloc_array(t->ctx, n, sizeof(double));
    before->log_likelihood = crdi_alloc_array(t->ctx, n, sizeof(double));
    if (!before->u || !before->log_prior || !before->log_likelihood)
        return CRD_ENOMEM;
    CRD_TRY(crdi_population_create(&q->p, t, n, t->options.threads));
    CRD_TRY(crdi_lane_load(&q->lane, &found));
    if (found && q->ended)
        return CRD_OK;
    crdi_population_keep(&q->p, &q->lane, keep, q);
    crd_status status = go(q, crd_key_fold_in(key, KEY_DRAW));
    return status == CRD_OK ? keep(q) : status;
}

crd_status crdi_schedule_find(crdi_schedule *s, crdi_tempered *t, crd_key key)
{
    struct pilot q = {.s = s,
                      .resample = crd_key_fold_in(key, KEY_RESAMPLE),
                      .moves = crd_key_fold_in(key, KEY_MOVE),
                      .lane = {.t = t, .number = t->options.chains, .state = pilot_state, .user = &q}};
    s->ctx = t->ctx;
    CRD_TRY(crdi_arena_create(&s->arena, t->ctx));
    crd_status status = find(&q, t, key);
    if (status == CRD_OK)
        status = refine(s, t->options.anneal);
    crdi_lane_clear(&q.lane);
    crdi_population_destroy(&q.p);
    crdi_free(t->ctx, q.before.u);
    crdi_free(t->ctx, q.before.log_prior);
    crdi_free(t->ctx, q.before.log_likelihood);
    return status;
}
