/* bench_scaling.c - the gradient against rows, width and depth. A cliff is a step of the time for one unit at one row. */
#include "cli/bench.h"
#include "report/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AXES = 3, MOST = 16, TEXT = 64 };

typedef struct axis {
    const char *name, *setting;
    int count;
    int64_t size[MOST];
    double us[MOST], ns[MOST]; /* a gradient; a unit and row of it */
    double kilobytes[MOST]; /* of workspace */
} axis;

static const axis plan[AXES] = {
    {"rows",
     "width 10, depth 1",
     11,
     {10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000},
     {0},
     {0},
     {0}},
    {"width", "40 rows, depth 1", 11, {2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}, {0}, {0}, {0}},
    {"depth", "40 rows, width 10", 8, {1, 2, 3, 4, 5, 6, 7, 8}, {0}, {0}, {0}},
};

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static crd_status time_model(const crdi_bench *bench, crd_network *network, double *seconds, double *kilobytes)
{
    crd_model *model;
    crd_exec *exec = NULL;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, network));
    crd_status status = crd_exec_create(&exec, crd_model_density(model));
    if (status == CRD_OK) {
        crd_random_normal(crd_key_make(1), crd_model_dim(model), crd_exec_input(exec));
        for (int64_t r = -1; r < bench->options->repeat; r++) {
            double once = crdi_bench_run(exec);
            if (r >= 0)
                bench->times[r] = once;
        }
        *seconds = crdi_bench_median(bench->times, bench->options->repeat);
        *kilobytes = (double)crd_program_workspace(crd_model_density(model)) * sizeof(double) / 1024;
    }
    crd_exec_destroy(&exec);
    crd_model_destroy(&model);
    return status;
}

static crd_status time_size(const crdi_bench *bench, int64_t rows, int64_t width, int64_t depth, double *seconds,
                            double *kilobytes)
{
    char hidden[TEXT] = "";
    crd_array x, y;
    for (int64_t i = 0, at = 0; i < depth; i++)
        at += snprintf(hidden + at, (size_t)(TEXT - at), i ? ",%lld" : "%lld", (long long)width);
    CRD_TRY(crd_array_init(bench->ctx, &x, crd_shape_2(rows, 1)));
    crd_status status = crd_array_init(bench->ctx, &y, crd_shape_1(rows));
    if (status < 0) {
        crd_array_clear(&x);
        return status;
    }
    for (int64_t i = 0; i < rows; i++) {
        x.data[i] = 2 * ((double)i + 0.5) / (double)rows - 1;
        y.data[i] = x.data[i] * sin(5 * x.data[i]) + 0.1 * sin(1e3 * (double)i);
    }
    crd_network network = *bench->network;
    network.hidden = hidden;
    network.x = x;
    network.y = &y;
    status = time_model(bench, &network, seconds, kilobytes);
    crd_array_clear(&x);
    crd_array_clear(&y);
    return status;
}

static void print_size(const crdi_bench *bench, const axis *a, int i)
{
    if (crdi_bench_json(bench))
        printf("{\"bench\": \"scaling\", \"what\": \"%s\", \"size\": %lld, \"unit\": \"us\", \"median\": %.6g, "
               "\"ns_a_unit_and_row\": %.6g, \"workspace_kb\": %.6g}\n",
               a->name, (long long)a->size[i], a->us[i], a->ns[i], a->kilobytes[i]);
    else
        printf("%9lld %14.2f %18.3f %13.1f\n", (long long)a->size[i], a->us[i], a->ns[i], a->kilobytes[i]);
    fflush(stdout);
}

static crd_status run_axis(const crdi_bench *bench, axis *a)
{
    if (!crdi_bench_json(bench))
        printf("\n%9s %14s %18s %13s   (%s)\n", a->name, "us a gradient", "ns a unit and row", "workspace KB",
               a->setting);
    for (int i = 0; i < a->count; i++) {
        double seconds = 0, kilobytes = 0;
        int64_t rows = strcmp(a->name, "rows") == 0 ? a->size[i] : 40;
        int64_t width = strcmp(a->name, "width") == 0 ? a->size[i] : 10;
        int64_t depth = strcmp(a->name, "depth") == 0 ? a->size[i] : 1;
        CRD_TRY(time_size(bench, rows, width, depth, &seconds, &kilobytes));
        a->us[i] = 1e6 * seconds;
        a->ns[i] = 1e9 * seconds / (double)(rows * width * depth);
        a->kilobytes[i] = kilobytes;
        print_size(bench, a, i);
    }
    return CRD_OK;
}

/* ---- the figure ------------------------------------------------------------------------------------------------- */

static void add_axis(crdi_figure *f, int column, const axis *a)
{
    double x[MOST];
    crdi_panel *top = crdi_figure_panel(f, 0, column), *bottom = crdi_figure_panel(f, 1, column);
    for (int i = 0; i < a->count; i++)
        x[i] = (double)a->size[i];
    crdi_panel_texts(f, top, a->setting, a->name, column ? NULL : "us a gradient");
    crdi_panel_texts(f, bottom, NULL, a->name, column ? NULL : "ns a unit and row");
    top->log_x = bottom->log_x = strcmp(a->name, "depth") != 0;
    top->log_y = true;
    bottom->has_y_range = true;
    bottom->y_range[0] = 0;
    bottom->y_range[1] = 0;
    for (int i = 0; i < a->count; i++)
        bottom->y_range[1] = fmax(bottom->y_range[1], 1.1 * a->ns[i]);
    crdi_layer line = {.kind = CRDI_LINE, .role = CRDI_ROLE_MODEL, .count = a->count, .x = x, .y = a->us};
    crdi_layer points = line;
    points.kind = CRDI_POINTS;
    crdi_panel_add(f, top, &line);
    crdi_panel_add(f, top, &points);
    line.y = points.y = a->ns;
    crdi_panel_add(f, bottom, &line);
    crdi_panel_add(f, bottom, &points);
}

static crd_status save_figure(const crdi_bench *bench, const axis *axes)
{
    crdi_figure *f;
    CRD_TRY(crdi_figure_create(&f, bench->ctx, 2, AXES));
    f->panel_width = 3.4;
    f->panel_height = 2.8;
    for (int k = 0; k < AXES; k++)
        add_axis(f, k, &axes[k]);
    crd_status status = crdi_figure_status(f);
    if (status == CRD_OK)
        status = crdi_figure_save(f, bench->options->out, true);
    crdi_figure_destroy(&f);
    return status;
}

crd_status crdi_bench_scaling(const crdi_bench *bench)
{
    axis axes[AXES];
    memcpy(axes, plan, sizeof axes);
    if (bench->options->out)
        CRD_TRY(crdi_figure_check(bench->ctx, bench->options->out, true));
    for (int k = 0; k < AXES; k++)
        CRD_TRY(run_axis(bench, &axes[k]));
    return bench->options->out ? save_figure(bench, axes) : CRD_OK;
}
