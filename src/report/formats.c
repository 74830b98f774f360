/* formats.c - the table of formats, and what several of them share. */
#include "report/formats.h"
#include "store/run_path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct row {
    const char *name, *what;
    const crdi_draws_format *format;
} formats[] = {
#define FORMAT(name, what) {#name, what, &crdi_format_##name},
#include "report/formats.def"
#undef FORMAT
};

const char *crdi_format_name(int i)
{
    return i >= 0 && i < CRDI_COUNT(formats) ? formats[i].name : NULL;
}

const char *crdi_format_what(int i)
{
    return i >= 0 && i < CRDI_COUNT(formats) ? formats[i].what : NULL;
}

static const char *name_of(const void *list, int64_t i)
{
    return ((const struct row *)list)[i].name;
}

crd_status crdi_format_find(crd_context *ctx, const char *option, const char *name, const crdi_draws_format **out)
{
    for (int i = 0; i < CRDI_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0) {
            *out = formats[i].format;
            return CRD_OK;
        }
    return crdi_raise_unknown(ctx, option, name, name_of, formats, CRDI_COUNT(formats));
}

crd_status crdi_format_detect(crd_context *ctx, const char *path, const crdi_draws_format **out)
{
    char start[512];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return crdi_raise(ctx, CRD_EMISSING, "%s: no such file", path);
    ssize_t length = read(file, start, sizeof start);
    close(file);
    for (int i = 0; i < CRDI_COUNT(formats) && length > 0; i++)
        if (formats[i].format->is && formats[i].format->is(start, (size_t)length)) {
            *out = formats[i].format;
            return CRD_OK;
        }
    return crdi_raise(ctx, CRD_EDATA, "%s: in no format that can be read; --from says which it should be", path);
}

crd_status crdi_export_write(const crdi_draws_format *format, const crdi_export *request)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(request->ctx, request->net->run, &part));
    bool any = part.draws > 0;
    crdi_run_part_clear(request->ctx, &part);
    return any ? format->write(request)
               : crdi_raise(request->ctx, CRD_EMISSING, "%s: holds no draws", request->net->path);
}

/* ---- import ----------------------------------------------------------------------------------------------------- */

/* Sites by name, then statistics by name: the order of every run. */
static int by_name(const void *a, const void *b)
{
    const crd_column *left = a, *right = b;
    bool left_last = left->kind == CRD_COLUMN_STATISTIC, right_last = right->kind == CRD_COLUMN_STATISTIC;
    return left_last != right_last ? (left_last ? 1 : -1) : strcmp(left->name, right->name);
}

static crd_status check_names(crd_context *ctx, const crd_posterior *p)
{
    for (int i = 0; i < p->column_count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(p->column[i].name, p->column[k].name) == 0)
                return crdi_raise(ctx, CRD_EDATA, "%s is there twice, as a site or as a statistic", p->column[i].name);
    return CRD_OK;
}

static crd_status describe(crdi_run *run, const crdi_imported *in)
{
    CRD_TRY(crdi_run_set_text(run, "model", in->model ? in->model : "imported"));
    if (in->method)
        CRD_TRY(crdi_run_set_text(run, "method", in->method));
    if (in->warmup >= 0)
        CRD_TRY(crdi_run_set_integer(run, "warmup", in->warmup));
    return crdi_run_set_integer(run, "draws", in->posterior->draws);
}

static crd_status write_draws(crd_context *ctx, crdi_run *run, const crd_posterior *p)
{
    crdi_sink sink = crdi_run_sink(run);
    const double **values = crdi_alloc_array(ctx, p->column_count, sizeof *values);
    crd_status status = values ? CRD_OK : CRD_ENOMEM;
    enum { TOGETHER = 256 };
    for (int c = 0; c < p->chains; c++)
        for (int64_t first = 0; first < p->draws && status == CRD_OK; first += TOGETHER) {
            int64_t count = p->draws - first < TOGETHER ? p->draws - first : TOGETHER;
            for (int k = 0; k < p->column_count; k++)
                values[k] = p->column[k].draws + (c * p->draws + first) * p->column[k].size;
            status = sink.draws(sink.user, c, first, count, values);
        }
    crdi_free(ctx, values);
    return status;
}

crd_status crdi_imported_write(crd_context *ctx, const crdi_imported *in, const char *path, bool force)
{
    crd_posterior *p = in->posterior;
    crdi_run *run;
    qsort(p->column, (size_t)p->column_count, sizeof *p->column, by_name);
    CRD_TRY(check_names(ctx, p));
    CRD_TRY(crdi_run_create(ctx, path, force, &run));
    crd_status status = describe(run, in);
    if (status == CRD_OK)
        status = crdi_run_begin(run, p->column, p->column_count, p->chains);
    if (status == CRD_OK)
        status = write_draws(ctx, run, p);
    if (status == CRD_OK)
        status = crdi_run_flush(run);
    bool partly = status < 0 && crdi_run_is_placed(run);
    crd_status closed = crdi_run_close(&run, status);
    if (partly || (status == CRD_OK && closed < 0))
        crdi_run_path_remove(path); /* half of what was read is no run */
    return status < 0 ? status : closed;
}

void crdi_imported_clear(crd_context *ctx, crdi_imported *in)
{
    crd_posterior_destroy(&in->posterior);
    crdi_free(ctx, in->model);
    crdi_free(ctx, in->method);
    *in = (crdi_imported){0};
}

/* ---- for formats ---------------------------------------------------------------------------------------------- */

crd_status crdi_export_need_path(const crdi_export *request, const char *format)
{
    if (request->path)
        return CRD_OK;
    return crdi_raise(request->ctx, CRD_EMISSING, "--to %s needs --out: its files do not go to standard output",
                      format);
}

const crdi_statistic_name *crdi_statistic_ours(const crdi_statistic_name *table, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(table[i].ours, name) == 0)
            return &table[i];
    return NULL;
}

const crdi_statistic_name *crdi_statistic_theirs(const crdi_statistic_name *table, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(table[i].theirs, name) == 0)
            return &table[i];
    return NULL;
}

crd_status crdi_columns_add(crdi_columns *columns, const char *name, crd_column_kind kind, crd_shape shape)
{
    CRD_TRY(crdi_grow(columns->ctx, &columns->column, &columns->capacity, columns->count, sizeof *columns->column));
    char *copy = crdi_strdup(columns->ctx, name);
    if (!copy)
        return CRD_ENOMEM;
    columns->column[columns->count++] = (crd_column){.name = copy, .kind = kind, .shape = shape};
    return CRD_OK;
}

void crdi_columns_clear(crdi_columns *columns)
{
    for (int64_t i = 0; i < columns->count; i++)
        crdi_free(columns->ctx, columns->column[i].name);
    crdi_free(columns->ctx, columns->column);
    *columns = (crdi_columns){.ctx = columns->ctx};
}
