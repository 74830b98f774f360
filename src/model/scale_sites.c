/* scale_sites.c - see scale_sites.h.
 *
 * With z = (x - loc) / (c S^p) and T = -sum(z^2) / 2, dT / d log S is p sum(z^2), and that of sum(log(c S^p)) is p n, element by
 * element of S however it was reshaped and repeated: the gradient does the counting. */
#include "model/scale_sites.h"
#include "model/unconstrain.h"

#include <math.h>
#include <string.h>

struct search {
    const crd_model *model;
    crd_trace *trace;
    crd_graph *graph;
    crd_node *input; /* by site of the model */
    crd_node *sd; /* by site of the model: c S^p of standard normals of sites that were found; else nothing */
    crd_node *own_sd; /* the same of the site at hand */
    bool *depends; /* by node: on the site at hand, but for products and what is made of them */
    bool *product; /* by node: it is x = c S^p z */
    int64_t known; /* nodes that both cover */
};

/* What a site's conditional is made of. */
struct conditional {
    const crd_message *site;
    crd_node quadratic, log_scale; /* T, sum(log(c S^p)) */
    double power;
    bool noise;
    int normals; /* sites */
    crd_node *sd; /* by site of the model: of standard normals that the site multiplies; else nothing */
};

/* ---- proof of the form --------------------------------------------------------------------------------------- */

/* Marks what depends on a node otherwise than through products. */
static void mark_dependents(struct search *s, crd_node on)
{
    for (int64_t id = 0; id < s->known; id++) { /* ids are a topological order */
        const crdi_vertex *v = s->graph->vertex[id];
        s->depends[id] = id == on.id;
        for (int i = 0; i < v->arg_count && !s->depends[id] && !s->product[id]; i++)
            s->depends[id] = s->depends[v->arg[i]];
    }
}

static crd_status begin_marks(struct search *s)
{
    crdi_free(s->graph->ctx, s->depends);
    crdi_free(s->graph->ctx, s->product);
    s->known = s->graph->count;
    s->depends = crdi_alloc_array(s->graph->ctx, s->known, sizeof *s->depends);
    s->product = crdi_alloc_array(s->graph->ctx, s->known, sizeof *s->product);
    return s->depends && s->product ? CRD_OK : CRD_ENOMEM;
}

static bool depends(const struct search *s, crd_node node)
{
    return node.graph && node.id >= 0 && (node.id >= s->known || s->depends[node.id]);
}

/* The p of which each element of a node is c S^p with one element of S; 0: the node does not depend on S; NaN: it is of another
 * form, or of one that is not known here. */
static double power_of(const struct search *s, crd_node node, int32_t value)
{
    static const char *const moves[] = {"reshape", "broadcast_to", "view"};
    if (!depends(s, node))
        return 0;
    if (node.id == value)
        return 1;
    const crdi_vertex *v = crdi_vertex_of(node);
    const char *name = v->op->name;
    if (v->arg_count == 0) /* u itself */
        return NAN;
    double first = power_of(s, crdi_arg(node, 0), value), number;
    for (int i = 0; i < CRDI_COUNT(moves); i++)
        if (strcmp(name, moves[i]) == 0)
            return first;
    if (strcmp(name, "gather") == 0 && !depends(s, crdi_arg(node, 1)))
        return first;
    if (strcmp(name, "sqrt") == 0)
        return 0.5 * first;
    if (strcmp(name, "square") == 0)
        return 2 * first;
    if (strcmp(name, "reciprocal") == 0)
        return -first;
    if (strcmp(name, "pow") == 0 && crdi_is_number(crdi_arg(node, 1), &number))
        return number * first;
    if (strcmp(name, "mul") != 0 && strcmp(name, "div") != 0)
        return NAN;
    double second = power_of(s, crdi_arg(node, 1), value);
    if (first != 0 && second != 0) /* perhaps of two elements */
        return NAN;
    return strcmp(name, "mul") == 0 ? first + second : first - second;
}

/* Whether another latent site's bijection depends on S. */
static bool bounds_depend(const struct search *s, const crd_message *m)
{
    crd_support support = m->dist.type->support(&m->dist);
    return depends(s, support.low) || depends(s, support.high);
}

