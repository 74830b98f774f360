/* cmd_diff.c - credence diff A.crd B.crd */
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/run_diff.h"

#include <string.h>

typedef struct diff_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/diff.def"
#undef OPT
} diff_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(diff_options, __VA_ARGS__)
#include "cli/diff.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("diff", diff_options, rows);

static crd_status print(crd_context *ctx, const crdi_run_diff *diff, const diff_options *o)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    bool json = strcmp(o->format, "json") == 0;
    crd_status status = json ? crdi_run_diff_json(&out, diff, o->show) : crdi_run_diff_text(&out, diff, o->show);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    crdi_run_diff *diff;
    CRD_TRY(crdi_run_diff_make(cli->ctx, crdi_cli_argument(call, 0), crdi_cli_argument(call, 1), &diff));
    crd_status status = print(cli->ctx, diff, crdi_cli_values(call, &table));
    if (status == CRD_OK && diff->count > 0)
        status = crdi_raise(cli->ctx, CRD_EDIFFERENT, "%s and %s are not equal", diff->a, diff->b);
    crdi_run_diff_destroy(&diff);
    return status;
}

const crdi_command_body crdi_command_diff = {
    .positional = {{"A.crd", "a run file", CRDI_ONE}, {"B.crd", "another", CRDI_ONE}},
    .table = {&table},
    .more = "Exit code 0: draws, statistics, entries, data and the samplers' states are equal; 18: they are not.\n"
            "Not compared is what says when, where and how fast a run was made; the output names it.\n",
    .run = run,
};
