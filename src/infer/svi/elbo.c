/* elbo.c - see elbo.h.
 *
 *   trace              log q(u) - log p(x(u), y) - log |dx/du|, averaged over particles (Kucukelbir et al. 2017)
 *   trace_mean_field   the same with KL(q_i || p_i) in closed form for latent sites whose pair is known
 *   renyi:alpha        -1 / (1 - alpha) log mean w^(1 - alpha), w = p(x, y) |dx/du| / q (Li & Turner 2016, eq. 4)
 *   importance_weighted  alpha = 0 (Burda et al. 2016)
 *
 * Each particle is differentiated in what draws are made of (locations, scales), and the sum of these gradients is then
 * carried through to the parameters once. */
#include "infer/svi/elbo.h"

#include "dist/dist.h"
#include "model/place.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- names -------------------------------------------------------------------------------------------------- */

static const crdi_loss_type losses[] = {
    {"trace", "minus the evidence lower bound", false, false, 1},
    {"trace_mean_field", "the same with divergences in closed form where they are known", true, false, 1},
    {"renyi", "Renyi's bound of order alpha below 1: 'renyi:0.5'", false, true, 0.5},
    {"importance_weighted", "the bound of the mean importance weight of the particles", false, false, 0}};

static const char *loss_name(const void *list, int64_t i)
{
    (void)list;
    return losses[i].name;
}

const crdi_loss_type *crdi_loss_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(losses) ? &losses[i] : NULL;
}

static crd_status take_alpha(crd_context *ctx, const char *text, const char *number, crdi_loss *loss)
{
    if (!loss->type->takes_alpha)
        return crdi_raise(ctx, CRD_EINVAL, "loss '%s': %s takes no number", text, loss->type->name);
    if (!crdi_parse_double(number, &loss->alpha) || !(loss->alpha < 1) || !(loss->alpha > -1e6))
        return crdi_raise(ctx, CRD_EINVAL, "loss '%s': renyi takes a number below 1, as in 'renyi:0.5'", text);
    return CRD_OK;
}

crd_status crdi_loss_parse(crd_context *ctx, const char *text, crdi_loss *out)
{
    char name[64];
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), text);
    for (int i = 0; i < CRDI_COUNT(losses); i++)
        if (strcmp(losses[i].name, name) == 0) {
            *out = (crdi_loss){&losses[i], losses[i].alpha};
            return colon ? take_alpha(ctx, text, colon + 1, out) : CRD_OK;
        }
    return crdi_raise_unknown(ctx, "loss", name, loss_name, NULL, CRDI_COUNT(losses));
}

static bool has_normal(const crdi_guide *guide)
{
    for (int k = 0; k < guide->part_count; k++)
        if (strcmp(guide->part[k].type->name, "normal") == 0 || guide->part[k].type->point)
            return true;
    return guide->hand != NULL;
}

crd_status crdi_loss_check(const crdi_guide *guide, const crdi_loss *loss)
{
    if (loss->alpha != 1 && !crdi_guide_has_density(guide))
        return crdi_raise(
            guide->ctx, CRD_EUNSUPPORTED,
            "loss %s needs the density of the guide; a guide with a point (delta, laplace) has none, 'trace' "
            "serves it",
            loss->type->name);
    if (loss->type->mean_field && !has_normal(guide))
        return crdi_raise(
            guide->ctx, CRD_EUNSUPPORTED,
            "loss trace_mean_field needs a guide with independent sites (normal, delta, or one written by "
            "hand), %s has none; 'trace' serves every guide",
            guide->part[0].type->name);
    return CRD_OK;
}

/* ---- one particle ------------------------------------------------------------------------------------------- */

enum { MOST_VALUES = 64 };

/* A graph that is being built. */
struct builder {
    const crdi_guide *guide;
    void *user; /* the model's, perhaps with other data than the guide was made with */
    const crdi_loss *loss;
    const char *shuffle; /* a plate whose rows are given; NULL: none */
    crd_node rows; /* of it */
    crd_graph *graph;
    crd_node params, key;
    crd_node noise; /* (particles, noise of all parts) */
    int64_t noise_count;
    /* What draws are made of: of each part its values, then those of the parameters. Some are formulas of others, so
     * draws take a copy of each through which no gradient flows: what a loss is differentiated in. */
    crd_node *value, *copy;
    int value_count;
    int *value_at; /* by part */
    int param_at; /* of the first parameter */
};

