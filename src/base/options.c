/* options.c - values of options: from text, within their range, and as JSON. See options.h. */
#include "base/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- finding ------------------------------------------------------------------------------------------------ */

static char same(char c)
{
    return c == '-' ? '_' : c;
}

const crdi_option *crdi_option_find(const crdi_option_table *table, const char *name)
{
    for (int i = 0; i < table->count; i++) {
        const char *a = table->option[i].name, *b = name;
        while (*a && *a == same(*b)) {
            a++;
            b++;
        }
        if (!*a && !*b)
            return &table->option[i];
    }
    return NULL;
}

bool crdi_option_repeats(const crdi_option *option)
{
    return option->type == CRDI_OPTION_LIST || option->type == CRDI_OPTION_TEXTS;
}

/* ---- bounds ------------------------------------------------------------------------------------------------- */

/* A bound as its row writes it. Whole numbers are kept apart, as a double cannot hold all of them. */
struct bound {
    bool exists, exclusive;
    double real;
    int64_t integer;
    const char *text; /* the number, without the sign in front */
};

static struct bound bound_of(const char *text)
{
    struct bound b = {.text = text};
    if (*text == '>' || *text == '<') {
        b.exclusive = true;
        b.text += 1 + strspn(text + 1, " ");
    }
    b.exists = crdi_parse_double(b.text, &b.real);
    CRDI_ASSERT(b.exists || !*text);
    if (b.exists && !crdi_parse_int(b.text, &b.integer)) /* 1e100 is no whole number of ours */
        b.integer = b.real >= 0x1p63 ? INT64_MAX : b.real < -0x1p63 ? INT64_MIN : (int64_t)b.real;
    return b;
}

/* Less than zero below the bound, zero on it, more above. NaN is on no side: it counts as out of every range. */
static int side(const crdi_option *option, const struct bound *b, double real, int64_t integer)
{
    if (option->type == CRDI_OPTION_INTEGER)
        return (integer > b->integer) - (integer < b->integer);
    return (real > b->real) - (real < b->real);
}

/* Checks a number against the range of its option; `text` is how the message shows it. */
static crd_status check_range(crd_context *ctx, const crdi_option *option, double real, int64_t integer,
                              const char *text)
{
    char flag[CRDI_OPTION_NAME];
    crdi_option_flag(option, flag);
    if (option->type == CRDI_OPTION_REAL && isnan(real))
        return crdi_raise(ctx, CRD_EINVAL, "option %s: '%s' is not a number", flag, text);
    struct bound low = bound_of(option->minimum), high = bound_of(option->maximum);
    int below = low.exists ? side(option, &low, real, integer) : 1;
    int above = high.exists ? side(option, &high, real, integer) : -1;
    if (below < 0 || (below == 0 && low.exclusive))
        return crdi_raise(ctx, CRD_EINVAL, "option %s: %s is out of range, %s %s is needed", flag, text,
                          low.exclusive ? "more than" : "at least", low.text);
    if (above > 0 || (above == 0 && high.exclusive))
        return crdi_raise(ctx, CRD_EINVAL, "option %s: %s is out of range, %s %s is needed", flag, text,
                          high.exclusive ? "less than" : "at most", high.text);
    return CRD_OK;
}

static bool choice_exists(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *c = choices;; c++) {
        size_t end = strcspn(c, "|");
        if (end == length && memcmp(c, text, length) == 0)
            return true;
        c += end;
        if (!*c)
            return false;
    }
}

static crd_status raise_choice(crd_context *ctx, const crdi_option *option, const char *text)
{
    enum { MOST = 64, LONGEST = 1024 };
    char flag[CRDI_OPTION_NAME], copy[LONGEST], *rest = NULL;
    const char *names[MOST];
    int64_t count = 0;
    size_t length = strnlen(option->choices, LONGEST - 1);
    memcpy(copy, option->choices, length);
    copy[length] = 0;
    for (char *c = strtok_r(copy, "|", &rest); c && count < MOST; c = strtok_r(NULL, "|", &rest))
        names[count++] = c;
    return crdi_raise_unknown(ctx, crdi_option_flag(option, flag), text, NULL, names, count);
}

/* ---- fields ------------------------------------------------------------------------------------------------- */

static void *field_of(const crdi_option *option, void *values)
{
    return (char *)values + option->offset;
}

static const void *const_field_of(const crdi_option *option, const void *values)
{
    return (const char *)values + option->offset;
}

static int64_t integer_of(const crdi_option *option, const void *values)
{
    const void *field = const_field_of(option, values);
    return option->size == sizeof(int) ? *(const int *)field : *(const int64_t *)field;
}

