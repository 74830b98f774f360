/* cmdstan.c - draws as CmdStan 2.3x writes them: a CSV file a chain, NAME_1.csv, NAME_2.csv, ... for --out NAME.csv.
 *
 * Names of Stan are letters, digits and underscores, so any other character becomes an underscore; comments say which site a
 * variable is. Elements are counted from 1, the first index fastest. */
#include "report/formats/cmdstan.h"
#include "store/output.h"

#include <string.h>

const crdi_statistic_name crdi_cmdstan_statistics[] = {
    {"log_density", "lp__", 0},       {"accept_prob", "accept_stat__", 0}, {"step_size", "stepsize__", 0},
    {"tree_depth", "treedepth__", 1}, {"n_steps", "n_leapfrog__", 1},      {"diverging", "divergent__", 2},
    {"energy", "energy__", 0}};
const int crdi_cmdstan_statistic_count = CRDI_COUNT(crdi_cmdstan_statistics);

struct writer {
    crd_context *ctx;
    crd_run *run;
    crdi_arena *arena;
    crdi_run_part part;
    int count;
    const crd_column **column; /* statistics first, as CmdStan has them */
    const char **name;
    int64_t width; /* elements of all columns */
    double *piece; /* column after column, each (together, size) */
    int64_t together;
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

static const char *stan_name(struct writer *w, const crd_column *column)
{
    const crdi_statistic_name *row =
        crdi_statistic_ours(crdi_cmdstan_statistics, crdi_cmdstan_statistic_count, column->name);
    if (column->kind == CRD_COLUMN_STATISTIC)
        return row ? row->theirs : crdi_arena_printf(w->arena, "%s__", column->name);
    char *name = crdi_arena_strdup(w->arena, column->name);
    for (char *at = name; at && *at; at++)
        if (!strchr(letters, *at))
            *at = '_';
    return name;
}

static crd_status add(struct writer *w, const crd_column *column)
{
    const char *name = stan_name(w, column);
    if (!name)
        return CRD_ENOMEM;
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->name[i], name) == 0)
            return crdi_raise(w->ctx, CRD_EUNSUPPORTED, "cmdstan: %s and %s would both be called %s",
                              w->column[i]->name, column->name, name);
    w->column[w->count] = column;
    w->name[w->count++] = name;
    w->width += column->size;
    return CRD_OK;
}

/* In CmdStan's order: its statistics, others, the sites. */
static crd_status order_columns(struct writer *w)
{
    int count = crd_run_column_count(w->run);
    w->column = crdi_arena_alloc(w->arena, (size_t)count * sizeof *w->column);
    w->name = crdi_arena_alloc(w->arena, (size_t)count * sizeof *w->name);
    if (!w->column || !w->name)
        return CRD_ENOMEM;
    for (int k = 0; k < crdi_cmdstan_statistic_count; k++)
        for (int c = 0; c < count; c++) {
            const crd_column *column = crd_run_column(w->run, c);
            if (column->kind == CRD_COLUMN_STATISTIC && strcmp(column->name, crdi_cmdstan_statistics[k].ours) == 0)
                CRD_TRY(add(w, column));
        }
    for (int statistics = 1; statistics >= 0; statistics--)
        for (int c = 0; c < count; c++) {
            const crd_column *column = crd_run_column(w->run, c);
            if ((column->kind == CRD_COLUMN_STATISTIC) != (statistics == 1) ||
                (statistics &&
                 crdi_statistic_ours(crdi_cmdstan_statistics, crdi_cmdstan_statistic_count, column->name)))
                continue;
            CRD_TRY(add(w, column));
        }
    return CRD_OK;
}

/* ---- one file --------------------------------------------------------------------------------------------------- */

/* The place in row-major order of element `i` in the order in which the first index is fastest; its indices from 1. */
static int64_t place_of(crd_shape shape, int64_t i, int64_t index[CRD_MAX_DIMS])
{
    int64_t place = 0;
    for (int k = 0; k < shape.ndim; k++) {
        index[k] = i % shape.dim[k] + 1;
        i /= shape.dim[k];
    }
    for (int k = 0; k < shape.ndim; k++)
        place = place * shape.dim[k] + index[k] - 1;
    return place;
}

