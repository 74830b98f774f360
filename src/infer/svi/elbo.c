/* elbo.c - see elbo.h.
 *
 *   trace              log q(u) - log p(x(u), y) - log |dx/du|, averaged over particles (Kucukelbir et al. 2017)
 *   trace_mean_field   the same with KL(q_i || p_i) in closed form for latent sites whose pair is known (here: a guide of
 *                      independent normals against a normal prior)
 *   renyi:alpha        -1 / (1 - alpha) log mean w^(1 - alpha), w = p(x, y) |dx/du| / q (Li & Turner 2016, eq. 4)
 *   importance_weighted  alpha = 0 (Burda et al. 2016) */
#include "infer/svi/elbo.h"

#include "model/place.h"

#include <math.h>
#include <string.h>

enum { LOSS, DIVERGENCE, LIKELIHOOD, GRADIENT }; /* places in a particle's output */

struct crdi_elbo {
    crd_context *ctx;
    crdi_loss loss;
    int64_t particles, params;
    crd_program *program;
    crd_exec *exec;
    double *gradients; /* (particles, params), for losses that weight them */
    double *log_weight; /* (particles) */
};

/* ---- names -------------------------------------------------------------------------------------------------- */

static const crdi_loss losses[] = {
    {"trace", false, 1}, {"trace_mean_field", true, 1}, {"renyi", false, 0.5}, {"importance_weighted", false, 0}};

static const char *loss_name(const void *list, int64_t i)
{
    (void)list;
    return losses[i].name;
}

crd_status crdi_loss_parse(crd_context *ctx, const char *text, crdi_loss *out)
{
    char name[64];
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (length < sizeof name) {
        memcpy(name, text, length);
        name[length] = 0;
        for (int i = 0; i < CRDI_COUNT(losses); i++) {
            if (strcmp(losses[i].name, name) != 0)
                continue;
            *out = losses[i];
            bool takes = strcmp(name, "renyi") == 0;
            if (colon && (!takes || !crdi_parse_double(colon + 1, &out->alpha) || !(out->alpha < 1)))
                return crdi_raise(ctx, CRD_EINVAL, "loss '%s': %s", text,
                                  takes ? "renyi takes a number below 1, as in 'renyi:0.5'" : "it takes no number");
            return CRD_OK;
        }
        return crdi_raise_unknown(ctx, "loss", name, loss_name, NULL, CRDI_COUNT(losses));
    }
    return crdi_raise(ctx, CRD_ENAME, "unknown loss '%.40s...'", text);
}

/* ---- one particle ------------------------------------------------------------------------------------------- */

/* KL(Normal(loc, scale) || prior), summed; crdi_nothing if the pair is not known. */
static crd_node divergence_from(const crd_message *m, crd_node loc, crd_node scale)
{
    if (strcmp(m->dist.type->name, "normal") != 0 || m->scale != 1 || m->has_mask)
        return crdi_nothing;
    crd_node mu = m->dist.param[0], sigma = m->dist.param[1];
    crd_node ratio = crd_div(scale, sigma), shift = crd_div(crd_sub(loc, mu), sigma);
    crd_node twice = crd_sub(crd_add(crd_square(ratio), crd_square(shift)), crd_num(1));
    return crd_sum(crd_sub(crd_mul(crd_num(0.5), twice), crd_log(ratio)));
}

static crd_node part_of(crd_node whole, const crd_site *site, crd_shape shape)
{
    return crd_reshape(crd_slice(whole, 0, site->offset, site->unconstrained_size, 1), shape);
}

