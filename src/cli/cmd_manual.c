/* cmd_manual.c - credence manual [COMMAND] */
#include "cli/pages.h"

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const char *name = crdi_cli_argument(call, 0);
    const crdi_command *command = name ? crdi_commands_find(cli->ctx, name) : NULL;
    crdi_string out;
    if (name && !command)
        return CRD_ENAME;
    crdi_string_init(&out, cli->ctx);
    crdi_manual(&out, command);
    crd_status status = out.status;
    if (status == CRD_OK)
        fputs(crdi_string_text(&out), stdout);
    crdi_string_clear(&out);
    return status;
}

const crdi_command_body crdi_command_manual = {
    .positional = {{"COMMAND", "the command to describe; without it the program and its exit codes", CRDI_OPTIONAL}},
    .more = "The page is for man: credence manual fit | man -l -\n",
    .run = run,
};
