/* laplace_text.c - see laplace_text.h. */
#include "report/laplace_text.h"

#include <math.h>
#include <string.h>

static bool tuned(const crdi_laplace_record *r)
{
    return strcmp(r->tune, "none") != 0;
}

static bool tuned_prior(const crdi_laplace_record *r)
{
    return strcmp(r->tune, "prior") == 0 || strcmp(r->tune, "all") == 0;
}

/* Prior standard deviations are divided by the root of the factor. */
static void add_factors(crdi_string *out, const crdi_laplace_record *r)
{
    int64_t n = crd_shape_size(r->factors.shape);
    bool last = strcmp(r->hessian, "last_layer") == 0;
    crdi_string_append(out, "tuned:       prior sd times");
    for (int64_t g = last ? n - 1 : 0; g < n; g++)
        crdi_string_append(out, "%s %.4g", g && !last ? "," : "", 1 / sqrt(r->factors.data[g]));
    crdi_string_append(out, "%s\n", last ? " in the last layer" : n > 1 ? ", layer by layer" : "");
}

void crdi_laplace_lines(crdi_string *out, const crdi_laplace_record *r)
{
    crdi_string_append(out, "map:         log density %.6g, the best of %lld start%s", r->log_density,
                       (long long)r->starts, r->starts == 1 ? "" : "s");
    if (r->failed_starts)
        crdi_string_append(out, " (%lld failed)", (long long)r->failed_starts);
    crdi_string_append(out, "\nhessian:     %s, %lld", r->hessian, (long long)r->random);
    if (r->random < r->weights)
        crdi_string_append(out, " of %lld", (long long)r->weights);
    crdi_string_append(out, " weights, of which the data determine %.4g\n", r->effective);
    if (tuned_prior(r))
        add_factors(out, r);
    if (!isnan(r->noise))
        crdi_string_append(out, "noise:       s = %.4g, %s\n", r->noise,
                           tuned(r) && strcmp(r->tune, "prior") != 0 ? "by the evidence" : "its most probable value");
    crdi_string_append(out, "evidence:    log evidence %.6g, log likelihood %.6g at the most probable weights\n",
                       r->log_evidence, r->log_likelihood);
}

void crdi_laplace_json(crdi_json_writer *w, const crdi_laplace_record *r)
{
    crdi_json_open(w, "laplace", '{');
    crdi_json_put_text(w, "hessian", r->hessian);
    crdi_json_put_text(w, "tune", r->tune);
    crdi_json_put_text(w, "precisions", r->precisions);
    crdi_json_put_integer(w, "weights", r->weights);
    crdi_json_put_integer(w, "random_weights", r->random);
    crdi_json_put_number_or_null(w, "effective_weights", r->effective);
    crdi_json_put_integer(w, "starts", r->starts);
    crdi_json_put_integer(w, "failed_starts", r->failed_starts);
    crdi_json_put_integer(w, "best_start", r->best_start);
    crdi_json_put_number_or_null(w, "log_density", r->log_density);
    crdi_json_put_number_or_null(w, "largest_slope", r->gradient);
    crdi_json_put_number_or_null(w, "noise", r->noise);
    crdi_json_put_number_or_null(w, "log_likelihood", r->log_likelihood);
    crdi_json_put_number_or_null(w, "log_evidence", r->log_evidence);
    crdi_json_put_bool(w, "finished", r->finished);
    crdi_json_put_integer(w, "rounds", r->rounds);
    crdi_json_put_bool(w, "converged", r->converged);
    crdi_json_open(w, "precision_factors", '[');
    for (int64_t g = 0; g < crd_shape_size(r->factors.shape); g++)
        crdi_json_put_number_or_null(w, NULL, r->factors.data[g]);
    crdi_json_close(w, ']');
    crdi_json_close(w, '}');
}

void crdi_laplace_notes(crdi_string *out, const crdi_laplace_record *r)
{
    if (tuned(r) && !r->converged)
        crdi_string_append(out,
                           "note: %lld rounds did not bring the evidence to its maximum; what it sets is rough: try "
                           "--precisions one or another --hessian\n",
                           (long long)r->rounds);
    if (!r->finished)
        crdi_string_append(
            out,
            "note: the log density still has a slope of %.2g at the most probable weights: the search was cut "
            "off; try a smoother --activation or narrower priors\n",
            r->gradient);
    for (int64_t g = 0; tuned_prior(r) && g < crd_shape_size(r->factors.shape); g++)
        if (fabs(log(r->factors.data[g])) > 17)
            crdi_string_append(
                out, "note: the evidence would have the prior of %s%lld ever %s: its factor was held at %.1g\n",
                crd_shape_size(r->factors.shape) > 1 ? "layer " : "all weights, group ", (long long)g,
                r->factors.data[g] > 1 ? "narrower" : "wider", r->factors.data[g]);
}
