/* command.h - what a command of `credence` is: a declaration (arguments, options) and a function that does it.
 *
 * The frame (dispatch.c) finds the command, reads its options and arguments into structs, runs it, prints the error if
 * there is one, and frees everything. A command does no parsing and keeps no state; README.md shows how to add one. */
#ifndef CRDI_COMMAND_H
#define CRDI_COMMAND_H

#include "base/options.h"

#include <stdio.h>

enum { CRDI_MOST_TABLES = 10, CRDI_MOST_POSITIONALS = 4, CRDI_HELP_WIDTH = 100 };

typedef enum crdi_arity {
    CRDI_ONE = 0, /* must be given */
    CRDI_OPTIONAL, /* may be left out */
    CRDI_MANY /* any number, also none; only as the last */
} crdi_arity;

typedef struct crdi_positional {
    const char *name; /* as the usage line shows it: "DATA.csv" */
    const char *help;
    crdi_arity arity;
} crdi_positional;

/* What the program knows about where it runs. */
typedef struct crdi_cli {
    crd_context *ctx;
    bool terminal; /* standard error is a terminal: progress may be live */
    int width; /* columns of that terminal; 80 where there is none */
} crdi_cli;

/* One command with what the user typed behind it. */
typedef struct crdi_cli_call {
    const struct crdi_command *command;
    int argument_count;
    const char **argument; /* positional arguments, in order */
    crdi_options set[CRDI_MOST_TABLES + 1]; /* one for each table of options; the frame's own is the last */
    int set_count;
} crdi_cli_call;

typedef struct crdi_command_body {
    crdi_positional positional[CRDI_MOST_POSITIONALS + 1]; /* the first without a name ends it */
    const crdi_option_table *table[CRDI_MOST_TABLES + 1]; /* NULL ends it */
    const char *more; /* printed under the options; NULL: nothing */
    crd_status (*run)(crdi_cli *cli, crdi_cli_call *call);
} crdi_command_body;

typedef struct crdi_command {
    const char *name, *help;
    const crdi_command_body *body;
} crdi_command;

/* ---- for commands ------------------------------------------------------------------------------------------- */

/* The i-th positional argument; NULL if it was left out. */
const char *crdi_cli_argument(const crdi_cli_call *call, int i);

/* The values and the bookkeeping (given or not, JSON) of one of the command's tables. The table must be among them. */
const void *crdi_cli_values(const crdi_cli_call *call, const crdi_option_table *table);
crdi_options *crdi_cli_options(crdi_cli_call *call, const crdi_option_table *table);

/* Refuses an output that is the same file as an input, whatever the names (links are followed): CRD_EINVAL. `what` says
 * what the input is: "the table to learn from". Either may be NULL or missing, and devices are no such case. */
crd_status crdi_cli_refuse_same(crd_context *ctx, const char *out, const char *in, const char *what);

/* For commands whose first argument is a run file: CRD_EINVAL if that is the second one and not the first. */
crd_status crdi_cli_check_order(crd_context *ctx, const crdi_cli_call *call);

/* What each cmd_NAME.c defines. */
#define COMMAND(name, help) extern const crdi_command_body crdi_command_##name;
#include "cli/commands.def"
#undef COMMAND

/* ---- the frame ---------------------------------------------------------------------------------------------- */

int crdi_commands_count(void);
const crdi_command *crdi_commands_get(int i);
/* NULL, with CRD_ENAME raised and the nearest command named, if there is none of that name. */
const crdi_command *crdi_commands_find(crd_context *ctx, const char *name);

/* Options of every command. */
extern const crdi_option_table crdi_common_table;

/* Reads what stands behind a command's name. `--flag value`, `--flag=value`, `--no-flag` and `--flag` for flags, `-h`;
 * `--` ends the options; a lone `-` is an argument. CRD_ENAME, CRD_EINVAL, CRD_EMISSING, CRD_ENOMEM.
 * With --help neither missing arguments nor anything behind it is an error. */
crd_status crdi_cli_read(crdi_cli_call *out, crd_context *ctx, const crdi_command *command, int argc, char **argv);
void crdi_cli_clear(crdi_cli_call *call, crd_context *ctx);
bool crdi_cli_wants_help(const crdi_cli_call *call);

/* The help pages as text, lines at most `width` wide. */
void crdi_usage_command(crdi_string *out, const crdi_command *command, int width);
void crdi_usage_all(crdi_string *out, int width);
/* Prints such a page, made for the terminal's width and never wider than CRDI_HELP_WIDTH. */
crd_status crdi_usage_print(crd_context *ctx, const crdi_command *command_or_null);

/* Runs one command, argv[1] and what stands behind it, within a program that is running: demos do what a user would. */
crd_status crdi_cli_run(crdi_cli *cli, int argc, char **argv);
/* Runs `credence argv[1] ...` and returns the exit code, 0 to 63. */
int crdi_main(int argc, char **argv);

#endif
