/* netcdf.h - what the writer and the reader of InferenceData share. */
#ifndef CRDI_FORMATS_NETCDF_H
#define CRDI_FORMATS_NETCDF_H

#include "report/formats.h"

/* Statistics of the sampler whose names differ or which are no doubles. */
extern const crdi_statistic_name crdi_netcdf_statistics[];
extern const int crdi_netcdf_statistic_count;

bool crdi_netcdf_is(const char *start, size_t length);
crd_status crdi_netcdf_read_draws(crd_context *ctx, const char *const *path, int count, crdi_imported *out);

#endif
