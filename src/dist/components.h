/* components.h - what mixtures share; see components.c. */
#ifndef CRDI_COMPONENTS_H
#define CRDI_COMPONENTS_H

#include "dist/compound.h"

crd_support crdi_mixture_support(const crd_dist *dist);
crd_node crdi_mixture_log_prob(const crd_dist *dist, crd_node log_weights, crd_node x);
crd_node crdi_mixture_draw(const crd_dist *dist, crd_node weights, crd_node key, crd_shape shape);
crd_node crdi_mixture_mean(const crd_dist *dist, crd_node weights);
crd_node crdi_mixture_variance(const crd_dist *dist, crd_node weights);

#endif
