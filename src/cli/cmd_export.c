/* cmd_export.c - credence export RUN.crd */
#include "cli/command.h"
#include "report/formats.h"
#include "report/run_canonical.h"

typedef struct export_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/export.def"
#undef OPT
} export_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(export_options, __VA_ARGS__)
#include "cli/export.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("export", export_options, rows);

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const export_options *o = crdi_cli_values(call, &table);
    const crdi_draws_format *format;
    crdi_network_run *net;
    CRD_TRY(crdi_format_find(cli->ctx, "--to", o->to, &format));
    CRD_TRY(crdi_cli_refuse_same(cli->ctx, o->out, crdi_cli_argument(call, 0), "the run file"));
    CRD_TRY(crdi_network_run_open(cli->ctx, crdi_cli_argument(call, 0), &net));
    crd_status status = o->canonical ? crdi_run_make_canonical(net, (int)o->threads) : CRD_OK;
    if (status == CRD_OK)
        status = crdi_export_write(format, &(crdi_export){.ctx = cli->ctx,
                                                          .net = net,
                                                          .path = o->out,
                                                          .force = o->force,
                                                          .threads = (int)o->threads,
                                                          .seed = o->seed,
                                                          .prior_draws = o->prior_draws});
    crdi_network_run_close(&net);
    return status;
}

static const char more[] = "Forms:\n"
#define FORMAT(name, what) "  " #name ": " what "\n"
#include "report/formats.def"
#undef FORMAT
    ;

const crdi_command_body crdi_command_export = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}},
    .table = {&table},
    .more = more,
    .run = run,
};
