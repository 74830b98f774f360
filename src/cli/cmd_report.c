/* cmd_report.c - credence report RUN.crd */
#include "cli/predictive.h"
#include "cli/terminal.h"
#include "report/run_canonical.h"
#include "report/run_report.h"
#include "store/output.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct report_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/report.def"
#undef OPT
} report_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(report_options, __VA_ARGS__)
#include "cli/report.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("report", report_options, rows);

enum { PATH = 4096 };

/* The run's name with another ending, in the current folder. */
static crd_status place(crdi_cli *cli, const report_options *o, const char *run, char out[PATH])
{
    const char *slash = strrchr(run, '/'), *base = slash ? slash + 1 : run, *dot = strrchr(base, '.');
    int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    int needed = o->out ? snprintf(out, PATH, "%s", o->out) : snprintf(out, PATH, "%.*s.html", length, base);
    return needed < PATH ? CRD_OK
                         : crdi_raise(cli->ctx, CRD_EINVAL, "the name of the page is longer than %d bytes", PATH);
}

/* Before any work: whether the page can be written there, and replaces nothing that it should not. */
static crd_status check_place(crdi_cli *cli, const report_options *o, const char *run, const char *out)
{
    crdi_output *output;
    CRD_TRY(crdi_cli_refuse_same(cli->ctx, out, run, "the run file"));
    CRD_TRY(crdi_output_open(&output, cli->ctx, out, o->force));
    crdi_output_abort(&output);
    return CRD_OK;
}

/* One line of a terminal, which the next one replaces. */
static void show_step(void *user, const char *what)
{
    const crdi_cli *cli = user;
    fprintf(stderr, "\r\033[Kreport: %.*s", cli->width > 20 ? cli->width - 10 : 10, what);
    fflush(stderr);
}

static crd_status write_page(crdi_cli *cli, const crdi_run_report *report, const char *path, bool force)
{
    crdi_output *output;
    CRD_TRY(crdi_output_open(&output, cli->ctx, path, force));
    crdi_output_write(output, crdi_string_text(&report->page), report->page.length);
    return crdi_output_commit(&output);
}

static void print_end(const crdi_run_report *report, const char *path)
{
    double kilobytes = (double)report->page.length / 1000;
    printf("page:        ");
    crdi_terminal_print(stdout, path, true);
    printf(", %.*f %s\n", kilobytes >= 1000, kilobytes >= 1000 ? kilobytes / 1000 : kilobytes,
           kilobytes >= 1000 ? "MB" : "kB");
    printf("verdict:     %s\n", report->sentence ? report->sentence : "there are no draws yet");
}

/* Now; or what SOURCE_DATE_EPOCH says (seconds since 1970, as of reproducible builds), so that a page can be made again to the byte. */
static void tell_time(char made[64])
{
    const char *set = getenv("SOURCE_DATE_EPOCH");
    int64_t seconds;
    time_t now = set && crdi_parse_int(set, &seconds) ? (time_t)seconds : time(NULL);
    struct tm utc;
    made[0] = 0;
    if (gmtime_r(&now, &utc))
        strftime(made, 64, "%Y-%m-%d %H:%M UTC", &utc);
}

static crd_status make(crdi_cli *cli, crdi_cli_call *call, const report_options *o, crdi_network_run *net,
                       const char *out)
{
    crdi_run_report *report = NULL;
    char made[64];
    tell_time(made);
    bool show = cli->terminal && !o->quiet;
    CRD_TRY(crdi_cli_predictive(cli, call, net, NULL));
    if (o->canonical)
        CRD_TRY(crdi_run_make_canonical(net, (int)o->threads));
    crd_status status = crdi_run_report_make(net,
                                             &(crdi_run_report_options){.prob = o->prob,
                                                                        .rows = o->rows,
                                                                        .draws = o->draws,
                                                                        .parameters = o->parameters,
                                                                        .canonical = o->canonical,
                                                                        .threads = (int)o->threads,
                                                                        .made = made,
                                                                        .step = show ? show_step : NULL,
                                                                        .user = cli},
                                             &report);
    if (show)
        fprintf(stderr, "\r\033[K");
    if (status == CRD_OK)
        status = write_page(cli, report, out, o->force);
    if (status == CRD_OK && !o->quiet)
        print_end(report, out);
    crdi_run_report_destroy(&report);
    return status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const report_options *o = crdi_cli_values(call, &table);
    const char *path = crdi_cli_argument(call, 0);
    crdi_network_run *net;
    char out[PATH];
    CRD_TRY(place(cli, o, path, out));
    CRD_TRY(check_place(cli, o, path, out));
    CRD_TRY(crdi_network_run_open(cli->ctx, path, &net));
    crd_status status = make(cli, call, o, net, out);
    crdi_network_run_close(&net);
    return status;
}

const crdi_command_body crdi_command_report = {
    .positional = {{"RUN.crd", "a run file; one that is being written is reported as far as it is", CRDI_ONE}},
    .table = {&table, &crdi_predictive_table},
    .more = "One file of HTML that opens in any browser without a network: the verdict of 'credence diagnose'\n"
            "first, what was run, data and predictions, diagnostics, parameters. Tables sort, fold and are\n"
            "searched; figures zoom (drag, or + and - when they have the focus) and tell the values under the\n"
            "pointer or, by the arrow keys, one by one (docs/report.md).\n",
    .run = run,
};
