/* fuzz_netcdf.c - the bytes describe a file of ArviZ, which is written and imported: groups, variables with their axes, numbers,
 * attributes. To take the bytes for the file itself would try HDF5, which falls over its own pieces (1.10.8, in H5HG_read) before
 * a byte comes to us. */
#include "fuzz.h"
#include "report/formats.h"
#include "store/netcdf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    const uint8_t *at, *end;
};

static unsigned take(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

/* A name: usual ones, or a few letters of the input. */
static void take_name(struct bytes *b, char name[16])
{
    static const char *const usual[] = {"s",     "theta",     "diverging", "lp",   "energy", "chain",
                                        "draw",  "tree_depth", "x_dim_0",   "step_size", "acceptance_rate"};
    unsigned which = take(b);
    if (which < CRDI_COUNT(usual)) {
        snprintf(name, 16, "%s", usual[which]);
        return;
    }
    int length = 1 + (int)(which % 6);
    for (int i = 0; i < length; i++)
        name[i] = (char)(33 + take(b) % 94);
    name[length] = 0;
}

static void add_variable(crdi_netcdf *nc, int group, struct bytes *b, const int *dim, const int64_t *size, int dims)
{
    static const crdi_netcdf_type types[] = {CRDI_NETCDF_DOUBLE, CRDI_NETCDF_INTEGER, CRDI_NETCDF_BOOL};
    char name[16];
    int axis[4], variable, axes = (int)(take(b) % 5);
    int64_t start[4] = {0}, count[4], numbers = 1;
    take_name(b, name);
    crdi_netcdf_type type = types[take(b) % 3];
    for (int i = 0; i < axes; i++) {
        int which = (int)(take(b) % (unsigned)dims);
        axis[i] = dim[which];
        count[i] = size[which];
        numbers *= count[i];
    }
    if (crdi_netcdf_add_variable(nc, group, name, type, axes, axis, &variable) < 0 || numbers == 0 || numbers > 4096)
        return;
    double *values = malloc((size_t)numbers * sizeof *values);
    for (int64_t i = 0; i < numbers; i++)
        values[i] = type == CRDI_NETCDF_BOOL ? take(b) % 2 : (double)take(b) - 100;
    if (crdi_netcdf_write(nc, group, variable, start, count, values) == CRD_OK && take(b) % 4 == 0)
        (void)!crdi_netcdf_put_number(nc, group, variable, "number", (double)take(b));
    free(values);
}

static void write_file(crd_context *ctx, const char *path, struct bytes *b)
{
    static const char *const groups[] = {"posterior", "sample_stats", "warmup_posterior", "observed_data", "other"};
    static const char *const axes[] = {"chain", "draw", "x_dim_0", "y", "obs"};
    crdi_netcdf *nc = NULL;
    if (crdi_netcdf_create(ctx, path, path, &nc) < 0)
        return;
    for (unsigned left = 1 + take(b) % 3; left > 0; left--) {
        int group, dim[5];
        int64_t size[5];
        if (crdi_netcdf_add_group(nc, groups[take(b) % CRDI_COUNT(groups)], &group) < 0)
            continue;
        for (int i = 0; i < 5; i++) {
            size[i] = 1 + take(b) % 7;
            if (crdi_netcdf_add_dimension(nc, group, axes[i], size[i], &dim[i]) < 0)
                break;
        }
        if (take(b) % 2)
            (void)!crdi_netcdf_put_text(nc, group, CRDI_NETCDF_OF_GROUP, "inference_library", "\033[31m");
        for (unsigned variables = take(b) % 5; variables > 0; variables--)
            add_variable(nc, group, b, dim, size, 5);
    }
    (void)!crdi_netcdf_close(&nc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file((const uint8_t *)"", 0);
    struct bytes b = {data, data + size};
    crd_context *ctx = fuzz_context();
    crdi_imported imported = {0};
    write_file(ctx, path, &b);
    crd_error_clear(ctx);
    fuzz_check(ctx, crdi_format_netcdf.read(ctx, &path, 1, &imported));
    crdi_imported_clear(ctx, &imported);
    fuzz_context_destroy(ctx);
    return 0;
}
