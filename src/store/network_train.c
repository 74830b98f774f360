/* network_train.c - points: the most probable parameters, plain training, and ensembles of either.
 *
 * A point is variational inference with the guide "delta", so that there is one loop of steps (infer/svi). What is its own:
 * the draws are the points themselves, one or one a member; without priors the loss is a mean over rows; and where that is
 * the squared error, the noise s comes from the residuals. */
#include "infer/svi/svi.h"
#include "nn/likelihood.h"
#include "store/network_steps.h"

#include <math.h>
#include <string.h>

/* Residuals that are all 0 leave a noise above it: a normal density needs one. */
static const double LEAST_NOISE = 1e-8;

static bool is_ensemble(const crdi_network_fit *fit)
{
    return strcmp(fit->method, "ensemble") == 0;
}

static crd_status prepare(crdi_network_fit *fit)
{
    bool plain = crdi_network_plain(&fit->network), squares = crdi_network_squares(&fit->network);
    static const char *const noise[] = {"s"}, *const density[] = {"log_density"};
    fit->svi.guide = "delta";
    fit->svi.loss = "trace";
    fit->svi.particles = 1;
    fit->svi.members = is_ensemble(fit) ? fit->train.members : 1;
    fit->mcmc.draws = fit->svi.members;
    CRD_TRY(crdi_network_svi_create(fit, plain));
    fit->dim += squares ? crdi_network_targets(&fit->network) : 0;
    return plain ? crdi_network_svi_columns(fit, noise, squares) : crdi_network_svi_columns(fit, density, 1);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    bool plain = crdi_network_plain(&fit->network);
    if (is_ensemble(fit))
        crdi_string_append(out, "%lld %s, ", (long long)fit->train.members,
                           plain ? "networks" : "most probable points");
    if (plain)
        crdi_string_append(out, "plain training by %s, ", crdi_network_loss_name(&fit->network));
    crdi_network_svi_plan(fit, out);
}

/* ---- the noise ---------------------------------------------------------------------------------------------- */

/* The root of the mean square of the residuals of each member and target: of the rows held out where there are some, because those of
 * the others shrink with the fit; else of all. */
static crd_status find_noise(crdi_network_fit *fit, int64_t members, double *s)
{
    static const char *const keep[] = {"f"};
    crd_network *network = fit->rows ? &fit->held_out : &fit->whole;
    int64_t rows = network->y->shape.dim[0], targets = crdi_network_targets(network);
    crd_posterior *posterior;
    CRD_TRY(
        crdi_svi_draw_with(fit->fitted, network, members, keep, 1, crdi_network_key(fit, CRDI_KEY_DRAWS), &posterior));
    const double *f = crd_posterior_find(posterior, "f")->draws;
    for (int64_t m = 0; m < members; m++)
        for (int64_t j = 0; j < targets; j++) {
            double sum = 0;
            for (int64_t i = 0; i < rows; i++) {
                double miss = network->y->data[i * targets + j] - f[(m * rows + i) * targets + j];
                sum += miss * miss;
            }
            s[m * targets + j] = fmax(sqrt(sum / (double)rows), LEAST_NOISE);
        }
    crd_posterior_destroy(&posterior);
    return CRD_OK;
}

/* ---- the draws ---------------------------------------------------------------------------------------------- */

static crd_status send(crdi_network_fit *fit, const crdi_sink *sink, const crd_posterior *posterior, const double *s)
{
    const double **values = crdi_alloc_array(fit->ctx, fit->columns.count, sizeof *values);
    if (!values)
        return CRD_ENOMEM;
    for (int c = 0; c < fit->columns.count; c++) {
        const crd_column *column = crd_posterior_find(posterior, fit->columns.column[c].name);
        values[c] = column ? column->draws : s;
    }
    crd_status status = sink->draws(sink->user, 0, 0, posterior->draws, values);
    crdi_free(fit->ctx, values);
    return status;
}

static crd_status hand_over(crdi_network_fit *fit, const crdi_sink *sink)
{
    int64_t members = fit->fitted->history.members;
    crd_posterior *posterior;
    double *s = crdi_alloc_array(fit->ctx, members * crdi_network_targets(&fit->network), sizeof *s);
    crd_status status = s ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK && crdi_network_squares(&fit->network))
        status = find_noise(fit, members, s);
    if (status == CRD_OK)
        status = crd_svi_draw(fit->fitted, members, fit->mcmc.keep, fit->mcmc.keep_count,
                              crdi_network_key(fit, CRDI_KEY_DRAWS), &posterior);
    if (status == CRD_OK) {
        status = send(fit, sink, posterior, s);
        crd_posterior_destroy(&posterior);
    }
    crdi_free(fit->ctx, s);
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_status status = crdi_network_svi_fit(fit, sink, report);
    if (status < 0 || (status == CRD_INTERRUPTED && fit->fitted->history.steps == 0))
        return status;
    CRD_TRY(crdi_network_svi_describe(fit));
    CRD_TRY(crdi_run_set_integer(fit->run, "svi_point", 1));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_elbo", NAN));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_elbo_error", NAN));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_k_hat", NAN));
    CRD_TRY(crdi_run_set_integer(fit->run, "svi_k_draws", 0));
    CRD_TRY(crdi_run_set_number(fit->run, "svi_log_evidence", NAN));
    CRD_TRY(hand_over(fit, sink));
    return status == CRD_INTERRUPTED ? status : crdi_run_set_last_state(fit->run, 0, NULL, 0);
}

const crdi_network_method crdi_network_train = {
    .prepare = prepare, .draw = draw, .clear = crdi_network_svi_clear, .plan = plan, .steps = true};
