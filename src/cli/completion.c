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

/* Whether a value is the name of a file or a folder: its placeholder says so. */
static bool is_file(const crdi_option *option)
{
    bool text =
        option->type == CRDI_OPTION_TEXT || option->type == CRDI_OPTION_LIST || option->type == CRDI_OPTION_TEXTS;
    return text && (strstr(option->choices, "FILE") || strstr(option->choices, "DIR"));
}

/* Whether it takes a value that nobody can guess: a number, a column, a prior. */
static bool is_free(const crdi_option *option)
{
    return option->type != CRDI_OPTION_FLAG && !is_choice(option) && !is_file(option);
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

static void names_of_shells(crdi_string *out)
{
    crdi_string_append(out, "bash zsh fish");
}

static void names_of_demos(crdi_string *out)
{
#define DEMO(name, help) crdi_string_append(out, "%s" #name, *crdi_string_text(out) ? " " : "");
#include "cli/demos.def"
#undef DEMO
}

static void names_of_benches(crdi_string *out)
{
#define BENCH(name, help) crdi_string_append(out, "%s" #name, *crdi_string_text(out) ? " " : "");
#define LONG_BENCH(name, help) BENCH(name, help)
#include "cli/benches.def"
#undef BENCH
#undef LONG_BENCH
}

/* What positional arguments can be, where they are not files alone. */
typedef struct words {
    const char *command;
    void (*list)(crdi_string *out); /* NULL: nothing */
    bool files; /* or files, too */
} words;

static const words *words_of(const crdi_command *command)
{
    static const words known[] = {
        {"plot", names_of_figures, true},
        {"help", names_of_commands, false},
        {"manual", names_of_commands, false},
        {"completion", names_of_shells, false},
        {"demo", names_of_demos, false},
        {"bench", names_of_benches, false},
        {"version", NULL, false},
    };
    static const words files = {"", NULL, true};
    for (int i = 0; i < CRDI_COUNT(known); i++)
        if (strcmp(command->name, known[i].command) == 0)
            return &known[i];
    return &files;
}

/* Appends them between two texts; nothing if there are none. */
static void append_words(crdi_string *out, const char *before, const words *w, const char *after)
{
    crdi_string list;
    crdi_string_init(&list, out->ctx);
    if (w->list) {
        w->list(&list);
        crdi_string_append(out, "%s%s%s", before, crdi_string_text(&list), after);
    }
    if (list.status < 0 && out->status == CRD_OK)
        out->status = list.status;
    crdi_string_clear(&list);
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

static void bash_free(crdi_string *out, const crdi_option *option)
{
    if (!is_free(option))
        return;
    crdi_string_append(out, "        ");
    flag_of(out, option);
    crdi_string_append(out, ") return ;;\n");
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
    crdi_for_options(out, command, bash_free);
    crdi_string_append(out, "        esac\n        options='");
    crdi_for_options(out, command, bash_flag);
    crdi_string_append(out, "'");
    append_words(out, "\n        words='", words_of(command), "'");
    crdi_string_append(out, "%s ;;\n", words_of(command)->files ? "\n        files=-f" : "");
}

void crdi_completion_bash(crdi_string *out)
{
    crdi_string_append(
        out, "# credence: completion for bash. Made by 'credence completion bash'.\n"
             "_credence() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options='' words='' files=''\n"
             "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '");
    names_of_commands(out);
    crdi_string_append(out, "' -- \"$cur\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < crdi_commands_count(); i++)
        bash_command(out, crdi_commands_get(i));
    crdi_string_append(out, "    esac\n"
                            "    case $cur in\n"
                            "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
                            "    *) mapfile -t COMPREPLY < <(compgen $files -W \"$words\" -- \"$cur\") ;;\n"
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
    } else if (is_file(option)) {
        crdi_string_append(out, ":file:_files");
    } else if (is_free(option)) {
        crdi_string_append(out, ":value: ");
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
        const words *w = words_of(command);
        crdi_string_append(out, "    %s)\n        _arguments", command->name);
        crdi_for_options(out, command, zsh_option);
        append_words(out, " \\\n            '*:argument:{ compadd ", w, w->files ? "; _files }'" : " }'");
        if (!w->list && w->files)
            crdi_string_append(out, " \\\n            '*:file:_files'");
        crdi_string_append(out, " ;;\n");
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
    } else if (is_file(option)) {
        crdi_string_append(out, " -rF");
    } else if (is_free(option)) {
        crdi_string_append(out, " -x");
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
        const words *w = words_of(command);
        crdi_string_append(out, "complete -c credence -n __fish_use_subcommand -f -a %s -d ", command->name);
        fish_text(out, command->help);
        crdi_string_append(out, "\n");
        for (int t = 0; command->body->table[t]; t++)
            for (int k = 0; k < command->body->table[t]->count; k++)
                fish_option(out, command, &command->body->table[t]->option[k]);
        for (int k = 0; k < crdi_common_table.count; k++)
            fish_option(out, command, &crdi_common_table.option[k]);
        char before[128];
        crdi_format(before, sizeof before, "complete -c credence -n '__fish_seen_subcommand_from %s'%s -a '",
                    command->name, w->files ? "" : " -f");
        append_words(out, before, w, "'\n");
        if (!w->list && !w->files)
            crdi_string_append(out, "complete -c credence -n '__fish_seen_subcommand_from %s' -f\n", command->name);
    }
}
