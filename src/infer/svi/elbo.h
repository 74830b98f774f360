/* elbo.h - losses: minus a lower bound of the log evidence, and its gradient in the guide's parameters.
 *
 * One program evaluates one particle: (parameters, key) -> loss, divergence part, likelihood part, log weight, gradient.
 * A step runs it for every particle and combines the results, in order, so that nothing depends on threads. */
#ifndef CRDI_ELBO_H
#define CRDI_ELBO_H

#include "infer/svi/guide.h"

#include <credence/model.h>

typedef struct crdi_loss {
    const char *name;
    bool mean_field; /* analytic divergences where a pair is known */
    double alpha; /* of Renyi's bound; 1: the plain ELBO; 0: importance weighted */
} crdi_loss;

/* Reads "trace", "trace_mean_field", "renyi:0.5", "importance_weighted". */
crd_status crdi_loss_parse(crd_context *ctx, const char *text, crdi_loss *out);

/* What one evaluation of a loss gives. */
typedef struct crdi_elbo_value {
    double loss, divergence, likelihood; /* loss = divergence + likelihood for the plain ELBO */
    bool finite; /* loss and gradient */
} crdi_elbo_value;

typedef struct crdi_elbo crdi_elbo;

/* `model` is borrowed. CRD_EUNSUPPORTED: a loss that is not defined for the guide. */
crd_status crdi_elbo_create(crdi_elbo **out, const crd_model *model, const crdi_guide *guide, const crdi_loss *loss,
                            int64_t particles);
void crdi_elbo_destroy(crdi_elbo **elbo);
int64_t crdi_elbo_params(const crdi_elbo *elbo);
/* Evaluates at `params` with particle p's key fold_in(key, p); gradient (params) is written. No allocation. */
void crdi_elbo_evaluate(crdi_elbo *elbo, const double *params, crd_key key, crdi_elbo_value *value, double *gradient);
/* Compiles (parameters, key) -> u (dim), and the values of the latent sites: draws from the guide. */
crd_status crdi_elbo_compile_draw(const crd_model *model, const crdi_guide *guide, crd_program **out);

#endif
