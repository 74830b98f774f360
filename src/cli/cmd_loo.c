/* cmd_loo.c - credence loo RUN.crd [OTHER.crd ...] */
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/run_chains.h"
#include "report/run_loo.h"

#include <string.h>

typedef struct loo_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/loo.def"
#undef OPT
} loo_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(loo_options, __VA_ARGS__)
#include "cli/loo.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("loo", loo_options, rows);

static crd_status open_and_make(crd_context *ctx, const char *path, const loo_options *o, crdi_run_loo **out)
{
    crdi_network_run *net;
    CRD_TRY(crdi_network_run_open(ctx, path, &net));
    crd_status status = crdi_run_loo_make(net, o->reff, (int)o->threads, out);
    crdi_network_run_close(&net);
    return status;
}

static crd_status print(crd_context *ctx, const crdi_run_loo *const *loo, int count, const char *format)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    bool json = strcmp(format, "json") == 0, csv = strcmp(format, "csv") == 0;
    crd_status status;
    if (count == 1)
        status = (json ? crdi_run_loo_json : csv ? crdi_run_loo_csv : crdi_run_loo_text)(&out, loo[0]);
    else
        status = (json ? crdi_run_compare_json : csv ? crdi_run_compare_csv : crdi_run_compare_text)(&out, loo, count);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status weigh_chains(crd_context *ctx, const char *path, const loo_options *o)
{
    crdi_network_run *net;
    crdi_run_chains *chains = NULL;
    crdi_string out;
    CRD_TRY(crdi_network_run_open(ctx, path, &net));
    crd_status status = crdi_run_chains_make(net, o->reff, (int)o->threads, &chains);
    crdi_network_run_close(&net);
    CRD_TRY(status);
    crdi_string_init(&out, ctx);
    status = strcmp(o->format, "json") == 0  ? crdi_run_chains_json(&out, chains)
             : strcmp(o->format, "csv") == 0 ? crdi_run_chains_csv(&out, chains)
                                             : crdi_run_chains_text(&out, chains);
    if (status == CRD_OK)
        crdi_terminal_print(stdout, crdi_string_text(&out), false);
    crdi_string_clear(&out);
    crdi_run_chains_destroy(&chains);
    return status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const loo_options *o = crdi_cli_values(call, &table);
    int count = call->argument_count;
    if (o->by_chain && count > 1)
        return crdi_raise(cli->ctx, CRD_EINVAL, "option --by-chain is of one run, and %d are given", count);
    if (o->by_chain)
        return weigh_chains(cli->ctx, crdi_cli_argument(call, 0), o);
    crdi_run_loo **loo = crdi_alloc_array(cli->ctx, count, sizeof *loo);
    crd_status status = loo ? CRD_OK : CRD_ENOMEM;
    for (int i = 0; i < count && status == CRD_OK; i++) {
        status = open_and_make(cli->ctx, crdi_cli_argument(call, i), o, &loo[i]);
        /* what cannot be compared is refused before the next run is worked on */
        if (status == CRD_OK && i > 0)
            status = crdi_run_loo_same_data(loo[0], loo[i]);
    }
    if (status == CRD_OK)
        status = print(cli->ctx, (const crdi_run_loo *const *)loo, count, o->format);
    for (int i = 0; loo && i < count; i++)
        crdi_run_loo_destroy(&loo[i]);
    crdi_free(cli->ctx, loo);
    return status;
}

const crdi_command_body crdi_command_loo = {
    .positional = {{"RUN.crd", "a run file of 'credence fit'", CRDI_ONE},
                   {"OTHER.crd", "others of the same data to compare with", CRDI_MANY}},
    .table = {&table},
    .more = "Densities are in the target's own units: runs with and without --scale can be compared.\n"
            "Rows count from 0 in the order in which the fit used them.\n",
    .run = run,
};
