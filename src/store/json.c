/* json.c - JSON: a small writer, and jansson behind this file as the reader. */
#include "store/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static void begin_value(crdi_json_writer *w, const char *key)
{
    if (w->comma)
        crdi_string_add(w->out, ",", 1);
    if (w->line)
        crdi_string_add(w->out, "\n", 1);
    w->comma = true;
    w->line = false;
    if (!key)
        return;
    crdi_json_text(w->out, key);
    crdi_string_add(w->out, ":", 1);
}

void crdi_json_open(crdi_json_writer *w, const char *key, char bracket)
{
    begin_value(w, key);
    crdi_string_add(w->out, &bracket, 1);
    w->comma = false;
}

void crdi_json_close(crdi_json_writer *w, char bracket)
{
    crdi_string_add(w->out, &bracket, 1);
    w->comma = true;
}

void crdi_json_put_text(crdi_json_writer *w, const char *key, const char *text)
{
    begin_value(w, key);
    if (text)
        crdi_json_text(w->out, text);
    else
        crdi_string_add(w->out, "null", 4);
}

void crdi_json_put_number(crdi_json_writer *w, const char *key, double value)
{
    char text[32];
    begin_value(w, key);
    crdi_format_double(text, value);
    if (!isfinite(value))
        crdi_json_text(w->out, text);
    else /* without a point it would be an integer, which has no negative zero and ends at 2^63 */
        crdi_string_append(w->out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

void crdi_json_put_number_or_null(crdi_json_writer *w, const char *key, double value)
{
    if (isfinite(value))
        crdi_json_put_number(w, key, value);
    else
        crdi_json_put_text(w, key, NULL);
}

void crdi_json_put_integer(crdi_json_writer *w, const char *key, int64_t value)
{
    begin_value(w, key);
    crdi_string_append(w->out, "%lld", (long long)value);
}

void crdi_json_put_bool(crdi_json_writer *w, const char *key, bool value)
{
    begin_value(w, key);
    crdi_string_append(w->out, "%s", value ? "true" : "false");
}

/* ---- in: a crdi_json is a json_t ----------------------------------------------------------------------------- */

static json_t *inner(const crdi_json *json)
{
    return (json_t *)(uintptr_t)json;
}

crd_status crdi_json_parse(crd_context *ctx, const char *name, const char *text, crdi_json **out)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    /* Where there is no memory even to begin with, the reader says nothing at all. */
    if (!json && (json_error_code(&error) == json_error_out_of_memory || !*error.text))
        return crdi_raise(ctx, CRD_ENOMEM, "%s: out of memory while reading JSON", name);
    if (!json)
        return crdi_raise(ctx, CRD_EDAMAGED, "%s: damaged JSON: %s (byte %d)", name, error.text, error.position);
    *out = (crdi_json *)json;
    return CRD_OK;
}

void crdi_json_destroy(crdi_json **json)
{
    if (!json || !*json)
        return;
    json_decref(inner(*json));
    *json = NULL;
}

const crdi_json *crdi_json_get(const crdi_json *object, const char *key)
{
    return (const crdi_json *)json_object_get(inner(object), key);
}

const crdi_json *crdi_json_at(const crdi_json *array, int64_t i)
{
    return (const crdi_json *)json_array_get(inner(array), (size_t)i);
}

int64_t crdi_json_count(const crdi_json *array)
{
    return array && json_is_array(inner(array)) ? (int64_t)json_array_size(inner(array)) : -1;
}

void crdi_json_each(const crdi_json *object, void (*each)(void *user, const char *key, const crdi_json *value),
                    void *user)
{
    const char *key;
    json_t *value;
    json_object_foreach(inner(object), key, value) each(user, key, (const crdi_json *)value);
}

static int append(const char *bytes, size_t size, void *out)
{
    crdi_string_add(out, bytes, size);
    return 0;
}

void crdi_json_plain(crdi_string *out, const crdi_json *value)
{
    const char *text = crdi_json_string(value);
    if (text)
        crdi_string_add(out, text, strlen(text));
    else if (value && !json_is_null(inner(value)))
        json_dump_callback(inner(value), append, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

const char *crdi_json_string(const crdi_json *value)
{
    return value ? json_string_value(inner(value)) : NULL;
}

const char *crdi_json_key(const crdi_json *object, int64_t i)
{
    json_t *o = object ? inner(object) : NULL;
    void *at = json_object_iter(o);
    for (; at && i > 0; i--)
        at = json_object_iter_next(o, at);
    return at ? json_object_iter_key(at) : NULL;
}

char *crdi_json_dump(crd_context *ctx, const crdi_json *value)
{
    const size_t how = JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(17);
    size_t size = json_dumpb(inner(value), NULL, 0, how);
    char *text = crdi_alloc(ctx, size + 1); /* zeroed */
    if (text && (size == 0 || json_dumpb(inner(value), text, size, how) != size)) {
        crdi_free(ctx, text);
        crdi_raise(ctx, CRD_ENOMEM, "out of memory while writing JSON");
        return NULL;
    }
    return text;
}

const char *crdi_json_scalar(const crdi_json *value, char *buffer)
{
    const json_t *v = value ? inner(value) : NULL;
    if (json_is_integer(v))
        return crdi_format(buffer, 32, "%lld", (long long)json_integer_value(v)), buffer;
    if (json_is_real(v))
        return crdi_format_double(buffer, json_real_value(v));
    return json_is_boolean(v) ? (json_is_true(v) ? "true" : "false") : json_string_value(v);
}

static crd_status raise_need(crd_context *ctx, const char *name, const char *key, const char *what)
{
    return crdi_raise(ctx, CRD_EDAMAGED, "%s: '%s' is missing or not %s", name, key, what);
}

crd_status crdi_json_need_number(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                                 double *out)
{
    const json_t *value = inner(crdi_json_get(object, key));
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return CRD_OK;
    }
    if (json_is_string(value) && crdi_parse_double(json_string_value(value), out))
        return CRD_OK;
    return raise_need(ctx, name, key, "a number");
}

crd_status crdi_json_need_integer(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                                  int64_t *out)
{
    const json_t *value = inner(crdi_json_get(object, key));
    if (!json_is_integer(value))
        return raise_need(ctx, name, key, "a whole number");
    *out = json_integer_value(value);
    return CRD_OK;
}

crd_status crdi_json_need_text(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                               bool nullable, char **out)
{
    const json_t *value = inner(crdi_json_get(object, key));
    if (nullable && json_is_null(value)) {
        *out = NULL;
        return CRD_OK;
    }
    if (!json_is_string(value))
        return raise_need(ctx, name, key, "a text");
    char *copy = crdi_strdup(ctx, json_string_value(value));
    if (!copy)
        return CRD_ENOMEM;
    *out = copy;
    return CRD_OK;
}

const char *crdi_json_library(void)
{
    return jansson_version_str();
}
