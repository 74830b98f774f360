/* pages.h - what is made of the tables of commands and options besides help: completions of shells, manual pages. */
#ifndef CRDI_PAGES_H
#define CRDI_PAGES_H

#include "cli/command.h"

/* The script that a shell reads ("bash", "zsh", "fish"): commands, their options, what options can be, names of figures. */
void crdi_completion_bash(crdi_string *out);
void crdi_completion_zsh(crdi_string *out);
void crdi_completion_fish(crdi_string *out);

/* A manual page as man(1) reads it: of a command, or of the program with a list of them. */
void crdi_manual(crdi_string *out, const crdi_command *command_or_null);

/* Calls `each` for all options of a command, those of every command last. */
typedef void (*crdi_option_fn)(crdi_string *out, const crdi_option *option);
void crdi_for_options(crdi_string *out, const crdi_command *command, crdi_option_fn each);

#endif
