/* output.h - files that appear under their name only when they are complete. */
#ifndef CRDI_OUTPUT_H
#define CRDI_OUTPUT_H

#include "base/base.h"

/* An output file is written under another name in the same folder and renamed at the end: whoever looks sees the old
 * file, or none, or the whole new one. A target that is a symbolic link is followed; one that is a device or a pipe
 * (/dev/stdout) is written directly. */
typedef struct crdi_output crdi_output;

/* Begins. CRD_EEXISTS: the target exists and `force` is false; CRD_EMISSING: its folder does not exist; CRD_EIO. */
crd_status crdi_output_open(crdi_output **out, crd_context *ctx, const char *path, bool force);
/* Begins to write to a file that is open (standard output); it stays open. `name` is for messages. */
crd_status crdi_output_open_to(crdi_output **out, crd_context *ctx, int file, const char *name);
/* The name to write to, for a library that writes files itself (it may replace what is there). Borrowed. */
const char *crdi_output_temporary(const crdi_output *output);
/* CRD_EFULL: the file system, or a limit on the size of files, has no room for so many bytes. For such a library, which may not bear
 * to find that out by itself. */
crd_status crdi_output_need(const crdi_output *output, double bytes);
/* Appends. The first failure is kept and is what crdi_output_commit returns. */
void crdi_output_write(crdi_output *output, const char *bytes, size_t length);
void crdi_output_printf(crdi_output *output, const char *format, ...) CRD_PRINTF(2, 3);
crd_status crdi_output_status(const crdi_output *output);
/* Writes what is left, forces it to the disk and renames. Destroys the output, failed or not; a failure leaves no file.
 * CRD_EEXISTS: the target came into being meanwhile. */
crd_status crdi_output_commit(crdi_output **output);
/* Removes the temporary file and destroys the output. NULL is accepted. */
void crdi_output_abort(crdi_output **output);

#endif
