/* commands.c - the table of commands, from commands.def. */
#include "cli/command.h"

#include <string.h>

/* The demos by name. */
static const char demo_help[] = "run a page of the tutorial:"
#define DEMO(name, help) " " #name
#include "cli/demos.def"
#undef DEMO
    ;

static const crdi_command commands[] = {
#define COMMAND(name, help) {#name, help, &crdi_command_##name},
#include "cli/commands.def"
#undef COMMAND
};

int crdi_commands_count(void)
{
    return CRDI_COUNT(commands);
}

const crdi_command *crdi_commands_get(int i)
{
    return &commands[i];
}

static const char *name_of(const void *list, int64_t i)
{
    return ((const crdi_command *)list)[i].name;
}

const crdi_command *crdi_commands_find(crd_context *ctx, const char *name)
{
    for (int i = 0; i < CRDI_COUNT(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    crdi_raise_unknown(ctx, "command", name, name_of, commands, CRDI_COUNT(commands));
    return NULL;
}
