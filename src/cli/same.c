/* same.c - an output that would replace what the command is about to read. */
#include "cli/command.h"

#include <sys/stat.h>

crd_status crdi_cli_refuse_same(crd_context *ctx, const char *out, const char *in, const char *what)
{
    struct stat a, b;
    if (!out || !in || stat(out, &a) != 0 || stat(in, &b) != 0 || !S_ISREG(a.st_mode))
        return CRD_OK;
    if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return CRD_OK;
    return crdi_raise(ctx, CRD_EINVAL, "%s: is %s and would be overwritten; --out names another file", out, what);
}
