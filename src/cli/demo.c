/* demo.c - what demos share: the tutorial's data, its inputs for predictions, commands that are shown and then run. */
#include "cli/demo.h"
#include "nn/tutorial.h"
#include "store/csv.h"

#include <stdio.h>
#include <string.h>

enum { WORDS = 48, PATH = 1024 };

crd_status crdi_demo_write_data(crdi_cli *cli, const char *folder)
{
    static const char *const names[] = {"x", "y"};
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    char path[PATH];
    crdi_csv_writer *writer;
    crdi_tutorial_regression(x, y);
    snprintf(path, sizeof path, "%s/regression.csv", folder);
    CRD_TRY(crdi_csv_writer_open(&writer, cli->ctx, path, true, names, 2));
    for (int i = 0; i < CRDI_TUTORIAL_ROWS; i++) {
        crdi_csv_writer_number(writer, x[i]);
        crdi_csv_writer_number(writer, y[i]);
        crdi_csv_writer_end_row(writer);
    }
    return crdi_csv_writer_commit(&writer);
}

double crdi_demo_grid(int i)
{
    return -1.5 + 3.0 * i / (CRDI_DEMO_GRID - 1);
}

crd_status crdi_demo_write_grid(crdi_cli *cli, const char *folder)
{
    static const char *const names[] = {"x"};
    char path[PATH];
    crdi_csv_writer *writer;
    snprintf(path, sizeof path, "%s/grid.csv", folder);
    CRD_TRY(crdi_csv_writer_open(&writer, cli->ctx, path, true, names, 1));
    for (int i = 0; i < CRDI_DEMO_GRID; i++) {
        crdi_csv_writer_number(writer, crdi_demo_grid(i));
        crdi_csv_writer_end_row(writer);
    }
    return crdi_csv_writer_commit(&writer);
}

/* Prints a command and runs it. Words are separated by blanks; @ stands for the folder. */
static crd_status type_one(crdi_cli *cli, const char *folder, const char *line)
{
    crdi_string text;
    char *word[WORDS];
    int count = 0;
    crdi_string_init(&text, cli->ctx);
    crdi_string_append(&text, "credence ");
    for (const char *c = line; *c; c++) {
        if (*c == '@')
            crdi_string_append(&text, "%s", folder);
        else
            crdi_string_add(&text, c, 1);
    }
    if (text.status < 0) {
        crdi_string_clear(&text);
        return CRD_ENOMEM;
    }
    printf("\n$");
    for (char *at = text.text; at && count < WORDS; count++) {
        word[count] = at;
        for (at = at + 1; *at && *at != ' '; at++) {
        }
        if (*at)
            *at++ = 0;
        else
            at = NULL;
        bool plain = !strpbrk(word[count], "[]*?'\"$&;|<>(){}"); /* else a shell would take it apart */
        printf(plain ? " %s" : " '%s'", word[count]);
    }
    printf("\n");
    fflush(stdout);
    crd_status status = crdi_cli_run(cli, count, word);
    fflush(stdout);
    crdi_string_clear(&text);
    return status;
}

crd_status crdi_demo_type(crdi_cli *cli, const char *folder, const char *const *lines, int count)
{
    crd_status status = CRD_OK;
    for (int i = 0; i < count && status == CRD_OK; i++)
        status = type_one(cli, folder, lines[i]);
    return status;
}