static double real_of(const crdi_option *option, const void *values)
{
    return *(const double *)const_field_of(option, values);
}

static const char *text_of(const crdi_option *option, const void *values)
{
    return *(const char *const *)const_field_of(option, values);
}

static bool flag_of(const crdi_option *option, const void *values)
{
    return *(const bool *)const_field_of(option, values);
}

static const crdi_text_list *list_of(const crdi_option *option, const void *values)
{
    return const_field_of(option, values);
}

/* ---- one value from text -------------------------------------------------------------------------------------- */

static crd_status set_integer(crd_context *ctx, const crdi_option *option, void *values, const char *text)
{
    int64_t value;
    char flag[CRDI_OPTION_NAME];
    if (!crdi_parse_int(text, &value))
        return crdi_raise(ctx, CRD_EINVAL, "option %s: '%s' is not a whole number", crdi_option_flag(option, flag),
                          text);
    CRD_TRY(check_range(ctx, option, (double)value, value, text));
    if (option->size == sizeof(int64_t)) {
        *(int64_t *)field_of(option, values) = value;
        return CRD_OK;
    }
    if (value < INT32_MIN || value > INT32_MAX)
        return crdi_raise(ctx, CRD_EINVAL, "option %s: %s is out of range, %s %d is needed",
                          crdi_option_flag(option, flag), text, value < 0 ? "at least" : "at most",
                          value < 0 ? INT32_MIN : INT32_MAX);
    *(int *)field_of(option, values) = (int)value;
    return CRD_OK;
}

static crd_status set_real(crd_context *ctx, const crdi_option *option, void *values, const char *text)
{
    double value;
    char flag[CRDI_OPTION_NAME];
    if (!crdi_parse_double(text, &value))
        return crdi_raise(ctx, CRD_EINVAL, "option %s: '%s' is not a number", crdi_option_flag(option, flag), text);
    CRD_TRY(check_range(ctx, option, value, 0, text));
    *(double *)field_of(option, values) = value;
    return CRD_OK;
}

static crd_status set_flag(crd_context *ctx, const crdi_option *option, void *values, const char *text)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    char flag[CRDI_OPTION_NAME];
    for (int i = 0; i < CRDI_COUNT(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *(bool *)field_of(option, values) = i % 2;
            return CRD_OK;
        }
    }
    return crdi_raise(ctx, CRD_EINVAL, "option %s: '%s' is neither yes nor no", crdi_option_flag(option, flag), text);
}

static crd_status add_to_list(crdi_options *o, const crdi_option *option, const char *copy)
{
    crdi_text_list *list = field_of(option, o->values);
    /* The first value that is given replaces the default. */
    int64_t old = o->given[option - o->table->option] ? list->count : 0;
    const char **item = crdi_arena_alloc(o->arena, (size_t)(old + 1) * sizeof *item);
    if (!item)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < old; i++)
        item[i] = list->item[i];
    item[old] = copy;
    *list = (crdi_text_list){item, old + 1};
    return CRD_OK;
}

static crd_status assign(crdi_options *o, const crdi_option *option, const char *text)
{
    if (option->type == CRDI_OPTION_INTEGER)
        return set_integer(o->ctx, option, o->values, text);
    if (option->type == CRDI_OPTION_REAL)
        return set_real(o->ctx, option, o->values, text);
    if (option->type == CRDI_OPTION_FLAG)
        return set_flag(o->ctx, option, o->values, text);
    if (option->type == CRDI_OPTION_CHOICE && !choice_exists(option->choices, text))
        return raise_choice(o->ctx, option, text);
    const char *copy = crdi_arena_strdup(o->arena, text);
    if (!copy)
        return CRD_ENOMEM;
    if (crdi_option_repeats(option))
        return add_to_list(o, option, copy);
    *(const char **)field_of(option, o->values) = copy;
    return CRD_OK;
}

/* ---- a struct of values --------------------------------------------------------------------------------------- */

crd_status crdi_options_init(crdi_options *o, crd_context *ctx, const crdi_option_table *table, void *values)
{
    crdi_options made = {.ctx = ctx, .table = table, .values = values};
    CRD_TRY(crdi_arena_create(&made.arena, ctx));
    made.given = crdi_arena_alloc(made.arena, (size_t)table->count + 1);
    crd_status status = made.given ? CRD_OK : CRD_ENOMEM;
    memset(values, 0, table->size);
    for (int i = 0; i < table->count && status >= 0; i++) {
        CRDI_ASSERT(strlen(table->option[i].name) + 3 <= CRDI_OPTION_NAME);
        if (table->option[i].standard)
            status = assign(&made, &table->option[i], table->option[i].standard);
    }
    if (status < 0) {
        crdi_arena_destroy(&made.arena);
        return status;
    }
    *o = made;
    return CRD_OK;
}

