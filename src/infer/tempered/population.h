/* population.h - particles with weights, on their way over the temperatures. */
#ifndef CRDI_POPULATION_H
#define CRDI_POPULATION_H

#include "infer/tempered/tempered.h"

typedef struct crdi_population {
    crdi_tempered *t;
    int64_t count, dim;
    double *u, *spare; /* (count, dim) */
    double *log_prior, *log_likelihood, *log_weight; /* (count) weights sum to 1 */
    double *accept; /* (count) of the moves made last */
    double *scratch; /* (2 count) */
    bool *done; /* (count) of what all of them are about to do */
    double beta;
    double log_evidence; /* so far: an estimate without bias, if nothing was chosen by looking at these particles */
    crdi_walker *walker; /* (lanes) */
    int lanes; /* threads that share the particles */
    int64_t gradients; /* before it was taken up again, as */
    double seconds; /* of threads, in moves */
    /* Keeps where it is, some particles being done: called when `pause` seconds are over, later where keeping would take more than
     * a twentieth of the time, and when it is stopped. NULL: nobody. */
    crd_status (*keep)(void *user);
    void *keep_user;
    double pause, due;
} crdi_population;

/* Zeroed before; crdi_population_destroy also after a failure. */
crd_status crdi_population_create(crdi_population *p, crdi_tempered *t, int64_t count, int64_t lanes);
void crdi_population_destroy(crdi_population *p);
/* At beta 0: particle i is drawn from sub-key i. CRD_ESTART: no likelihood is finite; CRD_INTERRUPTED. A population whose state was
 * loaded in the middle of this, or of a move, does what is left of it. */
crd_status crdi_population_draw(crdi_population *p, crd_key key);
/* The next temperature: so far away that the conditional effective share of particles is `cess` (Zhou, Johansen & Aston 2016,
 * eq. 3.16), but at most 1. Particles of likelihood 0 are left aside: no step is so small that it would spare them. */
double crdi_population_next(const crdi_population *p, double cess);
/* To a higher temperature: new weights, and what they say of the evidence. */
void crdi_population_reweight(crdi_population *p, double beta);
/* Effective share of particles, 1 / (count sum of squared weights). */
double crdi_population_effective(const crdi_population *p);
/* Weighted mean of the log likelihood. */
double crdi_population_likelihood(const crdi_population *p);
/* Systematic resampling (Kitagawa 1996): one uniform; equal weights behind it. */
void crdi_population_resample(crdi_population *p, crd_key key);
/* Weighted variances, shrunk as those of a warm-up are. (dim) */
void crdi_population_variances(const crdi_population *p, double *out);
/* Moves each particle: particle i by crdi_walker_move with sub-key i. p->accept is set. CRD_INTERRUPTED. */
crd_status crdi_population_move(crdi_population *p, const crdi_move *move, crd_key key, int64_t first, int64_t count);
/* Mean of p->accept. */
double crdi_population_accept(const crdi_population *p);
/* Gradients and seconds of threads so far, those before it was taken up again among them. */
int64_t crdi_population_gradients(const crdi_population *p);
double crdi_population_seconds(const crdi_population *p);
/* As it is, to and fro; what it has cost alone. */
void crdi_population_state(crdi_population *p, crdi_archive *a);
void crdi_population_cost_state(crdi_population *p, crdi_archive *a);
/* From now on `keep` is called as said above, if anybody keeps the states of this lane. */
void crdi_population_keep(crdi_population *p, const crdi_lane *lane, crd_status (*keep)(void *user), void *user);

/* ---- the pilot run (schedule.c) ----------------------------------------------------------------------------- */

/* What was chosen for each temperature. */
typedef struct crdi_schedule {
    crd_context *ctx;
    crdi_arena *arena;
    crdi_move *move;
    int64_t count, capacity;
} crdi_schedule;

/* Zeroed before; crdi_schedule_destroy also after a failure. Its state is that of lane t->options.chains. */
crd_status crdi_schedule_find(crdi_schedule *s, crdi_tempered *t, crd_key key);
void crdi_schedule_destroy(crdi_schedule *s);

#endif
