/* dist.h - the types, and what their files share. */
#ifndef CRDI_DIST_H
#define CRDI_DIST_H

#include <credence/dist.h>
#include "base/base.h"

#define DIST(name, count, params, what) extern const crd_dist_type crdi_dist_##name;
#include "dist/dist.def"
#undef DIST

static const double CRDI_HALF_LOG_2PI = 0.91893853320467274178;

/* Supports without bounds of their own. */
static inline crd_support crdi_support_real(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_REAL, crd_num(0), crd_num(0)};
}

static inline crd_support crdi_support_positive(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_POSITIVE, crd_num(0), crd_num(0)};
}

#endif