void crdi_options_clear(crdi_options *o)
{
    crdi_arena_destroy(&o->arena);
    *o = (crdi_options){0};
}

crd_status crdi_options_set_option(crdi_options *o, const crdi_option *option, const char *text)
{
    CRD_TRY(assign(o, option, text));
    o->given[option - o->table->option] = true;
    return CRD_OK;
}

crd_status crdi_options_set(crdi_options *o, const char *name, const char *text)
{
    const crdi_option *option = crdi_option_find(o->table, name);
    if (!option)
        return crdi_raise_unknown_option(o->ctx, name, &o->table, 1);
    return crdi_options_set_option(o, option, text);
}

bool crdi_options_given(const crdi_options *o, const char *name)
{
    const crdi_option *option = crdi_option_find(o->table, name);
    CRDI_ASSERT(option);
    return option && o->given[option - o->table->option];
}

/* ---- structs that a caller filled ------------------------------------------------------------------------------ */

/* Gives one field that is zero its default. Numbers and flags only go through their setters, which do not allocate. */
static crd_status complete_one(crd_context *ctx, const crdi_option *option, void *values)
{
    switch (option->type) {
    case CRDI_OPTION_INTEGER:
        return integer_of(option, values) ? CRD_OK : set_integer(ctx, option, values, option->standard);
    case CRDI_OPTION_REAL:
        return real_of(option, values) != 0 ? CRD_OK : set_real(ctx, option, values, option->standard);
    case CRDI_OPTION_FLAG:
        return flag_of(option, values) ? CRD_OK : set_flag(ctx, option, values, option->standard);
    case CRDI_OPTION_TEXT:
    case CRDI_OPTION_CHOICE:
        if (!text_of(option, values))
            *(const char **)field_of(option, values) = option->standard;
        return CRD_OK;
    case CRDI_OPTION_LIST:
    case CRDI_OPTION_TEXTS:
        if (!list_of(option, values)->count && option->standard)
            *(crdi_text_list *)field_of(option, values) = (crdi_text_list){&option->standard, 1};
        return CRD_OK;
    }
    return CRD_EINTERNAL;
}

static crd_status check_one(crd_context *ctx, const crdi_option *option, const void *values)
{
    char number[32];
    if (option->type == CRDI_OPTION_INTEGER) {
        int64_t value = integer_of(option, values);
        snprintf(number, sizeof number, "%lld", (long long)value);
        return check_range(ctx, option, (double)value, value, number);
    }
    if (option->type == CRDI_OPTION_REAL) {
        double value = real_of(option, values);
        return check_range(ctx, option, value, 0, crdi_format_double(number, value));
    }
    const char *text = option->type == CRDI_OPTION_CHOICE ? text_of(option, values) : NULL;
    if (text && !choice_exists(option->choices, text))
        return raise_choice(ctx, option, text);
    return CRD_OK;
}

