/* fuzz.c - see fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t MOST = (size_t)64 << 20;
static _Atomic size_t held;
static _Atomic long blocks;

static void *resize(void *user, void *block, size_t old_size, size_t size)
{
    (void)user;
    if (size > old_size && held + (size - old_size) > MOST)
        return NULL;
    if (size == 0) {
        held -= old_size;
        blocks -= block != NULL;
        free(block);
        return NULL;
    }
    void *fresh = realloc(block, size);
    if (!fresh)
        return NULL;
    held += size - old_size;
    blocks += block == NULL;
    return fresh;
}

static void complain(const char *what)
{
    fprintf(stderr, "finding: %s\n", what);
    abort();
}

crd_context *fuzz_context(void)
{
    crd_context *ctx = NULL;
    crd_context_options options = {.resize = resize};
    held = 0;
    blocks = 0;
    if (crd_context_create(&ctx, &options) < 0)
        complain("no context");
    return ctx;
}

void fuzz_context_destroy(crd_context *ctx)
{
    crd_context_destroy(&ctx);
    if (blocks != 0)
        complain("memory is leaked");
}

void fuzz_check(crd_context *ctx, crd_status status)
{
    if (status < 0 && !*crd_error_message(ctx))
        complain("an error without a message");
    if (status < 0 && crd_error_status(ctx) != status) {
        fprintf(stderr, "%s returned, %s raised: %s\n", crd_status_name(status), crd_status_name(crd_error_status(ctx)),
                crd_error_message(ctx));
        complain("the status is not that of the message");
    }
    if (status >= 0 && *crd_error_message(ctx)) {
        fprintf(stderr, "%s\n", crd_error_message(ctx));
        complain("success with an error");
    }
    if (status == CRD_EINTERNAL) {
        fprintf(stderr, "%s\n", crd_error_message(ctx));
        complain("a defect that credence noticed itself");
    }
    crd_error_clear(ctx);
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        complain("no memory");
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    return text;
}

static char path[80];

static void remove_file(void)
{
    static const char *const suffix[] = {"", "-journal", "-wal", "-shm"};
    char name[100];
    for (int i = 0; i < CRDI_COUNT(suffix); i++) {
        snprintf(name, sizeof name, "%s%s", path, suffix[i]);
        unlink(name);
    }
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    if (!*path) {
        snprintf(path, sizeof path, "%s/credence-fuzz-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
                 (long)getpid());
        atexit(remove_file);
    }
    remove_file();
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        complain("no file can be written");
    return path;
}

char *fuzz_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');
    *rest = end ? end + 1 : line + strlen(line);
    if (end)
        *end = 0;
    return line;
}
