/* cmd_resume.c - credence resume RUN.crd: a run that was stopped, killed, or is to have more draws goes on. */
#include "cli/fit.h"
#include "cli/fit_display.h"
#include "cli/fit_end.h"
#include "cli/interrupt.h"
#include "cli/stop.h"
#include "cli/terminal.h"
#include "store/run_path.h"

#include <limits.h>
#include <string.h>

typedef struct resume_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/resume.def"
#undef OPT
} resume_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(resume_options, __VA_ARGS__)
#include "cli/resume.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("resume", resume_options, rows);

struct again {
    crdi_cli *cli;
    const resume_options *o;
    const crdi_stop_options *stopping;
    crdi_stop_rule rule;
    const char *path;
    crdi_network_resume *resume;
    crdi_network_fit net;
    int64_t asked; /* draws that the run was asked for */
};

static bool is_mcmc(const struct again *a)
{
    const crdi_network_method *type;
    return crdi_network_method_find(a->cli->ctx, a->net.method, &type) == CRD_OK && type->draws_behind;
}

/* Draws that the states are behind: the most. */
static int64_t draws_there(const struct again *a)
{
    int64_t most = 0;
    for (int lane = 0; lane < a->resume->states.lanes; lane++) {
        int64_t draws = crdi_mcmc_draws_of(&a->net.mcmc, a->resume->states.iteration[lane]);
        most = draws > most ? draws : most;
    }
    return most;
}

static crd_status refuse_draws(const struct again *a)
{
    crdi_string kernels;
    bool steps = strcmp(a->net.method, "svi") == 0;
    crdi_string_init(&kernels, a->cli->ctx);
    crdi_fit_list_methods("kernels", &kernels);
    crd_status status =
        crdi_raise(a->cli->ctx, CRD_EUNSUPPORTED,
                   "option --draws goes with runs of --method %s; this is one of %s%s%s%s", crdi_string_text(&kernels),
                   a->net.method, steps ? ", and draws of a fitted guide come from 'credence continue " : "",
                   steps ? a->path : "", steps ? " --steps N --draws N'" : "");
    crdi_string_clear(&kernels);
    return status;
}

/* As many as --draws of fit takes. */
static int64_t most_draws(void)
{
    int64_t most = INT64_MAX;
    for (int i = 0; i < crdi_mcmc_option_table.count; i++)
        if (strcmp(crdi_mcmc_option_table.option[i].name, "draws") == 0)
            crdi_parse_int(crdi_mcmc_option_table.option[i].maximum, &most);
    return most;
}

/* 4000, or +2000: of a run that its rule has ended behind what it has, else behind what it was asked for. */
static crd_status settle_draws(struct again *a)
{
    const char *text = a->o->draws;
    int64_t number, most = most_draws();
    a->asked = a->net.mcmc.draws;
    if (!text)
        return CRD_OK;
    if (!crdi_parse_int(*text == '+' ? text + 1 : text, &number) || number < 1)
        return crdi_raise(a->cli->ctx, CRD_EINVAL, "option --draws: '%s' is no whole number from 1, nor +N", text);
    const crdi_network_method *type;
    CRD_TRY(crdi_network_method_find(a->cli->ctx, a->net.method, &type));
    if (type->particles)
        return crdi_raise(
            a->cli->ctx, CRD_EUNSUPPORTED,
            "option --draws: a run of %s has the --particles that it was begun with; more are another run",
            a->net.method);
    if (!is_mcmc(a))
        return refuse_draws(a);
    int64_t there = draws_there(a), behind = *text != '+' ? 0 : a->resume->held ? there : a->asked;
    if (number > most - behind)
        return crdi_raise(a->cli->ctx, CRD_EINVAL, "option --draws: '%s' makes more than %lld draws a chain", text,
                          (long long)most);
    number += behind;
    if (number < there)
        return crdi_raise(a->cli->ctx, CRD_EINVAL,
                          "option --draws: the run has %lld draws a chain; fewer would throw some away",
                          (long long)there);
    a->net.mcmc.draws = number;
    return CRD_OK;
}

static crd_status settle_finish(struct again *a)
{
    a->net.finish = a->o->finish;
    return !a->o->finish || crdi_method_in_steps(a->net.method)
               ? CRD_OK
               : crdi_raise(
                     a->cli->ctx, CRD_EUNSUPPORTED,
                     "option --finish goes with runs of --method svi, map and ensemble; this is one of %s, whose "
                     "draws so far can be used as they are",
                     a->net.method);
}

/* The rule that is typed now; or the one that the run was begun with, unless it is told to make more draws. A rule that comes
 * later has nothing to say of fewer draws than there are. */
static crd_status settle_rule(struct again *a)
{
    const char *text = a->stopping->until;
    bool old = !text && !a->o->draws;
    CRD_TRY(crdi_stop_set(a->cli, a->stopping, old ? a->resume->rule : text, &a->net, &a->rule));
    if (a->net.rule)
        a->rule.rule.first = old ? a->resume->first : draws_there(a);
    return CRD_OK;
}

/* A rule for a complete run, whose draws are there: without states they would have to be made again. */
static crd_status check_states(const struct again *a)
{
    const crdi_run_states *s = &a->resume->states;
    bool all = s->lanes >= a->net.mcmc.chains;
    if (!a->resume->complete || !a->stopping->until || a->o->draws)
        return CRD_OK;
    for (int c = 0; all && c < a->net.mcmc.chains; c++)
        all = s->saved[c].bytes != NULL;
    return all ? CRD_OK
               : crdi_raise(
                     a->cli->ctx, CRD_EUNSUPPORTED,
                     "option --until: %s is complete, and has no states of its chains to go on from; 'credence summary "
                     "--diagnostics' and 'credence diagnose' say what its draws are worth",
                     a->path);
}

