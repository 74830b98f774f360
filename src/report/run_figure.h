/* run_figure.h - the figures of a run file: what `credence plot` draws. */
#ifndef CRDI_REPORT_RUN_FIGURE_H
#define CRDI_REPORT_RUN_FIGURE_H

#include "report/figures.h"
#include "store/network_run.h"

typedef struct crdi_run_figure_options {
    const char *const *
        site; /* of figures of draws: "s", "net/Dense_1.kernel[0,0]", or a site for all its elements; none: a handful */
    int64_t site_count;
    const char *const
        *inputs; /* of data and map: columns, each text one or several as a,b; none: all (data), the first two (map) */
    int64_t input_count;
    const char *along; /* of bands: this column alone; NULL: every column */
    const double *level; /* of bands: how much each holds; none: 0.95 */
    int level_count; /* up to 8 */
    int64_t functions; /* of bands: draws of f to show */
    bool bands_alone; /* of bands: without observed against predicted */
    bool quiet; /* say nothing of parameters that are not shown */
    const double *range; /* of bands and map: from the first to the second number; NULL: what the data span */
    int range_count; /* of map: 4 if two more are there, for the second input; else both have the first two */
    int64_t resolution; /* of map: cells along each input; 0: 100 */
    const char *const *show; /* of map: quantities, each text one or several as a,b; none: what is usual */
    int64_t show_count;
    const int64_t *pick; /* of map: single draws of the target to show, from 0, chains one after the other */
    int64_t pick_count;
    int64_t draws; /* of map: how many of the run's draws to use for quantities; 0: up to 1000 */
    crd_key key; /* of the noise in draws and in observed against predicted */
} crdi_run_figure_options;

/* Builds a figure of a run, any of figures.def but those that compare runs or need other data. CRD_ENAME: another figure, an unknown site, column or quantity;
 * CRD_EUNSUPPORTED: what needs the network of a model written in C, map of one input, loss of a run that has none; CRD_EINVAL: a
 * draw that is not there, other than two inputs of a map; CRD_EMISSING: no draws. */
crd_status crdi_run_figure_make(crdi_network_run *net, const char *figure, const crdi_run_figure_options *options,
                                crdi_figure **out);

#endif
