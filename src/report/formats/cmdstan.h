/* cmdstan.h - what the writer and the reader of CmdStan's files share. */
#ifndef CRDI_FORMATS_CMDSTAN_H
#define CRDI_FORMATS_CMDSTAN_H

#include "report/formats.h"

extern const crdi_statistic_name crdi_cmdstan_statistics[];
extern const int crdi_cmdstan_statistic_count;

/* How a comment of ours begins that tells a variable's site: "# site net_Dense_0_kernel = net/Dense_0.kernel". */
#define CRDI_CMDSTAN_SITE "# site "

bool crdi_cmdstan_is(const char *start, size_t length);
crd_status crdi_cmdstan_read_draws(crd_context *ctx, const char *const *path, int count, crdi_imported *out);

#endif
