/* activation.c - the activations, from their table. */
#include "nn/canonical.h"
#include "model/model.h"

#include <credence/nn.h>
#include <math.h>
#include <string.h>

#define ACTIVATION(name, formula, what, symmetry)                                                                      \
    static crd_node apply_##name(crd_node x)                                                                           \
    {                                                                                                                  \
        return formula;                                                                                                \
    }
#include "nn/activations.def"
#undef ACTIVATION

static const struct {
    const char *name;
    crd_node (*apply)(crd_node x);
    const char *what;
    unsigned symmetry;
} activations[] = {
#define ACTIVATION(name, formula, what, symmetry) {#name, apply_##name, what, symmetry},
#include "nn/activations.def"
#undef ACTIVATION
};

const char *crd_activation_name(int i)
{
    return i >= 0 && i < CRDI_COUNT(activations) ? activations[i].name : NULL;
}

const char *crd_activation_what(int i)
{
    return i >= 0 && i < CRDI_COUNT(activations) ? activations[i].what : NULL;
}

unsigned crdi_activation_symmetry(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(activations); i++)
        if (strcmp(activations[i].name, name) == 0)
            return activations[i].symmetry;
    return 0;
}

static const char *get_name(const void *list, int64_t i)
{
    (void)list;
    return activations[i].name;
}

crd_node crd_activation_at(crd_trace *trace, const char *name, crd_node x, crd_where where)
{
    for (int i = 0; i < CRDI_COUNT(activations); i++)
        if (strcmp(activations[i].name, name) == 0)
            return activations[i].apply(x);
    if (trace->status == CRD_OK && crd_graph_status(trace->graph) == CRD_OK) {
        const char *near = crdi_nearest(name, get_name, NULL, CRDI_COUNT(activations));
        char all[384] = "";
        for (int i = 0; !near && i < CRDI_COUNT(activations); i++) {
            strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
            strncat(all, activations[i].name, sizeof all - strlen(all) - 1);
        }
        crd_trace_fail(trace, CRD_ENAME, where,
                       near ? "unknown activation '%s'; did you mean '%s'?" : "unknown activation '%s'; there are: %s",
                       name, near ? near : all);
    }
    return (crd_node){trace->graph, -1, 0};
}