/* What is left to do. */
static bool is_done(const struct again *a)
{
    if (!a->resume->complete)
        return false;
    if (a->stopping->until && !a->o->draws) /* what there is is to be looked at */
        return false;
    return !a->o->draws || a->net.mcmc.draws <= (a->resume->held ? draws_there(a) : a->asked);
}

static crd_status say_done(const struct again *a)
{
    char part[PATH_MAX];
    crdi_string out;
    crdi_string_init(&out, a->cli->ctx);
    if (a->resume->gave_up)
        crdi_string_append(&out,
                           "%s is complete: its chains stay in modes of their own; --draws %lld makes all draws\n",
                           a->path, (long long)a->asked);
    else if (a->resume->held)
        crdi_string_append(&out,
                           "%s is complete, its rule %s holds: there is nothing to do; --draws %lld makes all draws\n",
                           a->path, a->resume->rule, (long long)a->asked);
    else
        crdi_string_append(&out, "%s is complete: there is nothing to do%s\n", a->path,
                           is_mcmc(a) ? "; --draws +1000 makes more" : "");
    if (crdi_run_path_has(a->path, ".part", part))
        crdi_string_append(&out,
                           "%s is of a run that was killed before there was anything to go on from, or is damaged: the "
                           "next replaces it\n",
                           part);
    return crdi_terminal_put(stderr, &out, out.status);
}

static crd_status print_plan(const struct again *a)
{
    crdi_string out;
    crdi_string_init(&out, a->cli->ctx);
    crdi_string_append(&out, "method: %s, ", a->net.method);
    a->net.type->plan(&a->net, &out);
    int chains = 0;
    for (int lane = 0; lane < a->resume->states.lanes; lane++)
        chains += a->resume->states.saved[lane].bytes != NULL;
    if (a->net.type->place)
        a->net.type->place(&a->net, &out);
    if (!is_mcmc(a) && chains == 0 && !a->net.from)
        crdi_string_append(&out, "\nbegins again, with the same keys: it left nothing to go on from");
    crdi_string_append(&out, "\nseed:   %lld\n", (long long)a->net.seed);
    return crdi_terminal_put(stderr, &out, out.status);
}

static int stop(void *user)
{
    (void)user;
    return atomic_load_explicit(crdi_interrupt_flag(), memory_order_relaxed);
}

static crd_status show(struct again *a, crdi_fit_display *display)
{
    CRD_TRY(print_plan(a));
    if (!a->net.type->place && !a->net.fitted) /* done in a moment */
        return CRD_OK;
    CRD_TRY(crdi_fit_display_begin(display, a->cli, a->net.fitted ? a->net.lanes : a->net.chains));
    a->net.mcmc.progress = crdi_fit_display_update;
    a->net.svi.progress = crdi_fit_display_update_fit;
    a->net.mcmc.progress_user = a->net.svi.progress_user = display;
    a->net.changed = crdi_fit_display_line;
    a->net.changed_user = display;
    return CRD_OK;
}

static crd_status run_on(struct again *a)
{
    crdi_fit_display display = {0};
    crdi_mcmc_report cost = {0};
    a->net.mcmc.threads = a->o->threads;
    CRD_TRY(crdi_network_fit_prepare(&a->net));
    if (!a->o->quiet)
        CRD_TRY(show(a, &display));
    a->net.mcmc.stop = a->net.svi.stop = stop;
    crdi_interrupt_watch();
    crd_status status = crdi_network_fit_run(&a->net, &cost);
    crdi_interrupt_unwatch();
    crdi_fit_display_end(&display, a->net.ending == CRDI_ENDED_RULE || a->net.ending == CRDI_ENDED_MODES);
    if (status < 0)
        return status;
    crd_status ended = crdi_fit_end_print(&(crdi_fit_end){.cli = a->cli,
                                                          .net = &a->net,
                                                          .cost = cost,
                                                          .interrupted = status == CRD_INTERRUPTED,
                                                          .json = strcmp(a->o->format, "json") == 0,
                                                          .quiet = a->o->quiet});
    return ended < 0 ? ended : crdi_fit_end_status(&a->net, status);
}

static crd_status go_on(struct again *a)
{
    CRD_TRY(crdi_network_resume_open(a->cli->ctx, a->path, &a->net, &a->resume));
    CRD_TRY(settle_draws(a));
    CRD_TRY(settle_finish(a));
    CRD_TRY(settle_rule(a));
    CRD_TRY(check_states(a));
    if (!is_done(a))
        return run_on(a);
    CRD_TRY(crdi_network_resume_leave(a->resume));
    return a->o->quiet ? CRD_OK : say_done(a);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct again a = {.cli = cli,
                      .o = crdi_cli_values(call, &table),
                      .stopping = crdi_cli_values(call, &crdi_stop_table),
                      .path = crdi_cli_argument(call, 0)};
    crd_status status = go_on(&a);
    if (a.resume)
        crdi_network_fit_clear(&a.net);
    crdi_network_resume_close(&a.resume);
    return status;
}

const crdi_command_body crdi_command_resume = {
    .positional = {{"RUN.crd", "a run that did not come to its end, or is to have more draws", CRDI_ONE}},
    .table = {&table, &crdi_stop_table},
    .more = "A run keeps its draws and the complete state of its sampler twice a second. Stopped, killed, or out\n"
            "of disk space, it goes on from there, and ends with the draws, bit for bit, of the run that was\n"
            "never stopped. Methods that take a moment (laplace, pathfinder) begin again, with the same keys.\n"
            "A complete run is left as it is, so that a script may call resume until all is done; with --until\n"
            "its draws are looked at.\n\n"
            "Example: credence resume run.crd --draws +2000\n",
    .run = run,
};