/* Adds what normals (x - loc) / scale = z say. */
static void add_terms(struct conditional *c, const crd_message *m, crd_node z, crd_node scale)
{
    crd_node square = crd_sum(crd_square(crd_broadcast_to(z, m->shape)));
    crd_node log_scale = crd_sum(crd_broadcast_to(crd_log(scale), m->shape));
    c->quadratic = crd_add(c->quadratic, crd_mul(crd_num(-0.5 * m->scale), square));
    c->log_scale = crd_add(c->log_scale, crd_mul(crd_num(m->scale), log_scale));
}

/* Adds a site whose density depends on S, if it is a normal of the form. */
static bool add_normal(const struct search *s, const crd_message *m, struct conditional *c)
{
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_mask || m->dist.base || depends(s, m->value))
        return false;
    bool half = strcmp(m->dist.type->name, "half_normal") == 0;
    if (!half && strcmp(m->dist.type->name, "normal") != 0)
        return false;
    crd_node location = half ? crd_num(0) : m->dist.param[0], scale = m->dist.param[half ? 0 : 1];
    double power = power_of(s, scale, c->site->value.id);
    if (depends(s, location) || !isfinite(power) || power == 0 || (c->normals > 0 && power != c->power))
        return false;
    c->normals++;
    add_terms(c, m, crd_div(crd_sub(m->value, location), scale), scale);
    c->power = power;
    c->noise = c->noise || m->observed;
    return true;
}

/* ---- standard normals that S multiplies ---------------------------------------------------------------------- */

static bool is_standard_normal(const crd_message *m)
{
    double loc, scale;
    return crdi_is_latent(m) && !m->has_mask && !m->ignored && m->scale == 1 && !m->dist.base &&
           strcmp(m->dist.type->name, "normal") == 0 && crdi_is_number(m->dist.param[0], &loc) && loc == 0 &&
           crdi_is_number(m->dist.param[1], &scale) && scale == 1;
}

/* Notes a vertex that is z c S^p for a standard normal site z. False: z has another such factor. */
static bool note_product(const struct search *s, struct conditional *c, int64_t id)
{
    const crdi_vertex *v = s->graph->vertex[id];
    if (strcmp(v->op->name, "mul") != 0)
        return true;
    for (int side = 0; side < 2; side++) {
        crd_node z = {s->graph, v->arg[side], 0}, sd = {s->graph, v->arg[1 - side], 0};
        int site = 0;
        while (site < s->model->site_count && s->input[site].id != z.id)
            site++;
        if (!depends(s, sd) || site == s->model->site_count || !crdi_shape_equal(v->shape, crd_node_shape(z)) ||
            !is_standard_normal(crd_trace_find(s->trace, crd_model_site(s->model, site)->name)))
            continue;
        double power = power_of(s, sd, c->site->value.id);
        if (!isfinite(power) || power == 0 || (c->normals > 0 && power != c->power))
            continue;
        for (int k = 0; k < 2; k++) {
            crd_node other = k ? s->sd[site] : c->sd[site];
            if (!crdi_is_nothing(other) && other.id != sd.id)
                return false;
        }
        if (crdi_is_nothing(c->sd[site]))
            c->normals++;
        c->power = power;
        c->sd[site] = sd;
        s->product[id] = true;
    }
    return true;
}

/* Whether a standard normal site reaches the density through products alone, but for its own. */
static bool only_in_products(struct search *s, int site)
{
    const crd_message *own = crd_trace_find(s->trace, crd_model_site(s->model, site)->name);
    mark_dependents(s, s->input[site]);
    for (int i = 0; i < crd_trace_count(s->trace); i++) {
        const crd_message *m = crd_trace_site(s->trace, i);
        if (m == own || (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_FACTOR))
            continue;
        if ((crdi_is_latent(m) && bounds_depend(s, m)) || (!m->ignored && depends(s, m->log_density)))
            return false;
    }
    return true;
}

