/* netcdf.c - draws in the layout of ArviZ's InferenceData (its schema 1): a group for draws, one for the sampler's
 * statistics and, for a network from the command line, predictions of its data, their log likelihood, the data, and draws
 * from the prior with what they predict.
 *
 * A site "net/Dense_0.kernel" becomes net.Dense_0.kernel, because names of netCDF cannot have a slash; its own name stands in
 * the attribute "site", which the reader (netcdf_read.c) gives back. All of y is in the target's own units. */
#include "report/formats/netcdf.h"
#include "nn/likelihood.h"
#include "report/by_row.h"
#include "report/run_likelihood.h"
#include "store/dataset.h"
#include "store/netcdf.h"
#include "store/network_warmup.h"
#include "store/output.h"

#include <string.h>

static const int64_t MOST_NUMBERS = 4 << 20; /* in memory at a time, unless one draw or 128 rows have more */

const crdi_statistic_name crdi_netcdf_statistics[] = {{"accept_prob", "acceptance_rate", 0},
                                                      {"diverging", "diverging", 2},
                                                      {"log_density", "lp", 0},
                                                      {"n_steps", "n_steps", 1},
                                                      {"tree_depth", "tree_depth", 1}};
const int crdi_netcdf_statistic_count = CRDI_COUNT(crdi_netcdf_statistics);

struct writer {
    const crdi_export *request;
    crd_context *ctx;
    crdi_network_run *net;
    crdi_netcdf *nc;
    crdi_run_part part;
    int64_t total;
    int group, dim[2]; /* of the group at hand: chain and draw */
};

/* ---- groups and variables -------------------------------------------------------------------------------------- */

/* Copies an entry of the run, if it is there, as an attribute of a group. */
static crd_status put_entry(const struct writer *w, int group, const char *key, const char *name)
{
    char *text;
    if (!crdi_run_has(w->net->run, key))
        return CRD_OK;
    CRD_TRY(crdi_run_get_text(w->net->run, key, &text));
    crd_status status = crdi_netcdf_put_text(w->nc, group, CRDI_NETCDF_OF_GROUP, name, text);
    crdi_free(w->ctx, text);
    return status;
}

static crd_status put_making(const struct writer *w, int group)
{
    int64_t warmup;
    double seconds;
    CRD_TRY(put_entry(w, group, "started", "created_at"));
    CRD_TRY(crdi_netcdf_put_text(w->nc, group, CRDI_NETCDF_OF_GROUP, "creation_library", "credence"));
    CRD_TRY(crdi_netcdf_put_text(w->nc, group, CRDI_NETCDF_OF_GROUP, "creation_library_version", CRDI_VERSION));
    CRD_TRY(crdi_netcdf_put_text(w->nc, group, CRDI_NETCDF_OF_GROUP, "creation_library_language", "C"));
    CRD_TRY(crdi_netcdf_put_text(w->nc, group, CRDI_NETCDF_OF_GROUP, "inference_library", "credence"));
    CRD_TRY(put_entry(w, group, "version", "inference_library_version"));
    CRD_TRY(put_entry(w, group, "method", "method"));
    CRD_TRY(put_entry(w, group, "model", "model"));
    if (crdi_run_has(w->net->run, "sampling_seconds")) {
        CRD_TRY(crdi_run_get_number(w->net->run, "sampling_seconds", &seconds));
        CRD_TRY(crdi_netcdf_put_number(w->nc, group, CRDI_NETCDF_OF_GROUP, "sampling_time", seconds));
    }
    if (crdi_run_has(w->net->run, "warmup")) {
        CRD_TRY(crdi_run_get_integer(w->net->run, "warmup", &warmup));
        CRD_TRY(crdi_netcdf_put_integer(w->nc, group, CRDI_NETCDF_OF_GROUP, "tuning_steps", warmup));
    }
    return CRD_OK;
}

