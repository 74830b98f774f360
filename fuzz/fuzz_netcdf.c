/* fuzz_netcdf.c - the bytes are a netCDF file: imported. Most of what runs is netCDF's and HDF5's own code. */
#include "fuzz.h"
#include "report/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    crd_context *ctx = fuzz_context();
    crdi_imported imported = {0};
    fuzz_check(ctx, crdi_format_netcdf.read(ctx, &path, 1, &imported));
    crdi_imported_clear(ctx, &imported);
    fuzz_context_destroy(ctx);
    return 0;
}
