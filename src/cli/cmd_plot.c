/* cmd_plot.c - credence plot RUN.crd data|trace|bands|loss --out PICTURE */
#include "cli/command.h"
#include "report/run_figure.h"

#include <math.h>
#include <string.h>

typedef struct plot_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/plot.def"
#undef OPT
} plot_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(plot_options, __VA_ARGS__)
#include "cli/plot.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("plot", plot_options, rows);

/* Reads "LOW,HIGH". */
static crd_status read_range(crd_context *ctx, const char *text, double *range)
{
    char low[64];
    const char *comma = strchr(text, ',');
    if (comma && (size_t)(comma - text) < sizeof low) {
        memcpy(low, text, (size_t)(comma - text));
        low[comma - text] = 0;
        if (crdi_parse_double(low, &range[0]) && crdi_parse_double(comma + 1, &range[1]) && range[0] < range[1] &&
            isfinite(range[0]) && isfinite(range[1]))
            return CRD_OK;
    }
    return crdi_raise(ctx, CRD_EINVAL, "option --range: '%s' is no pair LOW,HIGH with LOW below HIGH", text);
}

/* Some options are of one figure only. */
static crd_status check_options(crd_context *ctx, crdi_cli_call *call, const char *figure)
{
    static const char *const of[][2] = {{"site", "trace"}, {"along", "bands"}, {"range", "bands"}};
    const crdi_options *given = crdi_cli_options(call, &table);
    for (int i = 0; i < CRDI_COUNT(of); i++)
        if (crdi_options_given(given, of[i][0]) && strcmp(figure, of[i][1]) != 0)
            return crdi_raise(ctx, CRD_EINVAL, "option --%s is of the figure %s, not of %s", of[i][0], of[i][1],
                              figure);
    return CRD_OK;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    double range[2];
    const plot_options *o = crdi_cli_values(call, &table);
    const char *name = crdi_cli_argument(call, 1);
    const crdi_figure_type *type;
    crdi_network_run *net;
    crdi_figure *figure = NULL;
    CRD_TRY(crdi_cli_check_order(cli->ctx, call));
    CRD_TRY(crdi_figure_type_find(cli->ctx, name, &type));
    CRD_TRY(check_options(cli->ctx, call, name));
    if (!o->out)
        return crdi_raise(cli->ctx, CRD_EMISSING, "plot needs --out FILE, a name that ends in .png, .svg or .pdf");
    if (o->range)
        CRD_TRY(read_range(cli->ctx, o->range, range));
    CRD_TRY(crdi_cli_refuse_same(cli->ctx, o->out, crdi_cli_argument(call, 0), "the run file"));
    CRD_TRY(crdi_figure_check(cli->ctx, o->out, o->force));
    CRD_TRY(crdi_network_run_open(cli->ctx, crdi_cli_argument(call, 0), &net));
    crdi_run_figure_options options = {.site = o->site.item,
                                       .site_count = o->site.count,
                                       .along = o->along,
                                       .range = o->range ? range : NULL,
                                       .key = crd_key_make(0)};
    crd_status status = crdi_run_figure_make(net, name, &options, &figure);
    if (status == CRD_OK)
        status = crdi_figure_save(figure, o->out, o->force);
    crdi_figure_destroy(&figure);
    crdi_network_run_close(&net);
    return status;
}

const crdi_command_body crdi_command_plot = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE},
                   {"FIGURE",
                    "data: the target against each input; trace: draws and their density; bands: predictions "
                    "with their 95 % band; loss: of a variational fit",
                    CRDI_ONE}},
    .table = {&table},
    .run = run,
};