struct particle {
    crd_node log_joint; /* log p(x, y) + log |dx/du| */
    crd_node log_q;
    crd_node divergence, likelihood;
    crd_node score; /* log q of sites without a reparameterised draw; crdi_nothing: there are none */
    crd_trace *hand; /* owned; NULL: no guide by hand */
    crdi_placed placed;
};

static int find_param(void *user, const crd_message *m, crd_node *value)
{
    const struct builder *b = user;
    if (m->kind == CRD_MESSAGE_PLATE && b->shuffle && strcmp(m->name, b->shuffle) == 0) {
        *value = b->rows;
        return 1;
    }
    if (m->kind != CRD_MESSAGE_PARAM)
        return 0;
    for (int i = 0; i < b->guide->param_count; i++)
        if (strcmp(b->guide->param[i].name, m->name) == 0) {
            *value = b->copy[b->param_at + i];
            return 1;
        }
    return 0;
}

static crd_node part_of(crd_node whole, int64_t from, int64_t count)
{
    return crd_slice(whole, 0, from, count, 1);
}

/* Draws from the parts, and puts them together in the layout's order. */
static crd_node draw_parts(const struct builder *b, int64_t p, crdi_guide_draw *draw)
{
    const crdi_guide *g = b->guide;
    crd_node row = b->noise_count > 0 ? crd_take(b->noise, 0, p) : crdi_nothing;
    int64_t at = 0;
    for (int k = 0; k < g->part_count; k++) {
        int64_t need = g->part[k].type->noise(&g->part[k]);
        draw[k] =
            g->part[k].type->draw(&g->part[k], &b->copy[b->value_at[k]], need ? part_of(row, at, need) : crdi_nothing);
        at += need;
    }
    int sites = g->model ? crd_model_site_count(g->model) : 0;
    if (g->part_count <= 1 || sites == 1)
        return g->part_count == 1 ? draw[0].u : crdi_nothing;
    crd_node *piece = crdi_alloc_array(g->ctx, sites, sizeof *piece);
    if (!piece)
        return (crd_node){b->graph, -1, 0};
    for (int i = 0; i < sites; i++)
        piece[i] = part_of(draw[g->part_of[i]].u, g->place[i], crd_model_site(g->model, i)->unconstrained_size);
    crd_node u = crd_concat(piece, sites, 0);
    crdi_free(g->ctx, piece);
    return u;
}

static void add(crd_node *sum, crd_node term)
{
    *sum = crdi_is_nothing(*sum) ? term : crd_add(*sum, term);
}

/* KL(q || p) summed over a site; crdi_nothing if there is no formula, or a mask that it does not know of. */
static crd_node divergence_of_pair(const crd_dist *q, const crd_message *p)
{
    if (p->has_mask || !crd_kl_exists(q, &p->dist))
        return crdi_nothing;
    crd_node sum = crd_sum(crd_broadcast_to(crd_kl(q, &p->dist), p->batch));
    return p->scale == 1 ? sum : crd_mul(crd_num(p->scale), sum);
}

/* A site of a part of independent normals: the divergence of Normal(loc, scale), or of the log normal that it makes of a
 * positive site, from its prior. */
static crd_node divergence_of_site(const struct builder *b, const crdi_guide_draw *draw, int i, const crd_message *p)
{
    const crd_site *site = crd_model_site(b->guide->model, i);
    crd_shape event;
    crd_constraint kind = p->dist.type->support(&p->dist).kind;
    if (!b->loss->type->mean_field || crdi_is_nothing(draw->scale) || (kind != CRD_REAL && kind != CRD_POSITIVE) ||
        site->size != site->unconstrained_size || !crd_dist_event_shape(&p->dist, &event) ||
        event.ndim != p->dist.joined)
        return crdi_nothing;
    int64_t at = b->guide->place[i];
    crd_node loc = crd_reshape(part_of(draw->loc, at, site->size), site->shape);
    crd_node scale = crd_reshape(part_of(draw->scale, at, site->size), site->shape);
    crd_dist q = kind == CRD_REAL ? crd_normal(loc, scale) : crd_log_normal(loc, scale);
    if (p->dist.joined)
        q = crd_dist_to_event(q, p->dist.joined);
    return divergence_of_pair(&q, p);
}

