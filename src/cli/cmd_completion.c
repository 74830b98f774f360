/* cmd_completion.c - credence completion bash|zsh|fish */
#include "cli/pages.h"

#include <string.h>

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    static const struct {
        const char *shell;
        void (*make)(crdi_string *out);
    } shells[] = {{"bash", crdi_completion_bash}, {"zsh", crdi_completion_zsh}, {"fish", crdi_completion_fish}};
    const char *shell = crdi_cli_argument(call, 0);
    for (int i = 0; i < CRDI_COUNT(shells); i++) {
        crdi_string out;
        if (strcmp(shell, shells[i].shell) != 0)
            continue;
        crdi_string_init(&out, cli->ctx);
        shells[i].make(&out);
        crd_status status = out.status;
        if (status == CRD_OK)
            fputs(crdi_string_text(&out), stdout);
        crdi_string_clear(&out);
        return status;
    }
    return crdi_raise(cli->ctx, CRD_ENAME, "unknown shell '%s'; there are: bash, zsh, fish", shell);
}

const crdi_command_body crdi_command_completion = {
    .positional = {{"SHELL", "bash, zsh or fish", CRDI_ONE}},
    .more = "bash: eval \"$(credence completion bash)\", or the output as a file credence in\n"
            "~/.local/share/bash-completion/completions; zsh: as _credence in a folder of $fpath;\n"
            "fish: as credence.fish in ~/.config/fish/completions. An installation has them.\n",
    .run = run,
};
