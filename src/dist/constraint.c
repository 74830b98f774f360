/* constraint.c - the registry of constraints, and the bijections of supports by way of it. */
#include "dist/constraint.h"

static const struct {
    const crdi_constraint *constraint;
    const char *text;
} constraints[] = {
#define CONSTRAINT(constant, name, text) [CRD_##constant] = {&crdi_constraint_##name, text},
#include "dist/constraints.def"
#undef CONSTRAINT
};

crd_node crdi_both(crd_node a, crd_node b)
{
    return crd_mul(a, b);
}

crd_node crdi_all(crd_node x)
{
    return crd_sub(crd_num(1), crd_max_axis(crd_sub(crd_num(1), x), -1));
}

crd_node crdi_is_whole(crd_node x)
{
    return crd_equal(crd_floor(x), x);
}

const crdi_constraint *crdi_constraint_of(crd_constraint kind)
{
    return constraints[kind].constraint;
}

int crd_constraint_holds(crd_constraint kind, double x, double low, double high)
{
    return constraints[kind].constraint->holds(x, low, high);
}

const char *crd_constraint_text(crd_constraint kind)
{
    return constraints[kind].text;
}

int crd_bijection_exists(crd_support support)
{
    return constraints[support.kind].constraint->bijection != NULL;
}

static const crdi_bijection *bijection_of(crd_support support)
{
    const crdi_bijection *bijection = constraints[support.kind].constraint->bijection;
    CRDI_ASSERT(bijection);
    return bijection;
}

crd_shape crd_bijection_shape(crd_support support, crd_shape value)
{
    const crdi_bijection *bijection = bijection_of(support);
    return bijection->shape ? bijection->shape(value) : value;
}

crd_node crd_bijection_forward(crd_support support, crd_node u)
{
    return bijection_of(support)->forward(support, u);
}

crd_node crd_bijection_log_jacobian(crd_support support, crd_node u)
{
    return bijection_of(support)->log_jacobian(support, u);
}

crd_node crd_bijection_inverse(crd_support support, crd_node x)
{
    return bijection_of(support)->inverse(support, x);
}
