/* completion.c - scripts that complete command lines in bash, zsh and fish, from the tables of commands, options and figures. */
#include "cli/pages.h"
#include "report/figures.h"

#include <string.h>

void crdi_for_options(crdi_string *out, const crdi_command *command, crdi_option_fn each)
{
    for (int t = 0; command->body->table[t]; t++)
        for (int i = 0; i < command->body->table[t]->count; i++)
            each(out, &command->body->table[t]->option[i]);
    for (int i = 0; i < crdi_common_table.count; i++)
        each(out, &crdi_common_table.option[i]);
}

/* --max-depth of max_depth. */
static void flag_of(crdi_string *out, const crdi_option *option)
{
    crdi_string_append(out, "--");
    for (const char *c = option->name; *c; c++)
        crdi_string_add(out, *c == '_' ? "-" : c, 1);
}

/* "text|csv|json" with blanks between. */
static void choices_of(crdi_string *out, const crdi_option *option)
{
    for (const char *c = option->choices; *c; c++)
        crdi_string_add(out, *c == '|' ? " " : c, 1);
}

static bool is_choice(const crdi_option *option)
{
    return option->type == CRDI_OPTION_CHOICE;
}

static void names_of_commands(crdi_string *out)
{
    for (int i = 0; i < crdi_commands_count(); i++)
        crdi_string_append(out, "%s%s", i ? " " : "", crdi_commands_get(i)->name);
}

static void names_of_figures(crdi_string *out)
{
    int count;
    const crdi_figure_type *types = crdi_figure_types(&count);
    for (int i = 0; i < count; i++)
        crdi_string_append(out, "%s%s", i ? " " : "", types[i].name);
}

/* What the positional arguments of a command can be, if they are no files: names of commands or of figures. */
static bool words_of(crdi_string *out, const crdi_command *command)
{
    if (strcmp(command->name, "plot") == 0)
        names_of_figures(out);
    else if (strcmp(command->name, "help") == 0 || strcmp(command->name, "manual") == 0)
        names_of_commands(out);
    else if (strcmp(command->name, "completion") == 0)
        crdi_string_append(out, "bash zsh fish");
    else
        return false;
    return true;
}

/* ---- bash ------------------------------------------------------------------------------------------------------- */

static void bash_choice(crdi_string *out, const crdi_option *option)
{
    if (!is_choice(option))
        return;
    crdi_string_append(out, "        ");
    flag_of(out, option);
    crdi_string_append(out, ") COMPREPLY=($(compgen -W '");
    choices_of(out, option);
    crdi_string_append(out, "' -- \"$cur\")); return ;;\n");
}

static void bash_flag(crdi_string *out, const crdi_option *option)
{
    crdi_string_append(out, " ");
    flag_of(out, option);
}

static void bash_command(crdi_string *out, const crdi_command *command)
{
    crdi_string_append(out, "    %s)\n        case $prev in\n", command->name);
    crdi_for_options(out, command, bash_choice);
    crdi_string_append(out, "        esac\n        options='");
    crdi_for_options(out, command, bash_flag);
    crdi_string_append(out, "'\n        words='");
    words_of(out, command);
    crdi_string_append(out, "' ;;\n");
}

void crdi_completion_bash(crdi_string *out)
{
    crdi_string_append(out,
                       "# credence: completion for bash. Made by 'credence completion bash'.\n"
                       "_credence() {\n"
                       "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options='' words=''\n"
                       "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '");
    names_of_commands(out);
    crdi_string_append(out, "' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < crdi_commands_count(); i++)
        bash_command(out, crdi_commands_get(i));
    crdi_string_append(out, "    esac\n"
                            "    case $cur in\n"
                            "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
                            "    *) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\") $(compgen -f -- \"$cur\")) ;;\n"
                            "    esac\n"
                            "}\n"
                            "complete -o filenames -F _credence credence\n");
}

/* ---- zsh -------------------------------------------------------------------------------------------------------- */

/* Text between single quotes, where brackets and colons mean something to _arguments. */
static void zsh_text(crdi_string *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            crdi_string_append(out, "'\\''");
        else
            crdi_string_append(out, strchr("[]:\\", *c) ? "\\%c" : "%c", *c);
    }
}

