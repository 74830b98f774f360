/* text.h - text that goes to people: printable whatever it holds, measured in columns. */
#ifndef CRDI_REPORT_TEXT_H
#define CRDI_REPORT_TEXT_H

#include "base/base.h"

/* Appends text so that neither a terminal nor a plotting program can take it for a command: control characters become
 * \n, \t or \x1b, bytes that are not UTF-8 become \xff, code points that turn the writing direction or break the line
 * become \u202e. The rest stays as it is. NULL counts as "". */
void crdi_text_printable(crdi_string *out, const char *text);

/* Columns of a terminal that a printable UTF-8 text takes: 0 for combining marks, 2 for wide East Asian characters. */
int crdi_text_width(const char *text);

/* The bytes of the longest beginning of a printable text that takes at most `columns`. */
size_t crdi_text_fit(const char *text, int columns);

/* Decimals, at least 2, with which a value that lies above (or below) a limit is also printed so: "1.055, above 1.050" and not
 * "1.05, above 1.05". */
int crdi_text_digits(double value, double limit);

#endif