/* An axis and its coordinates: `value` NULL means 0, 1, ... */
static crd_status add_axis(struct writer *w, const char *name, int64_t size, const int *value, int *dim)
{
    int variable;
    CRD_TRY(crdi_netcdf_add_dimension(w->nc, w->group, name, size, dim));
    CRD_TRY(crdi_netcdf_add_variable(w->nc, w->group, name, CRDI_NETCDF_INTEGER, 1, dim, &variable));
    double *number = crdi_alloc_array(w->ctx, size, sizeof *number);
    if (!number)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < size; i++)
        number[i] = value ? (double)value[i] : (double)i;
    crd_status status = crdi_netcdf_write(w->nc, w->group, variable, (int64_t[]){0}, &size, number);
    crdi_free(w->ctx, number);
    return status;
}

static crd_status begin_group(struct writer *w, const char *name, bool of_draws)
{
    CRD_TRY(crdi_netcdf_add_group(w->nc, name, &w->group));
    CRD_TRY(put_making(w, w->group));
    if (!of_draws)
        return CRD_OK;
    CRD_TRY(add_axis(w, "chain", w->part.chains, w->part.chain, &w->dim[0]));
    return add_axis(w, "draw", w->part.draws, NULL, &w->dim[1]);
}

/* A variable with the axes NAME_dim_0, ... behind the group's chain and draw, or alone. */
static crd_status add_variable(struct writer *w, const char *name, crdi_netcdf_type type, crd_shape shape,
                               bool of_draws, int *variable)
{
    int dim[CRDI_NETCDF_MOST_DIMS], ndim = 0;
    crdi_string axis;
    crd_status status = CRD_OK;
    if (of_draws) {
        dim[ndim++] = w->dim[0];
        dim[ndim++] = w->dim[1];
    }
    for (int i = 0; i < shape.ndim && status == CRD_OK; i++) {
        crdi_string_init(&axis, w->ctx);
        crdi_string_append(&axis, "%s_dim_%d", name, i);
        status = axis.status;
        if (status == CRD_OK)
            status = add_axis(w, crdi_string_text(&axis), shape.dim[i], NULL, &dim[ndim++]);
        crdi_string_clear(&axis);
    }
    return status == CRD_OK ? crdi_netcdf_add_variable(w->nc, w->group, name, type, ndim, dim, variable) : status;
}

/* ---- draws ------------------------------------------------------------------------------------------------------ */

static crd_status write_draws(struct writer *w, const crd_column *column, int variable)
{
    int64_t together = MOST_NUMBERS / (column->size > 0 ? column->size : 1);
    together = together < 1 ? 1 : together < w->part.draws ? together : w->part.draws;
    double *piece = crdi_alloc_array(w->ctx, together * column->size, sizeof *piece);
    crd_status status = piece ? CRD_OK : CRD_ENOMEM;
    int64_t start[CRDI_NETCDF_MOST_DIMS] = {0}, count[CRDI_NETCDF_MOST_DIMS] = {1};
    for (int i = 0; i < column->shape.ndim; i++)
        count[i + 2] = column->shape.dim[i];
    for (int c = 0; c < w->part.chains; c++)
        for (int64_t first = 0; first < w->part.draws && status == CRD_OK; first += together) {
            int64_t left = w->part.draws - first;
            start[0] = c;
            start[1] = first;
            count[1] = left < together ? left : together;
            status = crdi_run_read_range(w->net->run, column, w->part.chain[c], first, count[1], piece);
            if (status == CRD_OK)
                status = crdi_netcdf_write(w->nc, w->group, variable, start, count, piece);
        }
    crdi_free(w->ctx, piece);
    return status;
}

/* The variable of a site, under the name that netCDF allows. */
static crd_status add_site(struct writer *w, const char *site, crd_shape shape, int *variable)
{
    char *name = crdi_strdup(w->ctx, site);
    if (!name)
        return CRD_ENOMEM;
    for (char *at = strchr(name, '/'); at; at = strchr(at, '/'))
        *at = '.';
    crd_status status = add_variable(w, name, CRDI_NETCDF_DOUBLE, shape, true, variable);
    crdi_free(w->ctx, name);
    return status == CRD_OK ? crdi_netcdf_put_text(w->nc, w->group, *variable, "site", site) : status;
}

static crd_status write_site(struct writer *w, const crd_column *column)
{
    int variable;
    CRD_TRY(add_site(w, column->name, column->shape, &variable));
    if (column->kind == CRD_COLUMN_DETERMINISTIC)
        CRD_TRY(crdi_netcdf_put_text(w->nc, w->group, variable, "kind", "deterministic"));
    return write_draws(w, column, variable);
}