/* Sites of automatic parts: whole parts where no pair is known, else each site apart. */
static void add_parts(const struct builder *b, const crdi_guide_draw *draw, struct particle *out)
{
    const crdi_guide *g = b->guide;
    int sites = g->model ? crd_model_site_count(g->model) : 0;
    for (int k = 0; k < g->part_count; k++) {
        bool apart = b->loss->type->mean_field && !crdi_is_nothing(draw[k].scale);
        add(&out->log_q, draw[k].log_q);
        if (!apart && !g->part[k].type->point)
            add(&out->divergence, draw[k].log_q);
    }
    for (int i = 0; i < sites; i++) {
        const crd_message *p = out->placed.message[i];
        const crdi_guide_draw *own = &draw[g->part_of[i]];
        const crdi_guide_type *type = g->part[g->part_of[i]].type;
        crd_node known = divergence_of_site(b, own, i, p), log_p = p->log_density;
        crd_node of_u = crd_add(log_p, out->placed.log_jacobian[i]);
        add(&out->log_joint, of_u);
        if (!type->point || type->jacobian)
            log_p = of_u;
        if (!crdi_is_nothing(known)) {
            add(&out->divergence, known);
            continue;
        }
        add(&out->divergence, crd_neg(log_p));
        if (b->loss->type->mean_field && !crdi_is_nothing(own->scale)) {
            int64_t size = crd_model_site(g->model, i)->unconstrained_size;
            add(&out->divergence, crd_sum(part_of(own->log_q_element, g->place[i], size)));
        }
    }
}

/* Sites of the guide written by hand. */
static void add_hand(const struct builder *b, struct particle *out)
{
    for (int i = 0; out->hand && i < crd_trace_count(out->hand); i++) {
        const crd_message *q = crd_trace_site(out->hand, i);
        if (q->kind != CRD_MESSAGE_SAMPLE && q->kind != CRD_MESSAGE_FACTOR)
            continue;
        const crd_message *p = crdi_is_latent(q) ? crd_trace_find(out->placed.trace, q->name) : NULL;
        bool scored = p && !crdi_dist_reparameterised(&q->dist);
        /* The expectation of log q's own slope at a given draw is 0: it would only be noise. */
        crd_node log_q = scored ? crd_stop_gradient(q->log_density) : q->log_density;
        crd_node known = p && b->loss->type->mean_field && q->scale == 1 && !q->has_mask
                             ? divergence_of_pair(&q->dist, p)
                             : crdi_nothing;
        add(&out->log_q, q->log_density);
        if (p)
            add(&out->log_joint, p->log_density);
        if (!crdi_is_nothing(known))
            add(&out->divergence, known);
        else
            add(&out->divergence, p ? crd_sub(log_q, p->log_density) : log_q);
        if (scored) /* of the draws as they were made: a scale does not count */
            add(&out->score, crd_sum(q->log_prob));
    }
}

static void add_likelihood(struct particle *out)
{
    for (int i = 0; i < crd_trace_count(out->placed.trace); i++) {
        const crd_message *m = crd_trace_site(out->placed.trace, i);
        if (crdi_is_latent(m) || (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_FACTOR))
            continue;
        add(&out->likelihood, crd_neg(m->log_density));
        add(&out->log_joint, m->log_density);
    }
}

static crd_node or_zero(crd_node node)
{
    return crdi_is_nothing(node) ? crd_num(0) : node;
}

/* Draws without a reparameterisation are constants: a gradient of some of their parameters would count twice. */
static void detach(crd_handler *self, crd_trace *trace, crd_message *m)
{
    (void)self;
    (void)trace;
    if (m->kind == CRD_MESSAGE_SAMPLE && m->has_value && !m->observed && !crdi_dist_reparameterised(&m->dist))
        m->value = crd_stop_gradient(m->value);
}

static crd_status trace_hand(const struct builder *b, crd_node key, crd_trace **out)
{
    crd_handler detached = {.process = detach};
    crd_seed_handler seed;
    crd_substitute_handler params;
    CRD_TRY(crd_trace_create_in(out, b->graph));
    crd_seed_init(&seed, key);
    crd_substitute_init(&params, find_param, (void *)b);
    CRD_TRY(crd_trace_push(*out, &detached)); /* behind the seed: it sees what that has drawn */
    CRD_TRY(crd_trace_push(*out, &seed.handler));
    CRD_TRY(crd_trace_push(*out, &params.handler));
    return crd_trace_run(*out, b->guide->hand, b->guide->hand_user);
}

