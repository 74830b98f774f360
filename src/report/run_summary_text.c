/* run_summary_text.c - the summary of a run, and the end of one, as text and as JSON. */
#include "report/run_summary.h"
#include "report/evidence_text.h"
#include "report/laplace_text.h"
#include "report/starts_text.h"
#include "report/text.h"
#include "report/variational.h"

#include <math.h>
#include <string.h>

/* ---- the summary -------------------------------------------------------------------------------------------- */

/* The noise of target j: the row of s, or of s[j] where there are several. */
static const crdi_summary_row *find_noise(const crdi_run_summary *s, int64_t j)
{
    char label[32] = "s";
    if (s->target_count > 1)
        crdi_format(label, sizeof label, "s[%lld]", (long long)j);
    for (int64_t i = 0; i < s->count; i++)
        if (strcmp(s->row[i].label, label) == 0)
            return &s->row[i];
    return NULL;
}

/* That row in the target's units; false if there is none or it has them already. */
static bool noise_in_units(const crdi_run_summary *s, int64_t j, crdi_summary_row *out)
{
    const crdi_summary_row *noise = find_noise(s, j);
    if (!s->scaled || !noise)
        return false;
    double sd = s->target[j].sd;
    *out = *noise;
    out->mean *= sd;
    out->sd *= sd;
    out->median *= sd;
    out->low *= sd;
    out->high *= sd;
    return true;
}

/* The same among ArviZ's rows. Only where noise_in_units is true. */
static crdi_diagnostic_row diagnostic_in_units(const crdi_run_summary *s, int64_t j)
{
    crdi_diagnostic_row noise = s->diagnostic[find_noise(s, j) - s->row];
    double sd = s->target[j].sd;
    noise.mean *= sd;
    noise.sd *= sd;
    noise.low *= sd;
    noise.high *= sd;
    noise.mcse_mean *= sd;
    noise.mcse_sd *= sd;
    return noise;
}

static void add_ebfmi(crdi_string *out, const crdi_run_summary *s)
{
    if (!s->ebfmi)
        return;
    crdi_string_append(out, "E-BFMI of each chain:");
    for (int c = 0; c < s->part.chains; c++)
        crdi_string_append(out, " %.2f", s->ebfmi[c]);
    crdi_string_append(out, "\n");
}

/* One point: there is nothing to be summarised. */
static bool is_point(const crdi_run_summary *s)
{
    return s->svi.point && s->part.draws == 1;
}

/* Whether ArviZ's columns are printed: points have none. */
static bool has_diagnostics(const crdi_run_summary *s)
{
    return s->diagnostics && !s->svi.point;
}

void crdi_run_summary_units(crdi_string *out, const crdi_run_summary *s)
{
    crdi_summary_row noise;
    if (s->single)
        crdi_string_append(out, "Computed in single precision.\n");
    if (!s->scaled)
        return;
    if (!s->target_scaled) {
        crdi_string_append(out, "In scaled units: inputs were standardised.\n");
        return;
    }
    crdi_string_append(out, "In scaled units: inputs and target%s were standardised (", s->target_count > 1 ? "s" : "");
    for (int64_t j = 0; j < s->target_count; j++)
        crdi_string_append(out, "%s%s has sd %.6g", j ? ", " : "", s->target[j].name, s->target[j].sd);
    crdi_string_append(out, ").\n");
    for (int64_t j = 0; j < s->target_count; j++)
        if (noise_in_units(s, j, &noise) && (is_point(s) || !(noise.sd > 0))) /* held at one value */
            crdi_string_append(out, "%s in units of %s: %.4g\n", noise.label, s->target[j].name, noise.mean);
        else if (noise_in_units(s, j, &noise))
            crdi_string_append(out, "%s in units of %s: mean %.4g, std %.4g, median %.4g, %.4g to %.4g\n", noise.label,
                               s->target[j].name, noise.mean, noise.sd, noise.median, noise.low, noise.high);
}

/* What stands below the table of a variational fit. */
static void put_status(crdi_string *out, const crdi_run_summary *s)
{
    crdi_string_append(out, " (");
    crdi_text_printable(out, s->killed ? "killed" : s->status);
    crdi_string_append(out, ")");
}