static crd_status write_statistic(struct writer *w, const crd_column *column)
{
    static const crdi_netcdf_type types[] = {CRDI_NETCDF_DOUBLE, CRDI_NETCDF_INTEGER, CRDI_NETCDF_BOOL};
    const crdi_statistic_name *row =
        crdi_statistic_ours(crdi_netcdf_statistics, crdi_netcdf_statistic_count, column->name);
    int variable;
    CRD_TRY(
        add_variable(w, row ? row->theirs : column->name, types[row ? row->whole : 0], column->shape, true, &variable));
    return write_draws(w, column, variable);
}

static crd_status write_columns(struct writer *w)
{
    CRD_TRY(begin_group(w, "posterior", true));
    for (int c = 0; c < crd_run_column_count(w->net->run); c++)
        if (crd_run_column(w->net->run, c)->kind != CRD_COLUMN_STATISTIC)
            CRD_TRY(write_site(w, crd_run_column(w->net->run, c)));
    CRD_TRY(begin_group(w, "sample_stats", true));
    for (int c = 0; c < crd_run_column_count(w->net->run); c++)
        if (crd_run_column(w->net->run, c)->kind == CRD_COLUMN_STATISTIC)
            CRD_TRY(write_statistic(w, crd_run_column(w->net->run, c)));
    return CRD_OK;
}

/* ---- the warm-up -------------------------------------------------------------------------------------------------- */

/* One column of the warm-up, which the run has as an array (chains, iterations, *shape). */
static crd_status write_warmup_column(struct writer *w, const crd_column *column, int64_t iterations, double *values)
{
    static const crdi_netcdf_type types[] = {CRDI_NETCDF_DOUBLE, CRDI_NETCDF_INTEGER, CRDI_NETCDF_BOOL};
    const crdi_statistic_name *row =
        crdi_statistic_ours(crdi_netcdf_statistics, crdi_netcdf_statistic_count, column->name);
    const int64_t start[CRDI_NETCDF_MOST_DIMS] = {0};
    int64_t count[CRDI_NETCDF_MOST_DIMS] = {w->part.chains, iterations};
    int variable;
    for (int i = 0; i < column->shape.ndim; i++)
        count[i + 2] = column->shape.dim[i];
    CRD_TRY(crdi_network_warmup_read(w->ctx, w->net->run, column, iterations, values));
    if (column->kind == CRD_COLUMN_STATISTIC)
        CRD_TRY(add_variable(w, row ? row->theirs : column->name, types[row ? row->whole : 0], column->shape, true,
                             &variable));
    else
        CRD_TRY(add_site(w, column->name, column->shape, &variable));
    return crdi_netcdf_write(w->nc, w->group, variable, start, count, values);
}

static crd_status write_warmup_group(struct writer *w, const char *group, bool statistics, int64_t iterations)
{
    CRD_TRY(crdi_netcdf_add_group(w->nc, group, &w->group));
    CRD_TRY(put_making(w, w->group));
    CRD_TRY(add_axis(w, "chain", w->part.chains, w->part.chain, &w->dim[0]));
    CRD_TRY(add_axis(w, "draw", iterations, NULL, &w->dim[1]));
    for (int c = 0; c < crd_run_column_count(w->net->run); c++) {
        const crd_column *column = crd_run_column(w->net->run, c);
        if ((column->kind == CRD_COLUMN_STATISTIC) != statistics)
            continue;
        double *values = crdi_alloc_array(w->ctx, w->part.chains * iterations * column->size + 1, sizeof *values);
        if (!values)
            return CRD_ENOMEM;
        crd_status status = write_warmup_column(w, column, iterations, values);
        crdi_free(w->ctx, values);
        CRD_TRY(status);
    }
    return CRD_OK;
}

