/* cmd_check.c - credence check RUN.crd */
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/run_check.h"

#include <limits.h>
#include <string.h>

typedef struct check_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/check.def"
#undef OPT
} check_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(check_options, __VA_ARGS__)
#include "cli/check.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("check", check_options, rows);

/* The error itself is the frame's to print. */
static crd_status print_failure(crd_context *ctx, const char *path, crd_status status)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    if (crdi_run_check_failed_json(&out, path, status, crd_error_message(ctx)) == CRD_OK)
        crdi_terminal_print(stdout, crdi_string_text(&out), false);
    crdi_string_clear(&out);
    return status;
}

static crd_status print(crd_context *ctx, const crdi_run_check *check, bool json)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    crd_status status = json ? crdi_run_check_json(&out, check) : crdi_run_check_text(&out, check);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const check_options *o = crdi_cli_values(call, &table);
    const char *path = crdi_cli_argument(call, 0);
    bool json = strcmp(o->format, "json") == 0;
    crdi_run_check *check = NULL;
    char part[PATH_MAX];
    bool newer = crdi_run_has_newer(cli->ctx, path, part);
    crd_status status = crdi_run_check_make(cli->ctx, path, &check);
    if ((status == CRD_EDAMAGED || status == CRD_EMISSING) && newer)
        crdi_error_suffix(cli->ctx, "credence resume goes on with a newer run beside it, %s", part);
    if (status == CRD_OK)
        status = print(cli->ctx, check, json);
    else if (json)
        status = print_failure(cli->ctx, path, status);
    crdi_run_check_destroy(&check);
    return status;
}

const crdi_command_body crdi_command_check = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}},
    .table = {&table},
    .more = "Reads every row of the file. Exit code 0: it is whole; 8: it is damaged, and the message names the\n"
            "first thing that is wrong; 9: a newer version of credence wrote it.\n",
    .run = run,
};
