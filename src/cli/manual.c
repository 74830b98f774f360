/* manual.c - manual pages from the tables of commands and options, in the macros of man(7). */
#include "cli/pages.h"

#include <string.h>

/* Text that troff does not take for commands: dashes stay dashes, a dot or a quote that begins a line is one. */
static void troff(crdi_string *out, const char *text)
{
    bool begins = true;
    for (const char *c = text; *c; c++) {
        if (begins && (*c == '.' || *c == '\''))
            crdi_string_append(out, "\\&");
        begins = *c == '\n';
        if (*c == '\\')
            crdi_string_append(out, "\\e");
        else if (*c == '-')
            crdi_string_append(out, "\\-");
        else
            crdi_string_add(out, c, 1);
    }
}

static void option_entry(crdi_string *out, const crdi_option *option)
{
    crdi_string left, right;
    crdi_string_init(&left, out->ctx);
    crdi_string_init(&right, out->ctx);
    crdi_option_synopsis(option, &left);
    crdi_string_append(&right, "%s ", option->help);
    crdi_option_notes(option, &right);
    crdi_string_append(out, ".TP\n.B ");
    troff(out, crdi_string_text(&left));
    crdi_string_append(out, "\n");
    troff(out, crdi_string_text(&right));
    crdi_string_append(out, "\n");
    if ((left.status < 0 || right.status < 0) && out->status == CRD_OK)
        out->status = CRD_ENOMEM;
    crdi_string_clear(&left);
    crdi_string_clear(&right);
}

static void begin(crdi_string *out, const char *name, const char *help)
{
    crdi_string_append(out, ".TH \"%s\" 1 \"\" \"credence %s\"\n.SH NAME\n", name, crd_version());
    troff(out, name);
    crdi_string_append(out, " \\- ");
    troff(out, help);
    crdi_string_append(out, "\n.SH SYNOPSIS\n.B credence");
}

static void command_page(crdi_string *out, const crdi_command *command)
{
    char name[64];
    const crdi_positional *p = command->body->positional;
    crdi_format(name, sizeof name, "credence-%s", command->name);
    begin(out, name, command->help);
    crdi_string_append(out, " %s\n", command->name);
    for (int i = 0; p[i].name; i++) {
        crdi_string_append(out, p[i].arity == CRDI_ONE ? ".I " : ".RI [ ");
        troff(out, p[i].name);
        crdi_string_append(out, p[i].arity == CRDI_MANY ? " \\ ...]\n" : p[i].arity == CRDI_ONE ? "\n" : " ]\n");
    }
    crdi_string_append(out, ".RI [ options ]\n");
    if (p[0].name)
        crdi_string_append(out, ".SH ARGUMENTS\n");
    for (int i = 0; p[i].name; i++) {
        crdi_string_append(out, ".TP\n.I ");
        troff(out, p[i].name);
        crdi_string_append(out, "\n");
        troff(out, p[i].help);
        crdi_string_append(out, "\n");
    }
    crdi_string_append(out, ".SH OPTIONS\n");
    crdi_for_options(out, command, option_entry);
    if (command->body->more) {
        crdi_string_append(out, ".SH NOTES\n.nf\n");
        troff(out, command->body->more);
        crdi_string_append(out, ".fi\n");
    }
    crdi_string_append(out, ".SH SEE ALSO\n.BR credence (1)\n");
}

static void program_page(crdi_string *out)
{
    begin(out, "credence", "Bayesian networks: fit, diagnose, predict");
    crdi_string_append(out, "\n.I COMMAND\n.RI [ arguments ]\n.RI [ options ]\n.SH COMMANDS\n");
    for (int i = 0; i < crdi_commands_count(); i++) {
        crdi_string_append(out, ".TP\n.BR credence\\-%s (1)\n", crdi_commands_get(i)->name);
        troff(out, crdi_commands_get(i)->help);
        crdi_string_append(out, "\n");
    }
    crdi_string_append(out, ".SH EXIT STATUS\n");
    static const struct {
        int code;
        const char *text;
    } rows[] = {
#define ROW(name, value, code, text) {code, text},
        CRD_STATUS_LIST(ROW)
#undef ROW
    };
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        crdi_string_append(out, ".TP\n.B %d\n", rows[i].code);
        troff(out, rows[i].text);
        crdi_string_append(out, "\n");
    }
}

void crdi_manual(crdi_string *out, const crdi_command *command_or_null)
{
    if (command_or_null)
        command_page(out, command_or_null);
    else
        program_page(out);
}