/* The latent sites' share of the loss: log q - log p - log |dx/du|, analytic where the loss and the pair allow it. */
static crd_node divergence_of(const crd_model *model, const crdi_guide *guide, const crdi_loss *loss,
                              const crdi_guide_draw *draw, const crdi_placed *placed)
{
    bool apart = loss->mean_field && !crdi_is_nothing(draw->scale);
    crd_node sum = apart ? crd_num(0) : draw->log_q;
    for (int i = 0; i < crd_model_site_count(model); i++) {
        const crd_site *site = crd_model_site(model, i);
        const crdi_placed_site *at = &placed->site[i];
        crd_node term = crdi_nothing;
        if (apart && at->message->dist.type->support(&at->message->dist).kind == CRD_REAL)
            term = divergence_from(at->message, part_of(draw->loc, site, site->shape),
                                   part_of(draw->scale, site, site->shape));
        if (crdi_is_nothing(term)) {
            term = crd_neg(at->message->log_density);
            if (!guide->type->point)
                term = crd_sub(term, at->log_jacobian);
            if (apart)
                term =
                    crd_add(term, crd_sum(part_of(draw->log_q_element, site, crd_shape_1(site->unconstrained_size))));
        }
        sum = crd_add(sum, term);
    }
    return sum;
}

static crd_status compile_particle(const crd_model *model, const crdi_guide *guide, const crdi_loss *loss,
                                   crd_graph *graph, crd_program **out)
{
    crd_node input[2], output[GRADIENT + 1];
    crdi_placed placed;
    input[0] = crd_input(graph, "params", crd_shape_1(guide->type->params(guide)));
    input[1] = crd_input(graph, "key", crd_shape_1(2));
    crdi_guide_draw draw = guide->type->draw(guide, input[0], crd_key_fold_in_node(input[1], 0));
    CRD_TRY(crdi_model_place(model, graph, draw.u, crd_key_fold_in_node(input[1], 1), &placed));
    output[DIVERGENCE] = divergence_of(model, guide, loss, &draw, &placed);
    output[LIKELIHOOD] = crd_neg(placed.log_likelihood);
    output[LOSS] = crd_add(output[DIVERGENCE], output[LIKELIHOOD]);
    crd_gradient(output[LOSS], &input[0], 1, &output[GRADIENT]);
    for (int i = 0; i < GRADIENT; i++)
        if (!output[i].graph)
            output[i] = crdi_constant_scalar(graph, output[i].number);
    crd_status status = crd_compile(graph, input, 2, output, GRADIENT + 1, out);
    crdi_placed_clear(&placed);
    return status;
}

static crd_status fill(crdi_elbo *elbo, const crd_model *model, const crdi_guide *guide)
{
    crd_graph *graph;
    CRD_TRY(crd_graph_create(&graph, elbo->ctx));
    crd_status status = compile_particle(model, guide, &elbo->loss, graph, &elbo->program);
    crd_graph_destroy(&graph);
    CRD_TRY(status);
    CRD_TRY(crd_exec_create(&elbo->exec, elbo->program));
    elbo->gradients = crdi_alloc_array(elbo->ctx, elbo->particles * elbo->params, sizeof(double));
    elbo->log_weight = crdi_alloc_array(elbo->ctx, elbo->particles, sizeof(double));
    return elbo->gradients && elbo->log_weight ? CRD_OK : CRD_ENOMEM;
}

crd_status crdi_elbo_create(crdi_elbo **out, const crd_model *model, const crdi_guide *guide, const crdi_loss *loss,
                            int64_t particles)
{
    crd_context *ctx = crd_model_context(model);
    if (guide->type->point && loss->alpha != 1)
        return crdi_raise(ctx, CRD_EUNSUPPORTED, "loss %s needs the density of the guide, %s is a point", loss->name,
                          guide->type->name);
    if (loss->mean_field && strcmp(guide->type->name, "normal") != 0 && !guide->type->point)
        return crdi_raise(ctx, CRD_EUNSUPPORTED,
                          "loss trace_mean_field needs a guide of independent elements (normal, delta), %s is none; "
                          "'trace' serves every guide",
                          guide->type->name);
    crdi_elbo *elbo = crdi_alloc(ctx, sizeof *elbo);
    if (!elbo)
        return CRD_ENOMEM;
    *elbo = (crdi_elbo){.ctx = ctx, .loss = *loss, .particles = particles, .params = guide->type->params(guide)};
    crd_status status = fill(elbo, model, guide);
    if (status < 0) {
        crdi_elbo_destroy(&elbo);
        return status;
    }
    *out = elbo;
    return CRD_OK;
}

