/* block_neural_autoregressive.c - block neural autoregressive flows (De Cao, Titov & Aziz 2019, arXiv:1904.04676), as
 * NumPyro's AutoBNAFNormal: u = loc + s z_T with s = softplus(rho), z_0 = eps standard normal and, for t = 1 .. T,
 *   z_t = a_t f_t(z_(t-1)) + (1 - a_t) z_(t-1), a_t = sigmoid(gate_t)              (their gated residual)
 * with f a network whose element i rises with input i and depends on the inputs before it in any way:
 *   f = W3 tanh(W2 tanh(W1 z + b1) + b2) + b3, where of dim x dim blocks of a weight array those on the diagonal are
 *   exp of parameters, those below it are free and those above it are 0              (their eq. 8)
 *   W has its rows scaled to norms exp(g) (weight normalisation, Salimans & Kingma 2016, as in their section 3).
 * A block has as many rows and columns as units stand for one element: 8 in both hidden layers, 1 outside.
 *
 * The Jacobian of f is triangular, and element i of its diagonal the product of the blocks (i, i) and of the slopes
 * between: made of logarithms from layer to layer (their section 3, log-matrix products), with
 *   log tanh'(x) = 2 [log 2 - x - softplus(-2 x)], log (dz_t,i / dz_(t-1),i) = softplus(gate + log f'_i) - softplus(gate)
 *   log q(u) = log Normal(eps; 0, I) - sum over t and i of log (dz_t,i / dz_(t-1),i) - sum log s.
 *
 * The gate is there after the last flow too, where NumPyro has none: f alone is bounded, as tanh is, and a guide that
 * cannot reach all u has no importance weights to trust. Between flows the order of the elements is reversed.
 *
 * Parameters: loc, rho, and of each flow and layer the logarithms of the diagonal blocks (dim, in, out), all other
 * weights (dim in, dim out) of which those below the diagonal are used, log norms g and biases (dim out); then the gate.
 * The start: diagonal logarithms and weights are small draws, first biases spread the units over the bulk of the noise,
 * norms let f rise about as fast as its input, and gates begin at a = 0.27. So z_T is eps in some order but for some
 * percent, and loc = u, s = init_scale make it about the normal that is asked for. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <math.h>

enum { FLOWS = 1, MOST_FLOWS = 12, LAYERS = 3, PER_FLOW = 3 * LAYERS + 1, MOST_PARAMS = 5000000 };
_Static_assert(2 + PER_FLOW * MOST_FLOWS <= CRDI_GUIDE_VALUES, "all arrays of all flows are values");

static const int64_t factor[LAYERS + 1] = {1, 8, 8, 1}; /* units that stand for one element, from input to output */

static const double GATE = -1, DIAGONAL_SIZE = 0.3, OTHER_SIZE = 0.1, SPREAD = 1.5;

/* ---- parameters --------------------------------------------------------------------------------------------- */

/* Where the parameters of a layer are, among all. */
struct layer {
    int64_t in, to; /* factors */
    int64_t diagonal, other, norm, bias, end;
};

static struct layer layer_at(const crdi_guide_part *part, int l, int64_t at)
{
    int64_t n = part->dim;
    struct layer y = {.in = factor[l], .to = factor[l + 1], .diagonal = at};
    y.other = y.diagonal + n * y.in * y.to;
    y.norm = y.other + n * y.in * n * y.to;
    y.bias = y.norm + n * y.to;
    y.end = y.bias + n * y.to;
    return y;
}

static int64_t params(const crdi_guide_part *part)
{
    int64_t flow = 0;
    for (int l = 0; l < LAYERS; l++)
        flow = layer_at(part, l, flow).end;
    return 2 * part->dim + part->argument * (flow + 1);
}

static int64_t noise(const crdi_guide_part *part)
{
    return part->dim;
}

/* ---- the start ---------------------------------------------------------------------------------------------- */

static void small_normals(crd_key key, double size, int64_t count, double *out)
{
    crd_random_normal(key, count, out);
    for (int64_t i = 0; i < count; i++)
        out[i] *= size;
}

/* Norms that make a unit the mean of those of its block below, and the output 2.5 times that, because two
 * rounds of tanh flatten it. */
static void start_layer(const crdi_guide_part *part, int l, const struct layer *y, crd_key key, double *out)
{
    int64_t n = part->dim;
    double norm = -0.5 * log((double)y->in) + (l == LAYERS - 1 ? log(2.5) : 0);
    small_normals(crd_key_fold_in(key, 0), DIAGONAL_SIZE, y->other - y->diagonal, out + y->diagonal);
    small_normals(crd_key_fold_in(key, 1), OTHER_SIZE / sqrt((double)(n * y->in)), y->norm - y->other, out + y->other);
    for (int64_t i = 0; i < n * y->to; i++) {
        out[y->norm + i] = norm;
        out[y->bias + i] = l == 0 ? SPREAD * (2 * (double)(i % y->to) / (double)(y->to - 1) - 1) : 0;
    }
}

static void start(const crdi_guide_part *part, const double *u, double init_scale, crd_key key, double *out)
{
    int64_t n = part->dim, at = 2 * n;
    for (int64_t i = 0; i < n; i++) {
        out[i] = u[i];
        out[n + i] = crdi_softplus_inverse(init_scale);
    }
    for (int64_t k = 0; k < part->argument; k++) {
        for (int l = 0; l < LAYERS; l++) {
            struct layer y = layer_at(part, l, at);
            start_layer(part, l, &y, crd_key_fold_in(key, (uint32_t)(k * LAYERS + l)), out);
            at = y.end;
        }
        out[at++] = GATE;
    }
}

