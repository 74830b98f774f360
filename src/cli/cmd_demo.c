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

static crd_status make_folder(crd_context *ctx, const char *path)
{
    struct stat found;
    if (mkdir(path, 0777) == 0)
        return CRD_OK;
    int why = errno;
    if (why == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return CRD_OK;
    if (why == EEXIST)
        return crdi_raise(ctx, CRD_EIO, "%s: is there and is no folder; another --out-dir is needed", path);
    const char *last = strrchr(path, '/');
    if (why == ENOENT && last)
        return crdi_raise(ctx, CRD_EIO, "%s: the folder cannot be made, because %.*s is not there; make that first",
                          path, (int)(last - path), path);
    return crdi_raise(ctx, CRD_EIO, "%s: the folder cannot be made: %s", path, strerror(why));
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const demo_options *o = crdi_cli_values(call, &table);
    const char *name = crdi_cli_argument(call, 0);
    for (int i = 0; i < CRDI_COUNT(demos); i++) {
        if (strcmp(demos[i].name, name) != 0)
            continue;
        CRD_TRY(make_folder(cli->ctx, o->out_dir));
        return demos[i].run(cli, o->out_dir);
    }
    return crdi_raise_unknown(cli->ctx, "demo", name, demo_name, NULL, CRDI_COUNT(demos));
}

const crdi_command_body crdi_command_demo = {
    .positional = {{"NAME", "the demo, one of those below", CRDI_ONE}},
    .table = {&table},
    .more = "Demos:\n"
#define DEMO(name, help) "  " #name ": " help "\n"
#include "cli/demos.def"
#undef DEMO
            "Files of an earlier demo in the folder are replaced.\n",
    .run = run,
};
