/* terminal.h - whether output goes to a person, and how wide their window is. */
#ifndef CRDI_TERMINAL_H
#define CRDI_TERMINAL_H

#include "base/base.h"

#include <stdio.h>

/* Whether a file descriptor is a terminal that understands cursor movements (TERM is not "dumb"). */
bool crdi_terminal_is(int fd);

/* Prints text in which a name from a file may hold anything: what a terminal would obey appears as \x1b or \u202e. Line ends and
 * tabs stay, unless it is one `line`. Every page and every line of a command goes through it. Nothing is allocated. */
void crdi_terminal_print(FILE *to, const char *text, bool line);

/* Prints a text in that way, unless `status`, of what made it, is a failure, and clears it. Returns the status. */
crd_status crdi_terminal_put(FILE *to, crdi_string *text, crd_status status);

/* The columns of the terminal: the environment's COLUMNS, else what the terminal says, else `fallback`. */
int crdi_terminal_width(int fd, int fallback);

/* The columns and rows of a terminal as they are at this moment; false where there is none or it does not say. The
 * variable COLUMNS is not asked: it stays as it was when a window is made smaller. */
bool crdi_terminal_size(int fd, int *columns, int *rows);

#endif
