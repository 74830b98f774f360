/* run_inputs.c - see run_inputs.h. */
#include "report/run_inputs.h"
#include "store/dataset.h"

#include <credence/diag.h>
#include <string.h>

static double own_units(const crd_feature *f, double x)
{
    return f->mean + f->sd * x;
}

/* The level of a row: the feature whose indicator is largest. */
static double level_of(const crd_recipe *r, const crdi_run_input *in, const double *x)
{
    int64_t best = in->first;
    for (int64_t j = in->first; j < in->end; j++)
        if (own_units(&r->feature[j], x[j]) > own_units(&r->feature[best], x[best]))
            best = j;
    return (double)(best - in->first);
}

static const char *input_name(crdi_arena *arena, const crd_recipe *r, const crdi_run_input *in)
{
    enum { SHOWN = 6 };
    const char *name = r->feature[in->first].column;
    if (!r->feature[in->first].level)
        return crdi_arena_strdup(arena, name);
    for (int64_t j = in->first; j < in->end && name; j++) {
        int64_t level = j - in->first;
        if (level < SHOWN)
            name = crdi_arena_printf(arena, "%s%s%lld %s%s", name, level ? ", " : " (", (long long)level,
                                     r->feature[j].level, j + 1 == in->end ? ")" : "");
        else if (level == SHOWN)
            name = crdi_arena_printf(arena, "%s, ...)", name);
    }
    return name;
}

static crd_status typical_of(crd_context *ctx, const crd_recipe *r, crdi_run_input *in, int64_t rows)
{
    if (!r->feature[in->first].level)
        return crd_diag_median(ctx, in->values, rows, &in->typical);
    int64_t most = 0;
    for (int64_t level = 0; level < in->end - in->first; level++) {
        int64_t count = 0;
        for (int64_t i = 0; i < rows; i++)
            count += in->values[i] == (double)level;
        if (count > most) {
            most = count;
            in->typical = (double)level;
        }
    }
    return CRD_OK;
}

static crd_status add_input(const crdi_network_run *net, crdi_arena *arena, crdi_run_inputs *all, int64_t first)
{
    const crd_recipe *r = all->recipe;
    crdi_run_input *in = &all->input[all->count++];
    int64_t features = r->feature_count;
    in->first = first;
    in->end = crdi_recipe_group(r, first);
    in->column = r->feature[first].column;
    in->levels = r->feature[first].level ? in->end - first : 0;
    in->name = input_name(arena, r, in);
    in->values = crdi_arena_alloc(arena, (size_t)all->rows * sizeof(double));
    if (!in->name || !in->values)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < all->rows; i++) {
        const double *x = net->x.data + i * features;
        in->values[i] = r->feature[first].level ? level_of(r, in, x) : own_units(&r->feature[first], x[first]);
    }
    return typical_of(net->ctx, r, in, all->rows);
}

crd_status crdi_run_inputs_find(const crdi_network_run *net, crdi_arena *arena, crdi_run_inputs *out)
{
    const crd_recipe *r = net->recipe;
    *out = (crdi_run_inputs){.recipe = r, .rows = net->y.shape.dim[0]};
    out->input = crdi_arena_alloc(arena, (size_t)r->feature_count * sizeof *out->input);
    out->target = crdi_arena_alloc(arena, (size_t)r->target_count * sizeof *out->target);
    if (!out->input || !out->target)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < r->target_count; j++) {
        double *values = crdi_arena_alloc(arena, (size_t)out->rows * sizeof *values);
        if (!values)
            return CRD_ENOMEM;
        for (int64_t i = 0; i < out->rows; i++)
            values[i] = crdi_recipe_own_units(r, j, net->y.data[i * r->target_count + j]);
        out->target[j] = (crdi_named){r->targets[j].name, values};
    }
    for (int64_t j = 0; j < r->feature_count; j = out->input[out->count - 1].end)
        CRD_TRY(add_input(net, arena, out, j));
    return CRD_OK;
}

const char *crdi_run_inputs_level(const crdi_run_inputs *all, const crdi_run_input *in, int64_t level)
{
    return all->recipe->feature[in->first + level].level;
}

void crdi_run_inputs_row(const crdi_run_inputs *all, const double *values, double *x)
{
    for (int64_t k = 0; k < all->count; k++) {
        const crdi_run_input *in = &all->input[k];
        for (int64_t j = in->first; j < in->end; j++) {
            const crd_feature *f = &all->recipe->feature[j];
            double own = f->level ? values[k] == (double)(j - in->first) : values[k];
            x[j] = (own - f->mean) / f->sd;
        }
    }
}

/* ---- columns by name ---------------------------------------------------------------------------------------- */

static const char *column_of(const void *list, int64_t i)
{
    return ((const crdi_run_inputs *)list)->input[i].column;
}

/* -1: none. */
static int64_t find_column(const crdi_run_inputs *all, const char *name)
{
    for (int64_t k = 0; k < all->count; k++)
        if (strcmp(column_of(all, k), name) == 0)
            return k;
    return -1;
}

static crd_status select_one(const crdi_network_run *net, const crdi_run_inputs *all, const char *name, int64_t most,
                             int64_t *out, int64_t *out_count)
{
    int64_t k = find_column(all, name);
    if (k < 0)
        return crdi_error_prefix(
            net->ctx, crdi_raise_unknown(net->ctx, "input column", name, column_of, all, all->count), "%s", net->path);
    for (int64_t i = 0; i < *out_count; i++)
        if (out[i] == k)
            return crdi_raise(net->ctx, CRD_EINVAL, "input column '%s' is named twice", name);
    if (*out_count == most)
        return crdi_raise(net->ctx, CRD_EINVAL, "more than %lld input columns are named", (long long)most);
    out[(*out_count)++] = k;
    return CRD_OK;
}

crd_status crdi_run_inputs_select(const crdi_network_run *net, crdi_arena *arena, const crdi_run_inputs *all,
                                  const char *const *names, int64_t count, int64_t most, int64_t *out,
                                  int64_t *out_count)
{
    *out_count = 0;
    for (int64_t i = 0; i < count; i++) {
        char *at = crdi_arena_strdup(arena, names[i]), *next;
        if (!at)
            return CRD_ENOMEM;
        for (bool whole = find_column(all, at) >= 0; at; at = next) {
            next = whole ? NULL : strchr(at, ',');
            if (next)
                *next++ = 0;
            CRD_TRY(select_one(net, all, at, most, out, out_count));
        }
    }
    return CRD_OK;
}