/* What was chosen for a method that was not given, and what a rule came to. */
static void add_plan(crdi_string *out, const crdi_run_summary *s)
{
    if (*s->plan) {
        crdi_string_append(out, "Chosen by auto: ");
        crdi_text_printable(out, s->plan);
        crdi_string_append(out, "\n");
    }
    if (*s->ending) {
        crdi_string_append(out, "Ended: ");
        crdi_text_printable(out, s->ending);
        crdi_string_append(out, "\n");
    }
}

static crd_status add_variational(crdi_string *out, const crdi_run_summary *s)
{
    bool complete = strcmp(s->status, "complete") == 0;
    crdi_string_append(out, "\n");
    crdi_text_printable(out, s->method);
    crdi_string_append(out, ": ");
    if (is_point(s))
        crdi_string_append(out, "one point");
    else
        crdi_string_append(out, "%lld %s", (long long)s->part.draws,
                           s->svi.point   ? "members, each counts as a draw"
                           : s->svi.paths ? "draws"
                                          : "draws from the fitted guide");
    if (!complete)
        put_status(out, s);
    crdi_string_append(out, "\n");
    crdi_variational_lines(out, &s->svi);
    add_plan(out, s);
    crdi_run_summary_units(out, s);
    return crdi_run_notes(out, s);
}

static crd_status add_laplace(crdi_string *out, const crdi_run_summary *s)
{
    crdi_string_append(out, "\n");
    crdi_text_printable(out, s->method);
    crdi_string_append(out, ": %lld draws of the normal about the most probable weights\n", (long long)s->part.draws);
    crdi_laplace_lines(out, &s->laplace);
    add_plan(out, s);
    crdi_run_summary_units(out, s);
    return crdi_run_notes(out, s);
}

crd_status crdi_run_summary_text(crdi_string *out, const crdi_run_summary *s, bool full)
{
    crdi_string_append(out, "\n");
    if (has_diagnostics(s))
        CRD_TRY(crdi_diagnostic_text(out, s->diagnostic, s->count, s->prob, full));
    else if (is_point(s))
        CRD_TRY(crdi_point_text(out, s->row, s->count, full));
    else if (s->independent)
        CRD_TRY(crdi_draws_text(out, s->row, s->count, s->prob, full));
    else
        CRD_TRY(crdi_summary_text(out, s->row, s->count, s->prob, full));
    if (s->divergences >= 0)
        crdi_string_append(out, "\nNumber of divergences: %lld\n", (long long)s->divergences);
    add_ebfmi(out, s);
    if (s->laplace.hessian)
        return add_laplace(out, s);
    if (s->independent)
        return add_variational(out, s);
    crdi_text_printable(out, s->method);
    crdi_string_append(out, "%s%d chain%s of %lld draws", *s->method ? ": " : "", s->part.chains,
                       s->part.chains == 1 ? "" : "s", (long long)s->part.draws);
    if (s->warmup > 0 || (s->warmup == 0 && !crdi_method_of_particles(s->method)))
        crdi_string_append(out, " after %lld of warm-up", (long long)s->warmup);
    if (strcmp(s->status, "complete") != 0 && *s->status)
        put_status(out, s);
    if (s->part.chains < s->chains)
        crdi_string_append(out, "; %d chain%s with fewer draws left out", s->chains - s->part.chains,
                           s->chains - s->part.chains == 1 ? "" : "s");
    crdi_string_append(out, "\n");
    add_plan(out, s);
    crdi_starts_lines(out, &s->starts);
    if (s->evidence.ctx)
        crdi_evidence_lines(out, &s->evidence);
    crdi_run_summary_units(out, s);
    return crdi_run_notes(out, s);
}

/* "s (units of y)", in the arena that `names` keeps. */
static const char *label_in_units(crdi_arena *names, const crdi_run_summary *s, int64_t j)
{
    return crdi_arena_printf(names, "%s (units of %s)", find_noise(s, j)->label, s->target[j].name);
}

static crd_status summary_csv(crdi_string *out, const crdi_run_summary *s, crdi_arena *names)
{
    crdi_summary_row *rows = crdi_arena_alloc(names, (size_t)(s->count + s->target_count) * sizeof *rows);
    int64_t count = s->count;
    if (!rows)
        return CRD_ENOMEM;
    memcpy(rows, s->row, (size_t)count * sizeof *rows);
    for (int64_t j = 0; j < s->target_count; j++)
        if (noise_in_units(s, j, &rows[count]) && !(rows[count++].label = label_in_units(names, s, j)))
            return CRD_ENOMEM;
    if (is_point(s))
        return crdi_point_csv(out, rows, count);
    return s->independent ? crdi_draws_csv(out, rows, count, s->prob) : crdi_summary_csv(out, rows, count, s->prob);
}