/* Where the run has it, and all of its chains are exported. */
static crd_status write_warmup(struct writer *w)
{
    int64_t iterations;
    crd_run *run = w->net->run;
    if (crd_run_column_count(run) == 0 || w->part.chains != crd_run_chains(run) ||
        !crdi_network_warmup_has(w->ctx, run, &iterations))
        return CRD_OK;
    CRD_TRY(write_warmup_group(w, "warmup_posterior", false, iterations));
    return write_warmup_group(w, "warmup_sample_stats", true, iterations);
}

/* ---- rows of the data -------------------------------------------------------------------------------------------- */

/* Rows that are in memory for all draws: (draws, rows, width). */
struct window {
    int64_t first, rows, width;
    double *value;
};

static crd_status keep_row(void *user, int64_t row, int64_t draws, double *values)
{
    const struct window *window = user;
    int64_t width = window->width;
    for (int64_t d = 0; d < draws; d++)
        memcpy(window->value + (d * window->rows + row - window->first) * width, values + d * width,
               (size_t)width * sizeof *values);
    return CRD_OK;
}

static crd_status fill_window(const struct writer *w, bool density, struct window *window)
{
    int threads = w->request->threads;
    if (density)
        return crdi_run_log_likelihood(w->net, threads, window->first, window->rows, keep_row, window);
    return crdi_run_replications(w->net, threads, crd_key_make((uint64_t)w->request->seed), window->first, window->rows,
                                 keep_row, window);
}

/* The variable y of log_likelihood (`density`: one number a row) or posterior_predictive. */
static crd_status write_by_row(struct writer *w, const char *group, bool density)
{
    int64_t rows = w->net->y.shape.dim[0], width = density ? 1 : w->net->recipe->target_count;
    int64_t together = MOST_NUMBERS / w->total / width / CRDI_BLOCK_ROWS * CRDI_BLOCK_ROWS;
    int variable;
    together = together < CRDI_BLOCK_ROWS ? CRDI_BLOCK_ROWS : together;
    together = together < rows ? together : rows;
    CRD_TRY(begin_group(w, group, true));
    CRD_TRY(add_variable(w, "y", CRDI_NETCDF_DOUBLE, density ? crd_shape_1(rows) : w->net->y.shape, true, &variable));
    struct window window = {.width = width,
                            .value = crdi_alloc_array(w->ctx, w->total * together * width, sizeof(double))};
    crd_status status = window.value ? CRD_OK : CRD_ENOMEM;
    for (; window.first < rows && status == CRD_OK; window.first += together) {
        window.rows = rows - window.first < together ? rows - window.first : together;
        status = fill_window(w, density, &window);
        if (status == CRD_OK)
            status = crdi_netcdf_write(w->nc, w->group, variable, (int64_t[]){0, 0, window.first, 0},
                                       (int64_t[]){w->part.chains, w->part.draws, window.rows, width}, window.value);
    }
    crdi_free(w->ctx, window.value);
    return status;
}

/* ---- the prior --------------------------------------------------------------------------------------------------- */

/* Groups of one chain: `prior` with the latent sites, `prior_predictive` with y. */
struct prior {
    crd_model *model;
    crd_exec *exec;
    int group[2], *variable; /* (sites + 1) */
    int64_t draws;
};

static crd_status begin_prior(struct writer *w, const char *name)
{
    CRD_TRY(crdi_netcdf_add_group(w->nc, name, &w->group));
    CRD_TRY(put_making(w, w->group));
    CRD_TRY(add_axis(w, "chain", 1, NULL, &w->dim[0]));
    return add_axis(w, "draw", w->request->prior_draws, NULL, &w->dim[1]);
}

static crd_status declare_prior(struct writer *w, struct prior *p)
{
    int sites = crd_model_site_count(p->model);
    CRD_TRY(begin_prior(w, "prior"));
    p->group[0] = w->group;
    for (int i = 0; i < sites; i++) {
        const crd_site *site = crd_model_site(p->model, i);
        CRD_TRY(add_site(w, site->name, site->shape, &p->variable[i]));
    }
    CRD_TRY(begin_prior(w, "prior_predictive"));
    p->group[1] = w->group;
    return add_variable(w, "y", CRDI_NETCDF_DOUBLE, w->net->y.shape, true, &p->variable[sites]);
}

