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
    crd_program *program; /* input: parameters, key (2 words), baseline, and the rows of the plate that is shuffled */
    int64_t params;
    int64_t rows, population; /* of that plate: taken, and of how many; 0: none is */
    bool scored; /* there are sites without a reparameterised draw: the baseline counts */
} crdi_elbo;

/* Compiles the loss of all particles. Those without a reparameterised draw add (loss - baseline) times their score: with
 * several particles the baseline of one is the mean loss of the others (Kool et al. 2019), with one it is the input.
 * Up to `threads` of a team can share the particles (crdi_exec_set_team).
 * shuffle: a subsampled plate whose rows are an input; NULL: all draw theirs from the key. CRD_ENAME: there is none. */
crd_status crdi_elbo_create(const crdi_guide *guide, const crdi_loss *loss, int64_t particles, int threads,
                            const char *shuffle, crdi_elbo *out);
void crdi_elbo_clear(crdi_elbo *elbo);

/* What a draw consists of. */
typedef struct crdi_elbo_site {
    const char *name; /* in the arena that was given */
    crd_shape shape;
    int64_t size;
    bool deterministic;
} crdi_elbo_site;

/* Compiles (parameters, key) -> log p(x, y) + log |dx/du|, log q, then the latent sites in alphabetical order and the
 * kept deterministic ones. user: the model's data, or NULL for those of the guide. CRD_ENAME for a site to keep that is
 * no deterministic one. */
crd_status crdi_elbo_compile_draw(const crdi_guide *guide, void *user, const char *const *keep, int keep_count,
                                  crdi_arena *arena, crdi_elbo_site **site, int *sites, crd_program **out);

/* Compiles (parameters, key) -> minus the log likelihood of the model with other data, the mean over particles. */
crd_status crdi_elbo_compile_watch(const crdi_guide *guide, void *user, int64_t particles, crd_program **out);

#endif
