/* variational.c - see variational.h. */
#include "report/variational.h"
#include "report/text.h"

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

static const char *what_of(const crdi_variational *v)
{
    if (!v->point)
        return v->guide;
    if (v->members > 0)
        return v->plain ? "networks trained apart" : "most probable points";
    return v->plain ? "plain training" : "most probable point";
}

static void loss_line(crdi_string *out, const crdi_variational *v)
{
    /* Bounds by importance weights are no sums of the two. */
    bool sum = strncmp(v->loss, "trace", 5) == 0;
    if (v->plain)
        crdi_string_append(out, "loss:        %.6g %s a row", v->final_loss, v->plain);
    else if (v->point)
        crdi_string_append(out, "loss:        %.6g = - log prior %.6g - log likelihood %.6g", v->final_loss,
                           -v->final_divergence, -v->final_likelihood);
    else
        crdi_string_append(out, "loss:        %.6g%s divergence %.6g - log likelihood %.6g%s", v->final_loss,
                           sum ? " =" : "; for trace", v->final_divergence, -v->final_likelihood,
                           sum ? "" : " would be it");
    if (v->last > 1)
        crdi_string_append(out, ", mean of the last %lld steps", (long long)v->last);
    crdi_string_append(out, "\n");
}

/* Of restarts or members. */
static void spread_line(crdi_string *out, const crdi_variational *v)
{
    double worst = -INFINITY, best = INFINITY;
    int64_t failed = 0, waiting = 0;
    for (int64_t r = 0; r < v->restarts; r++) {
        double loss = v->loss_by_restart.data[r];
        failed += isinf(loss);
        waiting += isnan(loss);
        worst = isfinite(loss) ? fmax(worst, loss) : worst;
        best = fmin(best, loss);
    }
    if (v->members > 0) {
        crdi_string_append(out, "members:     %lld, their losses %.6g to %.6g\n", (long long)v->members, best, worst);
        return;
    }
    if (v->restarts == 1)
        return;
    crdi_string_append(out, "restarts:    fit %lld of 0 to %lld kept; their losses go up to %.6g",
                       (long long)v->restart, (long long)v->restarts - 1, worst);
    if (failed)
        crdi_string_append(out, ", %lld failed", (long long)failed);
    if (waiting)
        crdi_string_append(out, ", %lld not begun", (long long)waiting);
    crdi_string_append(out, "\n");
}

/* The parameters kept are those with the least loss there. */
static void held_out_line(crdi_string *out, const crdi_variational *v)
{
    if (v->members == 0) {
        crdi_string_append(
            out, "held out:    %lld rows, least loss %.6g a row after %.0f steps: these parameters are kept\n",
            (long long)v->held_out, v->least_held_out.data[v->restart], v->best_step.data[v->restart]);
        return;
    }
    double sum = 0, first = v->best_step.data[0], last = first;
    for (int64_t m = 0; m < v->restarts; m++) {
        sum += v->least_held_out.data[m] / (double)v->restarts;
        first = fmin(first, v->best_step.data[m]);
        last = fmax(last, v->best_step.data[m]);
    }
    crdi_string_append(out, "held out:    %lld rows, least losses %.6g a row in the mean, after %.0f to %.0f steps\n",
                       (long long)v->held_out, sum, first, last);
}

void crdi_variational_lines(crdi_string *out, const crdi_variational *v)
{
    if (v->paths > 0) {
        path_lines(out, v);
        return;
    }
    crdi_string_append(out, "%-12s %s, %lld steps (%s)",
                       v->members > 0 ? "points:"
                       : v->point     ? "point:"
                                      : "guide:",
                       what_of(v), (long long)v->steps, v->end);
    if (v->skipped)
        crdi_string_append(out, ", %lld skipped", (long long)v->skipped);
    if (v->batch)
        crdi_string_append(out, ", batches of %lld rows", (long long)v->batch);
    crdi_string_append(out, "\n");
    loss_line(out, v);
    spread_line(out, v);
    if (v->held_out)
        held_out_line(out, v);
    if (!isnan(v->elbo))
        crdi_string_append(out, "ELBO:        %.6g +- %.2g, a lower bound of the log evidence\n", v->elbo,
                           v->elbo_error);
    if (!isnan(v->log_evidence))
        crdi_string_append(out, "evidence:    log evidence %.6g by the curvature at the maximum\n", v->log_evidence);
    if (!isnan(v->k_hat))
        crdi_string_append(out, "Pareto k:    %.2f of the importance weights of %lld draws (good up to %.2f)\n",
                           v->k_hat, (long long)v->k_draws, crd_psis_good_k(v->k_draws));
}

