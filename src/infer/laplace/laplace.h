/* laplace.h - the Laplace approximation of the command line's network: a normal about its most probable weights.
 *
 * The weights' posterior is taken as normal(theta*, H^-1), with theta* the most probable weights and
 *     H = sum over rows of J' Lambda J + P,
 * the generalised Gauss-Newton matrix (Schraudolph 2002): J = df/dtheta (outputs, weights) of a row at theta*, Lambda
 * minus the second derivative of its log likelihood in f, P the precision of the prior. The noise s of a normal
 * likelihood is a number: its most probable value, or the one that the evidence says. Predictions come from the network
 * made linear in its weights, f* + J (theta - theta*), for which H is exact (Immer, Korzepa & Bauer 2021, sec. 3).
 *
 * The log evidence is log p(y | theta*, s) + log p(theta*) + (dim/2) log 2 pi - (1/2) log|H| (MacKay 1992).
 *
 * Weights stand by layers, each as ((inputs + 1), units), the kernel with the bias as its last row: so the Jacobian of a
 * layer is the product of its inputs, a 1 behind them, and the derivatives in what it puts out. */
#ifndef CRDI_LAPLACE_H
#define CRDI_LAPLACE_H

#include "base/options.h"
#include "nn/likelihood.h"

#include <credence/model.h>
#include <credence/nn.h>

/* Settings: rows of laplace_options.def, but for what stands below the line. */
typedef struct crdi_laplace_options {
    const char *hessian; /* a name of hessians.def */
    int64_t map_starts;
    const char *tune; /* auto, none, noise, prior, all; once created what auto means */
    const char *precisions; /* one, layer */
    /* ---- */
    const char *start; /* of the search; NULL: uniform */
    double init_radius; /* 0: 2 */
    int threads; /* of the search; 0: as many as processors */
    int (*stop)(void *user); /* polled before every start and round; NULL: none */
    void *stop_user;
} crdi_laplace_options;
extern const crdi_option_table crdi_laplace_option_table;

enum { CRDI_LAPLACE_LAYERS = 33, CRDI_LAPLACE_OUTPUTS = 512 };

/* A dense layer. */
typedef struct crdi_laplace_layer {
    int64_t in, out; /* of the kernel */
    int64_t first, size; /* where its weights stand in theta, and how many: (in + 1) out */
    int64_t kernel, bias; /* where the model's u has them: weights are unconstrained */
    int kernel_site, bias_site; /* sites of the model */
    int group; /* of its precision */
} crdi_laplace_layer;

/* Some rows of data and what the network makes of them at theta*. Arrays have the rows along the last axis, `capacity` apart. */
typedef struct crdi_laplace_block {
    int64_t rows, capacity;
    double *f; /* (outputs, capacity) */
    double *input[CRDI_LAPLACE_LAYERS]; /* (in + 1, capacity), the last row 1 */
    double *slope
        [CRDI_LAPLACE_LAYERS]; /* (outputs, out, capacity): df_c/dz; after crdi_laplace_weigh R df/dz, Lambda = R'R */
} crdi_laplace_block;

typedef struct crdi_laplace crdi_laplace;

/* A form of H: src/infer/laplace/hessian_NAME.c and a row of hessians.def. */
typedef struct crdi_hessian_type {
    const char *name;
    bool last_layer; /* only the last layer's weights are random */
    /* Refuses what is too large (CRD_EINVAL) or not of this form, and makes l->state in the arena. */
    crd_status (*create)(crdi_laplace *l);
    /* Sets the sum over rows to 0; adds a weighted block; makes what it needs of the whole. */
    void (*begin)(crdi_laplace *l);
    void (*add)(crdi_laplace *l, const crdi_laplace_block *block);
    void (*end)(crdi_laplace *l);
    /* H = l->curvature sum + precisions times l->factor of their groups: sets l->log_det and l->trace (groups), the factor times
     * the trace of H^-1 P of each group. False: not positive definite. */
    bool (*solve)(crdi_laplace *l, bool traces);
    /* delta (l->random) = a draw of normal(0, H^-1) from standard normal numbers. */
    void (*draw)(const crdi_laplace *l, const double *noise, double *delta);
    /* Optional, with S S' = H^-1 of the last solve with traces: out = S'g, out = S z, all (random). */
    void (*whiten)(const crdi_laplace *l, const double *g, double *out);
    void (*unwhiten)(const crdi_laplace *l, const double *z, double *out);
    /* J H^-1 J' of each row: (capacity, outputs, outputs). The block is not weighted, and may be overwritten. */
    crd_status (*variance)(const crdi_laplace *l, crdi_laplace_block *block, double *out);
} crdi_hessian_type;

