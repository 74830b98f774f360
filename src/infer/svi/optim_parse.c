/* optim_parse.c - reads chains of gradient transformations: recursive descent over the grammar in optim.h. */
#include "infer/svi/optim_parse.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { WORD = 64 };

typedef struct parser {
    crd_context *ctx;
    const char *at;
    crdi_chain_parts *out;
} parser;

/* One element as it is read, before it becomes parts. */
typedef struct element {
    const crdi_transform_type *type;
    double argument[CRDI_TRANSFORM_ARGUMENTS];
    bool given[CRDI_TRANSFORM_ARGUMENTS];
    crdi_schedule schedule; /* of the first argument; type NULL: none was given */
    int next; /* the parameter that an argument without a name is for */
    bool named; /* an argument with a name has been read */
} element;

/* ---- ranges and forms --------------------------------------------------------------------------------------- */

static const char *const range_text[] = {
    [CRDI_RATE] = "above 0",
    [CRDI_FACTOR] = "other than 0",
    [CRDI_VALUE] = "finite",
    [CRDI_POSITIVE] = "above 0",
    [CRDI_NON_NEGATIVE] = "0 or more",
    [CRDI_DECAY] = "0 or more and below 1",
    [CRDI_SHARE] = "from 0 to 1",
    [CRDI_COUNT_POSITIVE] = "a whole number, 1 or more",
    [CRDI_COUNT_ANY] = "a whole number, 0 or more",
};

static bool in_range(crdi_range range, double x)
{
    if (!isfinite(x))
        return false;
    switch (range) {
    case CRDI_RATE:
    case CRDI_POSITIVE:
        return x > 0;
    case CRDI_FACTOR:
        return x != 0;
    case CRDI_VALUE:
        return true;
    case CRDI_NON_NEGATIVE:
        return x >= 0;
    case CRDI_DECAY:
        return x >= 0 && x < 1;
    case CRDI_SHARE:
        return x >= 0 && x <= 1;
    case CRDI_COUNT_POSITIVE:
        return x >= 1 && x == floor(x);
    case CRDI_COUNT_ANY:
        return x >= 0 && x == floor(x);
    }
    return false;
}

static bool takes_schedule(const crdi_transform_type *type)
{
    return type->parameters > 0 && type->parameter[0].range <= CRDI_FACTOR;
}

static bool has_rate(const crdi_transform_type *type)
{
    return type->parameters > 0 && type->parameter[0].range == CRDI_RATE;
}

void crdi_transform_form(const crdi_transform_type *type, crdi_string *out)
{
    char number[32];
    crdi_string_append(out, "%s", type->name);
    for (int k = 0; k < type->parameters; k++) {
        const crdi_parameter *p = &type->parameter[k];
        if (p->range == CRDI_RATE)
            crdi_string_append(out, "[:%s]", p->name);
        else if (isnan(p->standard))
            crdi_string_append(out, ":%s", p->name);
        else
            crdi_string_append(out, "[:%s=%s]", p->name, crdi_format_double(number, p->standard));
    }
}

void crdi_schedule_form(const crdi_schedule_type *type, crdi_string *out)
{
    char number[32];
    crdi_string_append(out, "%s(", type->name);
    for (int k = 0; k < type->parameters; k++) {
        const crdi_parameter *p = &type->parameter[k];
        if (isnan(p->standard))
            crdi_string_append(out, "%s%s", k ? "," : "", p->name);
        else
            crdi_string_append(out, "[,%s=%s]", p->name, crdi_format_double(number, p->standard));
    }
    crdi_string_append(out, "%s)", type->repeat ? ",..." : "");
}

/* Raises CRD_EINVAL "NAME: what is wrong; write FORM, such as 'EXAMPLE'". */
static crd_status refuse(const parser *p, const crdi_transform_type *transform, const crdi_schedule_type *schedule,
                         const char *format, ...) CRD_PRINTF(4, 5);
static crd_status refuse(const parser *p, const crdi_transform_type *transform, const crdi_schedule_type *schedule,
                         const char *format, ...)
{
    crdi_string s;
    va_list arguments;
    crdi_string_init(&s, p->ctx);
    crdi_string_append(&s, "%s: ", transform ? transform->name : schedule->name);
    va_start(arguments, format);
    crdi_string_append_v(&s, format, arguments);
    va_end(arguments);
    crdi_string_append(&s, "; write ");
    if (transform)
        crdi_transform_form(transform, &s);
    else
        crdi_schedule_form(schedule, &s);
    crdi_string_append(&s, ", such as '%s'", transform ? transform->example : schedule->example);
    crd_status status = s.status == CRD_OK ? crdi_raise(p->ctx, CRD_EINVAL, "%s", s.text) : s.status;
    crdi_string_clear(&s);
    return status;
}

