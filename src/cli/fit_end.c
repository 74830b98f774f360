/* fit_end.c - see fit_end.h. */
#include "cli/fit_end.h"
#include "cli/terminal.h"
#include "report/progress.h"
#include "report/run_ending.h"
#include "report/run_summary.h"

#include <string.h>
#include <unistd.h>

/* What --time leaves: methods that take a moment leave no state, and are made anew. */
static void add_time(const crdi_network_fit *net, crdi_string *out)
{
    char time[24];
    if (net->seconds < 60)
        crdi_string_append(out, "after %.3g s (--time)", net->seconds);
    else
        crdi_string_append(out, "after %s (--time)", crdi_progress_time(time, net->seconds));
    if (net->resumable)
        crdi_string_append(out, "; credence resume %s goes on", net->path);
    else if (!net->kept_older)
        crdi_string_append(out, "; credence resume %s begins again, and needs more time", net->path);
}

/* Why it ended, where that was not because all was done; "" else. */
static void describe_ending(const crdi_fit_end *e, crdi_string *out)
{
    const crdi_network_fit *net = e->net;
    const crdi_fit_verdict *v = &net->verdict;
    if (net->ending == CRDI_ENDED_TIME)
        add_time(net, out);
    if (net->ending == CRDI_ENDED_TIME || net->ending == CRDI_ENDED_SIGNAL || !net->rule || v->draws == 0)
        return;
    crdi_rule_outcome(out, net->rule->text, v);
    if (net->ending == CRDI_ENDED_MODES) {
        crdi_string_append(out, "%s", crdi_modes_advice);
        return;
    }
    if (!v->holds)
        crdi_string_append(out, "; --draws of credence resume makes more");
    if (!v->holds && net->plan && strcmp(net->method, "nuts") == 0)
        crdi_string_append(out, ", --method mclmc --metric fisher makes more of a gradient, with a small bias");
}

static crd_status print_end(const crdi_fit_end *e, const crdi_run_end *end)
{
    crdi_string out;
    crdi_string_init(&out, e->cli->ctx);
    crd_status status = e->json ? crdi_run_end_json(&out, end) : crdi_run_end_text(&out, end);
    if (!e->json && end->summary)
        crdi_string_append(&out, "next:        credence summary %s\n", e->net->path);
    if (e->json || !e->quiet)
        return crdi_terminal_put(stdout, &out, status == CRD_OK ? out.status : status);
    crdi_string_clear(&out);
    return status;
}

/* What an interrupted run leaves. */
static void add_kept(const crdi_fit_end *e, int64_t total, crdi_string *out)
{
    const crdi_network_fit *net = e->net;
    const char *where = net->type->particles      ? "on the way from the prior to the posterior"
                        : net->type->draws_behind ? "in warm-up"
                                                  : "before there were draws";
    if (net->kept_older && access(net->path, F_OK) != 0)
        crdi_string_append(out, "credence: stopped %s; no file is left", where);
    else if (net->kept_older)
        crdi_string_append(out, "credence: stopped %s; %s is left as it was", where, net->path);
    else if (total && strcmp(net->method, "map") == 0)
        crdi_string_append(out, "credence: stopped; %s holds the point as it was then", net->path);
    else if (total && strcmp(net->method, "ensemble") == 0)
        crdi_string_append(out, "credence: stopped; %s holds %lld members as they were then", net->path,
                           (long long)total);
    else if (total && strcmp(net->method, "svi") == 0)
        crdi_string_append(out, "credence: stopped; %s holds %lld draws of the guide as it was then", net->path,
                           (long long)total);
    else if (total)
        crdi_string_append(out, "credence: stopped; %s keeps the %lld draws made so far", net->path, (long long)total);
    else
        crdi_string_append(out, "credence: stopped %s; %s holds no draws", where, net->path);
}

/* The line that it ends with; it stands where an error would. */
static crd_status print_interrupted(const crdi_fit_end *e, int64_t total)
{
    crdi_string out;
    crdi_string_init(&out, e->cli->ctx);
    add_kept(e, total, &out);
    if (e->net->resumable)
        crdi_string_append(&out, "; credence resume %s goes on", e->net->path);
    else if (!e->net->kept_older && total == 0)
        crdi_string_append(&out, "; credence resume %s begins again", e->net->path);
    crdi_string_append(&out, "\n");
    return crdi_terminal_put(stderr, &out, out.status);
}

/* What the file holds now, and its summary where there are draws. An older file that was kept is none of ours. */
static crd_status look(const crdi_fit_end *e, crdi_network_run **net, crdi_run_summary **summary, int64_t *draws,
                       int64_t *total)
{
    if (e->net->kept_older)
        return CRD_OK;
    CRD_TRY(crdi_network_run_open(e->cli->ctx, e->net->path, net));
    for (int c = 0; c < e->net->chains; c++) {
        CRD_TRY(crd_run_draws((*net)->run, c, &draws[c]));
        *total += draws[c];
    }
    return *total ? crdi_run_summary_make(*net, NULL, 0.9, summary) : CRD_OK;
}

crd_status crdi_fit_end_status(const crdi_network_fit *net, crd_status status)
{
    return status == CRD_INTERRUPTED && net->ending == CRDI_ENDED_TIME ? CRD_OK : status;
}

crd_status crdi_fit_end_print(const crdi_fit_end *e)
{
    crdi_network_run *net = NULL;
    crdi_run_summary *summary = NULL;
    int64_t total = 0, *draws = crdi_alloc_array(e->cli->ctx, e->net->chains, sizeof *draws);
    crdi_string ending;
    crdi_string_init(&ending, e->cli->ctx);
    crd_status status = draws ? look(e, &net, &summary, draws, &total) : CRD_ENOMEM;
    if (status == CRD_OK)
        describe_ending(e, &ending);
    if (status == CRD_OK)
        status = print_end(e, &(crdi_run_end){.path = e->net->path,
                                              .cost = e->cost,
                                              .particles = e->net->type->particles,
                                              .seed = e->net->seed,
                                              .chains = e->net->chains,
                                              .draws = draws,
                                              .interrupted = e->interrupted,
                                              .reason = crdi_fit_ending_name(e->net->ending),
                                              .ending = crdi_string_text(&ending),
                                              .summary = summary});
    if (status == CRD_OK && e->interrupted && (e->net->ending != CRDI_ENDED_TIME || total == 0))
        status = print_interrupted(e, total);
    crdi_string_clear(&ending);
    crdi_run_summary_destroy(&summary);
    crdi_network_run_close(&net);
    crdi_free(e->cli->ctx, draws);
    return status;
}
