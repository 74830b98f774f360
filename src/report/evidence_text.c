/* evidence_text.c - see evidence_text.h. */
#include "report/evidence_text.h"

#include "infer/tempered/tempered.h"

#include <math.h>
#include <string.h>

static int decimals(double error)
{
    if (!(error > 0) || !isfinite(error))
        return 4;
    double digits = 1 - floor(log10(error));
    return digits < 0 ? 0 : digits > 9 ? 9 : (int)digits;
}

void crdi_evidence_number(crdi_string *out, double log_evidence, double error)
{
    int digits = decimals(error);
    crdi_string_append(out, "%.*f", digits, log_evidence);
    if (!isnan(error))
        crdi_string_append(out, " +- %.*f", digits, error);
}

void crdi_evidence_digits(crdi_string *out, double value, double error)
{
    crdi_string_append(out, "%.*f", decimals(error), value);
}

static double least(const double *values, int64_t count)
{
    double m = INFINITY;
    for (int64_t i = 0; i < count; i++)
        m = fmin(m, values[i]);
    return m;
}

static double mean(const double *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i] / (double)count;
    return sum;
}

void crdi_evidence_lines(crdi_string *out, const crd_evidence *e)
{
    int digits = decimals(e->error);
    crdi_string_append(out, "evidence:    log evidence ");
    crdi_evidence_number(out, e->log_evidence, e->error);
    if (isnan(e->error))
        crdi_string_append(out, ", of one run: its error is not known\n");
    else
        crdi_string_append(out, " (95 %% interval %.*f to %.*f, from %lld run%s)\n", digits, e->low, digits, e->high,
                           (long long)e->runs, e->runs == 1 ? "" : "s");
    if (isnan(e->effective))
        crdi_string_append(out, "tempering:   %lld temperatures; swaps accepted %.2f, at least %.2f\n",
                           (long long)e->temperatures, mean(e->accept, e->temperatures - 1),
                           least(e->accept, e->temperatures - 1));
    else
        crdi_string_append(
            out, "tempering:   %lld temperatures; moves accepted %.2f, at least %.2f; effective share %.2f at least\n",
            (long long)e->temperatures, mean(e->accept, e->temperatures), least(e->accept, e->temperatures),
            e->effective);
}

static void put_list(crdi_json_writer *w, const char *key, const double *values, int64_t count)
{
    crdi_json_open(w, key, '[');
    for (int64_t i = 0; i < count; i++)
        crdi_json_put_number_or_null(w, NULL, values[i]);
    crdi_json_close(w, ']');
}

void crdi_evidence_json(crdi_json_writer *w, const crd_evidence *e)
{
    crdi_json_open(w, "evidence", '{');
    crdi_json_put_number_or_null(w, "log_evidence", e->log_evidence);
    crdi_json_put_number_or_null(w, "standard_error", e->error);
    crdi_json_put_number_or_null(w, "low", e->low);
    crdi_json_put_number_or_null(w, "high", e->high);
    crdi_json_put_number_or_null(w, "effective_share", e->effective);
    crdi_json_put_number_or_null(w, "lag", e->lag);
    crdi_json_put_number_or_null(w, "lag_error", e->lag_error);
    put_list(w, "runs", e->run, e->runs);
    put_list(w, "beta", e->beta, e->temperatures);
    put_list(w, "accept", e->accept, e->temperatures);
    crdi_json_close(w, '}');
}

bool crdi_evidence_comes_late(const crd_evidence *e)
{
    static const double SLIGHT = 0.5;
    return e->runs > 1 && e->lag > SLIGHT && e->lag > crdi_student_95(e->runs - 1) * e->lag_error;
}

void crdi_evidence_notes(crdi_string *out, const crd_evidence *e, const char *method)
{
    static const double ROUGH = 0.5, FEW = 0.1, STUCK = 0.3, APART = 0.1;
    if (isnan(e->effective)) {
        if (least(e->accept, e->temperatures - 1) < APART)
            crdi_string_append(
                out,
                "note: between two temperatures %.2f of the swaps are accepted, below %.1f: what the prior "
                "finds does not reach the posterior; try --temperatures %lld\n",
                least(e->accept, e->temperatures - 1), APART, (long long)(2 * e->temperatures - 1));
        return;
    }
    if (e->error > ROUGH)
        crdi_string_append(out,
                           "note: the standard error of the log evidence is %.2g, above %.1f: the runs do not agree, "
                           "and its interval is rough; try a larger --anneal, or more --particles\n",
                           e->error, ROUGH);
    if (crdi_evidence_comes_late(e))
        crdi_string_append(
            out,
            "note: particles come late to what the posterior is made of: moves that should keep it raised beta x log "
            "likelihood by %.2g +- %.2g in all. The evidence is too small, by more than its error says; try --method "
            "tempering, or four times the --anneal\n",
            e->lag, e->lag_error);
    if (e->effective < FEW && strcmp(method, "ais") == 0)
        crdi_string_append(out,
                           "note: the particles' weights are worth %.2g of them, below %.1f: few have found what the "
                           "posterior is made of; try twice the --anneal\n",
                           e->effective, FEW);
    else if (e->effective < FEW)
        crdi_string_append(
            out,
            "note: at one temperature the weights were worth %.2g of the particles, below %.1f: the pilot "
            "run did not see what these saw; try more --pilot\n",
            e->effective, FEW);
    if (least(e->accept, e->temperatures) < STUCK)
        crdi_string_append(out,
                           "note: at one temperature %.2f of the moves were accepted, below %.1f; try more --pilot, or "
                           "--target-accept 0.9\n",
                           least(e->accept, e->temperatures), STUCK);
}
