/* svi_models.h - models for tests of variational inference, what is known of them in closed form, and a loss at a point. */
#ifndef SVI_MODELS_H
#define SVI_MODELS_H

#include "infer/svi/elbo.h"
#include "testing.h"

/* ---- linear regression: w_k ~ N(0, PRIOR), y_i ~ N(x_i w, NOISE) --------------------------------------------- */

enum { LINEAR_ROWS = 12, LINEAR_MOST = 4 };
#define LINEAR_PRIOR 1.5
#define LINEAR_NOISE 0.8

struct linear {
    int coefs; /* 1 to LINEAR_MOST; with 1 every x is 1: a normal mean */
    int64_t subsample; /* rows that a run takes; 0: all */
    double x[LINEAR_ROWS * LINEAR_MOST], y[LINEAR_ROWS];
};

void linear_init(struct linear *l, int coefs);
/* Latent: w (coefs). Deterministic: sum, the sum of w. */
crd_node linear_model(crd_trace *t, void *linear);
/* log p(w) and log p(y | w), by loops; their gradients are added to the given ones. */
double linear_log_prior(const struct linear *l, const double *w, double *gradient);
double linear_log_likelihood(const struct linear *l, const double *w, double *gradient);
/* The exact posterior: mean (coefs), covariance (coefs, coefs), lower Cholesky factor of it, log p(y). */
struct linear_exact {
    double mean[LINEAR_MOST], covariance[LINEAR_MOST * LINEAR_MOST], factor[LINEAR_MOST * LINEAR_MOST], log_evidence;
};
void linear_solve(const struct linear *l, struct linear_exact *out);
/* Parameters of a multivariate_normal over LINEAR_MOST numbers against the exact posterior. `tolerance`: of means in posterior
 * standard deviations, of covariances in products of two. */
void linear_check_normal(const double *params, const struct linear_exact *exact, double tolerance);

/* Lower Cholesky factor of (n, n), and the solution of A x = b for n <= LINEAR_MOST. */
void small_cholesky(const double *a, int n, double *factor);
void small_solve(const double *a, int n, const double *b, double *x);

/* ---- other models --------------------------------------------------------------------------------------------- */

/* Eight schools: mu ~ N(0, 5), tau ~ HalfNormal(5), z_j ~ N(0, 1), y_j ~ N(mu + tau z_j, sigma_j). Not centred, because
 * the density of the centred form has no maximum, which delta and laplace look for. */
crd_node schools_model(crd_trace *t, void *none);
/* A network 1-3-1 with tanh on ten rows, and a noise scale. */
crd_node network_model(crd_trace *t, void *none);

/* ---- a loss --------------------------------------------------------------------------------------------------- */

struct loss_at {
    crdi_guide *guide;
    crdi_elbo elbo;
    crd_exec *exec;
    int64_t params;
};

/* Fails like crdi_guide_create and crdi_elbo_create; nothing is then open. */
crd_status loss_open(crd_context *ctx, const crdi_guide_request *request, const char *loss, int64_t particles,
                     struct loss_at *out);
void loss_close(struct loss_at *at);
/* Its results: see CRDI_ELBO_LOSS; borrowed until the next run. */
const double *loss_run(struct loss_at *at, const double *params, crd_key key, double baseline);

#endif