static void write_head(const struct writer *w, crdi_output *output, int id, int64_t warmup)
{
    int64_t index[CRD_MAX_DIMS];
    crdi_output_printf(
        output,
        "# stan_version_major = 2\n# stan_version_minor = 30\n# stan_version_patch = 0\n"
        "# model = credence_model\n# method = sample (Default)\n#   sample\n#     num_samples = %lld\n"
        "#     num_warmup = %lld\n#     save_warmup = 0 (Default)\n#     thin = 1 (Default)\n# id = %d\n",
        (long long)w->part.draws, (long long)warmup, id);
    for (int c = 0; c < w->count; c++)
        if (w->column[c]->kind != CRD_COLUMN_STATISTIC)
            crdi_output_printf(output, CRDI_CMDSTAN_SITE "%s = %s\n", w->name[c], w->column[c]->name);
    for (int c = 0; c < w->count; c++)
        for (int64_t e = 0; e < w->column[c]->size; e++) {
            crdi_output_printf(output, "%s%s", c + e > 0 ? "," : "", w->name[c]);
            place_of(w->column[c]->shape, e, index);
            for (int k = 0; k < w->column[c]->shape.ndim; k++)
                crdi_output_printf(output, ".%lld", (long long)index[k]);
        }
    crdi_output_printf(output, "\n");
}

static void write_rows(const struct writer *w, crdi_output *output, int64_t count)
{
    char text[32];
    int64_t index[CRD_MAX_DIMS];
    for (int64_t d = 0; d < count; d++) {
        const double *values = w->piece;
        for (int c = 0; c < w->count; c++) {
            int64_t size = w->column[c]->size;
            for (int64_t e = 0; e < size; e++)
                crdi_output_printf(
                    output, "%s%s", c + e > 0 ? "," : "",
                    crdi_format_double(text, values[d * size + place_of(w->column[c]->shape, e, index)]));
            values += w->together * size;
        }
        crdi_output_printf(output, "\n");
    }
}

static crd_status write_chain(const struct writer *w, crdi_output *output, int c, int64_t warmup)
{
    write_head(w, output, c + 1, warmup);
    for (int64_t first = 0; first < w->part.draws; first += w->together) {
        int64_t n = w->part.draws - first < w->together ? w->part.draws - first : w->together;
        double *at = w->piece;
        for (int k = 0; k < w->count; k++) {
            CRD_TRY(crdi_run_read_range(w->run, w->column[k], w->part.chain[c], first, n, at));
            at += w->together * w->column[k]->size;
        }
        write_rows(w, output, n);
        CRD_TRY(crdi_output_status(output));
    }
    return CRD_OK;
}

/* "draws.csv" -> "draws_1.csv". */
static const char *path_of(struct writer *w, const char *path, int id)
{
    size_t length = strlen(path);
    bool ends = length > 4 && strcmp(path + length - 4, ".csv") == 0;
    return crdi_arena_printf(w->arena, "%.*s_%d.csv", (int)(ends ? length - 4 : length), path, id);
}

/* ---- the whole: all files are begun before any is written, and appear together --------------------------------- */

static crd_status write_chains(struct writer *w, const crdi_export *request, crdi_output **output)
{
    int64_t warmup = 0;
    if (crdi_run_has(w->run, "warmup"))
        CRD_TRY(crdi_run_get_integer(w->run, "warmup", &warmup));
    for (int c = 0; c < w->part.chains; c++) {
        const char *path = path_of(w, request->path, c + 1);
        if (!path)
            return CRD_ENOMEM;
        CRD_TRY(crdi_output_open(&output[c], w->ctx, path, request->force));
    }
    for (int c = 0; c < w->part.chains; c++)
        CRD_TRY(write_chain(w, output[c], c, warmup));
    for (int c = 0; c < w->part.chains; c++)
        CRD_TRY(crdi_output_commit(&output[c]));
    return CRD_OK;
}

static crd_status write_all(struct writer *w, const crdi_export *request)
{
    CRD_TRY(crdi_arena_create(&w->arena, w->ctx));
    CRD_TRY(crdi_run_part_find(w->ctx, w->run, &w->part));
    CRD_TRY(order_columns(w));
    w->together = (1 << 20) / (w->width > 0 ? w->width : 1);
    w->together = w->together < 1 ? 1 : w->together < w->part.draws ? w->together : w->part.draws;
    w->piece = crdi_alloc_array(w->ctx, w->together * w->width, sizeof *w->piece);
    crdi_output **output = crdi_arena_alloc(w->arena, (size_t)w->part.chains * sizeof *output);
    if (!w->piece || !output)
        return CRD_ENOMEM;
    crd_status status = write_chains(w, request, output);
    for (int c = 0; c < w->part.chains; c++)
        crdi_output_abort(&output[c]);
    return status;
}

static crd_status write_format(const crdi_export *request)
{
    struct writer w = {.ctx = request->ctx, .run = request->net->run};
    CRD_TRY(crdi_export_need_path(request, "cmdstan"));
    crd_status status = write_all(&w, request);
    crdi_free(w.ctx, w.piece);
    crdi_run_part_clear(w.ctx, &w.part);
    crdi_arena_destroy(&w.arena);
    return status;
}

const crdi_draws_format crdi_format_cmdstan = {
    .write = write_format, .is = crdi_cmdstan_is, .read = crdi_cmdstan_read_draws};
