/* vjp.h - gradients of the operations of ops.def, and what operations ask of each other. */
#ifndef CRDI_VJP_H
#define CRDI_VJP_H

#include "graph/graph.h"

#define OP(name, arity, what) void crdi_vjp_##name(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
#include "graph/ops.def"
#undef OP

/* What kind of formula a node is, for operations that look through their arguments. */
bool crdi_is_broadcast(crd_node x);
bool crdi_is_reshape(crd_node x);
bool crdi_is_product(crd_node x);
bool crdi_is_quotient(crd_node x);
bool crdi_is_square(crd_node x);
bool crdi_is_negation(crd_node x);
/* Zeros but for a stretch from element `at` on, which the first argument holds: the gradient of a slice. */
bool crdi_is_piece(crd_node x, int64_t *at);
/* The same stretch with other elements. */
crd_node crdi_piece_like(crd_node inner, crd_node whole);
bool crdi_is_addition(crd_node x);
bool crdi_is_subtraction(crd_node x);

/* d log x / d a at fixed P(a, x): the implicit derivative of a gamma draw. It has none itself. */
crd_node crdi_log_gamma_slope_at(crd_node a, crd_node log_x, crd_where where);

/* op(A) op(B), each transposed or not, without moving anything. */
crd_node crdi_matmul_transposed(crd_node a, crd_node b, bool ta, bool tb);

#endif
