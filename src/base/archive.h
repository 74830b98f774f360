/* archive.h - a state as bytes and back, by one description that serves both ways.
 *
 * What has a state writes one function that names its fields in order; whether they are written or read the archive knows.
 * Every field is eight bytes, little-endian, so that a state moves to another machine. Failures are sticky. */
#ifndef CRDI_ARCHIVE_H
#define CRDI_ARCHIVE_H

#include "base/base.h"

typedef struct crdi_archive {
    crd_context *ctx;
    bool loading;
    unsigned char *bytes; /* writing: owned, kept from use to use; loading: borrowed */
    size_t size, capacity; /* bytes written, or there to be read; room */
    size_t at; /* loading: read so far */
    crd_status status; /* the first failure: CRD_ENOMEM, CRD_EDAMAGED */
} crdi_archive;

/* Begins to write, over what was written before. A zeroed archive may be given; crdi_archive_clear frees. */
void crdi_archive_write(crdi_archive *a, crd_context *ctx);
void crdi_archive_read(crdi_archive *a, crd_context *ctx, const void *bytes, size_t size);
/* Loading: CRD_EDAMAGED if bytes are left. Returns the first failure. */
crd_status crdi_archive_end(crdi_archive *a);
void crdi_archive_clear(crdi_archive *a); /* of one that was written */

void crdi_archive_integer(crdi_archive *a, int64_t *value);
void crdi_archive_flag(crdi_archive *a, bool *value);
void crdi_archive_reals(crdi_archive *a, double *values, int64_t count);
void crdi_archive_real(crdi_archive *a, double *value);
/* A number that must be this one when it is read: a version, a dimension. CRD_EDAMAGED names `what`. */
void crdi_archive_same(crdi_archive *a, int64_t value, const char *what);
/* The same for a text, by a hash. */
void crdi_archive_same_text(crdi_archive *a, const char *text, const char *what);
/* A count of things of `size` bytes each that follow: loading, it is refused unless so many bytes are left. */
void crdi_archive_count(crdi_archive *a, int64_t *count, size_t size);

#endif
