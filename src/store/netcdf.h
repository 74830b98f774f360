/* netcdf.h - netCDF files, as far as InferenceData needs them: groups of arrays of numbers with attributes.
 *
 * netcdf.c is the only file that knows the library. It is loaded when the first file is opened, since that alone takes longer
 * than most commands; where it is not installed that is one error, CRD_ETOOL. It serves one thread at a time. */
#ifndef CRDI_NETCDF_H
#define CRDI_NETCDF_H

#include "base/base.h"

typedef struct crdi_netcdf crdi_netcdf;

enum { CRDI_NETCDF_MOST_DIMS = CRD_MAX_DIMS + 2, CRDI_NETCDF_NAME = 257, CRDI_NETCDF_OF_GROUP = -1 };

/* What numbers are in the file; all are doubles here. */
typedef enum crdi_netcdf_type {
    CRDI_NETCDF_DOUBLE,
    CRDI_NETCDF_INTEGER, /* of 64 bits */
    CRDI_NETCDF_BOOL, /* a byte, marked as xarray marks truth values */
    CRDI_NETCDF_OTHER /* text and what else is no number; only when reading */
} crdi_netcdf_type;

/* The version of the library, loaded for it: "4.9.0". CRD_ETOOL. */
crd_status crdi_netcdf_version(crd_context *ctx, char *out, size_t size);

/* Creates a netCDF-4 file (what is there is replaced) or opens a file for reading. CRD_ETOOL; CRD_EIO; CRD_EDAMAGED: it is
 * no netCDF file. */
crd_status crdi_netcdf_create(crd_context *ctx, const char *path, const char *shown, crdi_netcdf **out);
crd_status crdi_netcdf_open(crd_context *ctx, const char *path, crdi_netcdf **out);
/* Writes what is left; CRD_EIO if that failed. NULL and a pointer to NULL are accepted. */
crd_status crdi_netcdf_close(crdi_netcdf **nc);

/* ---- writing: groups are numbers; names must be new; CRD_EIO says what the library says ----------------------- */

int crdi_netcdf_root(const crdi_netcdf *nc);
crd_status crdi_netcdf_add_group(crdi_netcdf *nc, const char *name, int *group);
crd_status crdi_netcdf_add_dimension(crdi_netcdf *nc, int group, const char *name, int64_t size, int *dim);
crd_status crdi_netcdf_add_variable(crdi_netcdf *nc, int group, const char *name, crdi_netcdf_type type, int ndim,
                                    const int *dim, int *variable);
/* Attributes of a variable, or CRDI_NETCDF_OF_GROUP. */
crd_status crdi_netcdf_put_text(crdi_netcdf *nc, int group, int variable, const char *name, const char *text);
crd_status crdi_netcdf_put_number(crdi_netcdf *nc, int group, int variable, const char *name, double value);
crd_status crdi_netcdf_put_integer(crdi_netcdf *nc, int group, int variable, const char *name, int64_t value);
/* The box of a variable from start, of count elements an axis, row-major. */
crd_status crdi_netcdf_write(crdi_netcdf *nc, int group, int variable, const int64_t *start, const int64_t *count,
                             const double *values);

/* ---- reading -------------------------------------------------------------------------------------------------- */

typedef struct crdi_netcdf_variable {
    int id;
    char name[CRDI_NETCDF_NAME];
    crdi_netcdf_type type;
    int ndim;
    int64_t extent[CRDI_NETCDF_MOST_DIMS];
    char dim_name[CRDI_NETCDF_MOST_DIMS][CRDI_NETCDF_NAME];
} crdi_netcdf_variable;

bool crdi_netcdf_find_group(crdi_netcdf *nc, const char *name, int *group);
crd_status crdi_netcdf_count_variables(crdi_netcdf *nc, int group, int *count);
/* CRD_EUNSUPPORTED for one of more axes than there is room for. */
crd_status crdi_netcdf_variable_at(crdi_netcdf *nc, int group, int i, crdi_netcdf_variable *out);
/* All numbers of a variable. */
crd_status crdi_netcdf_read(crdi_netcdf *nc, int group, const crdi_netcdf_variable *variable, double *out);
/* A text attribute, owned; NULL if there is none. */
crd_status crdi_netcdf_get_text(crdi_netcdf *nc, int group, int variable, const char *name, char **out);
/* A number attribute; false if there is none. */
bool crdi_netcdf_get_number(crdi_netcdf *nc, int group, int variable, const char *name, double *out);

#endif
