/* command.h - commands run within a test: what a user types, its status, and what it printed. */
#ifndef CRD_TESTING_COMMAND_H
#define CRD_TESTING_COMMAND_H

#include "testing.h"

#include <stddef.h>

/* Runs `credence LINE` and returns its status; the context keeps the message. Words end at blanks; 'single quotes' keep a word
 * together. Standard output goes to the file "printed" of the working folder. */
crd_status testing_command(crd_context *ctx, const char *line);

/* A file's bytes with a zero byte behind them; start NULL if there is none. free() it. */
struct testing_bytes {
    char *start;
    size_t size;
};
struct testing_bytes testing_slurp(const char *name);
void testing_spit(const char *name, const void *bytes, size_t size);

/* A new folder that is the working folder from now on, in memory where there is such a place; and its end with all files. */
int testing_folder(void **state);
int testing_folder_remove(void **state);

#endif
