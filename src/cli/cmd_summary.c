/* cmd_summary.c - credence summary RUN.crd */
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/run_canonical.h"
#include "report/run_summary.h"

#include <string.h>

typedef struct summary_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/summary.def"
#undef OPT
} summary_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(summary_options, __VA_ARGS__)
#include "cli/summary.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("summary", summary_options, rows);

static crd_status print(crd_context *ctx, const crdi_run_summary *s, const summary_options *o)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    crd_status status = strcmp(o->format, "json") == 0  ? crdi_run_summary_json(&out, s)
                        : strcmp(o->format, "csv") == 0 ? crdi_run_summary_csv(&out, s)
                                                        : crdi_run_summary_text(&out, s, o->full);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const summary_options *o = crdi_cli_values(call, &table);
    crdi_network_run *net;
    crdi_run_summary *summary = NULL;
    CRD_TRY(crdi_network_run_open(cli->ctx, crdi_cli_argument(call, 0), &net));
    crd_status status = o->canonical ? crdi_run_make_canonical(net, 0) : CRD_OK;
    if (status == CRD_OK)
        status = (o->diagnostics ? crdi_run_diagnostics_make : crdi_run_summary_make)(net, o->site, o->prob, &summary);
    if (status == CRD_OK)
        status = print(cli->ctx, summary, o);
    crdi_run_summary_destroy(&summary);
    crdi_network_run_close(&net);
    return status;
}

const crdi_command_body crdi_command_summary = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}},
    .table = {&table},
    .run = run,
};
