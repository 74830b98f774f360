/* cmd_export.c - credence export RUN.crd --to csv */
#include "cli/command.h"
#include "report/run_csv.h"

#include <unistd.h>

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
    crdi_csv_place place = {.path = o->out, .force = o->force, .file = STDOUT_FILENO, .name = "standard output"};
    crd_run *run;
    CRD_TRY(crdi_cli_refuse_same(cli->ctx, o->out, crdi_cli_argument(call, 0), "the run file"));
    CRD_TRY(crd_run_open(cli->ctx, crdi_cli_argument(call, 0), &run));
    crd_status status = crdi_run_csv(cli->ctx, run, &place);
    crd_run_close(&run);
    return status;
}

const crdi_command_body crdi_command_export = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}},
    .table = {&table},
    .more = "The table has chain, draw, every element of every site, and the sampler's statistics.\n",
    .run = run,
};