static crd_status put_prior_draw(struct writer *w, int group, int variable, crd_shape shape, int64_t draw,
                                 const double *values)
{
    int64_t start[CRDI_NETCDF_MOST_DIMS] = {0, draw}, count[CRDI_NETCDF_MOST_DIMS] = {1, 1};
    for (int i = 0; i < shape.ndim; i++)
        count[i + 2] = shape.dim[i];
    return crdi_netcdf_write(w->nc, group, variable, start, count, values);
}

static crd_status write_prior_draws(struct writer *w, struct prior *p)
{
    const crd_recipe *recipe = w->net->recipe;
    int sites = crd_model_site_count(p->model);
    int64_t size = crd_shape_size(w->net->y.shape);
    double *y = crdi_alloc_array(w->ctx, size, sizeof *y);
    crd_key seed = crd_key_fold_in(crd_key_make((uint64_t)w->request->seed), 0x7072696f);
    crd_status status = y ? CRD_OK : CRD_ENOMEM;
    for (int64_t d = 0; d < w->request->prior_draws && status == CRD_OK; d++) {
        crd_key key = crd_key_fold_in(seed, (uint32_t)d);
        crd_exec_input(p->exec)[0] = key.word[0];
        crd_exec_input(p->exec)[1] = key.word[1];
        crd_exec_run(p->exec);
        const double *value = crd_exec_output(p->exec);
        for (int i = 0; i < sites && status == CRD_OK; i++) {
            const crd_site *site = crd_model_site(p->model, i);
            status = put_prior_draw(w, p->group[0], p->variable[i], site->shape, d, value);
            value += site->size;
        }
        for (int64_t i = 0; i < size; i++)
            y[i] = crdi_recipe_own_units(recipe, i, value[i]);
        if (status == CRD_OK)
            status = put_prior_draw(w, p->group[1], p->variable[sites], w->net->y.shape, d, y);
    }
    crdi_free(w->ctx, y);
    return status;
}

static crd_status write_prior(struct writer *w)
{
    static const char *const names[] = {"y"};
    struct prior p = {0};
    crd_program *program = NULL;
    if (w->request->prior_draws == 0 || crdi_network_plain(&w->net->network)) /* without priors nothing can be drawn */
        return CRD_OK;
    CRD_TRY(crdi_network_run_model(w->net, &p.model));
    p.variable = crdi_alloc_array(w->ctx, crd_model_site_count(p.model) + 1, sizeof *p.variable);
    crd_status status = p.variable ? crd_model_compile_prior(p.model, names, 1, &program) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crd_exec_create(&p.exec, program);
    if (status == CRD_OK)
        status = declare_prior(w, &p);
    if (status == CRD_OK)
        status = write_prior_draws(w, &p);
    crd_exec_destroy(&p.exec);
    crd_program_destroy(&program);
    crd_model_destroy(&p.model);
    crdi_free(w->ctx, p.variable);
    return status;
}

/* ---- the data ------------------------------------------------------------------------------------------------------ */

/* The targets in their own units, and the names of their columns, a line each. */
static crd_status write_target(struct writer *w)
{
    const crd_recipe *recipe = w->net->recipe;
    int64_t size = crd_shape_size(w->net->y.shape);
    int variable;
    crdi_string names;
    CRD_TRY(begin_group(w, "observed_data", false));
    CRD_TRY(add_variable(w, "y", CRDI_NETCDF_DOUBLE, w->net->y.shape, false, &variable));
    crdi_string_init(&names, w->ctx);
    for (int64_t j = 0; j < recipe->target_count; j++)
        crdi_string_append(&names, "%s%s", j ? "\n" : "", recipe->targets[j].name);
    crd_status status = names.status;
    if (status == CRD_OK)
        status = crdi_netcdf_put_text(w->nc, w->group, variable, "column", crdi_string_text(&names));
    crdi_string_clear(&names);
    CRD_TRY(status);
    double *y = crdi_alloc_array(w->ctx, size, sizeof *y);
    if (!y)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < size; i++)
        y[i] = crdi_recipe_own_units(recipe, i, w->net->y.data[i]);
    status = crdi_netcdf_write(w->nc, w->group, variable, (int64_t[]){0, 0}, w->net->y.shape.dim, y);
    crdi_free(w->ctx, y);
    return status;
}

