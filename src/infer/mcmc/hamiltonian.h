/* hamiltonian.h - a particle in phase space: position, momentum, gradient, metric, leapfrog steps.
 *
 * Notation of Betancourt 2017 (arXiv:1701.02434): H(q, p) = -log density(q) + p' M^-1 p / 2. `sharp` is M^-1 p. The
 * position lives in the program's input and the gradient in its output, so that a step copies neither. */
#ifndef CRDI_HAMILTONIAN_H
#define CRDI_HAMILTONIAN_H

#include <credence/graph.h>
#include "base/base.h"
#include "infer/mcmc/metric.h"
#include "kernel/kernel.h"

typedef struct crdi_hamiltonian {
    crd_context *ctx;
    const crdi_kernel_table *kernels;
    const crdi_vector_ops *v;
    crd_exec *exec; /* (q) -> (log density, gradient) */
    int64_t dim;
    double *q; /* (dim) the exec's input */
    double *log_density; /* the exec's output ... */
    double *grad; /* (dim) ... d log density / d q */
    double *p; /* (dim) */
    double *sharp; /* (dim) M^-1 p, of the momentum drawn last */
    double energy; /* H, +inf where it is not a number */
    crdi_metric metric; /* M^-1 */
    double step_size;
    int64_t gradients; /* evaluated so far */
    /* NULL: the exec is run. Else this sets log_density and grad at q, and counts the gradients; exec's input then goes on behind q. */
    void (*run)(void *user, struct crdi_hamiltonian *h);
    void *run_user;
} crdi_hamiltonian;

/* Of the identity; `overlapping` as crdi_metric_create has it. */
crd_status crdi_hamiltonian_create(crdi_hamiltonian *h, crd_context *ctx, const crd_program *density,
                                   const crdi_metric_type *metric, bool overlapping);
void crdi_hamiltonian_destroy(crdi_hamiltonian *h);
/* Evaluates density and gradient at q. */
void crdi_hamiltonian_evaluate(crdi_hamiltonian *h);
/* Draws p ~ Normal(0, M) and computes sharp and energy. Draws: dim normals. */
void crdi_hamiltonian_draw_momentum(crdi_hamiltonian *h, crd_key key);
/* Energy and sharp of q and p as they are. */
void crdi_hamiltonian_set_energy(crdi_hamiltonian *h);
/* One leapfrog step of the given (signed) size; p, energy and `sharp` (dim, may be h->sharp) are of its end. */
void crdi_hamiltonian_step(crdi_hamiltonian *h, double step, double *sharp);

#endif
