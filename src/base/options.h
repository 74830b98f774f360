/* options.h - options that are declared once and become struct field, default, range, flag, help text and run record.
 *
 * A table is a .def file with a row for each option:
 *
 *   OPT(type, name, default, minimum, maximum, "help", "source of the default")
 *   OPT(integer, chains,        4,      1,   10000, "number of chains", "")
 *   OPT(real,    target_accept, 0.8,    > 0, < 1,   "wanted acceptance probability", "Stan reference manual")
 *   OPT(text,    out,           NULL,   FILE, ,     "run file to write", "")          placeholder for the help
 *   OPT(list,    drop,          NULL,   COL,  ,     "leave this column out", "")      may be given several times
 *   OPT(texts,   target,        NULL,   COLS, ,     "the column to learn", "")        a list that mostly has one value
 *   OPT(choice,  format,        "text", "text|csv|json", , "form of the output", "")
 *   OPT(flag,    force,         false,  , ,         "replace files that exist", "")
 *
 * A bound is a number, "> number" or "< number" (exclusive), or empty. The same file is included twice: inside the
 * struct, and as the table.
 *
 *   typedef struct fit_options {
 *   #define OPT CRDI_OPTION_FIELD
 *   #include "cli/fit.def"
 *   #undef OPT
 *   } fit_options;
 *
 *   static const crdi_option fit_rows[] = {
 *   #define OPT(...) CRDI_OPTION_ROW(fit_options, __VA_ARGS__)
 *   #include "cli/fit.def"
 *   #undef OPT
 *   };
 *   const crdi_option_table fit_table = CRDI_OPTION_TABLE("fit", fit_options, fit_rows);
 *
 * A struct of a public header is written out by hand there, with its comments; its table is made from the rows in the
 * same way. A field of the wrong C type does not compile; one without a row is simply no option. */
#ifndef CRDI_OPTIONS_H
#define CRDI_OPTIONS_H

#include "base/base.h"

/* ---- rows --------------------------------------------------------------------------------------------------- */

/* The values of a repeatable option. */
typedef struct crdi_text_list {
    const char *const *item;
    int64_t count;
} crdi_text_list;

typedef enum crdi_option_type {
    CRDI_OPTION_INTEGER, /* int64_t or int */
    CRDI_OPTION_REAL, /* double */
    CRDI_OPTION_TEXT, /* const char *, NULL allowed */
    CRDI_OPTION_FLAG, /* bool */
    CRDI_OPTION_LIST, /* crdi_text_list */
    CRDI_OPTION_TEXTS, /* the same, recorded as a text while there is one */
    CRDI_OPTION_CHOICE /* const char *, one of a list */
} crdi_option_type;

typedef struct crdi_option {
    const char *name; /* of the field; the flag has '-' where this has '_' */
    crdi_option_type type;
    const char *standard; /* the default as text; NULL: none (text), empty (list) */
    const char *minimum; /* "1", "> 0"; "" is none */
    const char *maximum;
    const char *choices; /* choice: "text|csv|json"; text and list: what the help calls the value; else NULL */
    const char *help;
    const char *source; /* of the default: a paper, a program; "" if it needs none */
    size_t offset, size; /* of the field */
} crdi_option;

typedef struct crdi_option_table {
    const char *name;
    const crdi_option *option;
    int count;
    size_t size; /* of the struct */
} crdi_option_table;

#define CRDI_OPTION_TABLE(name, structure, rows)                                                                       \
    {                                                                                                                  \
        (name), (rows), CRDI_COUNT(rows), sizeof(structure)                                                            \
    }

typedef int64_t crdi_option_field_integer;
typedef double crdi_option_field_real;
typedef const char *crdi_option_field_text;
typedef bool crdi_option_field_flag;
typedef crdi_text_list crdi_option_field_list;
typedef crdi_text_list crdi_option_field_texts;
typedef const char *crdi_option_field_choice;
#define CRDI_OPTION_FIELD(type, name, ...) crdi_option_field_##type name;

