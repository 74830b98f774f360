/* call.c - reads what the user typed behind a command's name into structs of options and a list of arguments. */
#include "cli/command.h"

#include <string.h>

typedef struct common_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/common.def"
#undef OPT
} common_options;

static const crdi_option common_rows[] = {
#define OPT(...) CRDI_OPTION_ROW(common_options, __VA_ARGS__)
#include "cli/common.def"
#undef OPT
};

const crdi_option_table crdi_common_table = CRDI_OPTION_TABLE("common", common_options, common_rows);

const char *crdi_cli_argument(const crdi_cli_call *call, int i)
{
    return i < call->argument_count ? call->argument[i] : NULL;
}

crdi_options *crdi_cli_options(crdi_cli_call *call, const crdi_option_table *table)
{
    for (int i = 0; i < call->set_count; i++) {
        if (call->set[i].table == table)
            return &call->set[i];
    }
    CRDI_ASSERT(!"the command does not list this table");
    return NULL;
}

const void *crdi_cli_values(const crdi_cli_call *call, const crdi_option_table *table)
{
    for (int i = 0; i < call->set_count; i++) {
        if (call->set[i].table == table)
            return call->set[i].values;
    }
    CRDI_ASSERT(!"the command does not list this table");
    return NULL;
}

bool crdi_cli_wants_help(const crdi_cli_call *call)
{
    return ((const common_options *)crdi_cli_values(call, &crdi_common_table))->help;
}

/* ---- structs of values ---------------------------------------------------------------------------------------- */

static crd_status add_table(crdi_cli_call *call, crd_context *ctx, const crdi_option_table *table)
{
    void *values = crdi_alloc(ctx, table->size);
    if (!values)
        return CRD_ENOMEM;
    crd_status status = crdi_options_init(&call->set[call->set_count], ctx, table, values);
    if (status < 0)
        crdi_free(ctx, values);
    else
        call->set_count++;
    return status;
}

static crd_status prepare(crdi_cli_call *call, crd_context *ctx, const crdi_command *command, int argc)
{
    *call = (crdi_cli_call){.command = command};
    for (int i = 0; command->body->table[i]; i++)
        CRD_TRY(add_table(call, ctx, command->body->table[i]));
    CRD_TRY(add_table(call, ctx, &crdi_common_table));
    call->argument = crdi_alloc_array(ctx, argc + 1, sizeof *call->argument);
    return call->argument ? CRD_OK : CRD_ENOMEM;
}

void crdi_cli_clear(crdi_cli_call *call, crd_context *ctx)
{
    for (int i = 0; i < call->set_count; i++) {
        void *values = call->set[i].values;
        crdi_options_clear(&call->set[i]);
        crdi_free(ctx, values);
    }
    crdi_free(ctx, call->argument);
    *call = (crdi_cli_call){0};
}

/* ---- options -------------------------------------------------------------------------------------------------- */

static const crdi_option *find(crdi_cli_call *call, const char *name, crdi_options **out_set)
{
    for (int i = 0; i < call->set_count; i++) {
        const crdi_option *option = crdi_option_find(call->set[i].table, name);
        if (option) {
            *out_set = &call->set[i];
            return option;
        }
    }
    return NULL;
}

static crd_status raise_unknown(const crdi_cli_call *call, crd_context *ctx, const char *typed)
{
    const crdi_option_table *tables[CRDI_MOST_TABLES + 1];
    for (int i = 0; i < call->set_count; i++)
        tables[i] = call->set[i].table;
    return crdi_raise_unknown_option(ctx, typed, tables, call->set_count);
}

/* Reads the option at argv[*i], and its value behind it if it needs one; leaves *i on the last word that it used. */
static crd_status read_option(crdi_cli_call *call, crd_context *ctx, int argc, char **argv, int *i)
{
    const char *typed = argv[*i], *equals = strchr(typed, '=');
    size_t length = equals ? (size_t)(equals - typed) : strlen(typed);
    char name[2 * CRDI_OPTION_NAME] = "";
    if (length < sizeof name)
        memcpy(name, typed, length);
    crdi_options *set = NULL;
    const crdi_option *option = name[0] && name[2] ? find(call, name + 2, &set) : NULL;
    bool negated = !option && !equals && strncmp(name, "--no-", 5) == 0;
    if (negated) {
        option = find(call, name + 5, &set);
        if (option && option->type != CRDI_OPTION_FLAG)
            option = NULL;
    }
    if (!option)
        return raise_unknown(call, ctx, name[0] ? name : typed);
    bool single = !crdi_option_repeats(option) && option->type != CRDI_OPTION_FLAG;
    if (single && crdi_options_given(set, option->name))
        return crdi_raise(ctx, CRD_EINVAL, "%s is given twice", name);
    if (equals)
        return crdi_options_set_option(set, option, equals + 1);
    if (option->type == CRDI_OPTION_FLAG)
        return crdi_options_set_option(set, option, negated ? "false" : "true");
    /* A forgotten value must not swallow the next option; a value may still begin with one dash, as -3 does. */
    if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
        return crdi_raise(ctx, CRD_EINVAL, "option %s needs a value (one that begins with -- is written %s=VALUE)",
                          name, name);
    return crdi_options_set_option(set, option, argv[++*i]);
}

static crd_status check_arguments(const crdi_cli_call *call, crd_context *ctx)
{
    const crdi_positional *p = call->command->body->positional;
    int most = 0;
    for (; p[most].name; most++) {
        if (p[most].arity == CRDI_MANY)
            return CRD_OK;
        if (p[most].arity == CRDI_ONE && most >= call->argument_count)
            return crdi_raise(ctx, CRD_EMISSING, "%s needs %s (%s); 'credence help %s' explains it",
                              call->command->name, p[most].name, p[most].help, call->command->name);
    }
    if (call->argument_count <= most)
        return CRD_OK;
    return crdi_raise(ctx, CRD_EINVAL, "%s: unexpected argument '%s'; 'credence help %s' explains it",
                      call->command->name, call->argument[most], call->command->name);
}

static crd_status read_words(crdi_cli_call *call, crd_context *ctx, int argc, char **argv)
{
    bool options = true;
    for (int i = 0; i < argc; i++) {
        if (!options || argv[i][0] != '-' || argv[i][1] == 0) {
            call->argument[call->argument_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (strcmp(argv[i], "-h") == 0) {
            CRD_TRY(crdi_options_set(crdi_cli_options(call, &crdi_common_table), "help", "true"));
        } else if (argv[i][1] != '-') {
            return crdi_raise(ctx, CRD_ENAME,
                              "unknown option '%s'; options begin with two dashes, and "
                              "'credence help %s' lists them",
                              argv[i], call->command->name);
        } else {
            CRD_TRY(read_option(call, ctx, argc, argv, &i));
        }
        if (crdi_cli_wants_help(call))
            return CRD_OK;
    }
    return check_arguments(call, ctx);
}

crd_status crdi_cli_read(crdi_cli_call *out, crd_context *ctx, const crdi_command *command, int argc, char **argv)
{
    crdi_cli_call call;
    crd_status status = prepare(&call, ctx, command, argc);
    if (status >= 0)
        status = read_words(&call, ctx, argc, argv);
    if (status < 0) {
        crdi_cli_clear(&call, ctx);
        return status;
    }
    *out = call;
    return CRD_OK;
}
