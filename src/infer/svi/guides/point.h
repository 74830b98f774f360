/* point.h - what families share that are a point while they are fitted. */
#ifndef CRDI_GUIDE_POINT_H
#define CRDI_GUIDE_POINT_H

#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <string.h>

static inline int64_t crdi_point_params(const crdi_guide_part *part)
{
    return part->dim;
}

static inline int64_t crdi_point_noise(const crdi_guide_part *part)
{
    (void)part;
    return 0;
}

static inline void crdi_point_start(const crdi_guide_part *part, const double *u, double init_scale, crd_key key,
                                    double *out)
{
    (void)init_scale;
    (void)key;
    memmove(out, u, sizeof *u * (size_t)part->dim);
}

static inline int crdi_point_values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    value[0] = crd_slice(p, 0, 0, part->dim, 1);
    return 1;
}

static inline crdi_guide_draw crdi_point_draw(const crdi_guide_part *part, const crd_node *value, crd_node noise)
{
    (void)part;
    (void)noise;
    return (crdi_guide_draw){
        .u = value[0], .log_q = crd_num(0), .loc = crdi_nothing, .scale = crdi_nothing, .log_q_element = crdi_nothing};
}

#endif
