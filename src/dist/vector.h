/* vector.h - what the normal vectors share. */
#ifndef CRDI_VECTOR_H
#define CRDI_VECTOR_H

#include "dist/dist.h"

/* (n), n the length of loc, the first parameter. */
crd_shape crdi_vector_shape(const crd_dist *dist);
/* (.., n) as (m, n), and back to the shape of `like`. */
crd_node crdi_as_rows(crd_node x);
/* Rows of numbers (m) with the shape of `like` less its last axis. */
crd_node crdi_of_rows(crd_node x, crd_node like);
/* The normal with mean loc and covariance L L': log density, draws, entropy. */
crd_node crdi_factor_log_prob(crd_node loc, crd_node factor, crd_node x);
crd_node crdi_factor_draw(crd_node loc, crd_node factor, crd_node key, crd_shape shape);
crd_node crdi_factor_entropy(crd_node factor);

#endif
