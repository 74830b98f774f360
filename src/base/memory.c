/* memory.c - blocks and arenas over the context's allocator.
 *
 * A block is preceded by a header that holds what the allocator returned and how much was asked for, so that a block
 * can be freed without telling its size and starts at a multiple of CRDI_ALIGN (a cache line, and the widest vector). */
#include "base/context_impl.h"

#include <string.h>

struct header {
    void *start; /* what the allocator returned */
    size_t total; /* bytes asked for from the allocator */
    size_t size; /* bytes that the user may touch */
};

static struct header *header_of(const void *block)
{
    return (struct header *)((uintptr_t)block - sizeof(struct header));
}

void *crdi_alloc(crd_context *ctx, size_t size)
{
    if (size > SIZE_MAX / 2) {
        crdi_raise(ctx, CRD_ENOMEM, "out of memory: %zu bytes were asked for", size);
        return NULL;
    }
    size_t total = size + sizeof(struct header) + CRDI_ALIGN;
    char *start = ctx->options.resize(ctx->options.resize_user, NULL, 0, total);
    if (!start) {
        crdi_raise(ctx, CRD_ENOMEM, "out of memory: %zu bytes were asked for", size);
        return NULL;
    }
    uintptr_t block = ((uintptr_t)start + sizeof(struct header) + CRDI_ALIGN - 1) & ~(uintptr_t)(CRDI_ALIGN - 1);
    *header_of((void *)block) = (struct header){start, total, size};
    memset((void *)block, 0, size);
    return (void *)block;
}

void *crdi_alloc_array(crd_context *ctx, int64_t count, size_t size)
{
    if (count < 0 || (size && (uint64_t)count > SIZE_MAX / 2 / size)) {
        crdi_raise(ctx, CRD_ENOMEM, "out of memory: %lld elements of %zu bytes were asked for", (long long)count, size);
        return NULL;
    }
    return crdi_alloc(ctx, (size_t)count * size);
}

void *crdi_resize(crd_context *ctx, void *block, size_t size)
{
    void *fresh = crdi_alloc(ctx, size);
    if (!fresh || !block)
        return fresh;
    size_t old = header_of(block)->size;
    memcpy(fresh, block, old < size ? old : size);
    crdi_free(ctx, block);
    return fresh;
}

void crdi_free(crd_context *ctx, const void *block)
{
    if (!block)
        return;
    struct header h = *header_of(block);
    ctx->options.resize(ctx->options.resize_user, h.start, h.total, 0);
}

char *crdi_strdup(crd_context *ctx, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = crdi_alloc(ctx, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

crd_status crdi_grow(crd_context *ctx, void *block_address, int64_t *capacity, int64_t count, size_t size)
{
    if (count < *capacity)
        return CRD_OK;
    int64_t wanted = *capacity ? 2 * *capacity : 16;
    void *block;
    memcpy(&block, block_address, sizeof block);
    block = crdi_resize(ctx, block, (size_t)wanted * size);
    if (!block)
        return CRD_ENOMEM;
    memcpy(block_address, &block, sizeof block);
    *capacity = wanted;
    return CRD_OK;
}

/* ---- arenas ------------------------------------------------------------------------------------------------- */

#ifdef CRDI_ARENA_DEBUG
enum { CHUNK = 0 };
#else
enum { CHUNK = 16 * 1024 };
#endif

struct chunk {
    struct chunk *next;
    size_t used, size; /* bytes of `data` */
    char *data;
};

struct crdi_arena {
    crd_context *ctx;
    struct chunk *chunks; /* the newest first */
};

crd_status crdi_arena_create(crdi_arena **out, crd_context *ctx)
{
    crdi_arena *arena = crdi_alloc(ctx, sizeof *arena);
    if (!arena)
        return CRD_ENOMEM;
    arena->ctx = ctx;
    *out = arena;
    return CRD_OK;
}

void crdi_arena_destroy(crdi_arena **arena)
{
    if (!arena || !*arena)
        return;
    for (struct chunk *c = (*arena)->chunks, *next; c; c = next) {
        next = c->next;
        crdi_free((*arena)->ctx, c->data);
        crdi_free((*arena)->ctx, c);
    }
    crdi_free((*arena)->ctx, *arena);
    *arena = NULL;
}

static struct chunk *chunk_add(crdi_arena *arena, size_t size)
{
    struct chunk *c = crdi_alloc(arena->ctx, sizeof *c);
    if (!c)
        return NULL;
    c->size = size > (size_t)CHUNK ? size : (size_t)CHUNK;
    c->data = crdi_alloc(arena->ctx, c->size);
    if (!c->data) {
        crdi_free(arena->ctx, c);
        return NULL;
    }
    c->next = arena->chunks;
    arena->chunks = c;
    return c;
}

void *crdi_arena_alloc(crdi_arena *arena, size_t size)
{
    size_t rounded = (size + CRDI_ALIGN - 1) / CRDI_ALIGN * CRDI_ALIGN;
    struct chunk *c = arena->chunks;
    if (CHUNK == 0)
        rounded = size;
    if (!c || c->size - c->used < rounded || CHUNK == 0)
        c = chunk_add(arena, rounded);
    if (!c)
        return NULL;
    void *piece = c->data + c->used;
    c->used += rounded;
    return piece;
}

char *crdi_arena_strdup(crdi_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = crdi_arena_alloc(arena, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *crdi_arena_printf(crdi_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = crdi_format_v(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : crdi_arena_alloc(arena, (size_t)length + 1);
    if (text)
        crdi_format_v(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
