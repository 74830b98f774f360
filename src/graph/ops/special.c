/* special.c - distribution functions, their inverses and Bessel functions as operations on elements.
 *
 * The numbers come from kernel/special.h, one at a time. Arguments are broadcast to one shape first: these functions cost
 * so much more than a copy that no form without it is worth having. Gradients in x flow; in a parameter where it says
 * so, elsewhere the parameter must be known when the gradient is built. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"
#include "kernel/special.h"

typedef struct special {
    crdi_op op; /* first: a node's op is one of these */
    int arity;
    double (*one)(double x);
    double (*two)(double a, double x);
    double (*three)(double a, double b, double x);
    double (*four)(double a, double b, double c, double x);
} special;

static double apply(const special *f, const double *const *in, int64_t i)
{
    if (f->one)
        return f->one(in[0][i]);
    if (f->four)
        return f->four(in[0][i], in[1][i], in[2][i], in[3][i]);
    return f->two ? f->two(in[0][i], in[1][i]) : f->three(in[0][i], in[1][i], in[2][i]);
}

static void run(const crdi_call *call)
{
    for (int64_t i = 0; i < call->n[0]; i++)
        call->out[i] = apply(call->extra, call->in, i);
}

static void lower(crdi_emitter *emitter, const crdi_vertex *v)
{
    const special *f = (const special *)v->op;
    crdi_step *step = crdi_emit_fn(emitter, run, v->op->name, v->arg, f->arity);
    if (!step)
        return;
    step->call.n[0] = v->size;
    step->call.extra = f;
}

static crd_node build(const special *f, crd_node *args, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(args, f->arity, where, &failed);
    if (!g && (failed.graph || failed.id < 0))
        return failed;
    if (!g) {
        const double *in[4] = {NULL};
        for (int i = 0; i < f->arity; i++)
            in[i] = &args[i].number;
        return crd_num(apply(f, in, 0));
    }
    crd_shape shape = crd_node_shape(args[0]);
    for (int i = 1; i < f->arity; i++)
        if (!crdi_broadcast_shape(shape, crd_node_shape(args[i]), &shape))
            return crdi_fail(g, CRD_ESHAPE, where, "%s: the shapes of its arguments do not broadcast", f->op.name);
    for (int i = 0; i < f->arity; i++)
        args[i] = crd_broadcast_to(args[i], shape);
    return crdi_make(g, &f->op, args, f->arity, shape, NULL, where);
}

/* ---- gradients ----------------------------------------------------------------------------------------------- */

/* Fails if the gradient in argument i is asked for, that is, if the argument is not known. */
static void refuse(crd_node node, const crdi_vertex *v, int i, const char *what)
{
    if (!crd_node_known(crdi_arg(node, i), NULL))
        crdi_fail(node.graph, CRD_EUNSUPPORTED, v->where, "%s: its derivative in %s is not available", v->op->name,
                  what);
}

static const double HALF_LOG_TWO_PI = 0.91893853320467274178, LOG_TWO_PI = 1.83787706640934548356;

/* log of the standard normal density */
static crd_node log_normal_density(crd_node z)
{
    return crd_sub(crd_mul(crd_num(-0.5), crd_square(z)), crd_num(HALF_LOG_TWO_PI));
}

static void vjp_log_normal_cdf(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_mul(g, crd_exp(crd_sub(log_normal_density(crdi_arg(node, 0)), node))));
}

static void vjp_normal_quantile(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_mul(g, crd_exp(crd_sub(crdi_arg(node, 0), log_normal_density(node)))));
}

/* log of x p(x), p the density of Gamma(a, 1) */
static crd_node log_gamma_density(crd_node a, crd_node log_x)
{
    return crd_sub(crd_sub(crd_mul(a, log_x), crd_exp(log_x)), crd_lgamma(a));
}

/* sign g: dP = p dx - x p slope da */
static void gamma_gradients(crd_node node, crd_node g, crd_node *grad)
{
    crd_node a = crdi_arg(node, 0), x = crdi_arg(node, 1), log_x = crd_log(x);
    crd_node gp = crd_mul(g, crd_exp(log_gamma_density(a, log_x)));
    if (!crd_node_known(a, NULL))
        crdi_accumulate(&grad[0], crd_neg(crd_mul(gp, crdi_log_gamma_slope_at(a, log_x, CRD_HERE))));
    crdi_accumulate(&grad[1], crd_div(gp, x));
}

static void vjp_gamma_p(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    gamma_gradients(node, g, grad);
}

static void vjp_gamma_q(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    gamma_gradients(node, crd_neg(g), grad);
}

