/* cmd_version.c - credence version */
#include "cli/command.h"
#include "kernel/kernel.h"
#include "report/figure.h"
#include "store/json.h"
#include "store/netcdf.h"
#include "store/sqlite.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

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

/* A library or program that is needed for one thing only may be missing. */
struct part {
    const char *name, *needed_for;
    bool found;
    char what[PATH_MAX];
};

enum { PARTS = 4 };

static void find_parts(crd_context *ctx, struct part parts[PARTS])
{
    parts[0] = (struct part){.name = "sqlite", .needed_for = "run files", .found = true};
    snprintf(parts[0].what, sizeof parts[0].what, "%s", crdi_sqlite_version());
    parts[1] = (struct part){.name = "jansson", .needed_for = "JSON", .found = true};
    snprintf(parts[1].what, sizeof parts[1].what, "%s", crdi_json_library());
    parts[2] = (struct part){.name = "netcdf", .needed_for = "files of ArviZ"};
    parts[2].found = crdi_netcdf_version(ctx, parts[2].what, sizeof parts[2].what) == CRD_OK;
    crd_error_clear(ctx); /* that it is missing is what is told */
    parts[3] = (struct part){.name = "gnuplot", .needed_for = "figures"};
    parts[3].found = crdi_gnuplot_find(parts[3].what, sizeof parts[3].what);
}

static void print_text(const struct part parts[PARTS])
{
    printf("build: %s, %s\n", CRDI_BUILD, __VERSION__);
    printf("kernels there are:");
    for (int i = 0; i < crdi_kernels_count(); i++)
        printf(" %s", crdi_kernels_get(i)->name);
    printf("\nprecisions: double, single\nprocessors: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    for (int i = 0; i < PARTS; i++)
        printf("%s: %s (%s)\n", parts[i].name, parts[i].found ? parts[i].what : "not found", parts[i].needed_for);
}

static crd_status print_json(crd_context *ctx, const char *kernels, const struct part *parts)
{
    crdi_string out;
    crdi_json_writer w = {.out = &out};
    crdi_string_init(&out, ctx);
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "version", crd_version());
    crdi_json_put_text(&w, "kernels", kernels);
    if (parts) {
        crdi_json_put_text(&w, "build", CRDI_BUILD);
        crdi_json_put_text(&w, "compiler", __VERSION__);
        crdi_json_open(&w, "kernels_there_are", '[');
        for (int i = 0; i < crdi_kernels_count(); i++)
            crdi_json_put_text(&w, NULL, crdi_kernels_get(i)->name);
        crdi_json_close(&w, ']');
        crdi_json_open(&w, "precisions", '[');
        crdi_json_put_text(&w, NULL, "double");
        crdi_json_put_text(&w, NULL, "single");
        crdi_json_close(&w, ']');
        crdi_json_put_integer(&w, "processors", sysconf(_SC_NPROCESSORS_ONLN));
        for (int i = 0; i < PARTS; i++)
            crdi_json_put_text(&w, parts[i].name, parts[i].found ? parts[i].what : NULL);
    }
    crdi_json_close(&w, '}');
    crd_status status = out.status;
    if (status == CRD_OK)
        printf("%s\n", crdi_string_text(&out));
    crdi_string_clear(&out);
    return status;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const version_options *o = crdi_cli_values(call, &table);
    const char *kernels = crd_context_kernels(cli->ctx);
    struct part parts[PARTS];
    if (o->verbose)
        find_parts(cli->ctx, parts);
    if (strcmp(o->format, "json") == 0)
        return print_json(cli->ctx, kernels, o->verbose ? parts : NULL);
    printf("credence %s (kernels: %s)\n", crd_version(), kernels);
    if (o->verbose)
        print_text(parts);
    return CRD_OK;
}

const crdi_command_body crdi_command_version = {.table = {&table}, .run = run};