/* The inputs in their own units, and their names a line each. */
static crd_status write_inputs(struct writer *w)
{
    const crd_recipe *recipe = w->net->recipe;
    int64_t rows = w->net->x.shape.dim[0], features = w->net->x.shape.dim[1];
    int variable;
    crdi_string names;
    CRD_TRY(begin_group(w, "constant_data", false));
    CRD_TRY(add_variable(w, "x", CRDI_NETCDF_DOUBLE, w->net->x.shape, false, &variable));
    crdi_string_init(&names, w->ctx);
    for (int64_t j = 0; j < features; j++)
        crdi_string_append(&names, "%s%s", j ? "\n" : "", recipe->feature[j].name);
    crd_status status = names.status;
    if (status == CRD_OK)
        status = crdi_netcdf_put_text(w->nc, w->group, variable, "features", crdi_string_text(&names));
    crdi_string_clear(&names);
    CRD_TRY(status);
    double *x = crdi_alloc_array(w->ctx, rows * features, sizeof *x);
    if (!x)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < rows * features; i++) {
        const crd_feature *feature = &recipe->feature[i % features];
        x[i] = feature->mean + feature->sd * w->net->x.data[i];
    }
    status = crdi_netcdf_write(w->nc, w->group, variable, (int64_t[]){0, 0}, (int64_t[]){rows, features}, x);
    crdi_free(w->ctx, x);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static crd_status write_all(struct writer *w)
{
    static const char *const entries[] = {"network", "priors", "recipe", "options", "data_name", "data_sha256"};
    int root = crdi_netcdf_root(w->nc);
    CRD_TRY(put_making(w, root));
    for (int i = 0; i < CRDI_COUNT(entries); i++)
        CRD_TRY(put_entry(w, root, entries[i], entries[i]));
    CRD_TRY(write_columns(w));
    CRD_TRY(write_warmup(w));
    if (!w->net->is_network)
        return CRD_OK;
    CRD_TRY(write_by_row(w, "posterior_predictive", false));
    CRD_TRY(write_by_row(w, "log_likelihood", true));
    CRD_TRY(write_target(w));
    CRD_TRY(write_inputs(w));
    return write_prior(w);
}

/* About what the file takes: its columns, y and log likelihood by row and draw, and the library's own. HDF5 ends the whole program when it
 * cannot write; so the room is asked for before. */
static double bytes_needed(const struct writer *w)
{
    enum { OF_THE_LIBRARY = 65536 };
    double numbers = 0;
    for (int i = 0; i < crd_run_column_count(w->net->run); i++)
        numbers += (double)crd_run_column(w->net->run, i)->size * (double)w->total;
    if (w->net->is_network)
        numbers += (double)w->net->y.shape.dim[0] * (double)(w->net->recipe->target_count + 1) * (double)w->total;
    return OF_THE_LIBRARY + 1.02 * sizeof(double) * numbers;
}

static crd_status write_file(struct writer *w, const crdi_output *output)
{
    CRD_TRY(crdi_run_part_find(w->ctx, w->net->run, &w->part));
    w->total = w->part.chains * w->part.draws;
    crd_status status = crdi_output_need(output, bytes_needed(w));
    if (status == CRD_OK)
        status = crdi_netcdf_create(w->ctx, crdi_output_temporary(output), w->request->path, &w->nc);
    if (status == CRD_OK)
        status = write_all(w);
    crd_status closed = crdi_netcdf_close(&w->nc);
    crdi_run_part_clear(w->ctx, &w->part);
    return status < 0 ? status : closed;
}

static crd_status write_format(const crdi_export *request)
{
    struct writer w = {.request = request, .ctx = request->ctx, .net = request->net};
    crdi_output *output;
    CRD_TRY(crdi_export_need_path(request, "netcdf"));
    CRD_TRY(crdi_output_open(&output, request->ctx, request->path, request->force));
    crd_status status = write_file(&w, output);
    if (status == CRD_OK)
        return crdi_output_commit(&output);
    crdi_output_abort(&output);
    return status;
}

const crdi_draws_format crdi_format_netcdf = {
    .write = write_format, .is = crdi_netcdf_is, .read = crdi_netcdf_read_draws};