void crdi_elbo_destroy(crdi_elbo **elbo)
{
    if (!elbo || !*elbo)
        return;
    crdi_elbo *e = *elbo;
    crd_exec_destroy(&e->exec);
    crd_program_destroy(&e->program);
    crdi_free(e->ctx, e->gradients);
    crdi_free(e->ctx, e->log_weight);
    crdi_free(e->ctx, e);
    *elbo = NULL;
}

int64_t crdi_elbo_params(const crdi_elbo *elbo)
{
    return elbo->params;
}

/* ---- all particles ------------------------------------------------------------------------------------------ */

static void run_particle(crdi_elbo *e, const double *params, crd_key key)
{
    double *input = crd_exec_input(e->exec);
    memcpy(input, params, sizeof *params * (size_t)e->params);
    input[e->params] = key.word[0];
    input[e->params + 1] = key.word[1];
    crd_exec_run(e->exec);
}

/* Renyi's bound: the gradients weighted by w^(1 - alpha), which sum to one. */
static double combine(crdi_elbo *e, double *gradient)
{
    double power = 1 - e->loss.alpha, largest = -INFINITY, sum = 0;
    for (int64_t p = 0; p < e->particles; p++)
        largest = fmax(largest, power * e->log_weight[p]);
    for (int64_t p = 0; p < e->particles; p++)
        sum += exp(power * e->log_weight[p] - largest);
    memset(gradient, 0, sizeof *gradient * (size_t)e->params);
    for (int64_t p = 0; p < e->particles; p++) {
        double weight = exp(power * e->log_weight[p] - largest) / sum;
        for (int64_t i = 0; i < e->params; i++)
            gradient[i] += weight * e->gradients[p * e->params + i];
    }
    return -(largest + log(sum / (double)e->particles)) / power;
}

void crdi_elbo_evaluate(crdi_elbo *e, const double *params, crd_key key, crdi_elbo_value *value, double *gradient)
{
    const double *out = crd_exec_output(e->exec);
    double share = 1 / (double)e->particles;
    *value = (crdi_elbo_value){.finite = true};
    memset(gradient, 0, sizeof *gradient * (size_t)e->params);
    for (int64_t p = 0; p < e->particles; p++) {
        run_particle(e, params, crd_key_fold_in(key, (uint32_t)p));
        value->loss += share * out[LOSS];
        value->divergence += share * out[DIVERGENCE];
        value->likelihood += share * out[LIKELIHOOD];
        e->log_weight[p] = -out[LOSS];
        if (e->loss.alpha != 1)
            memcpy(e->gradients + p * e->params, out + GRADIENT, sizeof(double) * (size_t)e->params);
        else
            for (int64_t i = 0; i < e->params; i++)
                gradient[i] += share * out[GRADIENT + i];
    }
    if (e->loss.alpha != 1)
        value->loss = combine(e, gradient);
    value->finite = isfinite(value->loss);
    for (int64_t i = 0; i < e->params && value->finite; i++)
        value->finite = isfinite(gradient[i]);
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

crd_status crdi_elbo_compile_draw(const crd_model *model, const crdi_guide *guide, crd_program **out)
{
    crd_context *ctx = crd_model_context(model);
    int sites = crd_model_site_count(model);
    crd_graph *graph;
    crd_node input[2], *output = crdi_alloc_array(ctx, sites + 1, sizeof *output);
    crdi_placed placed = {0};
    if (!output)
        return CRD_ENOMEM;
    crd_status status = crd_graph_create(&graph, ctx);
    if (status == CRD_OK) {
        input[0] = crd_input(graph, "params", crd_shape_1(guide->type->params(guide)));
        input[1] = crd_input(graph, "key", crd_shape_1(2));
        output[0] = guide->type->draw(guide, input[0], crd_key_fold_in_node(input[1], 0)).u;
        status = crdi_model_place(model, graph, output[0], crd_key_fold_in_node(input[1], 1), &placed);
        for (int i = 0; i < sites && status == CRD_OK; i++)
            output[i + 1] = placed.site[i].message->value;
        if (status == CRD_OK)
            status = crd_compile(graph, input, 2, output, sites + 1, out);
        crdi_placed_clear(&placed);
        crd_graph_destroy(&graph);
    }
    crdi_free(ctx, output);
    return status;
}