static void put_list(crdi_json_writer *w, const char *key, const crd_array *list)
{
    crdi_json_open(w, key, '[');
    for (int64_t i = 0; i < crd_shape_size(list->shape); i++)
        crdi_json_put_number_or_null(w, NULL, list->data[i]);
    crdi_json_close(w, ']');
}

void crdi_variational_json(crdi_json_writer *w, const crdi_variational *v)
{
    if (v->paths > 0) {
        crdi_json_open(w, "pathfinder", '{');
        crdi_json_put_integer(w, "paths", v->paths);
        crdi_json_put_integer(w, "failed_paths", v->failed_paths);
        crdi_json_put_number_or_null(w, "elbo", v->elbo);
        crdi_json_put_number_or_null(w, "pareto_k", v->k_hat);
        crdi_json_close(w, '}');
        return;
    }
    crdi_json_open(w, v->point ? "training" : "variational", '{');
    if (v->plain)
        crdi_json_put_text(w, "loss_of", v->plain);
    if (v->members > 0)
        crdi_json_put_integer(w, "members", v->members);
    if (v->batch)
        crdi_json_put_integer(w, "batch", v->batch);
    if (v->held_out) {
        crdi_json_put_integer(w, "held_out", v->held_out);
        put_list(w, "least_held_out", &v->least_held_out);
        put_list(w, "best_step", &v->best_step);
    }
    crdi_json_put_text(w, "guide", v->guide);
    crdi_json_put_text(w, "loss", v->loss);
    crdi_json_put_text(w, "optimizer", v->optimizer);
    crdi_json_put_text(w, "end", v->end);
    crdi_json_put_integer(w, "particles", v->particles);
    crdi_json_put_integer(w, "steps", v->steps);
    crdi_json_put_integer(w, "skipped", v->skipped);
    crdi_json_put_integer(w, "restart", v->restart);
    crdi_json_put_number_or_null(w, "final_loss", v->final_loss);
    crdi_json_put_number_or_null(w, "final_divergence", v->final_divergence);
    crdi_json_put_number_or_null(w, "final_minus_log_likelihood", v->final_likelihood);
    crdi_json_put_number_or_null(w, "elbo", v->elbo);
    crdi_json_put_number_or_null(w, "elbo_standard_error", v->elbo_error);
    crdi_json_put_number_or_null(w, "log_evidence", v->log_evidence);
    crdi_json_put_number_or_null(w, "pareto_k", v->k_hat);
    put_list(w, v->members ? "losses_of_members" : "losses_of_restarts", &v->loss_by_restart);
    crdi_json_close(w, '}');
}

void crdi_variational_notes(crdi_string *out, const crdi_variational *v)
{
    double good = crd_psis_good_k(v->k_draws);
    int digits = crdi_text_digits(v->k_hat, good);
    if (v->k_hat > good && v->paths > 0)
        crdi_string_append(
            out,
            "note: Pareto k of the paths' normals is %.*f, above %.*f: they differ much from the posterior, "
            "and the draws may be few distinct ones; as starts they serve: --method nuts --start pathfinder\n",
            digits, v->k_hat, digits, good);
    else if (v->k_hat > good)
        crdi_string_append(
            out,
            "note: Pareto k of the guide is %.*f, above %.*f: it differs much from the posterior; believe its "
            "spread only roughly, try another --guide, more --restarts, or --method nuts\n",
            digits, v->k_hat, digits, good);
    if (v->steps > 0 && (double)v->skipped > 0.01 * (double)v->steps)
        crdi_string_append(
            out,
            "note: %lld of %lld steps were skipped because the loss was not finite; try a smaller rate or "
            "clip_by_global_norm:10 before the optimizer\n",
            (long long)v->skipped, (long long)v->steps);
}