/* Finds products, and leaves marked what depends on S otherwise. False: some are of another form. */
static bool find_products(struct search *s, struct conditional *c, crd_node input)
{
    mark_dependents(s, input);
    for (int64_t id = 0; id < s->known; id++)
        if (s->depends[id] && !note_product(s, c, id))
            return false;
    for (int i = 0; i < s->model->site_count; i++)
        if (!crdi_is_nothing(c->sd[i]) && !only_in_products(s, i))
            return false;
    mark_dependents(s, input);
    return true;
}

/* Their terms: z = x / sd, with x held. */
static void add_products(const struct search *s, struct conditional *c)
{
    for (int i = 0; i < s->model->site_count; i++) {
        const crd_message *m = crd_trace_find(s->trace, crd_model_site(s->model, i)->name);
        if (crdi_is_nothing(c->sd[i]))
            continue;
        s->sd[i] = c->sd[i];
        add_terms(c, m, crd_div(crd_stop_gradient(crd_mul(m->value, c->sd[i])), c->sd[i]), c->sd[i]);
    }
}

/* ---- the form of a site -------------------------------------------------------------------------------------- */

/* A site of positive numbers, each with a prior of its own. */
static bool is_scale(const crd_message *m)
{
    crd_constraint kind = m->dist.type->support(&m->dist).kind;
    return crdi_is_latent(m) && !m->has_mask && !m->dist.base && m->dist.joined == 0 && !m->dist.type->event_shape &&
           crdi_shape_equal(m->batch, m->shape) && (kind == CRD_POSITIVE || kind == CRD_INTERVAL);
}

/* Whether the density depends on the site as scale_sites.h says. */
static bool find_normals(struct search *s, struct conditional *c, crd_node input)
{
    if (!is_scale(c->site) || !find_products(s, c, input))
        return false;
    for (int i = 0; i < crd_trace_count(s->trace); i++) {
        const crd_message *m = crd_trace_site(s->trace, i);
        if (m == c->site || (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_FACTOR))
            continue;
        if (crdi_is_latent(m) && bounds_depend(s, m))
            return false;
        if (!m->ignored && depends(s, m->log_density) && !add_normal(s, m, c))
            return false;
    }
    return c->normals > 0;
}

/* ---- programs ------------------------------------------------------------------------------------------------ */

/* The derivative by log S, divided by p: through u, as nodes may go past S (log S = u). */
static crd_node by_log(const struct conditional *c, crd_node input, crd_node what)
{
    crd_node slope, speed;
    crd_gradient(what, &input, 1, &slope);
    slope = crd_mul(crd_num(1 / c->power), slope);
    if (c->site->dist.type->support(&c->site->dist).kind == CRD_POSITIVE)
        return slope;
    crd_gradient(crd_sum(c->site->value), &input, 1, &speed);
    return crd_mul(slope, crd_div(c->site->value, speed));
}

