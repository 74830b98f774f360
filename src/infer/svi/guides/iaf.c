/* iaf.c - inverse autoregressive flows (Kingma et al. 2016, arXiv:1606.04934): u = loc + s z_T with s = softplus(rho),
 * z_0 = eps standard normal and, for t = 1 .. T,
 *   z_t = m_t + sigma_t z_(t-1)                               (their eq. 10; the form of NumPyro's AutoIAFNormal)
 *   [m_t, r_t] = network_t(z_(t-1)), log sigma_t = B tanh(r_t / B)
 *   log q(u) = log Normal(eps; 0, I) - sum over t of sum log sigma_t - sum log s    (their eq. 11)
 * where element i of m_t and r_t depends on elements before i of z_(t-1) only. Their gate (eq. 12 to 14, sigma a sigmoid)
 * cannot stretch; as in NumPyro the logarithm is the network's and is kept within bounds, B = 5 on both sides, but
 * smoothly, so that gradients are exact. Between flows the order of the elements is reversed.
 *
 * The networks are masked (Germain et al. 2015, MADE): two hidden layers of dim units with elu. Input i has degree i,
 * counted from 1, hidden units have degrees from 1 to dim - 1, spread evenly; a weight is there where the degree of the
 * unit it leads to is at least that of the one it comes from (their eq. 8), at an output above it (eq. 9). With dim = 1
 * outputs are biases and q is a normal.
 *
 * Parameters: loc, rho, and of each flow and layer the weights (in, out), row by row, and biases. The start: weights are
 * Glorot normal draws, those of the output layer a hundredth of that, biases 0. So m and log sigma are near 0, z_T is eps
 * in some order but for about a percent, and loc = u, s = init_scale make it the normal that is asked for. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <math.h>

enum { FLOWS = 3, MOST_FLOWS = 16, HIDDEN = 2, LAYERS = HIDDEN + 1, MOST_PARAMS = 5000000 };
_Static_assert(2 + 2 * LAYERS * MOST_FLOWS <= CRDI_GUIDE_VALUES, "all arrays of all flows are values");

static const double BOUND = 5, OUTPUT_SIZE = 0.01;

/* ---- sizes -------------------------------------------------------------------------------------------------- */

/* Units that a layer leads to, from dim of them. */
static int64_t units_of(const crdi_guide_part *part, int layer)
{
    return layer < HIDDEN ? part->dim : 2 * part->dim;
}

static int64_t params(const crdi_guide_part *part)
{
    int64_t flow = 0;
    for (int l = 0; l < LAYERS; l++)
        flow += (part->dim + 1) * units_of(part, l);
    return 2 * part->dim + part->argument * flow;
}

static int64_t noise(const crdi_guide_part *part)
{
    return part->dim;
}

/* ---- the start ---------------------------------------------------------------------------------------------- */

static void start(const crdi_guide_part *part, const double *u, double init_scale, crd_key key, double *out)
{
    int64_t n = part->dim;
    for (int64_t i = 0; i < n; i++) {
        out[i] = u[i];
        out[n + i] = crdi_softplus_inverse(init_scale);
    }
    out += 2 * n;
    for (int64_t k = 0; k < part->argument; k++)
        for (int l = 0; l < LAYERS; l++) {
            int64_t to = units_of(part, l);
            double deviation = sqrt(2 / (double)(n + to)) * (l < HIDDEN ? 1 : OUTPUT_SIZE) *
                               pow((double)n, 1); /* Glorot & Bengio 2010 */
            crd_random_normal(crd_key_fold_in(key, (uint32_t)(k * LAYERS + l)), n * to, out);
            for (int64_t i = 0; i < n * to; i++)
                out[i] *= deviation;
            for (int64_t i = 0; i < to; i++)
                out[n * to + i] = 0;
            out += (n + 1) * to;
        }
}

/* ---- masks -------------------------------------------------------------------------------------------------- */

/* Degrees of the units on level `level`: 0 are the inputs, LAYERS the outputs, m and then log sigma. */
static int64_t degree(const crdi_guide_part *part, int level, int64_t unit)
{
    int64_t n = part->dim;
    bool hidden = level > 0 && level < LAYERS;
    return 1 + (hidden ? unit * (n - 1) / n : unit % n);
}

static crd_node mask_of(const crdi_guide_part *part, crd_graph *graph, int layer)
{
    int64_t n = part->dim, to = units_of(part, layer);
    int64_t above = layer < HIDDEN ? 0 : 1;
    crd_array mask;
    if (crd_array_init(crd_graph_context(graph), &mask, crd_shape_2(n, to)) < 0)
        return (crd_node){graph, -1, 0};
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < to; c++)
            mask.data[r * to + c] =
                degree(part, layer + 1, c) >= degree(part, layer, r) + above ? pow((double)n, -1) : 0;
    crd_node node = crd_constant(graph, &mask);
    crd_array_clear(&mask);
    return node;
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    int64_t n = part->dim, at = 2 * n;
    crd_node mask[LAYERS];
    int count = 0;
    for (int l = 0; l < LAYERS; l++)
        mask[l] = mask_of(part, p.graph, l);
    value[count++] = crd_slice(p, 0, 0, n, 1);
    value[count++] = crd_softplus(crd_slice(p, 0, n, n, 1));
    for (int64_t k = 0; k < part->argument; k++)
        for (int l = 0; l < LAYERS; l++) {
            int64_t to = units_of(part, l);
            value[count++] = crd_mul(mask[l], crd_reshape(crd_slice(p, 0, at, n * to, 1), crd_shape_2(n, to)));
            value[count++] = crd_slice(p, 0, at + n * to, to, 1);
            at += (n + 1) * to;
        }
    return count;
}

static crd_node elu(crd_node x)
{
    return crd_select(crd_less(crd_num(0), x), x, crd_expm1(crd_min(x, crd_num(0))));
}

/* (dim, 1) -> (2 dim, 1): weights and biases of the layers in turn. */
static crd_node network(const crd_node *value, crd_node z)
{
    for (int l = 0; l < LAYERS; l++) {
        z = crd_affine(value[2 * l], z, value[2 * l + 1]);
        if (l < HIDDEN)
            z = elu(z);
    }
    return z;
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node eps)
{
    int64_t n = part->dim;
    crd_node z = crd_reshape(eps, crd_shape_2(n, 1)), stretch = crd_sum(crd_log(value[1]));
    for (int64_t k = 0; k < part->argument; k++) {
        if (k > 0)
            z = crd_slice(z, 0, n - 1, n, -1);
        crd_node both = network(value + 2 + k * 2 * LAYERS, z), shift = crd_slice(both, 0, 0, n, 1);
        crd_node log_scale =
            crd_mul(crd_num(BOUND), crd_tanh(crd_mul(crd_num(1 / BOUND), crd_slice(both, 0, n, n, 1))));
        z = crd_add(shift, crd_mul(crd_exp(log_scale), z));
        stretch = crd_add(stretch, crd_sum(log_scale));
    }
    return (crdi_guide_draw){.u = crd_add(value[0], crd_mul(value[1], crd_reshape(z, crd_shape_1(n)))),
                             .log_q = crdi_guide_log_noise(eps, n, stretch),
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_iaf = {.name = "iaf",
                                        .argument = "number of flows",
                                        .standard = FLOWS,
                                        .most = MOST_FLOWS,
                                        .most_params = MOST_PARAMS,
                                        .params = params,
                                        .noise = noise,
                                        .start = start,
                                        .values = values,
                                        .draw = draw};