static crd_status build_particle(const struct builder *b, int64_t p, struct particle *out)
{
    const crdi_guide *g = b->guide;
    crdi_guide_draw *draw = crdi_alloc_array(g->ctx, g->part_count + 1, sizeof *draw);
    crd_node key = crd_key_fold_in_node(b->key, (uint32_t)p + 1);
    *out = (struct particle){crdi_nothing, crdi_nothing, crdi_nothing, crdi_nothing, crdi_nothing, NULL, {0}};
    if (!draw)
        return CRD_ENOMEM;
    crd_node u = draw_parts(b, p, draw);
    crd_status status = g->hand ? trace_hand(b, crd_key_fold_in_node(key, 0), &out->hand) : CRD_OK;
    if (status == CRD_OK)
        status = crdi_place(g->ctx,
                            &(crdi_place_request){.graph = b->graph,
                                                  .fn = g->fn,
                                                  .user = b->user,
                                                  .layout = g->model,
                                                  .u = u,
                                                  .recorded = out->hand,
                                                  .params = g->param_count || b->shuffle ? find_param : NULL,
                                                  .params_user = (void *)b,
                                                  .key = crd_key_fold_in_node(key, 1)},
                            &out->placed);
    if (status == CRD_OK) {
        add_parts(b, draw, out);
        add_hand(b, out);
        add_likelihood(out);
        out->divergence = or_zero(out->divergence);
        out->likelihood = or_zero(out->likelihood);
        out->log_q = or_zero(out->log_q);
        out->log_joint = or_zero(out->log_joint);
    }
    crdi_free(g->ctx, draw);
    return status;
}

static void particle_clear(struct particle *p)
{
    crdi_placed_clear(&p->placed);
    crd_trace_destroy(&p->hand);
}

/* ---- what all particles share ------------------------------------------------------------------------------- */

static crd_status begin(struct builder *b, int64_t particles)
{
    const crdi_guide *g = b->guide;
    int most = g->part_count * CRDI_GUIDE_VALUES + g->param_count;
    b->params = crd_input(b->graph, "params", crd_shape_1(g->params));
    b->key = crd_input(b->graph, "key", crd_shape_1(2));
    b->value = crdi_alloc_array(g->ctx, most + 1, sizeof *b->value);
    b->value_at = crdi_alloc_array(g->ctx, g->part_count + 1, sizeof *b->value_at);
    b->copy = crdi_alloc_array(g->ctx, most + 1, sizeof *b->copy);
    if (!b->value || !b->value_at || !b->copy)
        return CRD_ENOMEM;
    for (int k = 0; k < g->part_count; k++) {
        const crdi_guide_part *part = &g->part[k];
        b->value_at[k] = b->value_count;
        b->noise_count += part->type->noise(part);
        b->value_count += part->type->values(part, part_of(b->params, part->params_at, part->type->params(part)),
                                             &b->value[b->value_count]);
    }
    b->param_at = b->value_count;
    for (int i = 0; i < g->param_count; i++) {
        const crdi_guide_param *p = &g->param[i];
        crd_node u = crd_reshape(part_of(b->params, p->at, p->size), p->unconstrained);
        b->value[b->value_count++] = crd_bijection_forward(p->support, u);
    }
    for (int v = 0; v < b->value_count; v++)
        b->copy[v] = crd_stop_gradient(b->value[v]);
    if (b->noise_count > 0)
        b->noise = crd_random_normal_node(crd_key_fold_in_node(b->key, 0), crd_shape_2(particles, b->noise_count));
    return CRD_OK;
}

static void end(struct builder *b)
{
    crdi_free(b->guide->ctx, b->value);
    crdi_free(b->guide->ctx, b->value_at);
    crdi_free(b->guide->ctx, b->copy);
}

/* ---- all particles ------------------------------------------------------------------------------------------ */

struct sums {
    crd_node *loss; /* by particle */
    crd_node *gradient; /* (particles, values) */
    crd_node divergence, likelihood;
    crd_node *score; /* by particle; crdi_nothing */
    bool scored;
};

