/* elbo.h - losses: minus a lower bound of the log evidence, and its gradient in the guide's parameters.
 *
 * All particles are one program, (parameters, key, baseline) -> loss, its parts, gradient: what they share (scales,
 * analytic divergences) is computed once. */
#ifndef CRDI_ELBO_H
#define CRDI_ELBO_H

#include "infer/svi/guide.h"

typedef struct crdi_loss_type {
    const char *name;
    const char *what;
    bool mean_field; /* analytic divergences where a pair is known */
    bool takes_alpha;
    double alpha; /* of Renyi's bound; 1: the plain bound; 0: importance weighted */
} crdi_loss_type;

typedef struct crdi_loss {
    const crdi_loss_type *type;
    double alpha;
} crdi_loss;

/* Reads "trace", "trace_mean_field", "renyi:0.5", "importance_weighted". */
crd_status crdi_loss_parse(crd_context *ctx, const char *text, crdi_loss *out);
const crdi_loss_type *crdi_loss_get(int i);
/* CRD_EUNSUPPORTED: a loss that is not defined for a guide, and why. */
crd_status crdi_loss_check(const crdi_guide *guide, const crdi_loss *loss);

/* Where an evaluation's results are in the program's output; the gradient follows. */
enum { CRDI_ELBO_LOSS, CRDI_ELBO_DIVERGENCE, CRDI_ELBO_LIKELIHOOD, CRDI_ELBO_GRADIENT };

typedef struct crdi_elbo {
    crd_program *program; /* input: parameters, key (2 words), baseline */
    int64_t params;
    bool scored; /* there are sites without a reparameterised draw: the baseline counts */
} crdi_elbo;

/* Compiles the loss of all particles. Those without a reparameterised draw add (loss - baseline) times their score: with
 * several particles the baseline of one is the mean loss of the others (Kool et al. 2019), with one it is the input.
 * Up to `threads` of a team can share the particles (crdi_exec_set_team). */
crd_status crdi_elbo_create(const crdi_guide *guide, const crdi_loss *loss, int64_t particles, int threads,
                            crdi_elbo *out);
void crdi_elbo_clear(crdi_elbo *elbo);

/* What a draw consists of. */
typedef struct crdi_elbo_site {
    const char *name; /* in the arena that was given */
    crd_shape shape;
    int64_t size;
    bool deterministic;
} crdi_elbo_site;

/* Compiles (parameters, key) -> log p(x, y) + log |dx/du|, log q, then the latent sites in alphabetical order and the
 * kept deterministic ones. CRD_ENAME for a site to keep that is no deterministic one. */
crd_status crdi_elbo_compile_draw(const crdi_guide *guide, const char *const *keep, int keep_count, crdi_arena *arena,
                                  crdi_elbo_site **site, int *sites, crd_program **out);

#endif
