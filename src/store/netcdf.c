/* netcdf.c - see netcdf.h. The library is opened by its name and its functions looked up; its header gives their types. */
#include "store/netcdf.h"
#include "store/room.h"

#include <dlfcn.h>
#include <errno.h>
#include <netcdf.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define FUNCTIONS(F) \
    F(nc_create) F(nc_open) F(nc_close) F(nc_strerror) F(nc_def_grp) F(nc_def_dim) F(nc_def_var) F(nc_put_att_text) \
    F(nc_put_att_double) F(nc_put_att_longlong) F(nc_put_vara_double) F(nc_inq_ncid) F(nc_inq_varids) F(nc_inq_var) \
    F(nc_inq_dim) F(nc_get_var_double) F(nc_inq_att) F(nc_get_att_text) F(nc_get_att_double) F(nc_get_att_string) \
    F(nc_free_string) F(nc_inq_libvers)
/* clang-format on */

struct library {
    void *handle;
#define F(name) __typeof__(name) *name;
    FUNCTIONS(F)
#undef F
};

struct crdi_netcdf {
    crd_context *ctx;
    char *path;
    struct library lib;
    int id;
    bool is_open, writes;
};

_Static_assert(CRDI_NETCDF_NAME == NC_MAX_NAME + 1, "names fit");
_Static_assert(CRDI_NETCDF_OF_GROUP == NC_GLOBAL, "attributes of a group are those of no variable");

