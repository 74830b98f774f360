/* variational.c - see variational.h. */
#include "report/variational.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

static void path_lines(crdi_string *out, const crdi_variational *v)
{
    double most = 0;
    for (int64_t i = 0; i < v->paths; i++)
        most = fmax(most, v->loss_by_step.data[i]);
    crdi_string_append(out, "paths:       %lld of %lld came to a normal, L-BFGS iterations up to %.0f\n",
                       (long long)(v->paths - v->failed_paths), (long long)v->paths, most);
    crdi_string_append(out, "ELBO:        %.6g, the best path's\n", v->elbo);
    crdi_string_append(out, "Pareto k:    %.2f of the importance weights of %lld draws (good up to %.2f)\n", v->k_hat,
                       (long long)v->k_draws, crd_psis_good_k(v->k_draws));
}

void crdi_variational_lines(crdi_string *out, const crdi_variational *v)
{
    if (v->paths > 0) {
        path_lines(out, v);
        return;
    }
    crdi_string_append(out, "guide:       %s, %lld steps (%s)", v->guide, (long long)v->steps, v->end);
    if (v->skipped)
        crdi_string_append(out, ", %lld skipped", (long long)v->skipped);
    /* Bounds by importance weights are no sums of the two. */
    bool sum = strncmp(v->loss, "trace", 5) == 0;
    crdi_string_append(out, "\nloss:        %.6g%s divergence %.6g - log likelihood %.6g%s", v->final_loss,
                       sum ? " =" : "; for trace", v->final_divergence, -v->final_likelihood,
                       sum ? "" : " would be it");
    if (v->last > 1)
        crdi_string_append(out, ", mean of the last %lld steps", (long long)v->last);
    crdi_string_append(out, "\n");
    if (v->restarts > 1) {
        double worst = v->final_loss;
        int64_t failed = 0;
        for (int64_t r = 0; r < v->restarts; r++) {
            double loss = v->loss_by_restart.data[r];
            failed += !isfinite(loss);
            worst = isfinite(loss) ? fmax(worst, loss) : worst;
        }
        crdi_string_append(out, "restarts:    number %lld of %lld kept; their losses go up to %.6g",
                           (long long)v->restart + 1, (long long)v->restarts, worst);
        if (failed)
            crdi_string_append(out, ", %lld failed", (long long)failed);
        crdi_string_append(out, "\n");
    }
    if (!isnan(v->elbo))
        crdi_string_append(out, "ELBO:        %.6g +- %.2g, a lower bound of the log evidence\n", v->elbo,
                           v->elbo_error);
    if (!isnan(v->log_evidence))
        crdi_string_append(out, "evidence:    log evidence %.6g by the curvature at the maximum\n", v->log_evidence);
    if (!isnan(v->k_hat))
        crdi_string_append(out, "Pareto k:    %.2f of the importance weights of %lld draws (good up to %.2f)\n",
                           v->k_hat, (long long)v->k_draws, crd_psis_good_k(v->k_draws));
}

static void put_number_or_null(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

void crdi_variational_json(crdi_json_writer *w, const crdi_variational *v)
{
    if (v->paths > 0) {
        crdi_json_open(w, "pathfinder", '{');
        crdi_json_put_integer(w, "paths", v->paths);
        crdi_json_put_integer(w, "failed_paths", v->failed_paths);
        put_number_or_null(w, "elbo", v->elbo);
        put_number_or_null(w, "pareto_k", v->k_hat);
        crdi_json_close(w, '}');
        return;
    }
    crdi_json_open(w, "variational", '{');
    crdi_json_put_text(w, "guide", v->guide);
    crdi_json_put_text(w, "loss", v->loss);
    crdi_json_put_text(w, "optimizer", v->optimizer);
    crdi_json_put_text(w, "end", v->end);
    crdi_json_put_integer(w, "particles", v->particles);
    crdi_json_put_integer(w, "steps", v->steps);
    crdi_json_put_integer(w, "skipped", v->skipped);
    crdi_json_put_integer(w, "restart", v->restart);
    put_number_or_null(w, "final_loss", v->final_loss);
    put_number_or_null(w, "final_divergence", v->final_divergence);
    put_number_or_null(w, "final_minus_log_likelihood", v->final_likelihood);
    put_number_or_null(w, "elbo", v->elbo);
    put_number_or_null(w, "elbo_standard_error", v->elbo_error);
    put_number_or_null(w, "log_evidence", v->log_evidence);
    put_number_or_null(w, "pareto_k", v->k_hat);
    crdi_json_open(w, "losses_of_restarts", '[');
    for (int64_t r = 0; r < v->restarts; r++)
        put_number_or_null(w, NULL, v->loss_by_restart.data[r]);
    crdi_json_close(w, ']');
    crdi_json_close(w, '}');
}

void crdi_variational_notes(crdi_string *out, const crdi_variational *v)
{
    double good = crd_psis_good_k(v->k_draws);
    if (v->k_hat > good && v->paths > 0)
        crdi_string_append(
            out,
            "note: Pareto k of the paths' normals is %.2f, above %.2f: they differ much from the posterior, "
            "and the draws may be few distinct ones; as starts they serve: --method nuts --start pathfinder\n",
            v->k_hat, good);
    else if (v->k_hat > good)
        crdi_string_append(
            out,
            "note: Pareto k of the guide is %.2f, above %.2f: it differs much from the posterior; believe its "
            "spread only roughly, try another --guide, more --restarts, or --method nuts\n",
            v->k_hat, good);
    if (v->steps > 0 && (double)v->skipped > 0.01 * (double)v->steps)
        crdi_string_append(
            out,
            "note: %lld of %lld steps were skipped because the loss was not finite; try a smaller rate or "
            "clip_by_global_norm:10 before the optimizer\n",
            (long long)v->skipped, (long long)v->steps);
}
