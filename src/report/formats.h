/* formats.h - forms in which a run's draws are written for other programs, and read from them. */
#ifndef CRDI_REPORT_FORMATS_H
#define CRDI_REPORT_FORMATS_H

#include "store/network_run.h"

typedef struct crdi_export {
    crd_context *ctx;
    crdi_network_run *net;
    const char *path; /* NULL: standard output, where the format can go there */
    bool force;
    int threads; /* 0: as many as processors */
    int64_t seed; /* of predictions and of draws from the prior */
    int64_t prior_draws; /* how many, where the format has a place for them; 0: none */
} crdi_export;

/* What a reader found. */
typedef struct crdi_imported {
    crd_posterior *posterior; /* columns in any order; owned */
    int64_t warmup; /* -1: the file does not say */
    char *model, *method; /* names for the record, owned; NULL: the file does not say */
} crdi_imported;

typedef struct crdi_draws_format {
    crd_status (*write)(const crdi_export *request); /* of a run that holds draws */
    /* Whether a file that starts so is one; NULL: this format cannot be read. */
    bool (*is)(const char *start, size_t length);
    /* Reads files, most formats one alone; CRD_EDAMAGED or CRD_EDATA for what cannot be draws. */
    crd_status (*read)(crd_context *ctx, const char *const *path, int count, crdi_imported *out);
} crdi_draws_format;

#define FORMAT(name, what) extern const crdi_draws_format crdi_format_##name;
#include "report/formats.def"
#undef FORMAT

/* The i-th format's name, NULL behind the last; what it is. */
const char *crdi_format_name(int i);
const char *crdi_format_what(int i);
/* CRD_ENAME, with the names that there are. */
crd_status crdi_format_find(crd_context *ctx, const char *option, const char *name, const crdi_draws_format **out);
/* Whose file it is: CRD_EDATA if it is nobody's. */
crd_status crdi_format_detect(crd_context *ctx, const char *path, const crdi_draws_format **out);

/* Writes the run's draws. CRD_EMISSING: it holds none. */
crd_status crdi_export_write(const crdi_draws_format *format, const crdi_export *request);

/* Writes what was read as a run file: CRD_EEXISTS unless forced, CRD_EDATA for names that are there twice. */
crd_status crdi_imported_write(crd_context *ctx, const crdi_imported *imported, const char *path, bool force);
void crdi_imported_clear(crd_context *ctx, crdi_imported *imported);

/* ---- for formats ---------------------------------------------------------------------------------------------- */

/* CRD_EMISSING unless there is a path: "netcdf" is no form for standard output. */
crd_status crdi_export_need_path(const crdi_export *request, const char *format);

/* Names of the sampler's statistics, ours and another program's. */
typedef struct crdi_statistic_name {
    const char *ours, *theirs;
    int whole; /* 1: a whole number, 2: a truth value */
} crdi_statistic_name;
/* The row whose `ours` (or `theirs`) is the name; NULL if there is none. */
const crdi_statistic_name *crdi_statistic_ours(const crdi_statistic_name *table, int count, const char *name);
const crdi_statistic_name *crdi_statistic_theirs(const crdi_statistic_name *table, int count, const char *name);

/* Columns that are being collected: names are copied. */
typedef struct crdi_columns {
    crd_context *ctx;
    crd_column *column;
    int64_t count, capacity;
} crdi_columns;
crd_status crdi_columns_add(crdi_columns *columns, const char *name, crd_column_kind kind, crd_shape shape);
void crdi_columns_clear(crdi_columns *columns);

#endif
