/* json.h - JSON text in and out, for what a run file keeps as text. Numbers come back with the same bits. */
#ifndef CRDI_JSON_H
#define CRDI_JSON_H

#include "base/base.h"

/* ---- out: appended to a growing string, commas and quotes done here ------------------------------------------ */

typedef struct crdi_json_writer {
    crdi_string *out;
    bool comma; /* the next member or element needs one before it */
    bool line; /* the next member or element begins a line: set by whoever wants it for readers */
} crdi_json_writer;

/* `key` NULL: an element of an array, or the outermost value. */
void crdi_json_open(crdi_json_writer *w, const char *key, char bracket); /* '{' or '[' */
void crdi_json_close(crdi_json_writer *w, char bracket); /* '}' or ']' */
void crdi_json_put_text(crdi_json_writer *w, const char *key, const char *text); /* NULL: null */
void crdi_json_put_number(crdi_json_writer *w, const char *key, double value); /* nan and inf as strings */
void crdi_json_put_number_or_null(crdi_json_writer *w, const char *key, double value); /* nan and inf as null */
void crdi_json_put_integer(crdi_json_writer *w, const char *key, int64_t value);
void crdi_json_put_bool(crdi_json_writer *w, const char *key, bool value);

/* ---- in ----------------------------------------------------------------------------------------------------- */

/* A parsed text (crdi_json_parse) or a value in it (the others: borrowed from it, never freed). */
typedef struct crdi_json crdi_json;

/* CRD_EDAMAGED with the place in the text when it is no JSON; `name` says in messages what it is. */
crd_status crdi_json_parse(crd_context *ctx, const char *name, const char *text, crdi_json **out);
void crdi_json_destroy(crdi_json **json);

const crdi_json *crdi_json_get(const crdi_json *object, const char *key); /* NULL: no object or no such member */
const crdi_json *crdi_json_at(const crdi_json *array, int64_t i);
int64_t crdi_json_count(const crdi_json *array); /* -1: not an array */
/* Calls `each` for the members of an object, in their order; both are borrowed for the call. */
void crdi_json_each(const crdi_json *object, void (*each)(void *user, const char *key, const crdi_json *value),
                    void *user);
/* Appends a value for people: a text without its quotes, everything else as JSON; null is nothing. */
void crdi_json_plain(crdi_string *out, const crdi_json *value);

const char *crdi_json_key(const crdi_json *object, int64_t i); /* of the i-th member; NULL: there are not so many */
/* A value as text, members in the order of their names. Owned; NULL: CRD_ENOMEM raised. */
char *crdi_json_dump(crd_context *ctx, const crdi_json *value);

/* Members of an object, checked: CRD_EDAMAGED "recipe: 'mean' is missing or not a number". `name` as above. */
crd_status crdi_json_need_number(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                                 double *out);
crd_status crdi_json_need_integer(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                                  int64_t *out);
/* Owned copy; NULL for null if `nullable`. */
crd_status crdi_json_need_text(crd_context *ctx, const char *name, const crdi_json *object, const char *key,
                               bool nullable, char **out);
/* The text of a string value, NULL if it is none. Borrowed. */
const char *crdi_json_string(const crdi_json *value);

/* The member of an object that is a number, a truth value or a text, as text that an option of the command line would take; NULL for
 * anything else. buffer of at least 32 bytes. */
const char *crdi_json_scalar(const crdi_json *value, char *buffer);

/* The version of the library that reads: "2.14". Static storage. */
const char *crdi_json_library(void);

#endif