static crd_status refuse_range(const parser *p, const crdi_transform_type *transform,
                               const crdi_schedule_type *schedule, const char *name, crdi_range range, double x)
{
    char number[32];
    return refuse(p, transform, schedule, "%s is %s; it must be %s", name, crdi_format_double(number, x),
                  range_text[range]);
}

/* ---- words -------------------------------------------------------------------------------------------------- */

static char peek(parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    return *p->at;
}

static bool accept(parser *p, char c)
{
    if (peek(p) != c)
        return false;
    p->at++;
    return true;
}

/* Reads up to the next sign of the grammar. `what` is wanted here. */
static crd_status read_word(parser *p, const char *what, char word[WORD])
{
    peek(p);
    size_t length = strcspn(p->at, ":,()="), kept = length;
    while (kept && isspace((unsigned char)p->at[kept - 1]))
        kept--;
    if (!kept && *p->at)
        return crdi_raise(p->ctx, CRD_EINVAL, "%s is missing before '%s'", what, p->at);
    if (!kept)
        return crdi_raise(p->ctx, CRD_EINVAL, "%s is missing at the end", what);
    if (kept >= WORD)
        return crdi_raise(p->ctx, CRD_EINVAL, "%s '%.*s...' is too long", what, WORD / 2, p->at);
    memcpy(word, p->at, kept);
    word[kept] = 0;
    p->at += length;
    return CRD_OK;
}

static crd_status read_number(const parser *p, const char *owner, const char *word, double *out)
{
    if (!crdi_parse_double(word, out))
        return crdi_raise(p->ctx, CRD_EINVAL, "%s: '%s' is not a number", owner, word);
    return CRD_OK;
}

/* ---- schedules ---------------------------------------------------------------------------------------------- */

static crd_status check_schedule(const parser *p, crdi_schedule *s, crdi_range value)
{
    const crdi_schedule_type *type = s->type;
    int extra = s->arguments - type->parameters;
    if (extra > 0 && (!type->repeat || extra % type->repeat))
        return refuse(p, NULL, type, "%d arguments are given", s->arguments);
    for (; s->arguments < type->parameters; s->arguments++) {
        if (isnan(type->parameter[s->arguments].standard))
            return refuse(p, NULL, type, "%s is missing", type->parameter[s->arguments].name);
        s->argument[s->arguments] = type->parameter[s->arguments].standard;
    }
    for (int i = 0; i < s->arguments; i++) {
        int k = i < type->parameters ? i : type->parameters - type->repeat + (i - type->parameters) % type->repeat;
        crdi_range range = k == 0 ? value : type->parameter[k].range;
        if (!in_range(range, s->argument[i]))
            return refuse_range(p, NULL, type, type->parameter[k].name, range, s->argument[i]);
    }
    return CRD_OK;
}

/* After a name and its '('. */
static crd_status read_schedule(parser *p, const char *name, crdi_range value, crdi_schedule *out)
{
    char word[WORD];
    crdi_schedule s = {.type = crdi_schedule_type_find(name)};
    if (!s.type)
        return crdi_raise_unknown_schedule(p->ctx, name);
    if (!accept(p, ')')) {
        do {
            if (s.arguments == CRDI_SCHEDULE_ARGUMENTS)
                return refuse(p, NULL, s.type, "more than %d arguments are given", CRDI_SCHEDULE_ARGUMENTS);
            CRD_TRY(read_word(p, "a number", word));
            CRD_TRY(read_number(p, name, word, &s.argument[s.arguments++]));
        } while (accept(p, ','));
        if (!accept(p, ')'))
            return crdi_raise(p->ctx, CRD_EINVAL, "%s: ')' is missing before '%s'", name, p->at);
    }
    CRD_TRY(check_schedule(p, &s, value));
    *out = s;
    return CRD_OK;
}

/* ---- elements ----------------------------------------------------------------------------------------------- */

/* Which parameter an argument is for: by its name, or the next one (name NULL). */
static crd_status choose_parameter(const parser *p, element *e, const char *name, int *out)
{
    const crdi_transform_type *type = e->type;
    const char *names[CRDI_TRANSFORM_ARGUMENTS];
    int k = e->next;
    if (name) {
        e->named = true;
        for (k = 0; k < type->parameters && strcmp(type->parameter[k].name, name) != 0; k++)
            names[k] = type->parameter[k].name;
        if (k == type->parameters)
            return crdi_raise_unknown(p->ctx, "parameter", name, NULL, names, k);
        if (e->given[k])
            return refuse(p, type, NULL, "%s is given twice", name);
    } else {
        if (e->named)
            return refuse(p, type, NULL, "an argument without a name follows one with a name");
        if (k == type->parameters)
            return refuse(p, type, NULL, "more than %d argument%s given", k, k == 1 ? " is" : "s are");
        e->next++;
    }
    e->given[k] = true;
    *out = k;
    return CRD_OK;
}

