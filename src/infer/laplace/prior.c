/* prior.c - what the priors of the weights say near a point: their log densities, and how these curve.
 *
 * A normal prior has one precision everywhere. Another one is taken as minus the second derivative of its log density at the
 * most probable weights, which must be above 0 there. */
#include "infer/laplace/laplace.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

static const char *site_name(const crdi_laplace *l, int k, bool bias)
{
    return crd_model_site(l->model, bias ? l->layer[k].bias_site : l->layer[k].kernel_site)->name;
}

/* The element i of a known node that broadcasts from a number or has all elements. */
static double known_at(const double *element, crd_node node, int64_t i)
{
    return element ? element[crd_shape_size(crd_node_shape(node)) == 1 ? 0 : i] : node.number;
}

/* Means of a normal prior into loc; false if the prior is another one. */
static bool read_normal(const crd_message *m, double *loc)
{
    const double *element = NULL;
    int64_t size = crd_shape_size(m->shape), given = crd_shape_size(crd_node_shape(m->dist.param[0]));
    if (strcmp(m->dist.type->name, "normal") != 0 || (given != 1 && given != size))
        return false;
    if (m->dist.param[0].graph)
        crd_node_known(m->dist.param[0], &element);
    for (int64_t i = 0; i < size; i++)
        loc[i] = known_at(element, m->dist.param[0], i);
    return true;
}

static crd_status check_site(crdi_laplace *l, const crd_message *m, const char *name)
{
    bool known = m && m->kind == CRD_MESSAGE_SAMPLE && crdi_shape_equal(m->shape, m->batch) && !m->dist.type->compound;
    for (int i = 0; known && i < m->dist.type->param_count; i++)
        known = !m->dist.param[i].graph || crd_node_known(m->dist.param[i], NULL);
    if (!known)
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace: the prior of %s has a scale that is a site itself; it needs a prior with parameters "
            "that are known, as normal:0,1 (--tune prior finds their scale)",
            name);
    if (m->dist.type->support(&m->dist).kind != CRD_REAL)
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "method laplace: the prior %s of %s is not of all numbers: its maximum may lie on a border, where no "
            "normal goes round it",
            m->dist.type->name, name);
    return CRD_OK;
}

/* log p of each weight of a site. */
static crd_status add_site(crdi_laplace *l, const crd_trace *trace, int k, bool bias, crd_node theta, crd_node *out)
{
    const char *name = site_name(l, k, bias);
    const crd_message *m = crd_trace_find(trace, name);
    CRD_TRY(check_site(l, m, name));
    int64_t first = l->layer[k].first + (bias ? l->layer[k].in * l->layer[k].out : 0), size = crd_shape_size(m->shape);
    if (!read_normal(m, l->loc + first))
        l->normal_priors = false;
    crd_node w = crd_reshape(crd_slice(theta, 0, first, size, 1), m->shape);
    *out = crd_reshape(crd_broadcast_to(crd_dist_log_prob(&m->dist, w), m->shape), crd_shape_1(size));
    return CRD_OK;
}

/* A weight's density has no other weight in it, so the derivative of the sum of all slopes is each weight's own. */
static crd_status build(crdi_laplace *l, const crd_trace *trace)
{
    crd_node part[2 * CRDI_LAPLACE_LAYERS], out[2], slope, curve;
    crd_node theta = crd_input(trace->graph, "theta", crd_shape_1(l->count));
    for (int k = 0; k < l->layers; k++) {
        CRD_TRY(add_site(l, trace, k, false, theta, &part[2 * k]));
        CRD_TRY(add_site(l, trace, k, true, theta, &part[2 * k + 1]));
    }
    out[0] = crd_concat(part, 2 * l->layers, 0);
    crd_gradient(crd_sum(out[0]), &theta, 1, &slope);
    crd_gradient(crd_sum(slope), &theta, 1, &curve);
    out[1] = crd_neg(curve);
    return crd_compile(trace->graph, &theta, 1, out, 2, &l->prior_program);
}