static void vjp_gamma_quantile(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crd_node a = crdi_arg(node, 0), log_x = crd_log(node), gx = crd_mul(g, node);
    if (!crd_node_known(a, NULL))
        crdi_accumulate(&grad[0], crd_mul(gx, crdi_log_gamma_slope_at(a, log_x, CRD_HERE)));
    crdi_accumulate(&grad[1], crd_mul(gx, crd_exp(crd_neg(log_gamma_density(a, log_x)))));
}

static void vjp_log_gamma_slope(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)g;
    (void)grad;
    refuse(node, v, 0, "the concentration");
    refuse(node, v, 1, "the value");
}

/* log of x (1 - x) p(x), p the density of Beta(a, b) */
static crd_node log_beta_density(crd_node a, crd_node b, crd_node x)
{
    crd_node power = crd_add(crd_mul(a, crd_log(x)), crd_mul(b, crd_log1p(crd_neg(x))));
    return crd_add(power, crd_sub(crd_lgamma(crd_add(a, b)), crd_add(crd_lgamma(a), crd_lgamma(b))));
}

static crd_node beta_density(crd_node node, crd_node x)
{
    crd_node log_density = log_beta_density(crdi_arg(node, 0), crdi_arg(node, 1), x);
    return crd_div(crd_exp(log_density), crd_mul(x, crd_sub(crd_num(1), x)));
}

static void vjp_beta_cdf(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    refuse(node, v, 0, "a");
    refuse(node, v, 1, "b");
    crdi_accumulate(&grad[2], crd_mul(g, beta_density(node, crdi_arg(node, 2))));
}

static void vjp_beta_quantile(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    refuse(node, v, 0, "a");
    refuse(node, v, 1, "b");
    crdi_accumulate(&grad[2], crd_div(g, beta_density(node, node)));
}

static crd_node student_t_density(crd_node df, crd_node t)
{
    crd_node half = crd_mul(crd_num(0.5), df), next = crd_add(half, crd_num(0.5));
    crd_node constant = crd_sub(crd_lgamma(next), crd_lgamma(half));
    crd_node scale = crd_mul(crd_num(0.5), crd_log(crd_mul(crd_num(3.14159265358979323846), df)));
    return crd_exp(crd_sub(crd_sub(constant, scale), crd_mul(next, crd_log1p(crd_div(crd_square(t), df)))));
}

static void vjp_student_t_cdf(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    refuse(node, v, 0, "df");
    crdi_accumulate(&grad[1], crd_mul(g, student_t_density(crdi_arg(node, 0), crdi_arg(node, 1))));
}

static void vjp_student_t_quantile(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    refuse(node, v, 0, "df");
    crdi_accumulate(&grad[1], crd_div(g, student_t_density(crdi_arg(node, 0), node)));
}

static void vjp_log_bessel_i0(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_mul(g, crd_bessel_ratio(crdi_arg(node, 0))));
}

/* A = I_1 / I_0: A' = 1 - A / k - A^2, and 1/2 at 0. */
static void vjp_bessel_ratio(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crd_node k = crdi_arg(node, 0), tiny = crd_less(k, crd_num(1e-8));
    crd_node share = crd_div(node, crd_select(tiny, crd_num(1), k));
    crd_node slope = crd_sub(crd_sub(crd_num(1), share), crd_square(node));
    crdi_accumulate(&grad[0], crd_mul(g, crd_select(tiny, crd_num(0.5), slope)));
}

static void vjp_von_mises_cdf(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node k = crdi_arg(node, 0), x = crdi_arg(node, 1);
    refuse(node, v, 0, "the concentration");
    crd_node log_density = crd_sub(crd_mul(k, crd_cos(x)), crd_add(crd_num(LOG_TWO_PI), crd_log_bessel_i0(k)));
    crdi_accumulate(&grad[1], crd_mul(g, crd_exp(log_density)));
}

/* Steps. */
static void vjp_count_quantile(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)node;
    (void)v;
    (void)g;
    (void)grad;
}

#define vjp_poisson_quantile vjp_count_quantile
#define vjp_binomial_quantile vjp_count_quantile
#define vjp_negative_binomial_quantile vjp_count_quantile
#define vjp_beta_binomial_quantile vjp_count_quantile

/* ---- the operations ------------------------------------------------------------------------------------------ */

#define SPECIAL(word, n, member, function)                                                                             \
    static const special op_##word = {                                                                                 \
        .op = {.name = #word, .pure = true, .lower = lower, .vjp = vjp_##word, .rows = &crdi_rows_elementwise},        \
        .arity = n,                                                                                                    \
        .member = function};

