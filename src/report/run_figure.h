/* run_figure.h - the figures of a run file: what `credence plot` draws. */
#ifndef CRDI_REPORT_RUN_FIGURE_H
#define CRDI_REPORT_RUN_FIGURE_H

#include "report/figures.h"
#include "store/network_run.h"

typedef struct crdi_run_figure_options {
    const char *const
        *site; /* of trace: "s", "net/Dense_1.kernel[0,0]", or a site for all its elements; none: a handful */
    int64_t site_count;
    const char *along; /* of bands: this column alone; NULL: every column */
    const double *range; /* of bands: from the first to the second number; NULL: what the data span */
    crd_key key; /* of the noise in observed against predicted */
} crdi_run_figure_options;

/* Builds the figure "data", "trace", "bands" or "loss" of a run. CRD_ENAME: another figure, an unknown site or column;
 * CRD_EUNSUPPORTED: data and bands of a model written in C, loss of a run that has none; CRD_EMISSING: no draws. */
crd_status crdi_run_figure_make(crdi_network_run *net, const char *figure, const crdi_run_figure_options *options,
                                crdi_figure **out);

#endif
