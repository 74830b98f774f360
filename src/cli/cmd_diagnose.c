/* cmd_diagnose.c - credence diagnose RUN.crd */
#include "cli/csv.h"
#include "cli/terminal.h"
#include "report/diagnosis.h"

#include <string.h>

typedef struct diagnose_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/diagnose.def"
#undef OPT
} diagnose_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(diagnose_options, __VA_ARGS__)
#include "cli/diagnose.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("diagnose", diagnose_options, rows);

static crd_status print(crd_context *ctx, const crdi_diagnosis *d, const char *format)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    crd_status status = strcmp(format, "json") == 0  ? crdi_diagnosis_json(&out, d)
                        : strcmp(format, "csv") == 0 ? crdi_diagnosis_csv(&out, d)
                                                     : crdi_diagnosis_text(&out, d);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status read_probes(crd_context *ctx, const crdi_network_run *net, const char *path, crd_inputs **out)
{
    crd_table *read;
    CRD_TRY(crdi_network_run_need(net, "probes"));
    CRD_TRY(crd_csv_read(ctx, path, NULL, &read));
    crd_status status = crd_dataset_apply(ctx, net->recipe, read, NULL, out);
    crd_table_destroy(&read);
    return status;
}

static crd_status diagnose(crdi_cli *cli, const diagnose_options *o, crdi_network_run *net)
{
    crd_inputs *probes = NULL;
    crdi_diagnosis *d = NULL;
    crd_status status = o->probes ? read_probes(cli->ctx, net, o->probes, &probes) : CRD_OK;
    if (status == CRD_OK)
        status = crdi_diagnose(
            net,
            &(crdi_function_request){.rows = o->rows, .probes = probes ? &probes->x : NULL, .threads = (int)o->threads},
            &d);
    if (status == CRD_OK)
        status = print(cli->ctx, d, o->format);
    if (status == CRD_OK && o->strict && d->state == CRDI_FAILS)
        status = crdi_raise(cli->ctx, CRD_EDOUBT, "%s: %s", net->path, d->sentence);
    crdi_diagnosis_destroy(&d);
    crd_inputs_destroy(&probes);
    return status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    crdi_network_run *net;
    CRD_TRY(crdi_network_run_open(cli->ctx, crdi_cli_argument(call, 0), &net));
    crd_status status = diagnose(cli, crdi_cli_values(call, &table), net);
    crdi_network_run_close(&net);
    return status;
}

const crdi_command_body crdi_command_diagnose = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}},
    .table = {&table},
    .more = "The verdict comes first, then what fails, what needs care, what holds, and what to try. A network is\n"
            "judged by what it computes: f at the data and outside it, and the log likelihood of rows; weights\n"
            "alone say little, as units can swap names (docs/diagnostics.md).\n",
    .run = run,
};