SPECIAL(log_normal_cdf, 1, one, crdi_log_normal_cdf)
SPECIAL(normal_quantile, 1, one, crdi_normal_quantile_of_log)
SPECIAL(gamma_p, 2, two, crdi_gamma_p)
SPECIAL(gamma_q, 2, two, crdi_gamma_q)
SPECIAL(gamma_quantile, 2, two, crdi_gamma_quantile)
SPECIAL(log_gamma_slope, 2, two, crdi_log_gamma_slope)
SPECIAL(beta_cdf, 3, three, crdi_beta_cdf)
SPECIAL(beta_quantile, 3, three, crdi_beta_quantile)
SPECIAL(student_t_cdf, 2, two, crdi_student_t_cdf)
SPECIAL(student_t_quantile, 2, two, crdi_student_t_quantile)
SPECIAL(poisson_quantile, 2, two, crdi_poisson_quantile)
SPECIAL(binomial_quantile, 3, three, crdi_binomial_quantile)
SPECIAL(negative_binomial_quantile, 3, three, crdi_negative_binomial_quantile)
SPECIAL(beta_binomial_quantile, 4, four, crdi_beta_binomial_quantile)
SPECIAL(log_bessel_i0, 1, one, crdi_log_bessel_i0)
SPECIAL(bessel_ratio, 1, one, crdi_bessel_ratio)
SPECIAL(von_mises_cdf, 2, two, crdi_von_mises_cdf)

crd_node crd_log_normal_cdf_at(crd_node z, crd_where where)
{
    return build(&op_log_normal_cdf, &z, where);
}

crd_node crd_normal_quantile_at(crd_node log_p, crd_where where)
{
    return build(&op_normal_quantile, &log_p, where);
}

crd_node crd_gamma_p_at(crd_node a, crd_node x, crd_where where)
{
    return build(&op_gamma_p, (crd_node[]){a, x}, where);
}

crd_node crd_gamma_q_at(crd_node a, crd_node x, crd_where where)
{
    return build(&op_gamma_q, (crd_node[]){a, x}, where);
}

crd_node crd_gamma_quantile_at(crd_node a, crd_node p, crd_where where)
{
    return build(&op_gamma_quantile, (crd_node[]){a, p}, where);
}

crd_node crd_beta_cdf_at(crd_node a, crd_node b, crd_node x, crd_where where)
{
    return build(&op_beta_cdf, (crd_node[]){a, b, x}, where);
}

crd_node crd_beta_quantile_at(crd_node a, crd_node b, crd_node p, crd_where where)
{
    return build(&op_beta_quantile, (crd_node[]){a, b, p}, where);
}

crd_node crd_poisson_quantile_at(crd_node rate, crd_node p, crd_where where)
{
    return build(&op_poisson_quantile, (crd_node[]){rate, p}, where);
}

crd_node crd_binomial_quantile_at(crd_node n, crd_node probability, crd_node p, crd_where where)
{
    return build(&op_binomial_quantile, (crd_node[]){n, probability, p}, where);
}

crd_node crd_negative_binomial_quantile_at(crd_node mean, crd_node concentration, crd_node p, crd_where where)
{
    return build(&op_negative_binomial_quantile, (crd_node[]){mean, concentration, p}, where);
}

crd_node crd_beta_binomial_quantile_at(crd_node n, crd_node a, crd_node b, crd_node p, crd_where where)
{
    return build(&op_beta_binomial_quantile, (crd_node[]){n, a, b, p}, where);
}

crd_node crd_student_t_cdf_at(crd_node df, crd_node t, crd_where where)
{
    return build(&op_student_t_cdf, (crd_node[]){df, t}, where);
}

crd_node crd_student_t_quantile_at(crd_node df, crd_node p, crd_where where)
{
    return build(&op_student_t_quantile, (crd_node[]){df, p}, where);
}

crd_node crd_log_bessel_i0_at(crd_node k, crd_where where)
{
    return build(&op_log_bessel_i0, &k, where);
}

crd_node crd_bessel_ratio_at(crd_node k, crd_where where)
{
    return build(&op_bessel_ratio, &k, where);
}

crd_node crd_von_mises_cdf_at(crd_node k, crd_node x, crd_where where)
{
    return build(&op_von_mises_cdf, (crd_node[]){k, x}, where);
}

crd_node crdi_log_gamma_slope_at(crd_node a, crd_node log_x, crd_where where)
{
    return build(&op_log_gamma_slope, (crd_node[]){a, log_x}, where);
}