static crd_status add_particles(struct builder *b, int64_t particles, struct sums *s)
{
    for (int64_t p = 0; p < particles; p++) {
        struct particle particle;
        crdi_graph_set_strand(b->graph, (int32_t)p + 1);
        crd_status status = build_particle(b, p, &particle);
        if (status == CRD_OK) {
            s->loss[p] = crd_add(particle.divergence, particle.likelihood);
            s->score[p] = particle.score;
            s->scored = s->scored || !crdi_is_nothing(particle.score);
            if (s->loss[p].graph)
                crd_gradient(s->loss[p], b->copy, b->value_count, s->gradient + p * b->value_count);
            else
                status = crdi_raise(b->guide->ctx, CRD_EINVAL, "the loss does not depend on the guide's parameters");
        }
        crdi_graph_set_strand(b->graph, 0);
        if (status == CRD_OK) {
            add(&s->divergence, particle.divergence);
            add(&s->likelihood, particle.likelihood);
        }
        particle_clear(&particle);
        CRD_TRY(status);
    }
    return CRD_OK;
}

/* The score terms' gradients: (loss - baseline) d score. */
static void add_scores(const struct builder *b, const struct sums *s, int64_t particles, crd_node baseline)
{
    crd_node total = crdi_nothing;
    for (int64_t p = 0; p < particles; p++)
        add(&total, s->loss[p]);
    for (int64_t p = 0; p < particles; p++) {
        if (crdi_is_nothing(s->score[p]) || !s->score[p].graph)
            continue;
        if (particles > 1)
            baseline = crd_div(crd_sub(total, s->loss[p]), crd_num((double)(particles - 1)));
        crd_node gain = crd_stop_gradient(crd_sub(s->loss[p], baseline)), slope[MOST_VALUES];
        for (int from = 0; from < b->value_count; from += MOST_VALUES) {
            int count = b->value_count - from < MOST_VALUES ? b->value_count - from : MOST_VALUES;
            crd_gradient(s->score[p], b->copy + from, count, slope);
            for (int v = 0; v < count; v++) {
                crd_node *gradient = &s->gradient[p * b->value_count + from + v];
                *gradient = crd_add(*gradient, crd_mul(gain, slope[v]));
            }
        }
    }
}

/* The bound, and each particle's weight in its gradient. */
static crd_node bound(const crdi_loss *loss, const struct sums *s, int64_t particles, crd_node *weight)
{
    crd_node total = crdi_nothing, share = crd_num(1 / (double)particles);
    double power = 1 - loss->alpha;
    if (loss->alpha == 1 || particles == 1) {
        for (int64_t p = 0; p < particles; p++) {
            add(&total, s->loss[p]);
            weight[p] = share;
        }
        return crd_mul(share, total);
    }
    crd_node *row = weight; /* scaled log weights for a moment, each as an array of one */
    for (int64_t p = 0; p < particles; p++)
        row[p] = crd_reshape(crd_mul(crd_num(-power), s->loss[p]), crd_shape_1(1));
    crd_node all = crd_concat(row, (int)particles, 0);
    crd_node log_sum = crd_logsumexp(all, 0);
    crd_node weights = crd_exp(crd_sub(all, log_sum));
    for (int64_t p = 0; p < particles; p++)
        weight[p] = crd_take(weights, 0, p);
    return crd_mul(crd_num(-1 / power), crd_add(log_sum, crd_num(-log((double)particles))));
}

/* The gradient in the parameters: a linear form in the values whose coefficients are the weighted sums, differentiated. */
static crd_node carry(const struct builder *b, const struct sums *s, int64_t particles, const crd_node *weight,
                      bool equal)
{
    crd_node form = crdi_nothing, gradient;
    for (int v = 0; v < b->value_count; v++) {
        crd_node sum = crdi_nothing;
        for (int64_t p = 0; p < particles; p++) {
            crd_node one = s->gradient[p * b->value_count + v];
            add(&sum, equal ? one : crd_mul(weight[p], one));
        }
        if (equal)
            sum = crd_mul(weight[0], sum);
        add(&form, crd_sum(crd_mul(crd_stop_gradient(sum), b->value[v])));
    }
    crd_gradient(form, &b->params, 1, &gradient);
    return gradient;
}