/* ---- weights ------------------------------------------------------------------------------------------------ */

static crd_shape shape_of(int64_t a, int64_t b, int64_t c)
{
    return (crd_shape){3, {a, b, c}};
}

/* (dim in, dim out): 1 in the blocks whose output's element is `low` to `high` behind the input's. */
static crd_node blocks(crd_graph *graph, int64_t n, const struct layer *y, int64_t low, int64_t high)
{
    crd_array mask;
    if (crd_array_init(crd_graph_context(graph), &mask, crd_shape_2(n * y->in, n * y->to)) < 0)
        return (crd_node){graph, -1, 0};
    for (int64_t r = 0; r < n * y->in; r++)
        for (int64_t c = 0; c < n * y->to; c++) {
            int64_t behind = c / y->to - r / y->in;
            mask.data[r * n * y->to + c] = behind >= low && behind <= high;
        }
    crd_node node = crd_constant(graph, &mask);
    crd_array_clear(&mask);
    return node;
}

/* What draws use of a layer: its normalised weights, the logarithms of their diagonal blocks, its biases. */
static void layer_values(const crdi_guide_part *part, crd_node p, const struct layer *y, crd_node *value)
{
    int64_t n = part->dim, in = n * y->in, to = n * y->to;
    crd_node on = blocks(p.graph, n, y, 0, 0), below = blocks(p.graph, n, y, 1, n);
    crd_node diagonal = crd_reshape(crd_slice(p, 0, y->diagonal, in * y->to, 1), shape_of(n, y->in, y->to));
    crd_node other = crd_reshape(crd_slice(p, 0, y->other, in * to, 1), crd_shape_2(in, to));
    /* Block i over and over along row i of blocks; the mask keeps the one on the diagonal. */
    crd_node one = crd_reshape(crd_exp(diagonal), shape_of(in, 1, y->to));
    crd_node tiled = crd_reshape(crd_broadcast_to(one, shape_of(in, n, y->to)), crd_shape_2(in, to));
    crd_node weight = crd_add(crd_mul(on, tiled), crd_mul(below, other));
    crd_node square = crd_sum_axis(crd_square(weight), 0);
    crd_node log_gain = crd_sub(crd_slice(p, 0, y->norm, to, 1), crd_mul(crd_num(0.5), crd_log(square)));
    value[0] = crd_mul(weight, crd_exp(log_gain));
    value[1] = crd_add(diagonal, crd_reshape(log_gain, shape_of(n, 1, y->to)));
    value[2] = crd_slice(p, 0, y->bias, to, 1);
}

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    int64_t n = part->dim, at = 2 * n;
    int count = 0;
    value[count++] = crd_slice(p, 0, 0, n, 1);
    value[count++] = crd_softplus(crd_slice(p, 0, n, n, 1));
    for (int64_t k = 0; k < part->argument; k++) {
        for (int l = 0; l < LAYERS; l++) {
            struct layer y = layer_at(part, l, at);
            layer_values(part, p, &y, value + count);
            count += 3;
            at = y.end;
        }
        value[count++] = crd_slice(p, 0, at++, 1, 1);
    }
    return count;
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

static crd_node log_tanh_slope(crd_node x)
{
    crd_node tail = crd_softplus(crd_mul(crd_num(-2), x));
    return crd_mul(crd_num(2), crd_sub(crd_sub(crd_num(log(2)), x), tail));
}

/* One flow of z, (dim, 1), and in *slope the logarithms (dim) of its Jacobian's diagonal. */
static crd_node flow(const crdi_guide_part *part, const crd_node *value, crd_node z, crd_node *slope)
{
    int64_t n = part->dim;
    crd_node f = z, log_slope = crdi_nothing, gate = value[3 * LAYERS];
    for (int l = 0; l < LAYERS; l++) {
        const crd_node *v = value + 3 * l;
        crd_node terms = v[1]; /* (dim, in, out) */
        if (l > 0)
            terms = crd_add(terms, crd_reshape(log_slope, shape_of(n, factor[l], 1)));
        log_slope = crd_logsumexp(terms, 1);
        f = crd_affine(v[0], f, v[2]);
        if (l == LAYERS - 1)
            break;
        log_slope = crd_add(log_slope, log_tanh_slope(crd_reshape(f, crd_shape_2(n, factor[l + 1]))));
        f = crd_tanh(f);
    }
    *slope = crd_sub(crd_softplus(crd_add(gate, crd_reshape(log_slope, crd_shape_1(n)))), crd_softplus(gate));
    return crd_add(z, crd_mul(crd_sigmoid(gate), crd_sub(f, z)));
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node eps)
{
    int64_t n = part->dim;
    crd_node z = crd_reshape(eps, crd_shape_2(n, 1)), stretch = crd_sum(crd_log(value[1]));
    for (int64_t k = 0; k < part->argument; k++) {
        crd_node slope;
        if (k > 0)
            z = crd_slice(z, 0, n - 1, n, -1);
        z = flow(part, value + 2 + k * PER_FLOW, z, &slope);
        stretch = crd_add(stretch, crd_sum(slope));
    }
    return (crdi_guide_draw){.u = crd_add(value[0], crd_mul(value[1], crd_reshape(z, crd_shape_1(n)))),
                             .log_q = crdi_guide_log_noise(eps, n, stretch),
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_block_neural_autoregressive = {.name = "block_neural_autoregressive",
                                                                .argument = "number of flows",
                                                                .standard = FLOWS,
                                                                .most = MOST_FLOWS,
                                                                .most_params = MOST_PARAMS,
                                                                .params = params,
                                                                .noise = noise,
                                                                .start = start,
                                                                .values = values,
                                                                .draw = draw};
