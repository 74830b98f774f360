/* output.c - see output.h. */
#include "store/output.h"
#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

struct crdi_output {
    crd_context *ctx;
    char *path; /* as the caller says it, for messages */
    char *target; /* with symbolic links followed */
    char *temporary; /* the same as target for a device */
    char *buffer;
    size_t used;
    int file; /* -1: not open */
    bool created; /* the temporary file is ours to remove */
    bool force, direct; /* direct: a device or pipe, nothing to rename */
    crd_status status; /* of the first failure */
};

static void destroy(crdi_output **output)
{
    crdi_output *o = *output;
    if (o->file >= 0)
        close(o->file);
    if (o->created)
        unlink(o->temporary);
    crdi_free(o->ctx, o->buffer);
    if (o->temporary != o->target)
        crdi_free(o->ctx, o->temporary);
    crdi_free(o->ctx, o->target);
    crdi_free(o->ctx, o->path);
    crdi_free(o->ctx, o);
    *output = NULL;
}

/* Where the bytes go in the end: the path, or what a symbolic link there points to. */
static crd_status find_target(crdi_output *o)
{
    struct stat about;
    char real[PATH_MAX];
    bool linked = lstat(o->path, &about) == 0 && S_ISLNK(about.st_mode) && realpath(o->path, real);
    o->target = crdi_strdup(o->ctx, linked ? real : o->path);
    return o->target ? CRD_OK : CRD_ENOMEM;
}

static crd_status raise_write(crdi_output *o, int error)
{
    const char *room = crdi_lack_of_room(error);
    bool tell = room && !o->direct;
    return crdi_raise(o->ctx, room ? CRD_EFULL : CRD_EIO, "%s: cannot be written: %s%s%s", o->path, strerror(error),
                      tell ? "; " : "", tell ? room : "");
}

static crd_status raise_open(crdi_output *o, int error)
{
    const char *slash = strrchr(o->path, '/');
    if (error == ENOENT && slash)
        return crdi_raise(o->ctx, CRD_EMISSING, "%.*s: no such folder", (int)(slash - o->path), o->path);
    return raise_write(o, error);
}

/* A new file beside the target. Not mkstemp: its files are readable by their owner alone, and the mask that says who
 * may read new files can only be asked for by changing it. */
static crd_status create_temporary(crdi_output *o, mode_t mode)
{
    enum { TRIES = 1000 };
    size_t size = strlen(o->target) + 40;
    o->temporary = crdi_alloc(o->ctx, size);
    if (!o->temporary)
        return CRD_ENOMEM;
    for (int i = 0; i < TRIES && o->file < 0; i++) {
        snprintf(o->temporary, size, "%s.%ld-%d.part", o->target, (long)getpid(), i);
        o->file = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (o->file < 0 && errno != EEXIST)
            break;
    }
    if (o->file < 0)
        return raise_open(o, errno);
    o->created = true;
    if (mode)
        (void)!fchmod(o->file, mode & 0777); /* of the file that is replaced; a file system without modes is fine */
    return CRD_OK;
}

static crd_status open_output(crdi_output *o)
{
    struct stat about = {0};
    CRD_TRY(find_target(o));
    bool exists = stat(o->target, &about) == 0;
    if (exists && S_ISDIR(about.st_mode))
        return crdi_raise(o->ctx, CRD_EIO, "%s: cannot be written: it is a directory", o->path);
    o->direct = exists && !S_ISREG(about.st_mode);
    if (exists && !o->direct && !o->force)
        return crdi_raise(o->ctx, CRD_EEXISTS, "%s: exists; --force replaces it", o->path);
    o->buffer = crdi_alloc(o->ctx, BUFFER);
    if (!o->buffer)
        return CRD_ENOMEM;
    if (!o->direct)
        return create_temporary(o, exists ? about.st_mode : 0);
    o->temporary = o->target;
    o->file = open(o->target, O_WRONLY | O_CLOEXEC);
    return o->file < 0 ? raise_open(o, errno) : CRD_OK;
}

crd_status crdi_output_open(crdi_output **out, crd_context *ctx, const char *path, bool force)
{
    crdi_output *o = crdi_alloc(ctx, sizeof *o);
    if (!o)
        return CRD_ENOMEM;
    o->ctx = ctx;
    o->file = -1;
    o->force = force;
    o->path = crdi_strdup(ctx, path);
    crd_status status = o->path ? open_output(o) : CRD_ENOMEM;
    if (status < 0)
        destroy(&o);
    else
        *out = o;
    return status;
}