/* The row's type is also checked against the field's: _Generic has no branch for a wrong one. */
/* clang-format off */
#define CRDI_OPTION_ROW(structure, type, name, ...) CRDI_OPTION_ROW_##type(structure, name, __VA_ARGS__)
#define CRDI_OPTION_PLACE(structure, name) offsetof(structure, name), sizeof(((structure *)0)->name)
#define CRDI_OPTION_IS(structure, name, type, constant) _Generic(((structure *)0)->name, type: (constant))
#define CRDI_OPTION_ROW_integer(structure, name, standard, minimum, maximum, help, source)                             \
    {#name, _Generic(((structure *)0)->name, int: CRDI_OPTION_INTEGER, int64_t: CRDI_OPTION_INTEGER),                  \
     #standard, #minimum, #maximum, NULL, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_real(structure, name, standard, minimum, maximum, help, source)                                \
    {#name, CRDI_OPTION_IS(structure, name, double, CRDI_OPTION_REAL),                                                 \
     #standard, #minimum, #maximum, NULL, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_text(structure, name, standard, placeholder, unused, help, source)                             \
    {#name, CRDI_OPTION_IS(structure, name, const char *, CRDI_OPTION_TEXT),                                           \
     standard, "", "", #placeholder, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_flag(structure, name, standard, unused, unused_too, help, source)                              \
    {#name, CRDI_OPTION_IS(structure, name, bool, CRDI_OPTION_FLAG),                                                   \
     (standard) ? "true" : "false", "", "", NULL, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_list(structure, name, standard, placeholder, unused, help, source)                             \
    {#name, CRDI_OPTION_IS(structure, name, crdi_text_list, CRDI_OPTION_LIST),                                         \
     standard, "", "", #placeholder, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_texts(structure, name, standard, placeholder, unused, help, source)                            \
    {#name, CRDI_OPTION_IS(structure, name, crdi_text_list, CRDI_OPTION_TEXTS),                                        \
     standard, "", "", #placeholder, help, source, CRDI_OPTION_PLACE(structure, name)},
#define CRDI_OPTION_ROW_choice(structure, name, standard, choices, unused, help, source)                               \
    {#name, CRDI_OPTION_IS(structure, name, const char *, CRDI_OPTION_CHOICE),                                         \
     standard, "", "", choices, help, source, CRDI_OPTION_PLACE(structure, name)},
/* clang-format on */

/* ---- values ------------------------------------------------------------------------------------------------- */

/* A struct of values while it is filled: which options were given, and the texts that the fields point to. */
typedef struct crdi_options {
    crd_context *ctx;
    const crdi_option_table *table;
    void *values; /* the struct; borrowed */
    crdi_arena *arena; /* texts and lists */
    bool *given; /* one an option, in the arena */
} crdi_options;

/* Sets every field to its default. `values` has table->size bytes and is borrowed until crdi_options_clear, which also
 * frees the texts that its fields point to. CRD_ENOMEM. A default that its own range refuses is a defect of ours and
 * is found here: the error that the option would raise. */
crd_status crdi_options_init(crdi_options *o, crd_context *ctx, const crdi_option_table *table, void *values);
void crdi_options_clear(crdi_options *o);

/* Finds an option; "max-depth" and "max_depth" are the same name. NULL if there is none. */
const crdi_option *crdi_option_find(const crdi_option_table *table, const char *name);

/* Gives an option its value from text; a list gets one more element. The text is copied.
 * CRD_ENAME for an unknown option (the nearest is named) or an unknown choice; CRD_EINVAL for a value of the wrong type
 * or out of range; CRD_ENOMEM. After an error the old value stands. */
crd_status crdi_options_set(crdi_options *o, const char *name, const char *text);
crd_status crdi_options_set_option(crdi_options *o, const crdi_option *option, const char *text);

/* Whether an option was set since crdi_options_init. The option must exist. */
bool crdi_options_given(const crdi_options *o, const char *name);

/* Appends one JSON object with the value of every option of `count` tables, in the order of their rows: numbers, true
 * and false, texts, arrays of texts, null. Failures stay in `out`. */
void crdi_options_json(const crdi_options *sets, int count, crdi_string *out);

/* For structs that a C caller filled: a field that is 0, NULL or an empty list gets its default (a default text is
 * static), and every value is then checked against its range. CRD_EINVAL, CRD_ENAME. Nothing is allocated. */
crd_status crdi_options_complete(crd_context *ctx, const crdi_option_table *table, void *values);

/* ---- text --------------------------------------------------------------------------------------------------- */

/* "--max-depth". buffer of at least CRDI_OPTION_NAME bytes; returns buffer. */
enum { CRDI_OPTION_NAME = 64 };
const char *crdi_option_flag(const crdi_option *option, char *buffer);
/* Whether it may be given several times. */
bool crdi_option_repeats(const crdi_option *option);
/* "--chains N", "--format text|csv|json", "--force". */
void crdi_option_synopsis(const crdi_option *option, crdi_string *out);
/* What the help says after the text: "[4; 1 to 10000]", "[0.8; above 0, below 1]", "" for a flag that is off. */
void crdi_option_notes(const crdi_option *option, crdi_string *out);
/* Raises CRD_ENAME "unknown option '--cains'; did you mean '--chains'?" from the names of `count` tables. */
crd_status crdi_raise_unknown_option(crd_context *ctx, const char *name, const crdi_option_table *const *tables,
                                     int count);

#endif
