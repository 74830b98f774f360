/* strings.c - growing strings, numbers as text, names that are nearly right. */
#include "base/base.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void crdi_string_init(crdi_string *s, crd_context *ctx)
{
    *s = (crdi_string){.ctx = ctx};
}

void crdi_string_clear(crdi_string *s)
{
    crdi_free(s->ctx, s->text);
    *s = (crdi_string){.ctx = s->ctx};
}

static bool reserve(crdi_string *s, size_t more)
{
    if (s->status < 0)
        return false;
    if (s->length + more + 1 <= s->capacity)
        return true;
    size_t capacity = s->capacity ? 2 * s->capacity : 128;
    while (capacity < s->length + more + 1)
        capacity *= 2;
    char *text = crdi_resize(s->ctx, s->text, capacity);
    if (!text) {
        s->status = CRD_ENOMEM;
        return false;
    }
    s->text = text;
    s->capacity = capacity;
    return true;
}

void crdi_string_add(crdi_string *s, const char *bytes, size_t length)
{
    if (!reserve(s, length))
        return;
    memcpy(s->text + s->length, bytes, length);
    s->length += length;
    s->text[s->length] = 0;
}

void crdi_string_append_v(crdi_string *s, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = crdi_format_v(NULL, 0, format, arguments);
    if (length >= 0 && reserve(s, (size_t)length)) {
        crdi_format_v(s->text + s->length, (size_t)length + 1, format, again);
        s->length += (size_t)length;
    }
    va_end(again);
}

void crdi_string_append(crdi_string *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    crdi_string_append_v(s, format, arguments);
    va_end(arguments);
}

const char *crdi_string_text(const crdi_string *s)
{
    return s->text ? s->text : "";
}

const char *crdi_format_double(char *buffer, double value)
{
    if (isnan(value))
        return strcpy(buffer, "nan");
    if (isinf(value))
        return strcpy(buffer, value > 0 ? "inf" : "-inf");
    for (int digits = 15; digits <= 17; digits++) {
        double back;
        crdi_format(buffer, 32, "%.*g", digits, value);
        if (crdi_parse_double(buffer, &back) && back == value)
            break;
    }
    return buffer;
}

bool crdi_parse_double(const char *text, double *out)
{
    char *end;
    while (isspace((unsigned char)*text))
        text++;
    if (!*text)
        return false;
    double value = crdi_read_double(text, &end);
    if (end == text)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    if (*end)
        return false;
    *out = value;
    return true;
}

bool crdi_parse_int(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *out = value;
    return true;
}

/* ---- names that are nearly right ---------------------------------------------------------------------------- */

/* Levenshtein's distance, capped at the length of a row: longer names are cut. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 128 };
    int row[LONGEST + 1];
    int n = (int)strnlen(a, LONGEST), m = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int substitute = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            int shorter = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = substitute < shorter ? substitute : shorter;
        }
    }
    return row[m];
}

const char *crdi_nearest(const char *name, const char *(*get)(const void *list, int64_t i), const void *list,
                         int64_t count)
{
    const char *best = NULL;
    size_t length = strlen(name);
    int limit = (int)length / 3 > 2 ? (int)length / 3 : 2;
    int least = limit + 1;
    for (int64_t i = 0; i < count; i++) {
        const char *candidate = get(list, i);
        int d = distance(name, candidate);
        if (length >= 2 && strncmp(name, candidate, length) == 0)
            d = 1; /* an abbreviation is as good as a slip */
        if (d < least && (size_t)d < strlen(candidate)) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

static const char *get_plain(const void *list, int64_t i)
{
    return ((const char *const *)list)[i];
}

const char *crdi_nearest_of(const char *name, const char *const *names, int64_t count)
{
    return crdi_nearest(name, get_plain, names, count);
}

crd_status crdi_raise_unknown(crd_context *ctx, const char *what, const char *name,
                              const char *(*get)(const void *list, int64_t i), const void *list, int64_t count)
{
    enum { LISTED = 40 };
    const char *near = crdi_nearest(name, get ? get : get_plain, list, count);
    if (near)
        return crdi_raise(ctx, CRD_ENAME, "unknown %s '%s'; did you mean '%s'?", what, name, near);
    crdi_string s;
    crdi_string_init(&s, ctx);
    for (int64_t i = 0; i < count && i < LISTED; i++)
        crdi_string_append(&s, "%s%s", i ? ", " : "", (get ? get : get_plain)(list, i));
    if (count > LISTED)
        crdi_string_append(&s, ", ...");
    crdi_raise(ctx, CRD_ENAME, "unknown %s '%s'; there are: %s", what, name, crdi_string_text(&s));
    crdi_string_clear(&s);
    return CRD_ENAME;
}

bool crdi_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}
