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

/* Moves the population until it has forgotten, and chooses the step size by the way. Moves of which next to none is accepted are
 * of a step size that is no use; they are made, but not counted. */
static crd_status settle(crdi_population *p, crdi_move *move, struct before *before, crd_key key)
{
    enum { MOST_IDLE = 30 };
    static const double IDLE = 0.3, GAIN = 2;
    const crd_tempered_options *o = &p->t->options;
    double sum = 0;
    int64_t round = 0, idle = 0;
    note(before, p);
    while (move->moves < o->max_moves) {
        crd_status status = crdi_population_move(p, move, key, round++, 1);
        if (status != CRD_OK)
            return status;
        double accept = crdi_population_accept(p), used = log(move->step);
        move->step *= exp(fmin(0.5, GAIN * (accept - o->target_accept)));
        if (accept < IDLE && idle++ < MOST_IDLE)
            continue;
        sum += used;
        move->moves++;
        if (forgotten(before, p))
            break;
    }
    move->step = move->moves > 1 ? exp(sum / (double)move->moves) : move->step;
    return CRD_OK;
}

static crd_status go(crdi_schedule *s, crdi_population *p, struct before *before, crd_key key)
{
    crd_key resample = crd_key_fold_in(key, KEY_RESAMPLE), moves = crd_key_fold_in(key, KEY_MOVE);
    double step = 1 / sqrt(sqrt((double)p->dim));
    crd_status status = crdi_population_draw(p, crd_key_fold_in(key, KEY_DRAW));
    while (status == CRD_OK && p->beta < 1) {
        uint32_t k = (uint32_t)s->count;
        if (s->count == MOST_TEMPERATURES)
            return crdi_raise(s->ctx, CRD_EINVAL,
                              "%d temperatures did not lead from the prior to the posterior (beta is %g); a smaller "
                              "cess takes larger steps",
                              MOST_TEMPERATURES, p->beta);
        crdi_population_reweight(p, crdi_population_next(p, p->t->options.cess));
        CRD_TRY(add(s, p->beta, step, p->dim));
        crdi_move *move = &s->move[s->count - 1];
        crdi_population_variances(p, move->variance);
        crdi_population_resample(p, crd_key_fold_in(resample, k));
        status = settle(p, move, before, crd_key_fold_in(moves, k));
        step = move->step;
    }
    return status;
}

/* The ladder between the temperatures that were found. */
static crd_status refine(crdi_schedule *s, double anneal)
{
    crdi_schedule fine = {.ctx = s->ctx};
    double below = 0;
    crd_status status = CRD_OK;
    for (int64_t k = 0; k < s->count && status == CRD_OK; k++) {
        const crdi_move *move = &s->move[k];
        int64_t parts = (int64_t)ceil(anneal * (double)move->moves);
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

crd_status crdi_schedule_find(crdi_schedule *s, crdi_tempered *t, crd_key key)
{
    crdi_population p = {0};
    int64_t n = t->options.pilot;
    struct before before = {0};
    s->ctx = t->ctx;
    CRD_TRY(crdi_arena_create(&s->arena, t->ctx));
    before.u = crdi_alloc_array(t->ctx, n, sizeof(double) * (size_t)t->dim);
    before.log_prior = crdi_alloc_array(t->ctx, n, sizeof(double));
    before.log_likelihood = crdi_alloc_array(t->ctx, n, sizeof(double));
    crd_status status = before.u && before.log_prior && before.log_likelihood ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crdi_population_create(&p, t, n, t->options.threads);
    if (status == CRD_OK)
        status = go(s, &p, &before, key);
    if (status == CRD_OK)
        status = refine(s, t->options.anneal);
    crdi_population_destroy(&p);
    crdi_free(t->ctx, before.u);
    crdi_free(t->ctx, before.log_prior);
    crdi_free(t->ctx, before.log_likelihood);
    return status;
}
