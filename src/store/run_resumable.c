/* run_resumable.c - see run_resumable.h. */
#include "store/run_resumable.h"
#include "store/run_list.h"
#include "store/run_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool crdi_run_is_written(const char *path)
{
    char lock[PATH_MAX], run[PATH_MAX];
    crdi_run_path_of_part(path, run);
    if (!crdi_run_path_beside(run, "-lock", lock))
        return false;
    int file = open(lock, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return false;
    bool held = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(file);
    return held;
}

static void refuse(crdi_run_resumable *r, const char *format, ...) CRD_PRINTF(2, 3);
static void refuse(crdi_run_resumable *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    r->can = false;
    crdi_format_v(r->why, sizeof r->why, format, arguments);
    va_end(arguments);
}

/* What describes the run well enough to make its sampler again. */
static void check_entries(const crdi_network_run *net, crdi_run_resumable *r)
{
    static const char *const needed[] = {"method", "options", "seed", "warmup", "draws", "priors", "data_sha256"};
    if (!net->is_network)
        refuse(r, "its model '%.60s' is not in the file", net->model);
    for (int i = 0; r->can && i < CRDI_COUNT(needed); i++)
        if (!crdi_run_has(net->run, needed[i]))
            refuse(r, "it has no entry '%s'", needed[i]);
}

/* Of what `resume` takes: the newer run beside the file, if there is one. */
static void check_newest(const crdi_network_run *net, crdi_run_resumable *r)
{
    char part[PATH_MAX];
    crdi_network_run *newer = NULL;
    r->newer = crdi_run_has_newer(net->ctx, net->path, part);
    if (!r->newer) {
        check_entries(net, r); /* a chain without a state begins again */
        return;
    }
    bool clear = crd_error_status(net->ctx) == CRD_OK;
    if (crdi_network_run_open(net->ctx, part, &newer) != CRD_OK)
        refuse(r, "a newer run beside it, which was to replace it, cannot be read");
    else
        check_entries(newer, r);
    crdi_network_run_close(&newer);
    if (clear)
        crd_error_clear(net->ctx);
}

crd_status crdi_run_resumable_find(const crdi_network_run *net, crdi_run_resumable *out)
{
    crdi_run_resumable r = {.can = true, .is_written = crdi_run_is_written(net->path)};
    struct stat file;
    char part[PATH_MAX];
    if (r.is_written)
        refuse(&r, "another process is writing it");
    else
        check_newest(net, &r);
    bool there = crdi_run_path_has(net->path, ".part", part);
    r.beside = there && r.is_written;
    r.lost = there && !r.is_written && !r.newer;
    if (r.can && !r.newer && stat(net->path, &file) == 0 && file.st_nlink > 1)
        refuse(&r, "it has other names (hard links), under which another process may write it");
    *out = r;
    return crdi_run_failure_of(net->run);
}
