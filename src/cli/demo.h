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

#endif