struct crdi_laplace {
    crd_context *ctx;
    crdi_arena *arena;
    crdi_laplace_options options;
    crd_network network; /* a copy of the settings; what they point at is borrowed */
    const crdi_likelihood *likelihood;
    const crdi_hessian_type *type;
    void *state; /* of the type */
    /* The model and its parts. */
    crd_model *model;
    crdi_laplace_layer layer[CRDI_LAPLACE_LAYERS];
    int layers;
    int64_t count; /* weights in all */
    int64_t first, random; /* those that are random: all, or the last layer's */
    int64_t outputs, rows;
    int noise_site; /* -1: none */
    crd_program *jacobian_program, *prior_program;
    crd_exec *jacobian; /* (theta, x (in, capacity), which output) -> f, inputs of layers behind the first, slopes */
    crd_exec *prior; /* (theta) -> log p of each weight, minus its second derivative */
    crdi_laplace_block block;
    double *root; /* (outputs, outputs) of one row */
    bool normal_priors;
    double *loc; /* (count) of normal priors */
    /* Hyper-parameters. */
    int groups;
    double factor[CRDI_LAPLACE_LAYERS]; /* by group: of the prior's precision; 1 unless tuned */
    double noise; /* s; 1 where there is none */
    double curvature; /* of the sum over rows, which is taken for s = 1: 1 / s^2 */
    /* The point, and what was found there. */
    double *theta; /* (count) */
    double *precision; /* (count) of the prior, without the factor */
    double *log_prior; /* (count) without the factor */
    double log_likelihood, squares; /* squares: of the residuals, for a normal likelihood */
    double log_det, log_evidence;
    double trace[CRDI_LAPLACE_LAYERS]; /* by group */
    bool held; /* weights that are not random stay where they are when the others are sought */
    /* How it went. */
    int64_t evaluations, rounds; /* of the gradient; of tuning */
    int64_t best_start, failed_starts;
    double gradient; /* the largest |element| at theta*, of the log density */
    bool finished; /* the search for theta* was not cut off: the value no longer changed */
    bool whitens; /* the H that whiten goes by is of weights near theta */
    bool brief; /* climbs end with the evidence alone, where H may serve the next search as it is */
    double log_density; /* at theta*, but for what factors add to the constants of the prior */
    bool converged;
};

/* Compiles and checks. network: with x and y; borrowed. CRD_EUNSUPPORTED: likelihoods other than normal, bernoulli, categorical,
 * heteroscedastic noise, priors whose parameters are not known; CRD_EINVAL: too large for the form, tuning of what is not
 * there; CRD_ENAME: an unknown form. */
crd_status crdi_laplace_create(crd_context *ctx, const crd_network *network, const crdi_laplace_options *options,
                               crdi_laplace **out);
void crdi_laplace_destroy(crdi_laplace **laplace);

/* The most probable point, tuning, H. CRD_INTERRUPTED: stopped, and nothing is there. CRD_ESTART: no start came to a maximum;
 * CRD_EDOMAIN: H is not positive definite, or the most probable s is 0. */
crd_status crdi_laplace_fit(crdi_laplace *laplace, crd_key key);
/* H at a given point: theta (count), s (ignored where there is none). */
crd_status crdi_laplace_at(crdi_laplace *laplace, const double *theta, double noise);
/* Sets log_evidence from the hyper-parameters as they stand, theta* and the sum over rows; slope, if given: (groups + 1) in
 * the log of each factor, and in log s (0 where there is none), theta* held. False: not positive definite. */