static crd_status diagnostic_csv(crdi_string *out, const crdi_run_summary *s, crdi_arena *names)
{
    crdi_diagnostic_row *rows = crdi_arena_alloc(names, (size_t)(s->count + s->target_count) * sizeof *rows);
    crdi_summary_row noise;
    int64_t count = s->count;
    if (!rows)
        return CRD_ENOMEM;
    memcpy(rows, s->diagnostic, (size_t)count * sizeof *rows);
    for (int64_t j = 0; j < s->target_count; j++) {
        if (!noise_in_units(s, j, &noise))
            continue;
        rows[count] = diagnostic_in_units(s, j);
        if (!(rows[count++].label = label_in_units(names, s, j)))
            return CRD_ENOMEM;
    }
    return crdi_diagnostic_csv(out, rows, count, s->prob);
}

crd_status crdi_run_summary_csv(crdi_string *out, const crdi_run_summary *s)
{
    crdi_arena *names;
    CRD_TRY(crdi_arena_create(&names, s->ctx));
    crd_status status = (has_diagnostics(s) ? diagnostic_csv : summary_csv)(out, s, names);
    crdi_arena_destroy(&names);
    return status;
}

static void put_noise(crdi_json_writer *w, const crdi_run_summary *s, int64_t j)
{
    crdi_summary_row noise;
    if (!noise_in_units(s, j, &noise))
        return;
    crdi_json_open(w, "s_in_units_of_target", '{');
    crdi_json_put_number_or_null(w, "mean", noise.mean);
    crdi_json_put_number_or_null(w, "std", noise.sd);
    crdi_json_put_number_or_null(w, "median", noise.median);
    crdi_json_put_number_or_null(w, "low", noise.low);
    crdi_json_put_number_or_null(w, "high", noise.high);
    crdi_json_close(w, '}');
}

/* One target among the members of the whole; several as a list. */
static void put_targets(crdi_json_writer *w, const crdi_run_summary *s)
{
    if (s->target_count > 1)
        crdi_json_open(w, "targets", '[');
    for (int64_t j = 0; j < s->target_count; j++) {
        if (s->target_count > 1)
            crdi_json_open(w, NULL, '{');
        crdi_json_put_text(w, "target", s->target[j].name);
        crdi_json_put_number(w, "target_sd", s->target[j].sd);
        put_noise(w, s, j);
        if (s->target_count > 1)
            crdi_json_close(w, '}');
    }
    if (s->target_count > 1)
        crdi_json_close(w, ']');
}

static void put_ebfmi(crdi_json_writer *w, const crdi_run_summary *s)
{
    if (!s->ebfmi)
        return;
    crdi_json_open(w, "ebfmi", '[');
    for (int c = 0; c < s->part.chains; c++)
        crdi_json_put_number_or_null(w, NULL, s->ebfmi[c]);
    crdi_json_close(w, ']');
}

crd_status crdi_run_summary_json(crdi_string *out, const crdi_run_summary *s)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_number(&w, "prob", s->prob);
    crdi_json_put_text(&w, "method", s->method);
    crdi_json_put_text(&w, "status", s->status);
    if (s->single)
        crdi_json_put_text(&w, "precision", "single");
    if (*s->plan) {
        crdi_json_put_text(&w, "plan", s->plan);
        crdi_json_put_text(&w, "plan_rule", s->plan_rule);
    }
    if (*s->ending)
        crdi_json_put_text(&w, "ended", s->ending);
    crdi_json_put_integer(&w, "chains", s->part.chains);
    crdi_json_put_integer(&w, "draws", s->part.draws);
    if (s->divergences >= 0)
        crdi_json_put_integer(&w, "divergences", s->divergences);
    if (s->target_count > 0)
        crdi_json_put_bool(&w, "scaled", s->scaled);
    put_targets(&w, s);
    if (s->laplace.hessian)
        crdi_laplace_json(&w, &s->laplace);
    else if (s->independent)
        crdi_variational_json(&w, &s->svi);
    crdi_batch_noise_json(&w, &s->noise);
    crdi_starts_json(&w, &s->starts);
    if (s->evidence.ctx)
        crdi_evidence_json(&w, &s->evidence);
    put_ebfmi(&w, s);
    if (has_diagnostics(s))
        crdi_diagnostic_json_rows(&w, s->diagnostic, s->count);
    else
        (is_point(s)      ? crdi_point_json_rows
         : s->independent ? crdi_draws_json_rows
                          : crdi_summary_json_rows)(&w, s->row, s->count);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}

