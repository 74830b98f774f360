/* files.c - files that a command was given and that cannot be meant: looked at before any work. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>
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

/* Both a run file and any other database: enough to tell it from a table. */
static bool is_database(const char *path)
{
    char start[16] = "";
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return false;
    FILE *file = fopen(path, "rb");
    size_t read = file ? fread(start, 1, sizeof start, file) : 0;
    if (file)
        fclose(file);
    return read == sizeof start && memcmp(start, "SQLite format 3", sizeof start) == 0;
}

crd_status crdi_cli_check_order(crd_context *ctx, const crdi_cli_call *call)
{
    const char *first = crdi_cli_argument(call, 0), *second = crdi_cli_argument(call, 1);
    if (!first || !second || is_database(first) || !is_database(second))
        return CRD_OK;
    return crdi_raise(ctx, CRD_EINVAL, "the arguments are swapped: the run file comes first, as in credence %s %s %s",
                      call->command->name, second, first);
}
