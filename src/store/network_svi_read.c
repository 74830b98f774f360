/* network_svi_read.c - see network_svi.h. */
#include "infer/svi/svi.h"
#include "store/network_svi.h"

#include <math.h>
#include <string.h>

/* Of as many of the last steps as the final loss is the mean of. */
int64_t crdi_svi_last_steps(const char *optimizer, int64_t steps)
{
    if (strcmp(optimizer, "lbfgs") == 0)
        return steps < 1 ? steps : 1;
    return steps < CRDI_SVI_LAST ? steps : CRDI_SVI_LAST;
}

bool crdi_run_is_variational(crd_run *run)
{
    return crdi_run_has(run, "svi_guide") || crdi_run_has(run, "pathfinder_k_hat");
}

bool crdi_run_is_point(crd_run *run)
{
    return crdi_run_has(run, "svi_point");
}

/* The bound is that of the best path; what a guide has and paths do not is NaN or 0. */
static crd_status read_paths(crd_run *run, crdi_variational *v)
{
    int64_t path_draws;
    CRD_TRY(crdi_run_get_number(run, "pathfinder_k_hat", &v->k_hat));
    CRD_TRY(crdi_run_get_integer(run, "pathfinder_path_draws", &path_draws));
    CRD_TRY(crdi_run_get_array(run, "pathfinder_elbo", &v->loss_by_restart));
    CRD_TRY(crdi_run_get_array(run, "pathfinder_iterations", &v->loss_by_step));
    v->paths = crd_shape_size(v->loss_by_restart.shape);
    v->final_loss = v->final_divergence = v->final_likelihood = v->elbo_error = v->log_evidence = NAN;
    v->elbo = -INFINITY;
    for (int64_t i = 0; i < v->paths; i++) {
        v->failed_paths += !isfinite(v->loss_by_restart.data[i]);
        v->elbo = fmax(v->elbo, v->loss_by_restart.data[i]);
    }
    v->k_draws = (v->paths - v->failed_paths) * path_draws;
    return CRD_OK;
}

static crd_status read_training(crd_run *run, crdi_variational *v)
{
    crd_array y;
    if (crdi_run_has(run, "svi_plain"))
        CRD_TRY(crdi_run_get_text(run, "svi_plain", &v->plain));
    if (crdi_run_has(run, "svi_members"))
        CRD_TRY(crdi_run_get_integer(run, "svi_members", &v->members));
    if (crdi_run_has(run, "svi_batch"))
        CRD_TRY(crdi_run_get_integer(run, "svi_batch", &v->batch));
    if (!crdi_run_has(run, "svi_epoch"))
        return CRD_OK;
    CRD_TRY(crdi_run_get_integer(run, "svi_epoch", &v->epoch));
    CRD_TRY(crdi_run_get_array(run, "svi_watched", &v->watched));
    CRD_TRY(crdi_run_get_array(run, "svi_held_out", &v->least_held_out));
    CRD_TRY(crdi_run_get_array(run, "svi_best_step", &v->best_step));
    CRD_TRY(crdi_run_get_array(run, "y_held_out", &y));
    v->held_out = y.shape.dim[0];
    crd_array_clear(&y);
    return CRD_OK;
}

static crd_status read_all(crd_run *run, crdi_variational *v)
{
    const struct {
        const char *key;
        double *out;
    } numbers[] = {{"svi_final_loss", &v->final_loss},
                   {"svi_final_divergence", &v->final_divergence},
                   {"svi_final_likelihood", &v->final_likelihood},
                   {"svi_elbo", &v->elbo},
                   {"svi_elbo_error", &v->elbo_error},
                   {"svi_k_hat", &v->k_hat},
                   {"svi_log_evidence", &v->log_evidence}};
    CRD_TRY(crdi_run_get_text(run, "svi_guide", &v->guide));
    CRD_TRY(crdi_run_get_text(run, "svi_loss", &v->loss));
    CRD_TRY(crdi_run_get_text(run, "svi_optimizer", &v->optimizer));
    CRD_TRY(crdi_run_get_text(run, "svi_end", &v->end));
    CRD_TRY(crdi_run_get_integer(run, "svi_particles", &v->particles));
    CRD_TRY(crdi_run_get_integer(run, "svi_skipped", &v->skipped));
    CRD_TRY(crdi_run_get_integer(run, "svi_restart", &v->restart));
    CRD_TRY(crdi_run_get_integer(run, "svi_k_draws", &v->k_draws));
    for (int i = 0; i < CRDI_COUNT(numbers); i++)
        CRD_TRY(crdi_run_get_number(run, numbers[i].key, numbers[i].out));
    CRD_TRY(crdi_run_get_array(run, "svi_loss", &v->loss_by_step));
    CRD_TRY(crdi_run_get_array(run, "svi_restarts", &v->loss_by_restart));
    v->steps = crd_shape_size(v->loss_by_step.shape);
    v->last = crdi_svi_last_steps(v->optimizer, v->steps);
    v->restarts = crd_shape_size(v->loss_by_restart.shape);
    v->point = crdi_run_is_point(run);
    return read_training(run, v);
}

crd_status crdi_variational_read(crd_context *ctx, crd_run *run, crdi_variational *out)
{
    *out = (crdi_variational){0};
    crd_status status = crdi_run_has(run, "svi_guide") ? read_all(run, out) : read_paths(run, out);
    if (status < 0)
        crdi_variational_clear(ctx, out);
    return status;
}

void crdi_variational_clear(crd_context *ctx, crdi_variational *v)
{
    crdi_free(ctx, v->guide);
    crdi_free(ctx, v->loss);
    crdi_free(ctx, v->optimizer);
    crdi_free(ctx, v->end);
    crdi_free(ctx, v->plain);
    crd_array_clear(&v->watched);
    crd_array_clear(&v->least_held_out);
    crd_array_clear(&v->best_step);
    crd_array_clear(&v->loss_by_step);
    crd_array_clear(&v->loss_by_restart);
    *v = (crdi_variational){0};
}