crd_status crdi_laplace_compile_prior(crdi_laplace *l)
{
    crd_trace *trace;
    crd_seed_handler seed;
    CRD_TRY(crd_trace_create(&trace, l->ctx));
    crd_seed_init(&seed, crd_input(crd_trace_graph(trace), "key", crd_shape_1(2)));
    l->normal_priors = true;
    crd_status status = crd_trace_push(trace, &seed.handler);
    if (status == CRD_OK)
        status = crd_trace_run(trace, crd_network_model, &l->network);
    if (status == CRD_OK)
        status = build(l, trace);
    crd_trace_destroy(&trace);
    return status == CRD_OK ? crd_exec_create(&l->prior, l->prior_program) : status;
}

crd_status crdi_laplace_read_prior(crdi_laplace *l)
{
    memcpy(crd_exec_input(l->prior), l->theta, sizeof(double) * (size_t)l->count);
    crd_exec_run(l->prior);
    memcpy(l->log_prior, crd_exec_output(l->prior), sizeof(double) * (size_t)l->count);
    memcpy(l->precision, crd_exec_output(l->prior) + l->count, sizeof(double) * (size_t)l->count);
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = 0; i < l->layer[k].size; i++) {
            int64_t at = l->layer[k].first + i;
            if (at < l->first || (l->precision[at] > 0 && isfinite(l->precision[at])))
                continue;
            return crdi_raise(
                l->ctx, CRD_EUNSUPPORTED,
                "method laplace: the log density of the prior of %s does not curve downwards at the most probable "
                "weights (second derivative %.3g at %.3g), and no normal goes round them; a normal prior does",
                site_name(l, k, i >= l->layer[k].in * l->layer[k].out), -l->precision[at], l->theta[at]);
        }
    return CRD_OK;
}

double crdi_laplace_log_prior(const crdi_laplace *l, double *squares)
{
    double sum = 0;
    for (int g = 0; squares && g < l->groups; g++)
        squares[g] = 0;
    for (int k = 0; k < l->layers; k++) {
        double factor = l->factor[l->layer[k].group], half_log = 0.5 * log(factor);
        if (l->layer[k].first < l->first)
            continue;
        for (int64_t i = l->layer[k].first; i < l->layer[k].first + l->layer[k].size; i++) {
            if (!l->normal_priors) {
                sum += l->log_prior[i];
                continue;
            }
            double away = l->theta[i] - l->loc[i], square = l->precision[i] * away * away;
            sum += half_log + 0.5 * log(l->precision[i]) - HALF_LOG_2PI - 0.5 * factor * square;
            if (squares)
                squares[l->layer[k].group] += square;
        }
    }
    return sum;
}

double crdi_laplace_pull(const crdi_laplace *l, const double *theta, double *gradient)
{
    double sum = 0;
    for (int k = 0; k < l->layers; k++) {
        double more = l->factor[l->layer[k].group] - 1;
        if (more == 0)
            continue;
        for (int64_t i = l->layer[k].first; i < l->layer[k].first + l->layer[k].size; i++) {
            double away = theta[i] - l->loc[i];
            sum -= 0.5 * more * l->precision[i] * away * away;
            gradient[i] -= more * l->precision[i] * away;
        }
    }
    return sum;
}

/* A rule for each parameter of the network. The standard deviation is that of its first weight: a normal prior has one. */
crd_status crdi_laplace_prior_text(const crdi_laplace *l, crdi_string *out)
{
    char loc[32], sd[32];
    for (int k = 0; k < l->layers; k++)
        for (int bias = 1; bias >= 0; bias--) {
            int64_t at = l->layer[k].first + (bias ? l->layer[k].in * l->layer[k].out : 0);
            double precision = l->factor[l->layer[k].group] * l->precision[at];
            crdi_string_append(out, "%s%s=normal:%s,%s", out->length ? ";" : "", site_name(l, k, bias),
                               crdi_format_double(loc, l->loc[at]), crdi_format_double(sd, 1 / sqrt(precision)));
        }
    return out->status;
}
