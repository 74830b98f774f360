/* hand.h - the tutorial's model as an expert would write it by hand for this model alone: the limit for credence.
 *
 * One hidden layer of tanh units over one input, standard normal priors, s ~ HalfCauchy(0.5), y ~ Normal(f, s): log
 * density and gradient over the unconstrained parameters, in the order of crd_model_create: bias (units), kernel
 * (units), bias and kernel (units) of the output, log s. */
#ifndef CREDENCE_HAND_H
#define CREDENCE_HAND_H

enum { HAND_ROWS = 40, HAND_WIDEST = 100, HAND_DIM = 3 * HAND_WIDEST + 2 };

/* What the loops work on, aligned for the widest registers. */
typedef struct hand_work {
    _Alignas(64) double x[HAND_ROWS];
    _Alignas(64) double y[HAND_ROWS];
    _Alignas(64) double residual[HAND_ROWS];
    _Alignas(64) double product[HAND_ROWS];
    _Alignas(64) double hidden[HAND_WIDEST * HAND_ROWS];
} hand_work;

/* Writes the gradient at u, returns the log density. */
typedef double (*hand_gradient_fn)(hand_work *work, const double *u, double *gradient);

/* `steps` leapfrog steps of size `step` with a diagonal inverse metric; what NUTS must do beside trees. Returns the log
 * density at the end; the gradient belongs to the point. */
typedef double (*hand_leapfrog_fn)(hand_work *work, double step, const double *inverse_metric, int steps, double *u,
                                   double *momentum, double *gradient);

/* A network of one width, for one instruction set. */
typedef struct hand_model {
    const char *kernels; /* as crd_context_kernels has it */
    int units;
    hand_gradient_fn gradient;
    hand_leapfrog_fn leapfrog;
} hand_model;

/* NULL where there is no such build or width. */
const hand_model *hand_find(const char *kernels, int units);

#endif
