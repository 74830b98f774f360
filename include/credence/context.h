/* context.h - what every object of credence holds on to: memory, the last error, the log, the instruction set. */
#ifndef CREDENCE_CONTEXT_H
#define CREDENCE_CONTEXT_H

#include <credence/status.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A context: memory, the last error, the log and the kernels of all that is made in it. */
typedef struct crd_context crd_context;

/** Resizes a block of memory: the whole contract between credence and an allocator.
 *
 *  block NULL: allocate `size` bytes. size 0: free the block (`old_size` bytes), return NULL; this never fails.
 *  Otherwise the block keeps its first min(old_size, size) bytes and may move. NULL means that there is no memory
 *  and that the old block is untouched. Alignment as malloc's. Called from several threads at once. */
typedef void *(*crd_resize_fn)(void *user, void *block, size_t old_size, size_t size);

/** Receives one line of the log, without a line end. Called from several threads at once. */
typedef void (*crd_log_fn)(void *user, const char *line);

/** Settings of a context. Zero means the default everywhere. */
typedef struct crd_context_options {
    crd_resize_fn resize; /**< memory; default: realloc and free */
    void *resize_user; /**< passed to resize */
    crd_log_fn log; /**< warnings and news; default: dropped, the library never prints */
    void *log_user; /**< passed to log */
    const char *kernels; /**< "avx512", "avx2", "portable"; default: the best that the processor has */
} crd_context_options;

/** Creates a context. Everything else is created from one and must be destroyed before it.
 *  @param out      returns owned; written only on success.
 *  @param options  borrowed; NULL means the defaults.
 *  @return CRD_OK; CRD_ENOMEM; CRD_ENAME for an unknown instruction set; CRD_EUNSUPPORTED for one that this processor
 *          lacks.
 *  Parallel: contexts are independent; one context may be used from several threads. */
CRD_API CRD_MUST_CHECK crd_status crd_context_create(crd_context **out, const crd_context_options *options);

/** Destroys a context and sets the pointer to NULL. NULL and a pointer to NULL are accepted.
 *  @param ctx  the pointer to set to NULL. */
CRD_API void crd_context_destroy(crd_context **ctx);

/** Returns the message of the first error since the last crd_error_clear, or "" if there was none.
 *  Borrowed: valid until the next error or clear.
 *  @param ctx  borrowed. */
CRD_API const char *crd_error_message(const crd_context *ctx);

/** The status of that error.
 *  @param ctx  borrowed. @return CRD_OK if there was none. */
CRD_API crd_status crd_error_status(const crd_context *ctx);

/** Forgets the error.
 *  @param ctx  borrowed. */
CRD_API void crd_error_clear(crd_context *ctx);

/** Returns the name of the instruction set whose kernels this context uses. Static storage.
 *  @param ctx  borrowed. */
CRD_API const char *crd_context_kernels(const crd_context *ctx);

/** Returns the version as text, "0.1.0". Static storage. */
CRD_API const char *crd_version(void);

#ifdef __cplusplus
}
#endif
#endif
