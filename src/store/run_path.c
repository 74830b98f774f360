/* run_path.c - see run_path.h. */
#include "store/run_path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One link further: a name is meant from the folder of the link. */
static bool step(char path[PATH_MAX], const char *target)
{
    char next[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int folder = slash && *target != '/' ? (int)(slash - path) + 1 : 0;
    if (snprintf(next, sizeof next, "%.*s%s", folder, path, target) >= (int)sizeof next)
        return false;
    memcpy(path, next, sizeof next);
    return true;
}

bool crdi_run_path_follow(const char *path, char out[PATH_MAX])
{
    enum { MOST_LINKS = 40 }; /* as Linux */
    char target[PATH_MAX];
    if (snprintf(out, PATH_MAX, "%s", path) >= PATH_MAX)
        return false;
    for (int i = 0; i < MOST_LINKS; i++) {
        ssize_t length = readlink(out, target, sizeof target - 1);
        if (length < 0)
            return true;
        target[length] = '\0';
        if (!step(out, target))
            return false;
    }
    return false;
}

bool crdi_run_path_beside(const char *path, const char *suffix, char out[PATH_MAX])
{
    char file[PATH_MAX];
    return crdi_run_path_follow(path, file) && snprintf(out, PATH_MAX, "%s%s", file, suffix) < PATH_MAX;
}

static const char part[] = ".part";

bool crdi_run_path_is_part(const char *path)
{
    size_t length = strlen(path), run = length - (sizeof part - 1);
    return length >= sizeof part && strcmp(path + run, part) == 0 && path[run - 1] != '/';
}

void crdi_run_path_of_part(const char *path, char out[PATH_MAX])
{
    size_t length = strlen(path) - (crdi_run_path_is_part(path) ? sizeof part - 1 : 0);
    snprintf(out, PATH_MAX, "%.*s", (int)length, path);
}

crd_status crdi_run_path_check(crd_context *ctx, const char *path)
{
    int run = (int)(strlen(path) - (sizeof part - 1));
    return !crdi_run_path_is_part(path)
               ? CRD_OK
               : crdi_raise(ctx, CRD_EINVAL, "%s: a run on its way to its place goes by the name of that: %.*s", path,
                            run, path);
}

bool crdi_run_path_has(const char *path, const char *suffix, char out[PATH_MAX])
{
    return crdi_run_path_beside(path, suffix, out) && access(out, F_OK) == 0;
}

void crdi_run_path_remove(const char *path)
{
    char file[PATH_MAX];
    if (crdi_run_path_follow(path, file))
        unlink(file);
}
