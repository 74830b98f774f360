/* network_svi.h - what a run file says of a variational fit beyond its draws: entries and arrays, listed in
 * docs/dev/run_file.md. */
#ifndef CRDI_NETWORK_SVI_H
#define CRDI_NETWORK_SVI_H

#include "store/network_run.h"

typedef struct crdi_variational {
    /* Of training. */
    bool point; /* the draws are points: one, or the members of an ensemble */
    char *plain; /* what the mean loss is of ("cross-entropy"), without priors; NULL; owned */
    int64_t members; /* of an ensemble; 0: it is none */
    int64_t batch; /* rows of a step; 0: all */
    int64_t held_out; /* rows held out; 0: none */
    int64_t epoch; /* steps; after each the rows held out were looked at */
    crd_array watched, least_held_out, best_step; /* their loss then; the least by restart, and after how many steps */
    int64_t paths, failed_paths; /* of Pathfinder; paths 0: a fitted guide, and the four below are there */
    char *guide, *loss, *optimizer, *end; /* owned */
    int64_t particles, steps, skipped, restart, restarts;
    double final_loss; /* mean of the last steps */
    int64_t last; /* of so many: 500, or 1 where the loss has no noise (lbfgs) */
    double final_divergence, final_likelihood; /* its parts, in the same way */
    double elbo, elbo_error; /* NaN: the guide is a point */
    double k_hat; /* Pareto k of the importance weights of the draws; NaN: the guide is a point */
    int64_t k_draws; /* of so many */
    double log_evidence; /* of Laplace; NaN */
    crd_array loss_by_step, loss_by_restart; /* (steps), (restarts) */
} crdi_variational;

/* Of as many of the last steps is the final loss the mean. */
int64_t crdi_svi_last_steps(const char *optimizer, int64_t steps);

/* Whether a run is a variational one, or a trained one: its draws are independent. */
bool crdi_run_is_variational(crd_run *run);
/* Whether its draws are points: one, or the members of an ensemble. */
bool crdi_run_is_point(crd_run *run);
crd_status crdi_variational_read(crd_context *ctx, crd_run *run, crdi_variational *out);
void crdi_variational_clear(crd_context *ctx, crdi_variational *v);

#endif
