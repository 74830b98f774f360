/* demo_regression.c - the tutorial's regression, as a user would type it: each command is printed and then run. */
#include "cli/demo.h"
#include "nn/tutorial.h"
#include "store/csv.h"

#include <stdio.h>
#include <string.h>

enum { GRID = 200, WORDS = 48, PATH = 1024 };

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

/* 200 inputs from -1.5 to 1.5, as on the page. */
static crd_status write_grid(crdi_cli *cli, const char *folder)
{
    static const char *const names[] = {"x"};
    char path[PATH];
    crdi_csv_writer *writer;
    snprintf(path, sizeof path, "%s/grid.csv", folder);
    CRD_TRY(crdi_csv_writer_open(&writer, cli->ctx, path, true, names, 1));
    for (int i = 0; i < GRID; i++) {
        crdi_csv_writer_number(writer, -1.5 + 3.0 * i / (GRID - 1));
        crdi_csv_writer_end_row(writer);
    }
    return crdi_csv_writer_commit(&writer);
}

/* Prints a command and runs it. Words are separated by blanks; @ stands for the folder. */
static crd_status type(crdi_cli *cli, const char *folder, const char *line)
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

crd_status crdi_demo_regression(crdi_cli *cli, const char *folder)
{
    static const char *const lines[] = {
        "fit @/regression.csv --target y --hidden 10 --activation tanh --prior normal:0,1 --noise half_cauchy:0.5 "
        "--scale none --method nuts --chains 2 --warmup 200 --draws 2000 --seed 1234 --out @/regression.crd --force",
        "summary @/regression.crd --prob 0.9",
        "predict @/regression.crd @/grid.csv --quantiles 0.025,0.5,0.975 --out @/bands.csv --force",
        "plot @/regression.crd data --out @/data.png --force",
        "plot @/regression.crd trace --site net/Dense_1.bias[0] --site net/Dense_1.kernel[0,0] "
        "--site net/Dense_0.kernel[0,0] --site net/Dense_0.bias[0] --site s --out @/traces.png --force",
        "plot @/regression.crd bands --range -1.5,1.5 --out @/bands.png --force",
    };
    CRD_TRY(crdi_demo_write_data(cli, folder));
    CRD_TRY(write_grid(cli, folder));
    printf("%s/regression.csv holds the tutorial's data: y = x sin(5 x) + 0.1 noise at %d inputs.\n", folder,
           CRDI_TUTORIAL_ROWS);
    for (int i = 0; i < CRDI_COUNT(lines); i++) {
        crd_status status = type(cli, folder, lines[i]);
        if (status != CRD_OK)
            return status;
    }
    printf("\nFigures: %s/data.png, %s/traces.png, %s/bands.png\n", folder, folder, folder);
    return CRD_OK;
}
