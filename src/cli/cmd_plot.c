/* cmd_plot.c - credence plot RUN.crd FIGURE --out PICTURE */
#include "cli/command.h"
#include "cli/predictive.h"
#include "report/run_canonical.h"
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

enum { MOST_DRAWS = 24, MOST_LEVELS = 8 };

/* Reads numbers with commas between; -1 if that is not what it is, or if there are more than `most`. */
static int read_numbers(const char *text, double *out, int most)
{
    for (int count = 0; count < most;) {
        char number[64];
        size_t length = strcspn(text, ",");
        if (length >= sizeof number)
            return -1;
        memcpy(number, text, length);
        number[length] = 0;
        if (!crdi_parse_double(number, &out[count++]))
            return -1;
        if (!text[length])
            return count;
        text += length + 1;
    }
    return -1;
}

static crd_status read_range(crd_context *ctx, const char *text, const char *figure, double range[4], int *out)
{
    bool map = strcmp(figure, "map") == 0;
    int count = read_numbers(text, range, map ? 4 : 2);
    bool good = count == 2 || count == 4;
    for (int i = 0; i < count && good; i += 2)
        good = isfinite(range[i]) && isfinite(range[i + 1]) && range[i] < range[i + 1];
    *out = count;
    return good ? CRD_OK
                : crdi_raise(ctx, CRD_EINVAL, "option --range: '%s' is no pair LOW,HIGH with LOW below HIGH%s", text,
                             map ? ", and no two such pairs" : "");
}

/* Numbers of draws, from 0 as everywhere. */
static crd_status read_draws(crd_context *ctx, const crdi_text_list *list, int64_t *out, int64_t *out_count)
{
    double number[MOST_DRAWS];
    *out_count = 0;
    for (int64_t i = 0; i < list->count; i++) {
        int count = read_numbers(list->item[i], number, MOST_DRAWS);
        for (int k = 0; k < count; k++) {
            if (!(number[k] >= 0 && number[k] <= 1e9 && number[k] == floor(number[k])) || *out_count == MOST_DRAWS)
                count = -1;
            else
                out[(*out_count)++] = (int64_t)number[k];
        }
        if (count < 1)
            return crdi_raise(ctx, CRD_EINVAL, "option --draw: '%s' is no list of up to %d whole numbers from 0",
                              list->item[i], MOST_DRAWS);
    }
    return CRD_OK;
}

/* How much of the draws each band holds. */
static crd_status read_levels(crd_context *ctx, const char *text, double level[MOST_LEVELS], int *out)
{
    *out = read_numbers(text, level, MOST_LEVELS);
    for (int i = 0; i < *out; i++) {
        bool good = level[i] > 0 && level[i] < 1;
        for (int k = 0; k < i; k++)
            good = good && level[k] != level[i];
        if (!good)
            *out = -1;
    }
    return *out > 0 ? CRD_OK
                    : crdi_raise(ctx, CRD_EINVAL,
                                 "option --levels: '%s' is no list of up to %d different numbers between 0 and 1", text,
                                 MOST_LEVELS);
}

/* Some options are of some figures only. */
static crd_status check_options(crd_context *ctx, crdi_cli_call *call, const char *figure)
{
    static const struct {
        const char *option, *figures[5]; /* as they are listed */
    } of[] = {{"site", {"trace", "rank", "autocorrelation", "pairs", "forest"}},
              {"along", {"bands"}},
              {"levels", {"bands"}},
              {"functions", {"bands"}},
              {"inputs", {"data", "map"}},
              {"range", {"bands", "map"}},
              {"show", {"map"}},
              {"draw", {"map"}},
              {"draws", {"map"}},
              {"resolution", {"map"}}};
    const crdi_options *given = crdi_cli_options(call, &table);
    for (int i = 0; i < CRDI_COUNT(of); i++) {
        char names[128] = "";
        bool allowed = !crdi_options_given(given, of[i].option);
        int count = 0;
        while (count < CRDI_COUNT(of[i].figures) && of[i].figures[count])
            count++;
        for (int k = 0; k < count; k++) {
            size_t length = strlen(names);
            allowed = allowed || strcmp(figure, of[i].figures[k]) == 0;
            snprintf(names + length, sizeof names - length, "%s%s",
                     k == 0          ? ""
                     : k + 1 < count ? ", "
                                     : " and ",
                     of[i].figures[k]);
        }
        if (!allowed)
            return crdi_raise(ctx, CRD_EINVAL, "option --%s is of the figure%s %s, not of %s", of[i].option,
                              count > 1 ? "s" : "", names, figure);
    }
    return CRD_OK;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    double range[4], level[MOST_LEVELS];
    int level_count;
    int range_count = 0;
    int64_t pick[MOST_DRAWS], pick_count;
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
        CRD_TRY(read_range(cli->ctx, o->range, name, range, &range_count));
    CRD_TRY(read_levels(cli->ctx, o->levels, level, &level_count));
    CRD_TRY(read_draws(cli->ctx, &o->draw, pick, &pick_count));
    CRD_TRY(crdi_cli_refuse_same(cli->ctx, o->out, crdi_cli_argument(call, 0), "the run file"));
    CRD_TRY(crdi_figure_check(cli->ctx, o->out, o->force));
    CRD_TRY(crdi_network_run_open(cli->ctx, crdi_cli_argument(call, 0), &net));
    crdi_run_figure_options options = {.site = o->site.item,
                                       .site_count = o->site.count,
                                       .inputs = o->inputs.item,
                                       .input_count = o->inputs.count,
                                       .along = o->along,
                                       .level = level,
                                       .level_count = level_count,
                                       .functions = o->functions,
                                       .range = o->range ? range : NULL,
                                       .range_count = range_count,
                                       .resolution = o->resolution,
                                       .show = o->show.item,
                                       .show_count = o->show.count,
                                       .pick = pick,
                                       .pick_count = pick_count,
                                       .draws = o->draws,
                                       .key = crd_key_make(0)};
    crd_status status = crdi_cli_predictive(cli, call, net, NULL);
    if (status == CRD_OK && o->canonical)
        status = crdi_run_make_canonical(net, 0);
    if (status == CRD_OK)
        status = crdi_run_figure_make(net, name, &options, &figure);
    if (status == CRD_OK)
        status = crdi_figure_save(figure, o->out, o->force);
    crdi_figure_destroy(&figure);
    crdi_network_run_close(&net);
    return status;
}

static const char more[] =
    "Figures:\n"
#define FIGURE(name, needs, help) "  " #name ": " help "\n"
#include "report/figures.def"
#undef FIGURE
    "effects and reliability are drawn by other commands ('credence demo', 'credence evaluate').\n";

const crdi_command_body crdi_command_plot = {
    .positional = {{"RUN.crd", "a run file", CRDI_ONE}, {"FIGURE", "which picture; they are listed below", CRDI_ONE}},
    .table = {&table, &crdi_predictive_table},
    .more = more,
    .run = run,
};
