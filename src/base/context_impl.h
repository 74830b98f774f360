/* context_impl.h - the struct behind crd_context, for the files of this room only. */
#ifndef CRDI_CONTEXT_IMPL_H
#define CRDI_CONTEXT_IMPL_H

#include "base/base.h"
#include <pthread.h>

enum { CRDI_MESSAGE = 1024, CRDI_NO_TASK = -1 };

/* The task of a parallel loop that this thread is at. */
extern _Thread_local int64_t crdi_task;

struct crd_context {
    crd_context_options options;
    pthread_mutex_t lock; /* guards status and message */
    crd_status status; /* of the first error since the last clear */
    char message[CRDI_MESSAGE];
    int64_t task; /* of the parallel loop in which it was raised, so that the lowest wins; CRDI_NO_TASK: none */
    const void *kernels; /* the kernel room's table for this processor */
    const char *kernels_name;
};

/* Implemented by the kernel room, which this room does not know: chooses the table of an instruction set by name, or
 * the best when name is NULL. */
crd_status crdi_kernels_select(const char *name, const void **out, const char **out_name);

#endif
