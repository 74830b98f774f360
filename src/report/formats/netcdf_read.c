/* netcdf_read.c - draws out of an InferenceData file, whoever wrote it: the groups posterior and sample_stats. */
#include "report/formats/netcdf.h"
#include "store/netcdf.h"

#include <string.h>

bool crdi_netcdf_is(const char *start, size_t length)
{
    return length >= 8 && (memcmp(start, "\x89HDF\r\n\x1a\n", 8) == 0 || memcmp(start, "CDF", 3) == 0);
}

struct reader {
    crd_context *ctx;
    const char *path;
    crdi_netcdf *nc;
    int64_t chains, draws; /* -1: not known yet */
    crdi_columns columns;
    crdi_netcdf_variable *variable; /* of each column */
    int *group;
    int64_t capacity, group_capacity;
};

/* Whether a variable holds draws; coordinates and texts do not. Raises CRD_EDATA for one that does in another layout. */
static crd_status is_draws(struct reader *r, const crdi_netcdf_variable *v, bool *out)
{
    *out = false;
    if (v->type == CRDI_NETCDF_OTHER || (v->ndim == 1 && strcmp(v->dim_name[0], v->name) == 0))
        return CRD_OK;
    if (v->ndim < 2 || strcmp(v->dim_name[0], "chain") != 0 || strcmp(v->dim_name[1], "draw") != 0)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: the axes of %s must begin with chain and draw", r->path, v->name);
    if (r->chains < 0) {
        r->chains = v->extent[0];
        r->draws = v->extent[1];
    }
    if (r->chains != v->extent[0] || r->draws != v->extent[1])
        return crdi_raise(r->ctx, CRD_EDATA, "%s: %s has %lld chains of %lld draws, others have %lld of %lld", r->path,
                          v->name, (long long)v->extent[0], (long long)v->extent[1], (long long)r->chains,
                          (long long)r->draws);
    *out = true;
    return CRD_OK;
}

/* Our name of a variable, and what it is. Owned. */
static crd_status name_of(struct reader *r, int group, const crdi_netcdf_variable *v, crd_column_kind *kind, char **out)
{
    char *word;
    if (*kind == CRD_COLUMN_STATISTIC) {
        const crdi_statistic_name *row =
            crdi_statistic_theirs(crdi_netcdf_statistics, crdi_netcdf_statistic_count, v->name);
        *out = crdi_strdup(r->ctx, row ? row->ours : v->name);
        return *out ? CRD_OK : CRD_ENOMEM;
    }
    CRD_TRY(crdi_netcdf_get_text(r->nc, group, v->id, "kind", &word));
    if (word && strcmp(word, "deterministic") == 0)
        *kind = CRD_COLUMN_DETERMINISTIC;
    crdi_free(r->ctx, word);
    CRD_TRY(crdi_netcdf_get_text(r->nc, group, v->id, "site", out));
    if (!*out)
        *out = crdi_strdup(r->ctx, v->name);
    return *out ? CRD_OK : CRD_ENOMEM;
}

static crd_status add_variable(struct reader *r, int group, const crdi_netcdf_variable *v, crd_column_kind kind)
{
    char *name;
    crd_shape shape = {.ndim = v->ndim - 2};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = v->extent[i + 2];
    CRD_TRY(crdi_grow(r->ctx, &r->variable, &r->capacity, r->columns.count, sizeof *r->variable));
    CRD_TRY(crdi_grow(r->ctx, &r->group, &r->group_capacity, r->columns.count, sizeof *r->group));
    CRD_TRY(name_of(r, group, v, &kind, &name));
    r->variable[r->columns.count] = *v;
    r->group[r->columns.count] = group;
    crd_status status = crdi_columns_add(&r->columns, name, kind, shape);
    crdi_free(r->ctx, name);
    return status;
}

static crd_status add_group(struct reader *r, int group, crd_column_kind kind)
{
    int count;
    CRD_TRY(crdi_netcdf_count_variables(r->nc, group, &count));
    for (int i = 0; i < count; i++) {
        crdi_netcdf_variable v;
        bool draws;
        CRD_TRY(crdi_netcdf_variable_at(r->nc, group, i, &v));
        CRD_TRY(is_draws(r, &v, &draws));
        if (draws)
            CRD_TRY(add_variable(r, group, &v, kind));
    }
    return CRD_OK;
}

static crd_status read_about(struct reader *r, int posterior, crdi_imported *out)
{
    double warmup;
    if (crdi_netcdf_get_number(r->nc, posterior, CRDI_NETCDF_OF_GROUP, "tuning_steps", &warmup) && warmup >= 0 &&
        warmup < 1e15)
        out->warmup = (int64_t)warmup;
    CRD_TRY(crdi_netcdf_get_text(r->nc, posterior, CRDI_NETCDF_OF_GROUP, "model", &out->model));
    CRD_TRY(crdi_netcdf_get_text(r->nc, posterior, CRDI_NETCDF_OF_GROUP, "method", &out->method));
    if (!out->method)
        CRD_TRY(crdi_netcdf_get_text(r->nc, posterior, CRDI_NETCDF_OF_GROUP, "inference_library", &out->method));
    return CRD_OK;
}

static crd_status read_all(struct reader *r, crdi_imported *out)
{
    int posterior, statistics;
    CRD_TRY(crdi_netcdf_open(r->ctx, r->path, &r->nc));
    if (!crdi_netcdf_find_group(r->nc, "posterior", &posterior))
        return crdi_raise(r->ctx, CRD_EDATA, "%s: no group 'posterior': this is no InferenceData", r->path);
    CRD_TRY(add_group(r, posterior, CRD_COLUMN_LATENT));
    if (r->columns.count == 0 || r->chains < 1 || r->draws < 1)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: its group 'posterior' has no draws", r->path);
    if (crdi_netcdf_find_group(r->nc, "sample_stats", &statistics))
        CRD_TRY(add_group(r, statistics, CRD_COLUMN_STATISTIC));
    if (r->chains > INT32_MAX)
        return crdi_raise(r->ctx, CRD_EDATA, "%s: %lld chains are too many", r->path, (long long)r->chains);
    CRD_TRY(crd_posterior_create(&out->posterior, r->ctx, (int)r->chains, r->draws, r->columns.column,
                                 (int)r->columns.count));
    for (int64_t i = 0; i < r->columns.count; i++)
        CRD_TRY(crdi_netcdf_read(r->nc, r->group[i], &r->variable[i], out->posterior->column[i].draws));
    return read_about(r, posterior, out);
}

crd_status crdi_netcdf_read_draws(crd_context *ctx, const char *const *path, int count, crdi_imported *out)
{
    if (count != 1)
        return crdi_raise(ctx, CRD_EINVAL, "%s: one netCDF file holds all chains; %d were given", path[1], count);
    struct reader r = {.ctx = ctx, .path = path[0], .chains = -1, .draws = -1, .columns = {.ctx = ctx}};
    crdi_imported in = {.warmup = -1};
    crd_status status = read_all(&r, &in);
    (void)!crdi_netcdf_close(&r.nc);
    crdi_columns_clear(&r.columns);
    crdi_free(ctx, r.variable);
    crdi_free(ctx, r.group);
    if (status == CRD_OK)
        *out = in;
    else
        crdi_imported_clear(ctx, &in);
    return status;
}
