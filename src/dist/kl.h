/* kl.h - the divergences of kl.def. */
#ifndef CRDI_KL_H
#define CRDI_KL_H

#include "dist/dist.h"

#define KL(p, q) crd_node crdi_kl_##p##_##q(const crd_dist *first, const crd_dist *second);
#include "dist/kl.def"
#undef KL

#endif
