/* base.h - what all rooms share: memory, arenas, errors, strings, threads. Nothing numerical. */
#ifndef CRDI_BASE_H
#define CRDI_BASE_H

#include <credence/array.h>
#include <credence/context.h>
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* A defect of ours, never a caller's mistake. */
#define CRDI_ASSERT(condition) assert(condition)
#define CRDI_COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- errors (context.c) ------------------------------------------------------------------------------------- */

/* Records the first error since the last clear and returns `status`. A later error is dropped: the first one is the
 * cause, the others follow from it, and its status is returned. Safe from several threads. */
crd_status crdi_raise(crd_context *ctx, crd_status status, const char *format, ...) CRD_PRINTF(3, 4);
crd_status crdi_raise_v(crd_context *ctx, crd_status status, const char *format, va_list arguments);
/* Puts "prefix: " before the recorded message (a file, a site); returns the status given. */
crd_status crdi_error_prefix(crd_context *ctx, crd_status status, const char *format, ...) CRD_PRINTF(3, 4);
/* Puts "; suffix" behind the recorded message, as far as there is room. */
void crdi_error_suffix(crd_context *ctx, const char *format, ...) CRD_PRINTF(2, 3);
void crdi_log(crd_context *ctx, const char *format, ...) CRD_PRINTF(2, 3);

/* What a context carries for other rooms, each with its own destructor: `kernels` for the kernel room. */
const void *crdi_context_kernels(const crd_context *ctx);

/* ---- memory (memory.c) -------------------------------------------------------------------------------------- */

/* Allocations through the context's allocator, aligned to CRDI_ALIGN bytes and zeroed. Each block remembers its size.
 * NULL (with CRD_ENOMEM raised) when there is no memory. */
enum { CRDI_ALIGN = 64 };
void *crdi_alloc(crd_context *ctx, size_t size);
void *crdi_alloc_array(crd_context *ctx, int64_t count, size_t size); /* CRD_ENOMEM on overflow too */
/* Grows or shrinks, keeps the contents, zeroes what is new. On failure the old block stays. block may be NULL. */
void *crdi_resize(crd_context *ctx, void *block, size_t size);
void crdi_free(crd_context *ctx, const void *block);
char *crdi_strdup(crd_context *ctx, const char *text);
/* Makes room for one more element: doubles `*capacity` when `count` has reached it. `*block` moves. */
crd_status crdi_grow(crd_context *ctx, void *block_address, int64_t *capacity, int64_t count, size_t size);

/* An arena gives memory out piece by piece and takes it back all at once. Zeroed, aligned to CRDI_ALIGN.
 * Built with CRDI_ARENA_DEBUG each piece is a block of its own, so that a sanitizer sees an overrun. */
typedef struct crdi_arena crdi_arena;
crd_status crdi_arena_create(crdi_arena **out, crd_context *ctx);
void crdi_arena_destroy(crdi_arena **arena);
void *crdi_arena_alloc(crdi_arena *arena, size_t size); /* NULL: CRD_ENOMEM raised */
char *crdi_arena_strdup(crdi_arena *arena, const char *text);
char *crdi_arena_printf(crdi_arena *arena, const char *format, ...) CRD_PRINTF(2, 3);

/* ---- strings (strings.c) ------------------------------------------------------------------------------------ */

/* A string that grows. A failed append leaves it unchanged and makes it sticky: `status` keeps the first failure. */
typedef struct crdi_string {
    crd_context *ctx;
    char *text; /* NUL-terminated; NULL while empty */
    size_t length, capacity;
    crd_status status;
} crdi_string;
void crdi_string_init(crdi_string *s, crd_context *ctx);
void crdi_string_clear(crdi_string *s);
void crdi_string_append(crdi_string *s, const char *format, ...) CRD_PRINTF(2, 3);
void crdi_string_append_v(crdi_string *s, const char *format, va_list arguments);
void crdi_string_add(crdi_string *s, const char *bytes, size_t length);
const char *crdi_string_text(const crdi_string *s); /* "" while empty */

