/* full.h - the dense Gauss-Newton matrix of the random weights, for the forms that are one. */
#ifndef CRDI_LAPLACE_FULL_H
#define CRDI_LAPLACE_FULL_H

#include "infer/laplace/laplace.h"

crd_status crdi_full_create(crdi_laplace *l);
void crdi_full_begin(crdi_laplace *l);
void crdi_full_add(crdi_laplace *l, const crdi_laplace_block *block);
void crdi_full_end(crdi_laplace *l);
bool crdi_full_solve(crdi_laplace *l, bool traces);
void crdi_full_draw(const crdi_laplace *l, const double *noise, double *delta);
void crdi_full_whiten(const crdi_laplace *l, const double *g, double *out);
void crdi_full_unwhiten(const crdi_laplace *l, const double *z, double *out);
crd_status crdi_full_variance(const crdi_laplace *l, crdi_laplace_block *block, double *out);

#endif