static crd_status count_normals(const struct search *s, const struct conditional *c, crd_node input,
                                crdi_scale_site *out)
{
    crd_context *ctx = s->graph->ctx;
    crd_node node = by_log(c, input, c->log_scale);
    crd_program *program;
    crd_exec *exec = NULL;
    CRD_TRY(crd_compile(s->graph, s->input, s->model->site_count, &node, 1, &program));
    crd_status status = crd_exec_create(&exec, program);
    out->count = crdi_alloc_array(ctx, out->size, sizeof *out->count);
    if (status == CRD_OK && !out->count)
        status = CRD_ENOMEM;
    if (status == CRD_OK) {
        memset(crd_exec_input(exec), 0, sizeof(double) * (size_t)s->model->dim);
        crd_exec_run(exec);
        for (int64_t i = 0; i < out->size; i++) { /* whole but for the scales of subsamples: free of roundings */
            double n = crd_exec_output(exec)[i], near = round(n);
            out->count[i] = fabs(n - near) < 1e-9 * (1 + near) ? near : n;
        }
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    return status;
}

/* log S for S ~ HalfCauchy(A): S^2 | t ~ InverseGamma(1/2, t) for t ~ Gamma(1/2, 1 / A^2), so that t | S ~ Gamma(1, 1 / A^2 +
 * 1 / S^2) and S^2 | t, x ~ InverseGamma((n + 1) / 2, t + Q / 2) (Makalic & Schmidt 2016, eq. 4 with t = 1 / nu). */
static crd_node draw_half_cauchy(const crd_message *m, crd_node key, crd_node squares, crd_node count)
{
    crd_node one = crd_num(1), square = crd_square(m->value);
    crd_node rate = crd_add(crd_reciprocal(crd_square(m->dist.param[0])), crd_reciprocal(square));
    crd_node t = crd_div(crd_exp(crd_random_log_gamma_node(crd_key_fold_in_node(key, 1), one, m->shape)), rate);
    crd_node shape = crd_mul(crd_num(0.5), crd_add(count, one));
    crd_node sum = crd_add(t, crd_mul(crd_num(0.5), crd_mul(squares, square)));
    crd_node gamma = crd_random_log_gamma_node(crd_key_fold_in_node(key, 0), shape, m->shape);
    return crd_mul(crd_num(0.5), crd_sub(crd_log(sum), gamma));
}

/* The site's u drawn given the others, where there is a formula for it; else nothing. */
static crd_node draw_of(const struct conditional *c, crd_node key, crd_node squares, crd_node count)
{
    const crd_message *m = c->site;
    const char *type = m->dist.type->name;
    if (m->scale != 1)
        return crdi_nothing;
    if (strcmp(type, "half_cauchy") == 0 && c->power == 1)
        return draw_half_cauchy(m, key, squares, count);
    bool precision = strcmp(type, "gamma") == 0 && c->power == -0.5,
         variance = strcmp(type, "inverse_gamma") == 0 && c->power == 0.5;
    if (!precision && !variance)
        return crdi_nothing;
    crd_node half = crd_num(0.5), shape = crd_broadcast_to(crd_add(m->dist.param[0], crd_mul(half, count)), m->shape);
    crd_node sum = crd_mul(half, precision ? crd_div(squares, m->value) : crd_mul(squares, m->value));
    crd_node log_rate = crd_log(crd_add(m->dist.param[1], sum));
    crd_node gamma = crd_random_log_gamma_node(crd_key_fold_in_node(key, 0), shape, m->shape);
    return precision ? crd_sub(gamma, log_rate) : crd_sub(log_rate, gamma);
}

/* Log prior of each element's u, Jacobian and all, but for what does not depend on it. */
static crd_node prior_of(const struct conditional *c, crd_node input)
{
    const crd_message *m = c->site;
    crd_node prior = crd_mul(crd_num(m->scale), m->log_prob);
    if (m->dist.type->support(&m->dist).kind == CRD_POSITIVE)
        return crd_add(prior, input);
    return crd_sub(prior, crd_add(crd_softplus(input), crd_softplus(crd_neg(input))));
}

static crd_status compile(const struct search *s, const struct conditional *c, crd_node input, crdi_scale_site *out)
{
    int n = s->model->site_count;
    crd_node squares = by_log(c, input, c->quadratic), key = crd_input(s->graph, "key", crd_shape_1(2));
    CRD_TRY(count_normals(s, c, input, out));
    crd_array array = crd_array_borrow(out->count, c->site->shape);
    crd_node draw = draw_of(c, key, squares, crd_constant(s->graph, &array));
    CRD_TRY(crd_graph_status(s->graph));
    if (!crdi_is_nothing(draw)) {
        s->input[n] = key;
        return crd_compile(s->graph, s->input, n + 1, &draw, 1, &out->draw);
    }
    crd_node prior[2] = {prior_of(c, input), crd_log(c->site->value)};
    CRD_TRY(crd_compile(s->graph, s->input, n, &squares, 1, &out->squares));
    return crd_compile(s->graph, s->input, n, prior, 2, &out->prior);
}

/* ---- all sites ----------------------------------------------------------------------------------------------- */

static crd_status add_site(struct search *s, int number, bool noise, crdi_scale_sites *out)
{
    const crd_site *site = crd_model_site(s->model, number);
    struct conditional c = {
        .site = crd_trace_find(s->trace, site->name), .quadratic = crd_num(0), .log_scale = crd_num(0)};
    if (!c.site)
        return CRD_OK;
    c.sd = s->own_sd;
    for (int i = 0; i < s->model->site_count; i++)
        c.sd[i] = crdi_nothing;
    CRD_TRY(begin_marks(s));
    if (!find_normals(s, &c, s->input[number]) || (c.noise && !noise))
        return crd_graph_status(s->graph);
    add_products(s, &c);
    crdi_scale_site *next = &out->site[out->count++];
    *next = (crdi_scale_site){.offset = site->offset, .size = site->size, .noise = c.noise, .power = c.power};
    return compile(s, &c, s->input[number], next);
}

/* log(c S^p) of each coordinate that is a standard normal of products. */
static crd_status compile_log_sd(const struct search *s, crdi_scale_sites *out)
{
    int n = s->model->site_count;
    bool any = false;
    crd_node *output = crdi_alloc_array(s->graph->ctx, n, sizeof *output);
    if (!output)
        return CRD_ENOMEM;
    for (int i = 0; i < n; i++) {
        const crd_site *site = crd_model_site(s->model, i);
        bool multiplied = !crdi_is_nothing(s->sd[i]);
        output[i] = multiplied ? crd_broadcast_to(crd_log(s->sd[i]), site->shape)
                               : crdi_constant_fill(s->graph, 0, crd_shape_1(site->unconstrained_size));
        any = any || multiplied;
    }
    crd_status status = any ? crd_compile(s->graph, s->input, n, output, n, &out->log_sd) : CRD_OK;
    crdi_free(s->graph->ctx, output);
    return status;
}

static crd_status find_all(struct search *s, bool noise, crdi_scale_sites *out)
{
    s->graph = crd_trace_graph(s->trace);
    crd_graph_set_precision(s->graph, CRD_DOUBLE); /* draws of a chain, whatever its gradients are computed in */
    s->own_sd = s->sd + s->model->site_count;
    for (int i = 0; i < s->model->site_count; i++)
        s->sd[i] = crdi_nothing;
    for (int i = 0; i < s->model->site_count; i++)
        CRD_TRY(add_site(s, i, noise, out));
    return compile_log_sd(s, out);
}

crd_status crdi_scale_sites_create(const crd_model *model, bool noise, crdi_scale_sites *out)
{
    crd_context *ctx = model->ctx;
    crdi_unconstrained u;
    struct search s = {.model = model};
    *out = (crdi_scale_sites){.ctx = ctx};
    out->site = crdi_alloc_array(ctx, model->site_count, sizeof *out->site);
    s.input = crdi_alloc_array(ctx, model->site_count + 1, sizeof *s.input); /* and a key */
    s.sd = crdi_alloc_array(ctx, 2 * model->site_count, sizeof *s.sd);
    crd_status status = crdi_unconstrained_trace(ctx, model->fn, model->user, NULL, &u);
    if (status == CRD_OK)
        status = s.input && s.sd && out->site ? crdi_unconstrained_inputs(model, &u, s.input) : CRD_ENOMEM;
    s.trace = u.trace;
    if (status == CRD_OK)
        status = find_all(&s, noise, out);
    crdi_free(ctx, s.depends);
    crdi_free(ctx, s.input);
    crdi_free(ctx, s.product);
    crdi_free(ctx, s.sd);
    crdi_unconstrained_clear(ctx, &u);
    if (status < 0)
        crdi_scale_sites_destroy(out);
    return status;
}

void crdi_scale_sites_destroy(crdi_scale_sites *scales)
{
    for (int i = 0; i < scales->count; i++) {
        crd_program_destroy(&scales->site[i].draw);
        crd_program_destroy(&scales->site[i].squares);
        crd_program_destroy(&scales->site[i].prior);
        crdi_free(scales->ctx, scales->site[i].count);
    }
    crd_program_destroy(&scales->log_sd);
    if (scales->ctx)
        crdi_free(scales->ctx, scales->site);
    *scales = (crdi_scale_sites){0};
}
