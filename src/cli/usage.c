/* usage.c - help pages: usage line, arguments and options in two columns, wrapped. */
#include "cli/command.h"
#include "cli/terminal.h"

#include <string.h>
#include <unistd.h>

enum { INDENT = 2, LEFT = 30 }; /* the right column begins here; a longer entry gets a line of its own */

/* Appends words from column `at` on, wrapped to `width` with later lines indented by `indent`. */
static void wrap(crdi_string *out, const char *text, int at, int indent, int width)
{
    bool first = true;
    while (*(text += strspn(text, " "))) {
        int length = (int)strcspn(text, " ");
        if (!first && at + 1 + length > width) {
            crdi_string_append(out, "\n%*s", indent, "");
            at = indent;
            first = true;
        }
        crdi_string_append(out, "%s%.*s", first ? "" : " ", length, text);
        at += length + !first;
        first = false;
        text += length;
    }
    crdi_string_append(out, "\n");
}

/* What stands on the left; one longer than the page goes on behind a '|' in the next line. The column where it ends. */
static int left_side(crdi_string *out, const char *text, int width)
{
    enum { CONTINUED = 6 };
    int at = INDENT;
    crdi_string_append(out, "%*s", INDENT, "");
    while (*text) {
        int length = (int)strcspn(text, "|");
        length += text[length] == '|';
        if (at + length > width && at > CONTINUED) {
            crdi_string_append(out, "\n%*s", CONTINUED, "");
            at = CONTINUED;
        }
        crdi_string_append(out, "%.*s", length, text);
        at += length;
        text += length;
    }
    return at;
}

static void entry(crdi_string *out, const char *left, const char *right, int column, int width)
{
    int at = left_side(out, left, width);
    if (at + 2 > column)
        crdi_string_append(out, "\n%*s", column, "");
    else
        crdi_string_append(out, "%*s", column - at, "");
    wrap(out, right, column, column, width);
}

static void option_entry(crdi_string *out, const crdi_option *option, int width)
{
    crdi_string left, right;
    crdi_string_init(&left, out->ctx);
    crdi_string_init(&right, out->ctx);
    crdi_option_synopsis(option, &left);
    crdi_string_append(&right, "%s ", option->help);
    crdi_option_notes(option, &right);
    entry(out, crdi_string_text(&left), crdi_string_text(&right), LEFT, width);
    if (left.status < 0 || right.status < 0)
        out->status = CRD_ENOMEM;
    crdi_string_clear(&left);
    crdi_string_clear(&right);
}

void crdi_usage_command(crdi_string *out, const crdi_command *command, int width)
{
    const crdi_positional *p = command->body->positional;
    crdi_string_append(out, "Usage: credence %s", command->name);
    for (int i = 0; p[i].name; i++)
        crdi_string_append(out,
                           p[i].arity == CRDI_ONE    ? " %s"
                           : p[i].arity == CRDI_MANY ? " [%s ...]"
                                                     : " [%s]",
                           p[i].name);
    crdi_string_append(out, " [options]\n\n%*s", INDENT, "");
    wrap(out, command->help, INDENT, INDENT, width);
    if (p[0].name)
        crdi_string_append(out, "\nArguments:\n");
    for (int i = 0; p[i].name; i++)
        entry(out, p[i].name, p[i].help, LEFT, width);
    crdi_string_append(out, "\nOptions:\n");
    for (int t = 0; command->body->table[t]; t++) {
        for (int i = 0; i < command->body->table[t]->count; i++)
            option_entry(out, &command->body->table[t]->option[i], width);
    }
    for (int i = 0; i < crdi_common_table.count; i++)
        option_entry(out, &crdi_common_table.option[i], width);
    if (command->body->more)
        crdi_string_append(out, "\n%s", command->body->more);
}

void crdi_usage_all(crdi_string *out, int width)
{
    enum { COLUMN = 14 };
    crdi_string_append(out, "Usage: credence COMMAND [arguments] [options]\n\nCommands:\n");
    for (int i = 0; i < crdi_commands_count(); i++)
        entry(out, crdi_commands_get(i)->name, crdi_commands_get(i)->help, COLUMN, width);
    crdi_string_append(out, "\n'credence help COMMAND' explains one.\n");
}

crd_status crdi_usage_print(crd_context *ctx, const crdi_command *command_or_null)
{
    int width = crdi_terminal_width(STDOUT_FILENO, CRDI_HELP_WIDTH);
    crdi_string page;
    crdi_string_init(&page, ctx);
    if (width > CRDI_HELP_WIDTH)
        width = CRDI_HELP_WIDTH;
    if (command_or_null)
        crdi_usage_command(&page, command_or_null, width);
    else
        crdi_usage_all(&page, width);
    crd_status status = page.status;
    if (status >= 0)
        fputs(crdi_string_text(&page), stdout);
    crdi_string_clear(&page);
    return status;
}
