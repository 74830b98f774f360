/* fuzz_options.c - the words of a command line, one a line: the first names a command. Nothing is run. */
#include "cli/command.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 64 };
    char *text = fuzz_text(data, size), *rest = text, *word[MOST + 1];
    int count = 0;
    const char *name = fuzz_line(&rest);
    while (*rest && count < MOST)
        word[count++] = fuzz_line(&rest);
    word[count] = NULL;
    crd_context *ctx = fuzz_context();
    const crdi_command *command = crdi_commands_find(ctx, name);
    fuzz_check(ctx, command ? CRD_OK : CRD_ENAME);
    if (!command)
        command = crdi_commands_get((int)(size % (size_t)crdi_commands_count()));
    crdi_cli_call call;
    crd_status status = crdi_cli_read(&call, ctx, command, count, word);
    fuzz_check(ctx, status);
    if (status == CRD_OK) {
        crdi_string json;
        crdi_string_init(&json, ctx);
        crdi_options_json(call.set, call.set_count, &json);
        fuzz_check(ctx, json.status);
        crdi_string_clear(&json);
        crdi_cli_clear(&call, ctx);
    }
    fuzz_context_destroy(ctx);
    free(text);
    return 0;
}
