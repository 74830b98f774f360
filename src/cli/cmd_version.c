/* cmd_version.c - credence version */
#include "cli/command.h"

#include <string.h>

typedef struct version_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/version.def"
#undef OPT
} version_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(version_options, __VA_ARGS__)
#include "cli/version.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("version", version_options, rows);

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const version_options *o = crdi_cli_values(call, &table);
    const char *kernels = crd_context_kernels(cli->ctx);
    if (strcmp(o->format, "json") == 0)
        printf("{\"version\": \"%s\", \"kernels\": \"%s\"}\n", crd_version(), kernels);
    else
        printf("credence %s (kernels: %s)\n", crd_version(), kernels);
    return CRD_OK;
}

const crdi_command_body crdi_command_version = {.table = {&table}, .run = run};
