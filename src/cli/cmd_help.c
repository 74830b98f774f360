/* cmd_help.c - credence help [COMMAND] */
#include "cli/command.h"

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const char *name = crdi_cli_argument(call, 0);
    if (!name)
        return crdi_usage_print(cli->ctx, NULL);
    const crdi_command *command = crdi_commands_find(cli->ctx, name);
    return command ? crdi_usage_print(cli->ctx, command) : CRD_ENAME;
}

const crdi_command_body crdi_command_help = {
    .positional = {{"COMMAND", "the command to explain; without it all commands are listed", CRDI_OPTIONAL}},
    .run = run,
};