static crd_status compile(struct builder *b, struct sums *s, int64_t particles, crdi_elbo *out)
{
    crd_node input[4] = {b->params, b->key, crd_input(b->graph, "baseline", crd_shape_0()), b->rows};
    crd_node output[CRDI_ELBO_GRADIENT + 1], *weight;
    CRD_TRY(add_particles(b, particles, s));
    if (s->scored && b->loss->alpha != 1)
        return crdi_raise(
            b->guide->ctx, CRD_EUNSUPPORTED,
            "loss %s: the guide has sites whose draws carry no gradient (discrete ones, mixtures), which only "
            "'trace' and 'trace_mean_field' know",
            b->loss->type->name);
    if (s->scored)
        add_scores(b, s, particles, input[2]);
    weight = crdi_alloc_array(b->guide->ctx, particles, sizeof *weight);
    if (!weight)
        return CRD_ENOMEM;
    crd_node share = crd_num(1 / (double)particles);
    output[CRDI_ELBO_LOSS] = bound(b->loss, s, particles, weight);
    output[CRDI_ELBO_DIVERGENCE] = crd_mul(share, s->divergence);
    output[CRDI_ELBO_LIKELIHOOD] = crd_mul(share, s->likelihood);
    output[CRDI_ELBO_GRADIENT] = carry(b, s, particles, weight, b->loss->alpha == 1);
    for (int i = 0; i < CRDI_ELBO_GRADIENT; i++)
        if (!output[i].graph)
            output[i] = crdi_constant_scalar(b->graph, output[i].number);
    crdi_free(b->guide->ctx, weight);
    out->scored = s->scored;
    return crd_compile(b->graph, input, b->shuffle ? 4 : 3, output, CRDI_ELBO_GRADIENT + 1, &out->program);
}

static const char *plate_name(const void *list, int64_t i)
{
    return ((const crdi_guide *)list)->plate[i].name;
}

static crd_status find_plate(const crdi_guide *guide, const char *name, crdi_elbo *out)
{
    for (int i = 0; i < guide->plate_count; i++)
        if (strcmp(guide->plate[i].name, name) == 0) {
            out->rows = guide->plate[i].rows;
            out->population = guide->plate[i].size;
            return CRD_OK;
        }
    return crdi_raise_unknown(guide->ctx, "subsampled plate", name, plate_name, guide, guide->plate_count);
}

crd_status crdi_elbo_create(const crdi_guide *guide, const crdi_loss *loss, int64_t particles, int threads,
                            const char *shuffle, crdi_elbo *out)
{
    struct builder b = {.guide = guide,
                        .user = guide->user,
                        .loss = loss,
                        .shuffle = shuffle,
                        .rows = crdi_nothing,
                        .noise = crdi_nothing};
    struct sums s = {.divergence = crdi_nothing, .likelihood = crdi_nothing};
    *out = (crdi_elbo){.params = guide->params};
    CRD_TRY(crdi_loss_check(guide, loss));
    if (shuffle)
        CRD_TRY(find_plate(guide, shuffle, out));
    CRD_TRY(crd_graph_create(&b.graph, guide->ctx));
    b.graph->groups = threads;
    if (shuffle)
        b.rows = crd_input(b.graph, "rows", crd_shape_1(out->rows));
    crd_status status = begin(&b, particles);
    s.loss = crdi_alloc_array(guide->ctx, particles, sizeof *s.loss);
    s.score = crdi_alloc_array(guide->ctx, particles, sizeof *s.score);
    s.gradient = crdi_alloc_array(guide->ctx, particles * (b.value_count + 1), sizeof *s.gradient);
    if (status == CRD_OK && !(s.loss && s.score && s.gradient))
        status = CRD_ENOMEM;
    if (status == CRD_OK)
        status = compile(&b, &s, particles, out);
    crdi_free(guide->ctx, s.loss);
    crdi_free(guide->ctx, s.score);
    crdi_free(guide->ctx, s.gradient);
    end(&b);
    crd_graph_destroy(&b.graph);
    return status;
}

