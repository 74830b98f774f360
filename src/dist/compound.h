/* compound.h - what the distributions that are made of another share; see compound.c. */
#ifndef CRDI_COMPOUND_H
#define CRDI_COMPOUND_H

#include "dist/dist.h"
#include "graph/graph.h"

typedef enum crdi_moment { CRDI_MEAN, CRDI_VARIANCE } crdi_moment;

/* Makes one: copies the base into the memory of the graph of the parameters. */
crd_dist crdi_compound(const crd_dist_type *type, const crd_node *param, crd_dist base);
/* The graph that a distribution's parameters are nodes of; NULL if all are numbers. */
crd_graph *crdi_dist_graph(const crd_dist *dist);
/* Of what crd_components makes: the graph, the batch, what is wrong with it; see stacked.c. */
crd_graph *crdi_stacked_graph(const crd_dist *dist);
bool crdi_stacked_batch(const crd_dist *dist, crd_shape *out);
crd_status crdi_stacked_defect(const crd_dist *dist, char *text, size_t size);
/* The base's own, for members of crd_dist_type; what it does not have is a bad node and an error of the graph. */
crd_shape crdi_base_event_shape(const crd_dist *dist);
crd_support crdi_base_support(const crd_dist *dist);
crd_node crdi_base_moment(const crd_dist *dist, crdi_moment moment);
crd_node crdi_base_draw(const crd_dist *dist, crd_node key, crd_shape shape);
crd_node crdi_base_cdf(const crd_dist *dist, crd_node x);
/* x with axes of length one behind its own, one for each of an event's: what is known for a draw, against its elements. */
crd_node crdi_spread_event(crd_node x, crd_shape event);

#endif