static crd_status open_to(crdi_output *o, int file)
{
    o->direct = true;
    o->target = o->temporary = crdi_strdup(o->ctx, o->path);
    o->buffer = crdi_alloc(o->ctx, BUFFER);
    if (!o->target || !o->buffer)
        return CRD_ENOMEM;
    o->file = fcntl(file, F_DUPFD_CLOEXEC, 3);
    return o->file < 0 ? raise_open(o, errno) : CRD_OK;
}

crd_status crdi_output_open_to(crdi_output **out, crd_context *ctx, int file, const char *name)
{
    crdi_output *o = crdi_alloc(ctx, sizeof *o);
    if (!o)
        return CRD_ENOMEM;
    o->ctx = ctx;
    o->file = -1;
    o->path = crdi_strdup(ctx, name);
    crd_status status = o->path ? open_to(o, file) : CRD_ENOMEM;
    if (status < 0)
        destroy(&o);
    else
        *out = o;
    return status;
}

const char *crdi_output_temporary(const crdi_output *output)
{
    return output->temporary;
}

crd_status crdi_output_need(const crdi_output *o, double bytes)
{
    struct statvfs system;
    struct rlimit limit;
    bool known = fstatvfs(o->file, &system) == 0 && system.f_blocks > 0; /* some file systems do not say */
    double room = known ? (double)system.f_bavail * (double)system.f_frsize : INFINITY;
    bool limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    bool file = limited && (double)limit.rlim_cur < bytes;
    if (!file && bytes <= room)
        return CRD_OK;
    return crdi_raise(o->ctx, CRD_EFULL, "%s: %.3g MB are needed, and there is room for %.3g; %s", o->path, bytes / 1e6,
                      (file ? (double)limit.rlim_cur : room) / 1e6, crdi_lack_of_room(file ? EFBIG : ENOSPC));
}

crd_status crdi_output_status(const crdi_output *output)
{
    return output->status;
}

static void write_through(crdi_output *o, const char *bytes, size_t length)
{
    while (length && o->status == CRD_OK) {
        ssize_t written = write(o->file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            o->status = raise_write(o, errno);
            return;
        }
        bytes += written;
        length -= (size_t)written;
    }
}

static void flush(crdi_output *o)
{
    write_through(o, o->buffer, o->used);
    o->used = 0;
}

void crdi_output_write(crdi_output *o, const char *bytes, size_t length)
{
    if (o->used + length > BUFFER)
        flush(o);
    if (length > BUFFER) {
        write_through(o, bytes, length);
        return;
    }
    memcpy(o->buffer + o->used, bytes, length);
    o->used += length;
}

void crdi_output_printf(crdi_output *o, const char *format, ...)
{
    crdi_string s;
    va_list arguments;
    crdi_string_init(&s, o->ctx);
    va_start(arguments, format);
    crdi_string_append_v(&s, format, arguments);
    va_end(arguments);
    if (s.status < 0 && o->status == CRD_OK)
        o->status = s.status;
    crdi_output_write(o, crdi_string_text(&s), s.length);
    crdi_string_clear(&s);
}

/* Gives the temporary file its name. A hard link fails where the name is taken, which rename does not; where the file
 * system has no hard links, looking first has to do. */
static crd_status publish(crdi_output *o)
{
    if (!o->force) {
        if (link(o->temporary, o->target) == 0)
            return CRD_OK; /* destroy removes the other name */
        if (errno == EEXIST || access(o->target, F_OK) == 0)
            return crdi_raise(o->ctx, CRD_EEXISTS, "%s: exists; --force replaces it", o->path);
    }
    if (rename(o->temporary, o->target) != 0)
        return raise_write(o, errno);
    o->created = false;
    return CRD_OK;
}

/* Forces the bytes to the disk before the name appears. By name, because a library may have put another file there. */
static void sync_file(crdi_output *o)
{
    int file = open(o->temporary, O_RDONLY | O_CLOEXEC);
    int result = file < 0 ? -1 : fsync(file);
    if (result != 0 && errno != EINVAL && errno != ENOTSUP)
        o->status = raise_write(o, errno);
    if (file >= 0)
        close(file);
}

crd_status crdi_output_commit(crdi_output **output)
{
    crdi_output *o = *output;
    flush(o);
    int file = o->file;
    o->file = -1;
    if (close(file) != 0 && o->status == CRD_OK)
        o->status = raise_write(o, errno);
    if (o->status == CRD_OK && !o->direct)
        sync_file(o);
    if (o->status == CRD_OK && !o->direct)
        o->status = publish(o);
    crd_status status = o->status;
    destroy(output);
    return status;
}

void crdi_output_abort(crdi_output **output)
{
    if (output && *output)
        destroy(output);
}
