/* run_report_verdict.c - the top of a report: the verdict of `credence diagnose` with what speaks for and against, and what to try. */
#include "report/run_report_impl.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

/* By crdi_state. Signs that differ in shape, not in colour alone; words stand beside them. */
static const struct {
    const char *class, *word, *many, *sign;
} states[] = {
    [CRDI_HOLDS] = {"holds", "Holds", "What holds", "<path d=\"M4.5 10.5l3.5 3.5 7.5-8\"/>"},
    [CRDI_CARE] = {"care", "Needs care", "What needs care", "<path d=\"M10 4.5v7M10 15v.1\"/>"},
    [CRDI_FAILS] = {"fails", "Fails", "What fails", "<path d=\"M5.5 5.5l9 9M14.5 5.5l-9 9\"/>"},
};

static void add_sign(crdi_string *out, int state)
{
    crdi_string_append(
        out, "<svg class=\"sign\" viewBox=\"0 0 20 20\" width=\"20\" height=\"20\" aria-hidden=\"true\">%s</svg>",
        states[state].sign);
}

/* ---- findings -------------------------------------------------------------------------------------------------- */

static int count_of(const crdi_diagnosis *d, int state)
{
    int count = 0;
    for (int i = 0; i < d->finding_count; i++)
        count += (int)d->finding[i].state == state;
    return count;
}

static void add_findings(crdi_string *out, const crdi_diagnosis *d, int state)
{
    int count = count_of(d, state);
    bool folded = state == CRDI_HOLDS;
    char number[16];
    if (count == 0)
        return;
    crdi_format(number, sizeof number, "%d", count);
    if (folded)
        crdi_html_add(out, "<details class=\"findings $\"><summary><h3>$ <span>($)</span></h3></summary>\n<ul>\n",
                      states[state].class, states[state].many, number, NULL);
    else
        crdi_html_add(out, "<div class=\"findings $\"><h3>$</h3>\n<ul>\n", states[state].class, states[state].many,
                      NULL);
    for (int i = 0; i < d->finding_count; i++)
        if ((int)d->finding[i].state == state) {
            crdi_string_append(out, "<li>");
            add_sign(out, state);
            crdi_html_add(out, "<span>$</span></li>\n", d->finding[i].text, NULL);
        }
    crdi_string_append(out, folded ? "</ul></details>\n" : "</ul></div>\n");
}

/* Each advice once, the most urgent first. */
static void add_advice(crdi_string *out, const crdi_diagnosis *d)
{
    const char *said[CRDI_FINDINGS];
    int count = 0;
    for (int s = CRDI_FAILS; s >= CRDI_HOLDS; s--)
        for (int i = 0; i < d->finding_count; i++) {
            const char *advice = (int)d->finding[i].state == s ? d->finding[i].advice : NULL;
            for (int k = 0; k < count && advice; k++)
                advice = strcmp(said[k], advice) == 0 ? NULL : advice;
            if (advice)
                said[count++] = advice;
        }
    if (count == 0)
        return;
    crdi_string_append(out, "<div class=\"advice\"><h3>To try next</h3>\n<ol>\n");
    for (int k = 0; k < count; k++)
        crdi_html_add(out, "<li>$</li>\n", said[k], NULL);
    crdi_string_append(out, "</ol></div>\n");
}

/* ---- the few numbers that people look for --------------------------------------------------------------------- */

static void add_number(struct report *r, const char *what, const char *value, const char *more)
{
    if (value && more)
        crdi_html_add(&r->html.body, "<div><dt>$</dt><dd><b>$</b> <span>$</span></dd></div>\n", what, value, more,
                      NULL);
}

/* Of a network what it says counts, of other models their parameters. */
static void add_agreement(struct report *r)
{
    const crdi_function_space *space = r->diagnosis->space;
    const crdi_diagnostic_row *worst = NULL, *least = NULL;
    if (space && space->part[CRDI_F_AT_DATA].worst) {
        const crdi_function_part *f = &space->part[CRDI_F_AT_DATA];
        add_number(r, "Largest r_hat", crdi_report_print(r, "%.3f", f->worst->r_hat), "of f at the data");
        add_number(r, "Least bulk ESS", crdi_report_print(r, "%.0f", f->ess_bulk), "of f at the data");
        return;
    }
    for (int64_t i = 0; i < r->summary->count; i++) {
        const crdi_diagnostic_row *row = &r->quality[i];
        worst = isfinite(row->r_hat) && (!worst || row->r_hat > worst->r_hat) ? row : worst;
        least = isfinite(row->ess_bulk) && (!least || row->ess_bulk < least->ess_bulk) ? row : least;
    }
    if (worst)
        add_number(r, "Largest r_hat", crdi_report_print(r, "%.3f", worst->r_hat), worst->label);
    if (least)
        add_number(r, "Least bulk ESS", crdi_report_print(r, "%.0f", least->ess_bulk), least->label);
}

