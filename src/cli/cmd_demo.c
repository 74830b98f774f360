/* cmd_demo.c - credence demo NAME: the pages of the tutorial, from the data to the figures. */
#include "cli/demo.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

typedef struct demo_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/demo.def"
#undef OPT
} demo_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(demo_options, __VA_ARGS__)
#include "cli/demo.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("demo", demo_options, rows);

static const struct {
    const char *name;
    crdi_demo_fn run;
} demos[] = {
#define DEMO(name, help) {#name, crdi_demo_##name},
#include "cli/demos.def"
#undef DEMO
};

static const char *demo_name(const void *list, int64_t i)
{
    (void)list;
    return demos[i].name;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const demo_options *o = crdi_cli_values(call, &table);
    const char *name = crdi_cli_argument(call, 0);
    for (int i = 0; i < CRDI_COUNT(demos); i++) {
        if (strcmp(demos[i].name, name) != 0)
            continue;
        if (mkdir(o->out_dir, 0777) != 0 && errno != EEXIST)
            return crdi_raise(cli->ctx, CRD_EIO, "%s: the folder cannot be made: %s", o->out_dir, strerror(errno));
        return demos[i].run(cli, o->out_dir);
    }
    return crdi_raise_unknown(cli->ctx, "demo", name, demo_name, NULL, CRDI_COUNT(demos));
}

const crdi_command_body crdi_command_demo = {
    .positional = {{"NAME", "regression or effects", CRDI_ONE}},
    .table = {&table},
    .more = "Demos:\n"
#define DEMO(name, help) "  " #name ": " help "\n"
#include "cli/demos.def"
#undef DEMO
            "Files of an earlier demo in the folder are replaced.\n",
    .run = run,
};
