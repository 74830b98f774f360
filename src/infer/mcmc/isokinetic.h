/* isokinetic.h - motion of constant speed: a position, a direction on the unit sphere, and the integrators of
 *
 *   dz/dt = u,   du/dt = (1 - u u') g / (d - 1),   g = d log density / dz,
 *
 * whose flow keeps exp(log density) dz du (Robnik, De Luca, Silverstein, Seljak 2023, "Microcanonical Hamiltonian Monte
 * Carlo"). z is the
 * Hamiltonian's q in the units of its metric (q = T z), u stands in its p. "Energy" is what a step adds to
 * (d - 1) log of the speed that the direction has lost or won, less the log density: 0 of the exact flow. */
#ifndef CRDI_ISOKINETIC_H
#define CRDI_ISOKINETIC_H

#include "infer/mcmc/hamiltonian.h"

#include <credence/random.h>

/* LEAPFROG: half a kick, a drift, half a kick; a gradient a step. MINIMAL_NORM: two drifts, kicks of lambda, 1 - 2 lambda and
 * lambda (Omelyan, Mryglod, Folk 2003); two gradients a step, whose error is some ten times smaller. */
typedef enum crdi_integrator { CRDI_LEAPFROG, CRDI_MINIMAL_NORM } crdi_integrator;

typedef struct crdi_isokinetic {
    crdi_hamiltonian *h; /* borrowed */
    crdi_integrator integrator;
    double *noise; /* (dim) scratch */
} crdi_isokinetic;

crd_status crdi_isokinetic_create(crdi_isokinetic *iso, crdi_hamiltonian *h, crdi_integrator integrator);
void crdi_isokinetic_destroy(crdi_isokinetic *iso);
/* A direction that is uniform on the sphere. Draws: dim normals. */
void crdi_isokinetic_draw(crdi_isokinetic *iso, crd_key key);
/* u = (u + strength n) / |u + strength n|, n standard normal (Robnik & Seljak 2023, "Fluctuation without
 * dissipation"). Draws: dim normals. */
void crdi_isokinetic_disturb(crdi_isokinetic *iso, double strength, crd_key key);
/* The strength that forgets the direction over `length` when it is used after each `step` (the same). */
double crdi_isokinetic_strength(int64_t dim, double step, double length);
/* One step; returns the energy error, NaN or infinite where the density is. Turned around by u = -u. */
double crdi_isokinetic_step(crdi_isokinetic *iso, double step);
/* The same with the direction disturbed: by leapfrog in the middle of the drift, so that what the finite step does to a normal is the same
 * in all directions, be they stiff or soft in the step's units (as Leimkuhler & Matthews 2013 have it for Langevin motion; there it is
 * nothing, here it is a common factor); by minimal norm after the step. */
double crdi_isokinetic_step_disturbed(crdi_isokinetic *iso, double step, double strength, crd_key key);
/* Gradients that a step takes. */
int crdi_isokinetic_cost(const crdi_isokinetic *iso);

#endif
