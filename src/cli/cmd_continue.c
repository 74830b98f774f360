/* cmd_continue.c - credence continue RUN.crd: more steps of a variational fit. */
#include "cli/fit_display.h"
#include "cli/fit_end.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

#include <string.h>

typedef struct continue_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/continue.def"
#undef OPT
} continue_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(continue_options, __VA_ARGS__)
#include "cli/continue.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("continue", continue_options, rows);

struct going_on {
    crdi_cli *cli;
    const continue_options *o;
    const char *run;
    crdi_network_continue *from;
    crdi_network_fit net;
};

static int stop(void *user)
{
    (void)user;
    return atomic_load_explicit(crdi_interrupt_flag(), memory_order_relaxed);
}

static crd_status prepare(struct going_on *g)
{
    const continue_options *o = g->o;
    CRD_TRY(crdi_network_continue_open(g->cli->ctx, g->run, &g->net, &g->from));
    g->net.path = o->out ? o->out : g->run;
    g->net.force = o->force || !o->out;
    g->net.keep_stopped = !o->force;
    g->net.svi.steps = o->steps;
    g->net.svi.patience = o->patience;
    if (o->draws)
        g->net.mcmc.draws = o->draws;
    if (o->optimizer) {
        g->net.svi.optimizer = o->optimizer;
        g->from->new_optimiser = true;
    }
    return crdi_network_fit_prepare(&g->net);
}

static crd_status print_plan(const struct going_on *g)
{
    crdi_string out;
    crdi_string_init(&out, g->cli->ctx);
    crdi_string_append(&out, "method: svi, ");
    g->net.type->plan(&g->net, &out);
    crdi_string_append(&out, "\n");
    return crdi_terminal_put(stderr, &out, out.status);
}

static crd_status go_on(struct going_on *g)
{
    crdi_fit_display display = {0};
    crdi_mcmc_report cost = {0};
    CRD_TRY(prepare(g));
    if (!g->o->quiet) {
        CRD_TRY(print_plan(g));
        CRD_TRY(crdi_fit_display_begin(&display, g->cli, 1));
        g->net.svi.progress = crdi_fit_display_update_fit;
        g->net.svi.progress_user = &display;
    }
    g->net.svi.stop = stop;
    crdi_interrupt_watch();
    crd_status status = crdi_network_fit_run(&g->net, &cost);
    crdi_interrupt_unwatch();
    crdi_fit_display_end(&display, g->net.ending == CRDI_ENDED_RULE);
    if (status < 0)
        return status;
    crd_status ended = crdi_fit_end_print(&(crdi_fit_end){.cli = g->cli,
                                                          .net = &g->net,
                                                          .cost = cost,
                                                          .interrupted = status == CRD_INTERRUPTED,
                                                          .json = strcmp(g->o->format, "json") == 0,
                                                          .quiet = g->o->quiet});
    return ended < 0 ? ended : status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct going_on g = {.cli = cli, .o = crdi_cli_values(call, &table), .run = crdi_cli_argument(call, 0)};
    crd_status status = go_on(&g);
    if (g.from)
        crdi_network_fit_clear(&g.net);
    crdi_network_continue_close(&g.from);
    return status;
}

const crdi_command_body crdi_command_continue = {
    .positional = {{"RUN.crd", "a run by --method svi", CRDI_ONE}},
    .table = {&table},
    .more = "The fit goes on as if it had been asked for all steps at once: the same losses, the same\n"
            "draws. A schedule goes on too; when it has come to its end, --optimizer begins another. Of\n"
            "several restarts the one that was kept goes on; the losses of the others stay. The run file is\n"
            "replaced when the steps are made. Stopped or killed before, 'credence resume RUN.crd' makes the\n"
            "others: a state is kept twice a second, or as often as the run was told to (--save-every).\n\n"
            "Example: credence continue run.crd --steps 5000 --optimizer adam:0.001\n",
    .run = run,
};