/* Unloading it would cost every file the time again and confuse what looks for leaks: it stays until the process ends. */
static crd_status load(crd_context *ctx, struct library *lib)
{
    lib->handle = dlopen(CRDI_NETCDF_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib->handle)
        return crdi_raise(ctx, CRD_ETOOL, "netCDF is not installed: no %s", CRDI_NETCDF_LIBRARY);
    void *symbol;
#define F(name)                                                                                                        \
    symbol = dlsym(lib->handle, #name);                                                                                \
    if (!symbol)                                                                                                       \
        return crdi_raise(ctx, CRD_ETOOL, "%s has no %s", CRDI_NETCDF_LIBRARY, #name);                                 \
    memcpy(&lib->name, &symbol, sizeof symbol);
    FUNCTIONS(F)
#undef F
    return CRD_OK;
}

static crd_status failed(crdi_netcdf *nc, int code, const char *what)
{
    int system = code == ENOSPC ? code : errno; /* HDF5 says no more than that something failed */
    const char *room = nc->writes ? crdi_lack_of_room(system) : NULL;
    if (room)
        return crdi_raise(nc->ctx, CRD_EFULL, "%s: %s: %s; %s", nc->path, what, strerror(system), room);
    crd_status status = code == NC_ENOMEM ? CRD_ENOMEM : CRD_EIO;
    if (code == NC_EBADNAME || code == NC_EMAXNAME)
        return crdi_raise(nc->ctx, CRD_EUNSUPPORTED, "netCDF takes no such name: '%s' (%s)", what,
                          nc->lib.nc_strerror(code));
    return crdi_raise(nc->ctx, status, "%s: %s: %s", nc->path, what, nc->lib.nc_strerror(code));
}

/* Every call goes through this. */
#define TRY_NC(nc, call, what)                                                                                         \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        int code_ = (nc)->lib.call;                                                                                    \
        if (code_ != NC_NOERR)                                                                                         \
            return failed((nc), code_, (what));                                                                        \
    } while (0)

static crd_status begin(crd_context *ctx, const char *path, crdi_netcdf **out)
{
    crdi_netcdf *nc = crdi_alloc(ctx, sizeof *nc);
    if (!nc)
        return CRD_ENOMEM;
    nc->ctx = ctx;
    nc->path = crdi_strdup(ctx, path);
    *out = nc;
    return nc->path ? load(ctx, &nc->lib) : CRD_ENOMEM;
}

crd_status crdi_netcdf_create(crd_context *ctx, const char *path, const char *shown, crdi_netcdf **out)
{
    crdi_netcdf *nc = NULL;
    crd_status status = begin(ctx, shown, &nc);
    if (status == CRD_OK) {
        nc->writes = true;
        errno = 0;
        int code = nc->lib.nc_create(path, NC_NETCDF4 | NC_CLOBBER, &nc->id);
        nc->is_open = code == NC_NOERR;
        status = nc->is_open ? CRD_OK : failed(nc, code, "cannot be written");
    }
    if (status == CRD_OK)
        *out = nc;
    else
        (void)!crdi_netcdf_close(&nc);
    return status;
}

crd_status crdi_netcdf_open(crd_context *ctx, const char *path, crdi_netcdf **out)
{
    crdi_netcdf *nc = NULL;
    crd_status status = begin(ctx, path, &nc);
    if (status == CRD_OK) {
        int code = nc->lib.nc_open(path, NC_NOWRITE, &nc->id);
        nc->is_open = code == NC_NOERR;
        if (!nc->is_open)
            status = crdi_raise(ctx, CRD_EDAMAGED, "%s: this is no netCDF file (%s)", path, nc->lib.nc_strerror(code));
    }
    if (status == CRD_OK)
        *out = nc;
    else
        (void)!crdi_netcdf_close(&nc);
    return status;
}

crd_status crdi_netcdf_close(crdi_netcdf **address)
{
    if (!address || !*address)
        return CRD_OK;
    crdi_netcdf *nc = *address;
    errno = 0;
    int code = nc->is_open ? nc->lib.nc_close(nc->id) : NC_NOERR;
    crd_status status = code == NC_NOERR ? CRD_OK : failed(nc, code, "cannot be closed");
    if (nc->lib.handle)
        dlclose(nc->lib.handle);
    crdi_free(nc->ctx, nc->path);
    crdi_free(nc->ctx, nc);
    *address = NULL;
    return status;
}

crd_status crdi_netcdf_version(crd_context *ctx, char *out, size_t size)
{
    struct library lib;
    CRD_TRY(load(ctx, &lib));
    const char *text = lib.nc_inq_libvers(); /* "4.9.0 of Jan 30 2023 ..." */
    snprintf(out, size, "%.*s", (int)strcspn(text, " "), text);
    return CRD_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

int crdi_netcdf_root(const crdi_netcdf *nc)
{
    return nc->id;
}

crd_status crdi_netcdf_add_group(crdi_netcdf *nc, const char *name, int *group)
{
    TRY_NC(nc, nc_def_grp(nc->id, name, group), name);
    return CRD_OK;
}

crd_status crdi_netcdf_add_dimension(crdi_netcdf *nc, int group, const char *name, int64_t size, int *dim)
{
    TRY_NC(nc, nc_def_dim(group, name, (size_t)size, dim), name);
    return CRD_OK;
}

crd_status crdi_netcdf_add_variable(crdi_netcdf *nc, int group, const char *name, crdi_netcdf_type type, int ndim,
                                    const int *dim, int *variable)
{
    static const nc_type types[] = {NC_DOUBLE, NC_INT64, NC_BYTE};
    CRDI_ASSERT(type != CRDI_NETCDF_OTHER);
    TRY_NC(nc, nc_def_var(group, name, types[type], ndim, dim, variable), name);
    return type == CRDI_NETCDF_BOOL ? crdi_netcdf_put_text(nc, group, *variable, "dtype", "bool") : CRD_OK;
}

crd_status crdi_netcdf_put_text(crdi_netcdf *nc, int group, int variable, const char *name, const char *text)
{
    TRY_NC(nc, nc_put_att_text(group, variable, name, strlen(text), text), name);
    return CRD_OK;
}

crd_status crdi_netcdf_put_number(crdi_netcdf *nc, int group, int variable, const char *name, double value)
{
    TRY_NC(nc, nc_put_att_double(group, variable, name, NC_DOUBLE, 1, &value), name);
    return CRD_OK;
}

crd_status crdi_netcdf_put_integer(crdi_netcdf *nc, int group, int variable, const char *name, int64_t value)
{
    long long number = value;
    TRY_NC(nc, nc_put_att_longlong(group, variable, name, NC_INT64, 1, &number), name);
    return CRD_OK;
}

crd_status crdi_netcdf_write(crdi_netcdf *nc, int group, int variable, const int64_t *start, const int64_t *count,
                             const double *values)
{
    /* the library looks at as many as the variable has axes */
    size_t first[CRDI_NETCDF_MOST_DIMS] = {0}, number[CRDI_NETCDF_MOST_DIMS] = {0};
    int ndim = 0;
    TRY_NC(nc, nc_inq_var(group, variable, NULL, NULL, &ndim, NULL, NULL), "cannot be written");
    for (int i = 0; i < ndim; i++) {
        first[i] = (size_t)start[i];
        number[i] = (size_t)count[i];
    }
    TRY_NC(nc, nc_put_vara_double(group, variable, first, number, values), "cannot be written");
    return CRD_OK;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

bool crdi_netcdf_find_group(crdi_netcdf *nc, const char *name, int *group)
{
    return nc->lib.nc_inq_ncid(nc->id, name, group) == NC_NOERR;
}

crd_status crdi_netcdf_count_variables(crdi_netcdf *nc, int group, int *count)
{
    TRY_NC(nc, nc_inq_varids(group, count, NULL), "cannot be read");
    return CRD_OK;
}

static crdi_netcdf_type type_of(nc_type type)
{
    switch (type) {
    case NC_DOUBLE:
    case NC_FLOAT:
        return CRDI_NETCDF_DOUBLE;
    case NC_BYTE:
    case NC_UBYTE:
    case NC_SHORT:
    case NC_USHORT:
    case NC_INT:
    case NC_UINT:
    case NC_INT64:
    case NC_UINT64:
        return CRDI_NETCDF_INTEGER;
    default:
        return CRDI_NETCDF_OTHER;
    }
}

/* The number of variable i; they need not be 0, 1, ... */
static crd_status find_id(crdi_netcdf *nc, int group, int i, int *id)
{
    int count;
    CRD_TRY(crdi_netcdf_count_variables(nc, group, &count));
    int *ids = crdi_alloc_array(nc->ctx, count, sizeof *ids);
    if (!ids)
        return CRD_ENOMEM;
    int code = nc->lib.nc_inq_varids(group, &count, ids);
    *id = ids[i];
    crdi_free(nc->ctx, ids);
    return code == NC_NOERR ? CRD_OK : failed(nc, code, "cannot be read");
}

crd_status crdi_netcdf_variable_at(crdi_netcdf *nc, int group, int i, crdi_netcdf_variable *out)
{
    crdi_netcdf_variable v = {0};
    int dim[NC_MAX_VAR_DIMS];
    nc_type type;
    CRD_TRY(find_id(nc, group, i, &v.id));
    TRY_NC(nc, nc_inq_var(group, v.id, v.name, &type, &v.ndim, dim, NULL), "cannot be read");
    if (v.ndim > CRDI_NETCDF_MOST_DIMS)
        return crdi_raise(nc->ctx, CRD_EUNSUPPORTED, "%s: %s has %d axes; %d can be read", nc->path, v.name, v.ndim,
                          CRDI_NETCDF_MOST_DIMS);
    v.type = type_of(type);
    for (int k = 0; k < v.ndim; k++) {
        size_t size;
        TRY_NC(nc, nc_inq_dim(group, dim[k], v.dim_name[k], &size), v.name);
        v.extent[k] = (int64_t)size;
    }
    *out = v;
    return CRD_OK;
}

crd_status crdi_netcdf_read(crdi_netcdf *nc, int group, const crdi_netcdf_variable *variable, double *out)
{
    TRY_NC(nc, nc_get_var_double(group, variable->id, out), variable->name);
    return CRD_OK;
}

/* An attribute of netCDF-4's own string type, as xarray writes texts beyond ASCII. */
static crd_status get_string(crdi_netcdf *nc, int group, int variable, const char *name, size_t length, char **out)
{
    char *string = NULL;
    *out = NULL;
    if (length != 1)
        return CRD_OK;
    TRY_NC(nc, nc_get_att_string(group, variable, name, &string), name);
    if (string)
        *out = crdi_strdup(nc->ctx, string);
    bool copied = !string || *out;
    nc->lib.nc_free_string(1, &string);
    return copied ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_netcdf_get_text(crdi_netcdf *nc, int group, int variable, const char *name, char **out)
{
    nc_type type;
    size_t length;
    *out = NULL;
    if (nc->lib.nc_inq_att(group, variable, name, &type, &length) != NC_NOERR)
        return CRD_OK;
    if (type == NC_STRING)
        return get_string(nc, group, variable, name, length, out);
    if (type != NC_CHAR)
        return CRD_OK;
    char *text = crdi_alloc(nc->ctx, length + 1);
    if (!text)
        return CRD_ENOMEM;
    int code = nc->lib.nc_get_att_text(group, variable, name, text);
    if (code != NC_NOERR) {
        crdi_free(nc->ctx, text);
        return failed(nc, code, name);
    }
    *out = text;
    return CRD_OK;
}

bool crdi_netcdf_get_number(crdi_netcdf *nc, int group, int variable, const char *name, double *out)
{
    nc_type type;
    size_t length;
    return nc->lib.nc_inq_att(group, variable, name, &type, &length) == NC_NOERR && length == 1 && type != NC_CHAR &&
           type != NC_STRING && nc->lib.nc_get_att_double(group, variable, name, out) == NC_NOERR;
}