crd_status crdi_options_complete(crd_context *ctx, const crdi_option_table *table, void *values)
{
    for (int i = 0; i < table->count; i++) {
        CRD_TRY(complete_one(ctx, &table->option[i], values));
        CRD_TRY(check_one(ctx, &table->option[i], values));
    }
    return CRD_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static void json_text_or_null(crdi_string *out, const char *text)
{
    if (text)
        crdi_json_text(out, text);
    else
        crdi_string_append(out, "null");
}

static void json_value(const crdi_option *option, const void *values, crdi_string *out)
{
    char number[32];
    switch (option->type) {
    case CRDI_OPTION_INTEGER:
        crdi_string_append(out, "%lld", (long long)integer_of(option, values));
        return;
    case CRDI_OPTION_REAL:
        /* JSON has no infinity: it is written as a text, which crdi_options_set reads back. */
        crdi_format_double(number, real_of(option, values));
        crdi_string_append(out, isfinite(real_of(option, values)) ? "%s" : "\"%s\"", number);
        return;
    case CRDI_OPTION_FLAG:
        crdi_string_append(out, "%s", flag_of(option, values) ? "true" : "false");
        return;
    case CRDI_OPTION_TEXT:
    case CRDI_OPTION_CHOICE:
        json_text_or_null(out, text_of(option, values));
        return;
    case CRDI_OPTION_TEXTS:
        if (list_of(option, values)->count < 2) {
            json_text_or_null(out, list_of(option, values)->count ? list_of(option, values)->item[0] : NULL);
            return;
        }
        /* fall through */
    case CRDI_OPTION_LIST:
        crdi_string_append(out, "[");
        for (int64_t i = 0; i < list_of(option, values)->count; i++) {
            crdi_string_append(out, "%s", i ? ", " : "");
            crdi_json_text(out, list_of(option, values)->item[i]);
        }
        crdi_string_append(out, "]");
        return;
    }
}

void crdi_options_json(const crdi_options *sets, int count, crdi_string *out)
{
    const char *separator = "";
    crdi_string_append(out, "{");
    for (int s = 0; s < count; s++) {
        for (int i = 0; i < sets[s].table->count; i++) {
            crdi_string_append(out, "%s\"%s\": ", separator, sets[s].table->option[i].name);
            json_value(&sets[s].table->option[i], sets[s].values, out);
            separator = ", ";
        }
    }
    crdi_string_append(out, "}");
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

const char *crdi_option_flag(const crdi_option *option, char *buffer)
{
    size_t n = 0;
    buffer[n++] = '-';
    buffer[n++] = '-';
    for (const char *c = option->name; *c && n < CRDI_OPTION_NAME - 1; c++)
        buffer[n++] = *c == '_' ? '-' : *c;
    buffer[n] = 0;
    return buffer;
}

static bool is_flag(const crdi_option *option, const char *standard)
{
    return option->type == CRDI_OPTION_FLAG && strcmp(option->standard, standard) == 0;
}

void crdi_option_synopsis(const crdi_option *option, crdi_string *out)
{
    char flag[CRDI_OPTION_NAME];
    crdi_option_flag(option, flag);
    if (is_flag(option, "true"))
        crdi_string_append(out, "--[no-]%s", flag + 2);
    else
        crdi_string_append(out, "%s", flag);
    if (option->type == CRDI_OPTION_INTEGER)
        crdi_string_append(out, " N");
    else if (option->type == CRDI_OPTION_REAL)
        crdi_string_append(out, " X");
    else if (option->type != CRDI_OPTION_FLAG)
        crdi_string_append(out, " %s", *option->choices ? option->choices : "TEXT");
}

static void range_text(const crdi_option *option, crdi_string *out)
{
    struct bound low = bound_of(option->minimum), high = bound_of(option->maximum);
    if (low.exists && high.exists && !low.exclusive && !high.exclusive) {
        crdi_string_append(out, "%s to %s", low.text, high.text);
        return;
    }
    if (low.exists)
        crdi_string_append(out, "%s %s", low.exclusive ? "above" : "at least", low.text);
    if (high.exists)
        crdi_string_append(out, "%s%s %s", low.exists ? ", " : "", high.exclusive ? "below" : "at most", high.text);
}

void crdi_option_notes(const crdi_option *option, crdi_string *out)
{
    const char *standard = option->standard ? option->standard : "";
    bool range = *option->minimum || *option->maximum, many = crdi_option_repeats(option);
    if (option->type == CRDI_OPTION_FLAG)
        standard = is_flag(option, "true") ? "on" : "";
    if (!*standard && !range && !many)
        return;
    crdi_string_append(out, "[%s%s", standard, *standard && (range || many) ? "; " : "");
    range_text(option, out);
    crdi_string_append(out, "%s]", many ? "repeatable" : "");
}

crd_status crdi_raise_unknown_option(crd_context *ctx, const char *name, const crdi_option_table *const *tables,
                                     int count)
{
    int64_t total = 0, n = 0;
    for (int t = 0; t < count; t++)
        total += tables[t]->count;
    char(*flags)[CRDI_OPTION_NAME] = crdi_alloc_array(ctx, total + 1, sizeof *flags);
    const char **names = crdi_alloc_array(ctx, total + 1, sizeof *names);
    for (int t = 0; flags && names && t < count; t++) {
        for (int i = 0; i < tables[t]->count; i++, n++)
            names[n] = crdi_option_flag(&tables[t]->option[i], flags[n]);
    }
    crd_status status = CRD_ENOMEM;
    if (flags && names) {
        /* With the dashes in front, so that the message shows what is to be typed. */
        crdi_string shown;
        crdi_string_init(&shown, ctx);
        crdi_string_append(&shown, "%s%s", name[0] == '-' ? "" : "--", name);
        status = crdi_raise_unknown(ctx, "option", crdi_string_text(&shown), NULL, names, n);
        crdi_string_clear(&shown);
    }
    crdi_free(ctx, names);
    crdi_free(ctx, flags);
    return status;
}
