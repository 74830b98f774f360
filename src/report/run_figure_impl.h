/* run_figure_impl.h - shared by run_figure.c, run_figure_map.c and run_figure_trace.c. */
#ifndef CRDI_REPORT_RUN_FIGURE_IMPL_H
#define CRDI_REPORT_RUN_FIGURE_IMPL_H

#include "report/run_figure.h"

crd_status crdi_run_figure_trace(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out);
crd_status crdi_run_figure_map(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                               crdi_figure **out);

#endif
