/* dispatch.c - from the first word to the exit code: context, command, error message, end of the output. */
#include "cli/command.h"
#include "cli/terminal.h"
#include "kernel/kernel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_line(const char *what, const char *text)
{
    fputs(what, stderr);
    crdi_terminal_print(stderr, text, true);
    fputc('\n', stderr);
}

static void print_warning(void *user, const char *line)
{
    (void)user;
    print_line("credence: warning: ", line);
}

/* The one place that prints an error. */
static void print_error(crd_context *ctx, crd_status status)
{
    print_line("credence: ", *crd_error_message(ctx) ? crd_error_message(ctx) : crd_status_text(status));
}

/* Whoever read our output has seen enough, as `head` does: no reason for a message. */
static bool reader_is_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

static bool is_of_output(crd_context *ctx, crd_status status)
{
    return status == CRD_EIO && strncmp(crd_error_message(ctx), "standard output", 15) == 0;
}

static const char *kernel_set(const void *list, int64_t i)
{
    (void)list;
    return crdi_kernels_get((int)i)->name;
}

/* A context with the kernels that CREDENCE_KERNELS names. Where that fails, one with the processor's own still comes
 * back, as the error needs a place. */
static crd_status make_context(crd_context **out)
{
    const char *kernels = getenv("CREDENCE_KERNELS");
    crd_context_options options = {.log = print_warning, .kernels = kernels && *kernels ? kernels : NULL};
    crd_status status = crd_context_create(out, &options);
    if (status >= 0 || status == CRD_ENOMEM)
        return status;
    options.kernels = NULL;
    CRD_TRY(crd_context_create(out, &options));
    if (status == CRD_EUNSUPPORTED)
        crdi_raise(*out, status, "CREDENCE_KERNELS: this processor cannot run the kernels '%s'", kernels);
    else
        crdi_raise_unknown(*out, "instruction set in CREDENCE_KERNELS", kernels, kernel_set, NULL,
                           crdi_kernels_count());
    return status;
}

static crd_status run_command(crdi_cli *cli, const crdi_command *command, int argc, char **argv)
{
    crdi_cli_call call;
    CRD_TRY(crdi_cli_read(&call, cli->ctx, command, argc, argv));
    crd_status status =
        crdi_cli_wants_help(&call) ? crdi_usage_print(cli->ctx, command) : command->body->run(cli, &call);
    crdi_cli_clear(&call, cli->ctx);
    /* The first error is the one that is printed. One that nobody passed on is an error all the same. */
    return crd_error_status(cli->ctx) < 0 ? crd_error_status(cli->ctx) : status;
}

crd_status crdi_cli_run(crdi_cli *cli, int argc, char **argv)
{
    if (argc < 2)
        return crdi_raise(cli->ctx, CRD_EMISSING, "no command is given; 'credence help' lists them");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const crdi_command *command = crdi_commands_find(cli->ctx, name);
    return command ? run_command(cli, command, argc - 2, argv + 2) : CRD_ENAME;
}

/* Standard output is written late: a full disk or a closed pipe may show only here. */
static crd_status finish_output(crd_context *ctx, bool *gone)
{
    bool failed = ferror(stdout);
    *gone = reader_is_gone(); /* asked while it is open */
    errno = 0;
    if (fclose(stdout) != 0)
        failed = true;
    if (!failed)
        return CRD_OK;
    return crdi_raise(ctx, errno == ENOSPC ? CRD_EFULL : CRD_EIO, "standard output cannot be written%s%s",
                      errno ? ": " : "", errno ? strerror(errno) : "");
}

int crdi_main(int argc, char **argv)
{
    crdi_cli cli = {.terminal = crdi_terminal_is(STDERR_FILENO), .width = crdi_terminal_width(STDERR_FILENO, 80)};
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error that is reported, not an end without a word */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that meets a limit of the shell */
    crd_status status = make_context(&cli.ctx);
    if (!cli.ctx) {
        fprintf(stderr, "credence: %s\n", crd_status_text(status));
        return crd_status_exit_code(status);
    }
    if (status >= 0)
        status = crdi_cli_run(&cli, argc, argv);
    if (status < 0 && !(is_of_output(cli.ctx, status) && reader_is_gone()))
        print_error(cli.ctx, status);
    crd_error_clear(cli.ctx);
    bool gone;
    crd_status written = finish_output(cli.ctx, &gone);
    if (written < 0 && status >= 0) {
        if (!gone)
            print_error(cli.ctx, written);
        status = written;
    }
    crd_context_destroy(&cli.ctx);
    return crd_status_exit_code(status);
}
