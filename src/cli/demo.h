/* demo.h - what a demo is. */
#ifndef CRDI_DEMO_H
#define CRDI_DEMO_H

#include "cli/command.h"

/* Runs a demo that writes into a folder that exists. */
typedef crd_status (*crdi_demo_fn)(crdi_cli *cli, const char *folder);
#define DEMO(name, help) crd_status crdi_demo_##name(crdi_cli *cli, const char *folder);
#include "cli/demos.def"
#undef DEMO

/* Writes the tutorial's data as FOLDER/regression.csv. */
crd_status crdi_demo_write_data(crdi_cli *cli, const char *folder);

/* The page's inputs for predictions: 200 from -1.5 to 1.5; as FOLDER/grid.csv. */
enum { CRDI_DEMO_GRID = 200 };
double crdi_demo_grid(int i);
crd_status crdi_demo_write_grid(crdi_cli *cli, const char *folder);

/* Prints commands and runs each; ends with the first whose status is not CRD_OK. Words are separated by blanks, without the
 * leading "credence"; @ stands for the folder. */
crd_status crdi_demo_type(crdi_cli *cli, const char *folder, const char *const *lines, int count);

#endif
