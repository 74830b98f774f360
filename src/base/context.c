/* context.c - the context: allocator, first error, log, instruction set.
 *
 * The error is kept behind a lock, because chains run on threads of their own and share the context. Only the first
 * one since the last clear is kept: what follows an error is its consequence. */
#include "base/context_impl.h"

#include <stdlib.h>
#include <string.h>

_Thread_local int64_t crdi_task = CRDI_NO_TASK;

static void *resize_default(void *user, void *block, size_t old_size, size_t size)
{
    (void)user;
    (void)old_size;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

crd_status crd_context_create(crd_context **out, const crd_context_options *options)
{
    static const crd_context_options none = {0};
    const crd_context_options *o = options ? options : &none;
    crd_resize_fn resize = o->resize ? o->resize : resize_default;
    crd_context *ctx = resize(o->resize_user, NULL, 0, sizeof *ctx);
    if (!ctx)
        return CRD_ENOMEM;
    memset(ctx, 0, sizeof *ctx);
    ctx->options = *o;
    ctx->options.resize = resize;
    pthread_mutex_init(&ctx->lock, NULL);
    crd_status status = crdi_kernels_select(o->kernels, &ctx->kernels, &ctx->kernels_name);
    if (status < 0) {
        crd_context_destroy(&ctx);
        return status;
    }
    *out = ctx;
    return CRD_OK;
}

void crd_context_destroy(crd_context **ctx)
{
    if (!ctx || !*ctx)
        return;
    crd_context *c = *ctx;
    pthread_mutex_destroy(&c->lock);
    c->options.resize(c->options.resize_user, c, sizeof *c, 0);
    *ctx = NULL;
}

const char *crd_error_message(const crd_context *ctx)
{
    return ctx->message;
}

crd_status crd_error_status(const crd_context *ctx)
{
    return ctx->status;
}

void crd_error_clear(crd_context *ctx)
{
    pthread_mutex_lock(&ctx->lock);
    ctx->status = CRD_OK;
    ctx->message[0] = 0;
    pthread_mutex_unlock(&ctx->lock);
}

crd_status crdi_raise_v(crd_context *ctx, crd_status status, const char *format, va_list arguments)
{
    pthread_mutex_lock(&ctx->lock);
    /* Of a parallel loop's errors the lowest task's is kept, whoever came first. */
    if (ctx->status == CRD_OK || (crdi_task != CRDI_NO_TASK && crdi_task < ctx->task)) {
        ctx->status = status;
        ctx->task = crdi_task;
        crdi_format_v(ctx->message, sizeof ctx->message, format, arguments);
    }
    if (crdi_task == CRDI_NO_TASK) /* that of the message; tasks have messages of their own until the loop is over */
        status = ctx->status;
    pthread_mutex_unlock(&ctx->lock);
    return status;
}

crd_status crdi_raise(crd_context *ctx, crd_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    status = crdi_raise_v(ctx, status, format, arguments);
    va_end(arguments);
    return status;
}

crd_status crdi_error_prefix(crd_context *ctx, crd_status status, const char *format, ...)
{
    char prefix[CRDI_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    crdi_format_v(prefix, sizeof prefix - 2, format, arguments);
    va_end(arguments);
    strcat(prefix, ": ");
    pthread_mutex_lock(&ctx->lock);
    size_t room = sizeof ctx->message - 1 - strlen(prefix), length = strnlen(ctx->message, room);
    memmove(ctx->message + strlen(prefix), ctx->message, length); /* what does not fit is cut at the end */
    memcpy(ctx->message, prefix, strlen(prefix));
    ctx->message[strlen(prefix) + length] = 0;
    pthread_mutex_unlock(&ctx->lock);
    return status;
}

void crdi_error_suffix(crd_context *ctx, const char *format, ...)
{
    char suffix[CRDI_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    crdi_format_v(suffix, sizeof suffix, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&ctx->lock);
    size_t length = strlen(ctx->message);
    crdi_format(ctx->message + length, sizeof ctx->message - length, "; %s", suffix);
    pthread_mutex_unlock(&ctx->lock);
}

void crdi_log(crd_context *ctx, const char *format, ...)
{
    if (!ctx->options.log)
        return;
    char line[CRDI_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    crdi_format_v(line, sizeof line, format, arguments);
    va_end(arguments);
    ctx->options.log(ctx->options.log_user, line);
}

const void *crdi_context_kernels(const crd_context *ctx)
{
    return ctx->kernels;
}

const char *crd_context_kernels(const crd_context *ctx)
{
    return ctx->kernels_name;
}

const char *crd_version(void)
{
    return CRDI_VERSION;
}