void crdi_elbo_clear(crdi_elbo *elbo)
{
    crd_program_destroy(&elbo->program);
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

/* The latent sites of guide and hand in alphabetical order, then the kept ones. */
static crd_status list_sites(const struct particle *particle, crd_context *ctx, const char *const *keep, int keep_count,
                             crdi_arena *arena, crdi_elbo_site **out, int *count)
{
    int most = crd_trace_count(particle->placed.trace) + keep_count, n = 0;
    crdi_elbo_site *site = crdi_arena_alloc(arena, sizeof *site * (size_t)(most + 1));
    if (!site)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_trace_count(particle->placed.trace); i++) {
        const crd_message *m = crd_trace_site(particle->placed.trace, i);
        if (!crdi_is_latent(m))
            continue;
        int at = n++;
        for (; at > 0 && strcmp(site[at - 1].name, m->name) > 0; at--)
            site[at] = site[at - 1];
        site[at] = (crdi_elbo_site){crdi_arena_strdup(arena, m->name), m->shape, crd_shape_size(m->shape), false};
        if (!site[at].name)
            return CRD_ENOMEM;
    }
    for (int i = 0; i < keep_count; i++) {
        const crd_message *m = crd_trace_find(particle->placed.trace, keep[i]);
        if (!m || m->kind != CRD_MESSAGE_DETERMINISTIC)
            return crdi_raise(ctx, CRD_ENAME, "keep: the model has no deterministic site '%s'", keep[i]);
        crd_shape shape = crd_node_shape(m->value);
        site[n++] = (crdi_elbo_site){crdi_arena_strdup(arena, keep[i]), shape, crd_shape_size(shape), true};
        if (!site[n - 1].name)
            return CRD_ENOMEM;
    }
    *out = site;
    *count = n;
    return CRD_OK;
}

static crd_status compile_draw(struct builder *b, const struct particle *particle, const crdi_elbo_site *site,
                               int sites, crd_program **out)
{
    crd_node input[2] = {b->params, b->key}, *output = crdi_alloc_array(b->guide->ctx, sites + 2, sizeof *output);
    if (!output)
        return CRD_ENOMEM;
    output[0] = particle->log_joint;
    output[1] = particle->log_q;
    for (int i = 0; i < sites; i++)
        output[i + 2] = crd_trace_find(particle->placed.trace, site[i].name)->value;
    for (int i = 0; i < sites + 2; i++)
        if (!output[i].graph)
            output[i] = crdi_constant_scalar(b->graph, output[i].number);
    crd_status status = crd_compile(b->graph, input, 2, output, sites + 2, out);
    crdi_free(b->guide->ctx, output);
    return status;
}

static crd_status compile_draw_of(struct builder *b, const char *const *keep, int keep_count, crdi_arena *arena,
                                  crdi_elbo_site **site, int *sites, crd_program **out)
{
    struct particle particle = {.hand = NULL};
    CRD_TRY(begin(b, 1));
    crd_status status = build_particle(b, 0, &particle);
    if (status == CRD_OK)
        status = list_sites(&particle, b->guide->ctx, keep, keep_count, arena, site, sites);
    if (status == CRD_OK)
        status = compile_draw(b, &particle, *site, *sites, out);
    particle_clear(&particle);
    return status;
}

crd_status crdi_elbo_compile_draw(const crdi_guide *guide, void *user, const char *const *keep, int keep_count,
                                  crdi_arena *arena, crdi_elbo_site **site, int *sites, crd_program **out)
{
    const crdi_loss plain = {&losses[0], 1};
    struct builder b = {.guide = guide, .user = user ? user : guide->user, .loss = &plain, .noise = crdi_nothing};
    CRD_TRY(crd_graph_create(&b.graph, guide->ctx));
    crd_status status = compile_draw_of(&b, keep, keep_count, arena, site, sites, out);
    end(&b);
    crd_graph_destroy(&b.graph);
    return status;
}

/* ---- rows held out ------------------------------------------------------------------------------------------ */

static crd_status compile_watch(struct builder *b, int64_t particles, crd_program **out)
{
    crd_node input[2] = {b->params, b->key}, sum = crd_num(0);
    for (int64_t p = 0; p < particles; p++) {
        struct particle particle;
        crd_status status = build_particle(b, p, &particle);
        if (status == CRD_OK)
            sum = crd_add(sum, particle.likelihood);
        particle_clear(&particle);
        CRD_TRY(status);
    }
    if (!sum.graph)
        return crdi_raise(b->guide->ctx, CRD_EINVAL, "the loss of the rows held out does not depend on the guide");
    sum = crd_div(sum, crd_num((double)particles));
    return crd_compile(b->graph, input, 2, &sum, 1, out);
}

crd_status crdi_elbo_compile_watch(const crdi_guide *guide, void *user, int64_t particles, crd_program **out)
{
    const crdi_loss plain = {&losses[0], 1};
    struct builder b = {.guide = guide, .user = user, .loss = &plain, .noise = crdi_nothing};
    CRD_TRY(crd_graph_create(&b.graph, guide->ctx));
    crd_status status = begin(&b, particles);
    if (status == CRD_OK)
        status = compile_watch(&b, particles, out);
    end(&b);
    crd_graph_destroy(&b.graph);
    return status;
}