bool crdi_laplace_evidence(crdi_laplace *laplace, double *slope);
/* The weights of draw d, (count): element by element theta* + normal(0, H^-1). `work`: (random). */
void crdi_laplace_draw(const crdi_laplace *laplace, crd_key key, double *theta, double *work);
/* The model's u at given weights and the present s. */
void crdi_laplace_unconstrained(const crdi_laplace *laplace, const double *theta, double *u);
/* f* (rows, outputs) and the variance of the linearised f (rows, outputs, outputs; may be NULL) at inputs x (rows, in). Costs a
 * backward pass an output and row, and for form full random^2 operations each. */
crd_status crdi_laplace_predict(crdi_laplace *laplace, const crd_array *x, double *f, double *variance);
/* log p(theta*, y), with log p(s) where s is at its most probable value or given. */
double crdi_laplace_log_density(const crdi_laplace *laplace);
/* The effective number of weights that the data determine: random less the traces (MacKay 1992). */
double crdi_laplace_effective(const crdi_laplace *laplace);
/* The prior as rules for crd_network with the tuned factors; only if they are normal. */
crd_status crdi_laplace_prior_text(const crdi_laplace *laplace, crdi_string *out);

/* ---- parts -------------------------------------------------------------------------------------------------- */

/* layers.c: finds the layers; compiles and runs the Jacobian. rows <= block->capacity, x (rows, in). */
crd_status crdi_laplace_find_layers(crdi_laplace *l);
crd_status crdi_laplace_compile_jacobian(crdi_laplace *l);
void crdi_laplace_jacobian(crdi_laplace *l, const double *x, int64_t rows);
/* likelihood.c: log likelihood and squared residuals of a block's rows, and R instead of slopes. s = 1 in R. */
bool crdi_laplace_supports(const char *likelihood);
void crdi_laplace_likelihood(crdi_laplace *l, const double *y);
void crdi_laplace_weigh(crdi_laplace *l, const double *y);
double crdi_laplace_log_likelihood(const crdi_laplace *l); /* of all rows, for the present s */
/* prior.c */
crd_status crdi_laplace_compile_prior(crdi_laplace *l);
crd_status crdi_laplace_read_prior(crdi_laplace *l); /* at theta */
double crdi_laplace_log_prior(const crdi_laplace *l,
                              double *squares); /* random weights, with factors; squares: (groups) */
double crdi_laplace_pull(const crdi_laplace *l, const double *theta, double *gradient); /* what factors add, of all */
/* map.c: moves theta (and s if `joint`) to the most probable point; from many starts, or from where they are. */
crd_status crdi_laplace_check_start(const crdi_laplace *l);
crd_status crdi_laplace_search(crdi_laplace *l, crd_key key, bool joint);
/* close: until the value no longer changes, else nearly. H is that of theta then. */
crd_status crdi_laplace_climb(crdi_laplace *l, bool close);
/* tune.c: rounds of climbing and maximising the evidence. */
crd_status crdi_laplace_tune(crdi_laplace *l);
bool crdi_laplace_tunes(const crdi_laplace *l, bool noise);
/* laplace.c: the sum over rows at theta*, the prior there, then H. */
crd_status crdi_laplace_expand(crdi_laplace *l);
/* The same without traces, and whiten goes by what it went by: half the cost. */
crd_status crdi_laplace_expand_briefly(crdi_laplace *l);
/* Evidence and traces for the sum as it is. */
crd_status crdi_laplace_judge(crdi_laplace *l);

/* dense.c: matrices by rows. */
void crdi_dense_multiply_nt(const crdi_laplace *l, const double *a, const double *b, int64_t rows, int64_t columns,
                            int64_t depth,
                            double *out); /* out (rows, columns) = a (rows, depth) b' (columns, depth)' */
void crdi_dense_multiply(const crdi_laplace *l, const double *a, bool transposed, const double *b, int64_t rows,
                         int64_t columns, int64_t depth,
                         double *out); /* a (rows, depth), or its transpose as stored, times b */
bool crdi_dense_cholesky(const crdi_laplace *l, double *a,
                         int64_t n); /* lower triangle, in place; false: not positive definite */
void crdi_dense_solve(const crdi_laplace *l, const double *lower, bool transposed, const double *b, int64_t n,
                      int64_t columns, double *out);
void crdi_dense_inverse_lower(const crdi_laplace *l, const double *lower, int64_t n, double *out);

#endif
