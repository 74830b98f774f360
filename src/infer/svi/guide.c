/* guide.c - the registry of guides and what they share. */
#include "infer/svi/guide.h"

#include "graph/graph.h"

#include <math.h>
#include <string.h>

#define GUIDE(name, what) extern const crdi_guide_type crdi_guide_##name;
#include "infer/svi/guides.def"
#undef GUIDE

static const crdi_guide_type *const types[] = {
#define GUIDE(name, what) &crdi_guide_##name,
#include "infer/svi/guides.def"
#undef GUIDE
};

static const char *type_name(const void *list, int64_t i)
{
    (void)list;
    return types[i]->name;
}

const crdi_guide_type *crdi_guide_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(types) ? types[i] : NULL;
}

crd_status crdi_guide_find(crd_context *ctx, const char *name, const crdi_guide_type **out)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i]->name, name) == 0) {
            *out = types[i];
            return CRD_OK;
        }
    return crdi_raise_unknown(ctx, "guide", name, type_name, NULL, CRDI_COUNT(types));
}

double crdi_softplus_inverse(double scale)
{
    return scale > 30 ? scale : log(expm1(scale));
}

crdi_guide_draw crdi_guide_independent(crd_node loc, crd_node scale, crd_node key, int64_t dim)
{
    static const double HALF_LOG_2PI = 0.91893853320467274178;
    crd_node eps = crd_random_normal_node(key, crd_shape_1(dim));
    crd_node element = crd_sub(crd_mul(crd_num(-0.5), crd_square(eps)), crd_add(crd_log(scale), crd_num(HALF_LOG_2PI)));
    return (crdi_guide_draw){.u = crd_add(loc, crd_mul(scale, eps)),
                             .log_q = crd_sum(element),
                             .loc = loc,
                             .scale = scale,
                             .log_q_element = element};
}