static void zsh_option(crdi_string *out, const crdi_option *option)
{
    bool many = option->type == CRDI_OPTION_LIST || option->type == CRDI_OPTION_TEXTS;
    crdi_string_append(out, " \\\n            '%s", many ? "*" : "");
    flag_of(out, option);
    crdi_string_append(out, "[");
    zsh_text(out, option->help);
    crdi_string_append(out, "]");
    if (is_choice(option)) {
        crdi_string_append(out, ":choice:(");
        choices_of(out, option);
        crdi_string_append(out, ")");
    } else if (option->type != CRDI_OPTION_FLAG) {
        crdi_string_append(out, ":value:_files");
    }
    crdi_string_append(out, "'");
}

void crdi_completion_zsh(crdi_string *out)
{
    crdi_string_append(out, "#compdef credence\n# credence: completion for zsh. Made by 'credence completion zsh'.\n"
                            "_credence() {\n    local -a commands=(");
    for (int i = 0; i < crdi_commands_count(); i++) {
        crdi_string_append(out, "\n        '%s:", crdi_commands_get(i)->name);
        zsh_text(out, crdi_commands_get(i)->help);
        crdi_string_append(out, "'");
    }
    crdi_string_append(
        out, ")\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
             "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (int i = 0; i < crdi_commands_count(); i++) {
        const crdi_command *command = crdi_commands_get(i);
        crdi_string words;
        crdi_string_init(&words, out->ctx);
        crdi_string_append(out, "    %s)\n        _arguments", command->name);
        crdi_for_options(out, command, zsh_option);
        if (words_of(&words, command))
            crdi_string_append(out, " \\\n            '*:argument:{ compadd %s; _files }' ;;\n",
                               crdi_string_text(&words));
        else
            crdi_string_append(out, " \\\n            '*:file:_files' ;;\n");
        if (words.status < 0 && out->status == CRD_OK)
            out->status = words.status;
        crdi_string_clear(&words);
    }
    crdi_string_append(out, "    esac\n}\n_credence \"$@\"\n");
}

/* ---- fish ------------------------------------------------------------------------------------------------------- */

static void fish_text(crdi_string *out, const char *text)
{
    crdi_string_append(out, "'");
    for (const char *c = text; *c; c++)
        crdi_string_append(out, *c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
    crdi_string_append(out, "'");
}

static void fish_option(crdi_string *out, const crdi_command *command, const crdi_option *option)
{
    crdi_string_append(out, "complete -c credence -n '__fish_seen_subcommand_from %s' -l ", command->name);
    for (const char *c = option->name; *c; c++)
        crdi_string_add(out, *c == '_' ? "-" : c, 1);
    if (is_choice(option)) {
        crdi_string_append(out, " -xa '");
        choices_of(out, option);
        crdi_string_append(out, "'");
    } else if (option->type != CRDI_OPTION_FLAG) {
        crdi_string_append(out, " -r");
    }
    crdi_string_append(out, " -d ");
    fish_text(out, option->help);
    crdi_string_append(out, "\n");
}

void crdi_completion_fish(crdi_string *out)
{
    crdi_string_append(out, "# credence: completion for fish. Made by 'credence completion fish'.\n");
    for (int i = 0; i < crdi_commands_count(); i++) {
        const crdi_command *command = crdi_commands_get(i);
        crdi_string words;
        crdi_string_append(out, "complete -c credence -n __fish_use_subcommand -a %s -d ", command->name);
        fish_text(out, command->help);
        crdi_string_append(out, "\n");
        for (int t = 0; command->body->table[t]; t++)
            for (int k = 0; k < command->body->table[t]->count; k++)
                fish_option(out, command, &command->body->table[t]->option[k]);
        for (int k = 0; k < crdi_common_table.count; k++)
            fish_option(out, command, &crdi_common_table.option[k]);
        crdi_string_init(&words, out->ctx);
        if (words_of(&words, command))
            crdi_string_append(out, "complete -c credence -n '__fish_seen_subcommand_from %s' -a '%s'\n", command->name,
                               crdi_string_text(&words));
        if (words.status < 0 && out->status == CRD_OK)
            out->status = words.status;
        crdi_string_clear(&words);
    }
}
