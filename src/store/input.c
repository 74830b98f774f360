/* input.c - whole files in memory. Read, not mapped: a file that shrinks while mapped kills the process. */
#include "store/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static crd_status read_all(crd_context *ctx, const char *path, int file, size_t expected, char **out,
                           size_t *out_length)
{
    size_t capacity = expected + 1, length = 0;
    char *bytes = crdi_alloc(ctx, capacity + 1);
    if (!bytes)
        return CRD_ENOMEM;
    for (;;) {
        if (length == capacity) {
            capacity = 2 * capacity + 4096;
            char *larger = crdi_resize(ctx, bytes, capacity + 1);
            if (!larger) {
                crdi_free(ctx, bytes);
                return CRD_ENOMEM;
            }
            bytes = larger;
        }
        ssize_t got = read(file, bytes + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            crdi_free(ctx, bytes);
            return crdi_raise(ctx, CRD_EIO, "%s: cannot be read: %s", path, strerror(errno));
        }
        if (got == 0)
            break;
        bool zero = memchr(bytes + length, 0, (size_t)got) != NULL;
        length += (size_t)got;
        if (zero) /* no text: who looks at it says so, and a device may go on without end */
            break;
    }
    bytes[length] = 0;
    *out = bytes;
    *out_length = length;
    return CRD_OK;
}

crd_status crdi_input_read(crd_context *ctx, const char *path, char **out, size_t *out_length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return crdi_raise(ctx, errno == ENOENT || errno == ENOTDIR ? CRD_EMISSING : CRD_EIO,
                          errno == ENOENT || errno == ENOTDIR ? "%s: no such file" : "%s: cannot be read: %s", path,
                          strerror(errno));
    struct stat about;
    crd_status status;
    if (fstat(file, &about) == 0 && S_ISDIR(about.st_mode))
        status = crdi_raise(ctx, CRD_EIO, "%s: is a directory, not a file", path);
    else
        status = read_all(ctx, path, file, about.st_size > 0 ? (size_t)about.st_size : 0, out, out_length);
    close(file);
    return status;
}