/* ---- the end of a run --------------------------------------------------------------------------------------- */

static double microseconds(const crdi_run_end *end)
{
    if (end->cost.gradient_evaluations < 1)
        return NAN;
    return 1e6 * end->cost.gradient_seconds / (double)end->cost.gradient_evaluations;
}

/* In all, and how many chains have some. */
static int64_t draws_of(const crdi_run_end *end, int64_t *chains)
{
    int64_t sum = 0;
    *chains = 0;
    for (int64_t c = 0; c < end->chains; c++) {
        sum += end->draws[c];
        *chains += end->draws[c] > 0;
    }
    return sum;
}

/* Those that the summary is of: a run that was stopped has chains of different lengths. */
static int64_t summarised(const crdi_run_end *end)
{
    return end->summary ? end->summary->part.chains * end->summary->part.draws : 0;
}

/* Of the draws that are summarised, as `credence summary` counts them. */
static int64_t divergences(const crdi_run_end *end)
{
    return end->summary && end->summary->divergences >= 0 ? end->summary->divergences : end->cost.divergences;
}

static int64_t least_draws(const crdi_run_end *end)
{
    int64_t least = end->draws[0];
    for (int64_t c = 1; c < end->chains; c++)
        least = end->draws[c] < least ? end->draws[c] : least;
    return least;
}

static void say_ending(crdi_string *out, const crdi_run_end *end)
{
    if (end->ending && *end->ending)
        crdi_string_append(out, "ended:       %s\n", end->ending);
}

static crd_status end_of_variational(crdi_string *out, const crdi_run_end *end)
{
    const crdi_run_summary *s = end->summary;
    if (s && s->svi.paths > 0)
        crdi_string_append(out, "fit:         %.2f s, %lld evaluations of the gradient\n", end->cost.sampling_seconds,
                           (long long)end->cost.gradient_evaluations);
    else
        crdi_string_append(out, "fit:         %.2f s, %.3g microseconds a step\n", end->cost.sampling_seconds,
                           microseconds(end) * (double)s->svi.particles);
    crdi_variational_lines(out, &s->svi);
    if (is_point(s))
        crdi_string_append(out, "kept:        one point in %s\n", end->path);
    else
        crdi_string_append(out, "%s %lld in %s\n",
                           s->svi.point ? "kept:       " : "draws:      ", (long long)s->part.draws, end->path);
    say_ending(out, end);
    return crdi_run_notes(out, s);
}

static crd_status end_of_laplace(crdi_string *out, const crdi_run_end *end)
{
    crdi_string_append(out, "fit:         %.2f s, %lld evaluations of the gradient\n", end->cost.sampling_seconds,
                       (long long)end->cost.gradient_evaluations);
    crdi_laplace_lines(out, &end->summary->laplace);
    crdi_string_append(out, "draws:       %lld in %s\n", (long long)end->summary->part.draws, end->path);
    say_ending(out, end);
    return crdi_run_notes(out, end->summary);
}

