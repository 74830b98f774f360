/* check_panels.h - what the figures of predictive checks share: data beside data that the model makes up. */
#ifndef CRDI_REPORT_CHECK_PANELS_H
#define CRDI_REPORT_CHECK_PANELS_H

#include "report/figures.h"

/* A panel of distributions; with `statistics` two more, of the replications' means and sds with the data's. `prior`: replications are
 * of the prior, whose tails may be far off, so that the panel ends where 90 % of them do. */
crd_status crdi_figure_checks(crdi_figure **out, crd_context *ctx, const crdi_figure_source *source, const char *figure,
                              bool prior);

/* The share of replications whose mean (`which` 0) or sd (1) is above the data's: near 0 or 1 the model misses it. */
double crdi_check_share(const crdi_check *check, int which);

#endif