/* ---- text (text.c) ------------------------------------------------------------------------------------------ */

/* snprintf in the C locale, on this thread alone: a decimal point in every locale. All formatting in this room goes
 * through it (strings, arenas, errors, logs). */
int crdi_format(char *buffer, size_t size, const char *format, ...) CRD_PRINTF(3, 4);
int crdi_format_v(char *buffer, size_t size, const char *format, va_list arguments);
double crdi_read_double(const char *text, char **end); /* strtod in the C locale */
/* Reads the character of UTF-8 at text (RFC 3629: no overlong forms, no surrogates) and returns its bytes; 0 if there
 * is none, and at a zero byte. `end` NULL: the text ends at a zero byte. */
int crdi_utf8_decode(const char *text, const char *end, uint32_t *code);
/* Whether a terminal obeys a code point instead of showing it: control characters, C1 ones among them, and those that break the
 * line or turn the writing direction. */
bool crdi_is_control(uint32_t code);
/* Appends a text as a JSON string with its quotes: what a terminal would obey is escaped, and what is not UTF-8 becomes
 * U+FFFD, so that the result can always be read back. */
void crdi_json_text(crdi_string *out, const char *text);

/* ---- numbers and names (strings.c) -------------------------------------------------------------------------- */

/* Writes a double so that reading it gives the same bits back, in as few of 17 digits as that takes, with a decimal
 * point in every locale. buffer >= 32. */
const char *crdi_format_double(char *buffer, double value);
/* Reads a whole text as a number, in the C locale's notation whatever the locale is. False if any of it is left. */
bool crdi_parse_double(const char *text, double *out);
bool crdi_parse_int(const char *text, int64_t *out);

/* Returns the name nearest to `name` by edit distance, or NULL if none is near (distance above a third of its length,
 * and at least 2, and no name of which it is a prefix). `get(list, i)` returns the i-th name. */
const char *crdi_nearest(const char *name, const char *(*get)(const void *list, int64_t i), const void *list,
                         int64_t count);
const char *crdi_nearest_of(const char *name, const char *const *names, int64_t count);
/* Raises CRD_ENAME "unknown WHAT 'NAME'; did you mean 'NEAREST'?" or, when none is near, "...; there are A, B, C". */
crd_status crdi_raise_unknown(crd_context *ctx, const char *what, const char *name,
                              const char *(*get)(const void *list, int64_t i), const void *list, int64_t count);
/* Shell-style pattern (* and ?) against a whole text. */
bool crdi_match(const char *pattern, const char *text);

/* ---- shapes (array.c) --------------------------------------------------------------------------------------- */

const char *crdi_shape_text(crd_shape shape, char *buffer, size_t size); /* "(40, 1)"; 96 bytes are always enough */
bool crdi_shape_equal(crd_shape a, crd_shape b);

/* ---- threads (threads.c) ------------------------------------------------------------------------------------ */

/* Runs task(user, i) for i in 0 .. count-1 on up to `threads` threads (the caller's is one of them; < 1 means as many
 * as there are processors) and waits. Returns the status of the lowest i that failed, and keeps its message. The order in
 * which tasks start is not defined: a task's result must not depend on it. */
typedef crd_status (*crdi_task_fn)(void *user, int64_t i);
crd_status crdi_parallel(crd_context *ctx, int threads, int64_t count, crdi_task_fn task, void *user);
int crdi_processors(void);

/* Threads that stay, for many short loops (team.c). A run does tasks 0 .. count - 1, the caller among those who do them,
 * and returns when all are done; between runs the threads wait, at first without sleeping. One run at a time. */
typedef struct crdi_team crdi_team;
crd_status crdi_team_create(crd_context *ctx, int threads, crdi_team **out);
void crdi_team_destroy(crdi_team **team);
void crdi_team_run(crdi_team *team, int64_t count, void (*task)(void *user, int64_t i), void *user);
double crdi_seconds(void); /* monotonic clock */

#endif
