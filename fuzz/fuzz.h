/* fuzz.h - what every fuzz target uses: a context that has little memory and notices leaks, files of bytes. A target is a file
 * fuzz_NAME.c with LLVMFuzzerTestOneInput; its seeds are the files of corpus/NAME. README.md */
#ifndef CRD_FUZZ_H
#define CRD_FUZZ_H

#include "base/base.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A context whose allocations fail beyond 64 MiB: absurd sizes in an input must not take the machine's memory. */
crd_context *fuzz_context(void);
/* Ends the program with an abort if anything is left. */
void fuzz_context_destroy(crd_context *ctx);
/* An error has a message, and success has none; anything else is a finding. Forgets the error. */
void fuzz_check(crd_context *ctx, crd_status status);

/* The bytes as a text, with a zero byte behind them; free() it. */
char *fuzz_text(const uint8_t *data, size_t size);
/* The bytes as a file, always the same one of this process, in memory where there is such a place. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Takes the text up to the next line end out of *rest, and moves it on; "" behind the last. */
char *fuzz_line(char **rest);

#endif