static void add_chain_numbers(struct report *r)
{
    const crdi_diagnosis *d = r->diagnosis;
    double energy = INFINITY;
    add_agreement(r);
    if (d->divergences >= 0)
        add_number(r, "Divergences", crdi_report_print(r, "%lld", (long long)d->divergences),
                   crdi_report_print(r, "of %lld draws", (long long)d->total));
    for (int c = 0; d->ebfmi && c < d->part.chains; c++)
        energy = fmin(energy, d->ebfmi[c]);
    if (isfinite(energy))
        add_number(r, "Least E-BFMI", crdi_report_print(r, "%.2f", energy), "good from 0.3");
}

static void add_fit_numbers(struct report *r)
{
    const crdi_diagnosis *d = r->diagnosis;
    if (d->laplace.hessian) {
        add_number(r, "Log evidence", crdi_report_print(r, "%.5g", d->laplace.log_evidence), "Laplace");
        return;
    }
    const crdi_variational *v = &d->svi;
    if (v->paths == 0)
        add_number(r, "Final loss", crdi_report_print(r, "%.5g", v->final_loss),
                   crdi_report_print(r, "after %lld steps", (long long)v->steps));
    if (isfinite(v->elbo))
        add_number(r, "ELBO", crdi_report_print(r, "%.5g", v->elbo), "a bound of the log evidence");
    if (isfinite(v->k_hat))
        add_number(r, "Pareto k", crdi_report_print(r, "%.2f", v->k_hat),
                   crdi_report_print(r, "good up to %.2f", crd_psis_good_k(v->k_draws)));
}

static void add_numbers(struct report *r)
{
    const crdi_diagnosis *d = r->diagnosis;
    crdi_string_append(&r->html.body, "<dl class=\"numbers\">\n");
    add_number(r, "Draws", crdi_report_print(r, "%lld", (long long)d->total),
               d->part.chains == 1 ? "" : crdi_report_print(r, "of %d chains", d->part.chains));
    (d->independent ? add_fit_numbers : add_chain_numbers)(r);
    if (r->loo)
        add_number(r, "elpd loo", crdi_report_print(r, "%.1f", r->loo->loo.elpd),
                   crdi_report_print(r, "± %.1f, %lld of %lld rows unsure", r->loo->loo.se, (long long)r->loo->loo.bad,
                                     (long long)r->loo->rows));
    crdi_string_append(&r->html.body, "</dl>\n");
}

/* ---- the section ------------------------------------------------------------------------------------------------ */

/* A run that is not complete says so above the verdict. */
static void add_banner(struct report *r)
{
    int64_t least = INT64_MAX, most = 0;
    for (int c = 0; c < crd_run_chains(r->net->run); c++) {
        least = r->drawn[c] < least ? r->drawn[c] : least;
        most = r->drawn[c] > most ? r->drawn[c] : most;
    }
    bool running = strcmp(r->status, "running") == 0;
    if (!running && strcmp(r->status, "interrupted") != 0)
        return;
    const char *draws = least == most ? crdi_report_print(r, "%lld", (long long)most)
                                      : crdi_report_print(r, "%lld to %lld", (long long)least, (long long)most);
    const char *what = r->has_draws ? crdi_report_print(r, "%s draws of each chain so far.", draws ? draws : "") : "";
    if (draws && what)
        crdi_html_add(&r->html.body, "<p class=\"banner\"><strong>$</strong> $ $</p>\n",
                      r->alive  ? "This run is still going."
                      : running ? "This run was killed."
                                : "This run was stopped.",
                      what,
                      r->alive       ? "Make the report again to see more."
                      : r->has_draws ? "All that follows is about these."
                                     : "",
                      NULL);
}

crd_status crdi_report_verdict(struct report *r)
{
    crdi_string *out = &r->html.body;
    const crdi_diagnosis *d = r->diagnosis;
    crdi_html_add(out, "<section id=\"verdict\" class=\"verdict $\" aria-labelledby=\"verdict-heading\">\n",
                  d ? states[d->state].class : "none", NULL);
    crdi_string_append(out, "<h2 id=\"verdict-heading\">Verdict</h2>\n");
    add_banner(r);
    if (d) {
        crdi_string_append(out, "<p class=\"sentence\">");
        add_sign(out, (int)d->state);
        crdi_html_add(out, "<span><em>$:</em> $.</span></p>\n", states[d->state].word, d->sentence, NULL);
        add_numbers(r);
        add_findings(out, d, CRDI_FAILS);
        add_findings(out, d, CRDI_CARE);
        add_advice(out, d);
        add_findings(out, d, CRDI_HOLDS);
    } else {
        crdi_html_add(out, "<p class=\"sentence\"><span>There are no draws yet$.</span></p>\n",
                      r->alive ? ": it is warming up, or being fitted" : ": the run ended before it had any", NULL);
    }
    crdi_report_close(r);
    return out->status;
}
