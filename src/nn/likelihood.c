/* likelihood.c - the likelihoods of the command line's network, from their table. Distributions are found by name, so
 * that one that is not in the registry is an error of the run, not of the build. */
#include "nn/likelihood.h"
#include "nn/nn.h"

#include <string.h>

static const char FLAT[] = "flat_above:0"; /* of positive parameters without a prior */

static crd_dist positive_prior(crd_trace *t, const crd_network *n, const char *what, const char *text)
{
    crd_dist dist = {0};
    crd_status status = crd_dist_parse(t->ctx, crdi_network_plain(n) ? FLAT : text, &dist);
    if (status < 0) {
        if (t->status == CRD_OK)
            t->status = crdi_error_prefix(t->ctx, status, "%s", what);
        return (crd_dist){0};
    }
    if (dist.type->support(&dist).kind == CRD_POSITIVE || crdi_network_plain(n))
        return dist;
    crd_trace_fail(t, CRD_EPRIOR, (crd_where){0}, "%s '%s': its prior must be of positive numbers, as gamma:2,0.1 is",
                   what, text);
    return (crd_dist){0};
}

static crd_dist make_normal(crd_trace *t, const crd_network *n, const crd_dist_type *type, crd_node f, crd_node s)
{
    (void)t;
    (void)n;
    return (crd_dist){.type = type, .param = {f, s}};
}

static crd_dist make_student_t(crd_trace *t, const crd_network *n, const crd_dist_type *type, crd_node f, crd_node s)
{
    crd_dist prior = positive_prior(t, n, "df", n->df ? n->df : "gamma:2,0.1");
    if (prior.type && crdi_network_targets(n) > 1)
        prior = crd_dist_expand(prior, crd_shape_1(n->targets));
    crd_node df = prior.type ? crd_sample_at(t, "df", prior, (crd_where){0}) : crd_num(1);
    return (crd_dist){.type = type, .param = {df, f, s}};
}

static crd_dist make_logits(crd_trace *t, const crd_network *n, const crd_dist_type *type, crd_node f, crd_node s)
{
    (void)t;
    (void)n;
    (void)s;
    return (crd_dist){.type = type, .param = {f}};
}

static crd_dist make_poisson(crd_trace *t, const crd_network *n, const crd_dist_type *type, crd_node f, crd_node s)
{
    (void)t;
    (void)n;
    (void)s;
    return (crd_dist){.type = type, .param = {crd_exp(f)}};
}

static crd_dist make_negative_binomial(crd_trace *t, const crd_network *n, const crd_dist_type *type, crd_node f,
                                       crd_node s)
{
    (void)s;
    crd_dist prior = positive_prior(t, n, "concentration", n->concentration ? n->concentration : "gamma:2,0.1");
    crd_node k = prior.type ? crd_sample_at(t, "concentration", prior, (crd_where){0}) : crd_num(1);
    return (crd_dist){.type = type, .param = {crd_exp(f), k}};
}

#define make_bernoulli make_logits
#define make_categorical make_logits
static const crdi_likelihood likelihoods[] = {
#define LIKELIHOOD(name, dist, noisy, outcome, what) {#name, dist, what, CRDI_OUTCOME_##outcome, noisy, make_##name},
#include "nn/likelihoods.def"
#undef LIKELIHOOD
};

const char *crd_likelihood_name(int i)
{
    return i >= 0 && i < CRDI_COUNT(likelihoods) ? likelihoods[i].name : NULL;
}

const char *crd_likelihood_what(int i)
{
    return i >= 0 && i < CRDI_COUNT(likelihoods) ? likelihoods[i].what : NULL;
}

static const char *get_name(const void *list, int64_t i)
{
    (void)list;
    return likelihoods[i].name;
}

const crdi_likelihood *crdi_likelihood_find(crd_context *ctx, const char *name)
{
    name = name ? name : "normal";
    for (int i = 0; i < CRDI_COUNT(likelihoods); i++)
        if (strcmp(likelihoods[i].name, name) == 0)
            return &likelihoods[i];
    crdi_raise_unknown(ctx, "likelihood", name, get_name, NULL, CRDI_COUNT(likelihoods));
    return NULL;
}

int64_t crdi_network_width(const crd_network *network)
{
    bool categorical = network->likelihood && strcmp(network->likelihood, "categorical") == 0;
    return categorical ? network->classes : crdi_network_targets(network);
}

int64_t crdi_network_targets(const crd_network *network)
{
    return network->targets > 1 ? network->targets : 1;
}

bool crdi_network_heteroscedastic(const crd_network *network)
{
    return network->noise && strcmp(network->noise, "heteroscedastic") == 0;
}

bool crdi_network_plain(const crd_network *network)
{
    return network->prior && strcmp(network->prior, "none") == 0;
}

bool crdi_network_squares(const crd_network *network)
{
    bool normal = !network->likelihood || strcmp(network->likelihood, "normal") == 0;
    return normal && crdi_network_plain(network) && !crdi_network_heteroscedastic(network);
}

const char *crdi_network_loss_name(const crd_network *network)
{
    const char *name = network->likelihood ? network->likelihood : "normal";
    if (crdi_network_squares(network))
        return "squared error";
    return strcmp(name, "bernoulli") == 0 || strcmp(name, "categorical") == 0 ? "cross-entropy"
                                                                              : "minus log likelihood";
}

double crdi_network_weight(const crd_network *network)
{
    int64_t rows = network->x.shape.dim[0];
    double sum = 0;
    if (!network->class_weight || !network->y)
        return (double)rows;
    for (int64_t i = 0; i < rows; i++)
        sum += network->class_weight[(int64_t)network->y->data[i]];
    return sum;
}
