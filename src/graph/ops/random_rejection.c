/* random_rejection.c - draws by rejection: a loop an element, each with its own sub-key and a stream of uniforms of it. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "kernel/vmath.h"
#include "rng/stream.h"

typedef double (*draw_fn)(crdi_stream *stream, double parameter);

/* in: key, parameters; extra: the rule. */
struct rule {
    crdi_op op; /* first: a node's op is one of these */
    draw_fn draw;
};

static void run(const crdi_call *call)
{
    const struct rule *rule = call->extra;
    crd_key key = {{(uint32_t)call->in[0][0], (uint32_t)call->in[0][1]}, CRD_ORDER_PARTITIONABLE};
    for (int64_t i = 0; i < call->n[0]; i++) {
        crdi_stream stream;
        crdi_stream_init(&stream, crd_key_fold_in(key, (uint32_t)i));
        call->out[i] = rule->draw(&stream, call->in[1][i]);
    }
}

static void lower(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit_fn(emitter, run, v->op->name, v->arg, 2);
    if (!step)
        return;
    step->call.n[0] = v->size;
    step->call.extra = v->op;
}

static crd_node build(const struct rule *rule, crd_node key, crd_node parameter, crd_shape shape)
{
    crd_node args[2] = {key, parameter}, failed;
    crd_graph *g = crdi_lift(args, 2, (crd_where){0}, &failed);
    if (!g)
        return failed;
    crd_shape words = crd_node_shape(key), joined;
    if (words.ndim != 1 || words.dim[0] != 2)
        return crdi_fail(g, CRD_ESHAPE, CRD_HERE, "%s: a key has two words", rule->op.name);
    if (!crdi_broadcast_shape(crd_node_shape(args[1]), shape, &joined) || !crdi_shape_equal(joined, shape))
        return crdi_fail(g, CRD_ESHAPE, CRD_HERE, "%s: the parameter does not broadcast to the draws", rule->op.name);
    args[1] = crd_broadcast_to(args[1], shape);
    return crdi_make(g, &rule->op, args, 2, shape, NULL, (crd_where){0});
}

/* ---- gamma --------------------------------------------------------------------------------------------------- */

/* Uniform in (0, 1). */
static double positive_uniform(crdi_stream *stream)
{
    return vm_max(crdi_stream_uniform(stream), 0x1p-54);
}

/* Marsaglia and Tsang 2000 (doi:10.1145/358407.358414): d (1 + c z)^3 with d = a - 1/3, c = 1 / sqrt(9 d), taken if
 * log u < z^2 / 2 + d - d v + d log v. For a < 1 a draw for a + 1 times u^(1 / a), in logarithms, because u^(1 / a)
 * underflows for small a. A proposal is refused with probability 0.049 at most. */
static double draw_log_gamma(crdi_stream *stream, double a)
{
    double boost = 0, root;
    if (!(a > 0) || a == INFINITY)
        return NAN;
    if (a < 1) {
        boost = vm_log(positive_uniform(stream)) / a;
        a += 1;
    }
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double z = crdi_stream_normal(stream), u = positive_uniform(stream);
        root = 1 + c * z;
        if (root <= 0)
            continue;
        double v = root * root * root, log_v = 3 * vm_log(root);
        if (vm_log(u) < 0.5 * z * z + d * (1 - v + log_v))
            return vm_log(d) + log_v + boost;
    }
}

/* Figurnov, Mohamed and Mnih 2018 (arXiv:1805.08498), eq. 4: dx/da = -(dF/da) / p(x). */
static void vjp_log_gamma(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node a = crdi_arg(node, 1);
    if (!crd_node_known(a, NULL))
        crdi_accumulate(&grad[1], crd_mul(g, crdi_log_gamma_slope_at(a, node, v->where)));
}

static const struct rule log_gamma = {
    .op = {.name = "random_log_gamma", .pure = true, .lower = lower, .vjp = vjp_log_gamma}, .draw = draw_log_gamma};

crd_node crd_random_log_gamma_node(crd_node key, crd_node concentration, crd_shape shape)
{
    return build(&log_gamma, key, concentration, shape);
}

/* ---- von Mises ----------------------------------------------------------------------------------------------- */

/* The cosine of an angle, k not small: Best and Fisher 1979 (doi:10.2307/2346732), from a wrapped Cauchy envelope. */
static double draw_cosine(crdi_stream *stream, double k)
{
    double tau = 1 + sqrt(1 + 4 * k * k), rho = (tau - sqrt(2 * tau)) / (2 * k), r = (1 + rho * rho) / (2 * rho);
    for (;;) {
        double z = vm_cos(VM_PI * crdi_stream_uniform(stream)), u = positive_uniform(stream);
        double f = (1 + r * z) / (r + z), c = k * (r - f);
        if (c * (2 - c) > u || vm_log(c / u) + 1 - c >= 0)
            return f;
    }
}

/* The same for small k, where rho above cancels: from a uniform angle. */
static double draw_wide_cosine(crdi_stream *stream, double k)
{
    for (;;) {
        double z = vm_cos(VM_PI * crdi_stream_uniform(stream));
        if (vm_log(positive_uniform(stream)) <= k * (z - 1))
            return z;
    }
}

/* For large k the density is that of a normal up to 1e-8. */
static double draw_von_mises(crdi_stream *stream, double k)
{
    if (!(k >= 0))
        return NAN;
    if (k > 1e8)
        return crdi_stream_normal(stream) / sqrt(k);
    double f = k < 0.01 ? draw_wide_cosine(stream, k) : draw_cosine(stream, k);
    double angle = 2 * vm_atan(sqrt(vm_max(1 - f, 0) / vm_max(1 + f, 1e-300)));
    return crdi_stream_uniform(stream) < 0.5 ? -angle : angle;
}

static const struct rule von_mises = {.op = {.name = "random_von_mises", .pure = true, .lower = lower},
                                      .draw = draw_von_mises};

crd_node crd_random_von_mises_node(crd_node key, crd_node concentration, crd_shape shape)
{
    return build(&von_mises, key, concentration, shape);
}