/* After a ':'. */
static crd_status read_argument(parser *p, element *e)
{
    const crdi_transform_type *type = e->type;
    char name[WORD], word[WORD];
    int k = 0;
    CRD_TRY(read_word(p, "an argument", word));
    bool named = accept(p, '=');
    if (named) {
        memcpy(name, word, sizeof name);
        CRD_TRY(read_word(p, "a value", word));
    }
    CRD_TRY(choose_parameter(p, e, named ? name : NULL, &k));
    const crdi_parameter *parameter = &type->parameter[k];
    if (accept(p, '(')) {
        if (k > 0 || !takes_schedule(type))
            return refuse(p, type, NULL, "%s must be a number, no schedule", parameter->name);
        return read_schedule(p, word, parameter->range, &e->schedule);
    }
    double x;
    if (k == 0 && takes_schedule(type) && !crdi_parse_double(word, &x) && crdi_schedule_type_find(word))
        return refuse(p, NULL, crdi_schedule_type_find(word), "its arguments are missing");
    CRD_TRY(read_number(p, type->name, word, &x));
    if (!in_range(parameter->range, x))
        return refuse_range(p, type, NULL, parameter->name, parameter->range, x);
    e->argument[k] = x;
    if (k == 0 && takes_schedule(type))
        e->schedule = (crdi_schedule){&crdi_schedule_constant, {x}, 1};
    return CRD_OK;
}

static crd_status complete_element(const parser *p, element *e)
{
    for (int k = 0; k < e->type->parameters; k++) {
        const crdi_parameter *parameter = &e->type->parameter[k];
        if (e->given[k] || parameter->range == CRDI_RATE)
            continue;
        if (isnan(parameter->standard))
            return refuse(p, e->type, NULL, "%s is missing", parameter->name);
        e->argument[k] = parameter->standard;
    }
    return CRD_OK;
}

/* ---- the chain ---------------------------------------------------------------------------------------------- */

static crd_status add_part(const parser *p, const crdi_transform *part)
{
    if (p->out->parts == CRDI_CHAIN_PARTS)
        return crdi_raise(p->ctx, CRD_EINVAL, "a chain of more than %d transformations", CRDI_CHAIN_PARTS);
    p->out->part[p->out->parts++] = *part;
    return CRD_OK;
}

static crd_status add_element(const parser *p, const element *e)
{
    const crdi_transform_type *type = e->type;
    for (int i = 0; i < type->parts; i++) {
        crdi_transform part = {.type = type->part[i].type};
        for (int k = 0; k < part.type->parameters; k++)
            if (type->part[i].from[k] >= 0)
                part.argument[k] = e->argument[type->part[i].from[k]];
        CRD_TRY(add_part(p, &part));
    }
    if (type->update) {
        crdi_transform part = {.type = type, .sign = 1};
        memcpy(part.argument, e->argument, sizeof part.argument);
        if (has_rate(type))
            part.argument[0] = 0;
        else
            part.schedule = e->schedule;
        CRD_TRY(add_part(p, &part));
    }
    if (has_rate(type) && e->schedule.type) {
        crdi_transform part = {.type = &crdi_transform_scale, .sign = -1, .schedule = e->schedule};
        CRD_TRY(add_part(p, &part));
    }
    return CRD_OK;
}

static crd_status read_element(parser *p)
{
    char name[WORD];
    element e = {0};
    CRD_TRY(read_word(p, "an optimiser", name));
    e.type = crdi_transform_type_find(name);
    if (!e.type)
        return crdi_raise_unknown_transform(p->ctx, name);
    while (accept(p, ':'))
        CRD_TRY(read_argument(p, &e));
    if (peek(p) && peek(p) != ',')
        return refuse(p, e.type, NULL, "unexpected '%s'", p->at);
    CRD_TRY(complete_element(p, &e));
    return add_element(p, &e);
}

static crd_status check_direction(const parser *p)
{
    double sign = 1;
    bool scaled = false;
    for (int i = 0; i < p->out->parts; i++) {
        const crdi_transform *part = &p->out->part[i];
        if (part->type != &crdi_transform_scale)
            continue;
        scaled = true;
        sign *= part->sign * (part->schedule.argument[0] < 0 ? -1 : 1);
    }
    if (sign < 0)
        return CRD_OK;
    return crdi_raise(p->ctx, CRD_EINVAL,
                      "%s; give one optimiser a rate ('adam:0.01'), or end in one scale below 0 "
                      "('adam,scale:-0.01')",
                      scaled ? "the steps go uphill, since the signs of scales and rates cancel" : "no rate is given");
}

crd_status crdi_optimiser_parse(crd_context *ctx, const char *text, crdi_chain_parts *out)
{
    parser p = {ctx, text, out};
    crd_status status;
    out->parts = 0;
    do {
        status = read_element(&p);
    } while (status == CRD_OK && accept(&p, ','));
    if (status == CRD_OK)
        status = check_direction(&p);
    return status == CRD_OK ? CRD_OK : crdi_error_prefix(ctx, status, "optimiser '%s'", text);
}
