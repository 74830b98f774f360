/* cmd_import.c - credence import FILE... --out RUN.crd */
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/formats.h"

#include <string.h>

typedef struct import_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/import.def"
#undef OPT
} import_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(import_options, __VA_ARGS__)
#include "cli/import.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("import", import_options, rows);

static crd_status find_format(crd_context *ctx, const import_options *o, const char *path,
                              const crdi_draws_format **out)
{
    if (strcmp(o->from, "auto") == 0)
        return crdi_format_detect(ctx, path, out);
    CRD_TRY(crdi_format_find(ctx, "--from", o->from, out));
    if (!(*out)->read)
        return crdi_raise(ctx, CRD_EUNSUPPORTED, "--from %s: this form can be written, not read", o->from);
    return CRD_OK;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const import_options *o = crdi_cli_values(call, &table);
    const crdi_draws_format *format;
    crdi_imported imported;
    if (!o->out)
        return crdi_raise(cli->ctx, CRD_EMISSING, "import needs --out: the run file to write");
    for (int i = 0; i < call->argument_count; i++)
        CRD_TRY(crdi_cli_refuse_same(cli->ctx, o->out, crdi_cli_argument(call, i), "a file to read"));
    CRD_TRY(find_format(cli->ctx, o, crdi_cli_argument(call, 0), &format));
    CRD_TRY(format->read(cli->ctx, call->argument, call->argument_count, &imported));
    crd_status status = crdi_imported_write(cli->ctx, &imported, o->out, o->force);
    if (status == CRD_OK) {
        crdi_terminal_print(stdout, o->out, true);
        printf(": %d chain%s of %lld draws, %d columns\n", imported.posterior->chains,
               imported.posterior->chains == 1 ? "" : "s", (long long)imported.posterior->draws,
               imported.posterior->column_count);
    }
    crdi_imported_clear(cli->ctx, &imported);
    return status;
}

const crdi_command_body crdi_command_import = {
    .positional = {{"FILE", "an InferenceData file, or CmdStan's file of the first chain", CRDI_ONE},
                   {"OTHER", "CmdStan's files of the other chains", CRDI_MANY}},
    .table = {&table},
    .more = "The run file has the draws and the sampler's statistics, not the model: summary, plot and\n"
            "export work on it.\n",
    .run = run,
};
