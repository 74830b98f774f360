/* fit_display.h - progress of a run on standard error: redrawn on a terminal, a few lines now and then elsewhere. */
#ifndef CRDI_CLI_FIT_DISPLAY_H
#define CRDI_CLI_FIT_DISPLAY_H

#include "cli/command.h"
#include "report/progress.h"
#include <credence/mcmc.h>

typedef struct crdi_fit_display {
    crdi_cli *cli;
    crdi_chain_progress *last; /* what was reported last */
    crdi_chain_progress *printed; /* on plain lines */
    crdi_string block; /* what stands on the terminal */
    int count; /* chains */
    double drawn; /* when */
} crdi_fit_display;

crd_status crdi_fit_display_begin(crdi_fit_display *display, crdi_cli *cli, int chains);
/* For crd_nuts_options.progress; `user` is the display. */
void crdi_fit_display_update(void *user, const crd_chain_progress *chains, int count);
/* For crd_svi_options.progress. */
void crdi_fit_display_update_fit(void *user, const crd_svi_progress *restarts, int count);
/* Draws the last state once more and a line below it, under which all goes on anew. `user` is the display. */
void crdi_fit_display_line(void *user, const char *line);
/* Draws the last state once more: chains that have not come to their end were stopped, or are done, where a rule `held`. */
void crdi_fit_display_end(crdi_fit_display *display, bool held);

#endif
