/* input.h - whole files in memory. */
#ifndef CRDI_INPUT_H
#define CRDI_INPUT_H

#include "base/base.h"

/* Reads a file (a pipe too) whole; a zero byte follows the last. Freed with crdi_free.
 * CRD_EMISSING: no such file; CRD_EIO: a directory, not readable. */
crd_status crdi_input_read(crd_context *ctx, const char *path, char **out, size_t *out_length);

#endif
