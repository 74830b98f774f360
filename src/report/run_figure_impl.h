/* run_figure_impl.h - shared by the files run_figure*.c. */
#ifndef CRDI_REPORT_RUN_FIGURE_IMPL_H
#define CRDI_REPORT_RUN_FIGURE_IMPL_H

#include "report/run_figure.h"

crd_status crdi_run_figure_rank(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                crdi_figure **out);
crd_status crdi_run_figure_autocorrelation(crdi_network_run *net, crdi_arena *arena,
                                           const crdi_run_figure_options *options, crdi_figure **out);
crd_status crdi_run_figure_pairs(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out);
crd_status crdi_run_figure_forest(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                  crdi_figure **out);
crd_status crdi_run_figure_energy(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                  crdi_figure **out);
crd_status crdi_run_figure_k_hat(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out);
crd_status crdi_run_figure_prior_check(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                       crdi_figure **out);
crd_status crdi_run_figure_posterior_check(crdi_network_run *net, crdi_arena *arena,
                                           const crdi_run_figure_options *options, crdi_figure **out);
crd_status crdi_run_figure_network(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                   crdi_figure **out);
crd_status crdi_run_figure_trace(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out);
crd_status crdi_run_figure_map(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                               crdi_figure **out);

#endif