crd_status crdi_run_end_text(crdi_string *out, const crdi_run_end *end)
{
    const crdi_run_summary *s = end->summary;
    if (s && s->laplace.hessian)
        return end_of_laplace(out, end);
    if (s && s->independent)
        return end_of_variational(out, end);
    int64_t begun, total = draws_of(end, &begun);
    crdi_string_append(out, "%s     %.2f s\n%s    %.2f s\n",
                       end->particles ? "pilot:  " : "warm-up:", end->cost.warmup_seconds,
                       end->particles ? "runs:    " : "sampling:", end->cost.sampling_seconds);
    double each = microseconds(end);
    crdi_string_append(out, "gradients:   %lld evaluations", (long long)end->cost.gradient_evaluations);
    if (end->cost.gradient_evaluations > 0)
        crdi_string_append(out, ", %.3g %s a gradient and core", each >= 1000 ? each / 1000 : each,
                           each >= 1000 ? "ms" : "microseconds");
    crdi_string_append(out, "\n");
    if (s)
        crdi_starts_lines(out, &s->starts);
    if (s && s->evidence.ctx)
        crdi_evidence_lines(out, &s->evidence);
    if (!end->particles)
        crdi_string_append(out, "divergences: %lld\n", (long long)divergences(end));
    if (s && s->worst_r_hat && crdi_run_too_short(s))
        crdi_string_append(out, "worst r_hat: too few draws\nsmallest n_eff: too few draws\n");
    else if (s && s->worst_r_hat)
        crdi_string_append(out, "worst r_hat: %.3f (%s)\nsmallest n_eff: %.1f (%s)\n", s->worst_r_hat->r_hat,
                           s->worst_r_hat->label, s->smallest_n_eff->n_eff, s->smallest_n_eff->label);
    crdi_string_append(out, "draws:       %lld from %lld of %lld chain%s in %s\n", (long long)total, (long long)begun,
                       (long long)end->chains, end->chains == 1 ? "" : "s", end->path);
    if (s && summarised(end) < total)
        crdi_string_append(out,
                           "             of these %lld are summarised, %lld of %d chain%s; %lld of %lld are left out\n",
                           (long long)summarised(end), (long long)s->part.draws, s->part.chains,
                           s->part.chains == 1 ? "" : "s", (long long)(total - summarised(end)), (long long)total);
    say_ending(out, end);
    return s ? crdi_run_notes(out, s) : out->status;
}

crd_status crdi_run_end_json(crdi_string *out, const crdi_run_end *end)
{
    const crdi_run_summary *s = end->summary;
    const crdi_summary_row *r_hat = s ? s->worst_r_hat : NULL, *n_eff = s ? s->smallest_n_eff : NULL;
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "out", end->path);
    crdi_json_put_integer(&w, "seed", end->seed);
    crdi_json_put_integer(&w, "chains", end->chains);
    crdi_json_put_integer(&w, "draws", least_draws(end));
    crdi_json_open(&w, "draws_by_chain", '[');
    for (int64_t c = 0; c < end->chains; c++)
        crdi_json_put_integer(&w, NULL, end->draws[c]);
    crdi_json_close(&w, ']');
    crdi_json_put_bool(&w, "interrupted", end->interrupted);
    crdi_json_put_text(&w, "stop_reason", end->reason);
    if (end->ending && *end->ending)
        crdi_json_put_text(&w, "ended", end->ending);
    if (s && *s->plan) {
        crdi_json_put_text(&w, "plan", s->plan);
        crdi_json_put_text(&w, "plan_rule", s->plan_rule);
    }
    crdi_json_put_number_or_null(&w, "warmup_seconds", end->cost.warmup_seconds);
    crdi_json_put_number_or_null(&w, "sampling_seconds", end->cost.sampling_seconds);
    crdi_json_put_integer(&w, "gradient_evaluations", end->cost.gradient_evaluations);
    crdi_json_put_number_or_null(&w, "microseconds_per_gradient", microseconds(end));
    crdi_json_put_integer(&w, "summarised_chains", s ? s->part.chains : 0);
    crdi_json_put_integer(&w, "summarised_draws", s ? s->part.draws : 0);
    crdi_json_put_integer(&w, "divergences", divergences(end));
    crdi_json_put_number_or_null(&w, "worst_r_hat", r_hat ? r_hat->r_hat : NAN);
    crdi_json_put_text(&w, "worst_r_hat_site", r_hat ? r_hat->label : NULL);
    crdi_json_put_number_or_null(&w, "smallest_n_eff", n_eff ? n_eff->n_eff : NAN);
    crdi_json_put_text(&w, "smallest_n_eff_site", n_eff ? n_eff->label : NULL);
    if (s && s->laplace.hessian)
        crdi_laplace_json(&w, &s->laplace);
    else if (s && s->independent)
        crdi_variational_json(&w, &s->svi);
    if (s) {
        crdi_batch_noise_json(&w, &s->noise);
        crdi_starts_json(&w, &s->starts);
    }
    if (s && s->evidence.ctx)
        crdi_evidence_json(&w, &s->evidence);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
