/* model_check.c - see model_check.h. */
#include "report/model_check.h"
#include "nn/likelihood.h"
#include "nn/nn.h"
#include "store/json.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 500, QUANTILES = 5 };
static const double prob[QUANTILES] = {0.005, 0.025, 0.5, 0.975, 0.995};
static const char *const heading[QUANTILES] = {"0.5%", "2.5%", "50%", "97.5%", "99.5%"};

struct check {
    crd_context *ctx;
    const crdi_model_check_request *request;
    crd_network network; /* at the rows used, nothing observed */
    crd_array x, y; /* the rows used */
    crd_model *model;
    crd_trace *trace;
    double *f_draws, *y_draws; /* (rows x draws x numbers a row of f), (rows x draws) */
    int64_t total, lost; /* of them; those of y that are not finite */
    double f[QUANTILES], predicted[QUANTILES], target[QUANTILES];
};

/* ---- the sites ------------------------------------------------------------------------------------------------ */

/* The statements in the model's order, under a seed handler whose key stays open. */
static crd_status trace_model(struct check *c)
{
    crd_seed_handler seed;
    CRD_TRY(crd_trace_create(&c->trace, c->ctx));
    crd_seed_init(&seed, crd_input(crd_trace_graph(c->trace), "key", crd_shape_1(2)));
    CRD_TRY(crd_trace_push(c->trace, &seed.handler));
    return crd_trace_run(c->trace, crd_network_model, &c->network);
}

static bool is_latent(const crd_message *m)
{
    return m->kind == CRD_MESSAGE_SAMPLE && strcmp(m->name, "y") != 0;
}

static void add_site_json(crdi_json_writer *w, const crd_message *m, const char *prior)
{
    crdi_json_open(w, NULL, '{');
    crdi_json_put_text(w, "site", m->name);
    crdi_json_open(w, "shape", '[');
    for (int d = 0; d < m->shape.ndim; d++)
        crdi_json_put_integer(w, NULL, m->shape.dim[d]);
    crdi_json_close(w, ']');
    crdi_json_put_text(w, "support", crd_constraint_text(m->dist.type->support(&m->dist).kind));
    crdi_json_put_text(w, "prior", prior);
    crdi_json_close(w, '}');
}

static crd_status add_sites(struct check *c, crdi_json_writer *json, crdi_string *out)
{
    int widest = 4;
    for (int i = 0; i < crd_trace_count(c->trace); i++) {
        const crd_message *m = crd_trace_site(c->trace, i);
        int length = (int)strlen(m->name);
        widest = is_latent(m) && length > widest ? length : widest;
    }
    if (!json)
        crdi_string_append(out, "%-*s  %-14s %-10s prior\n", widest, "site", "shape", "support");
    for (int i = 0; i < crd_trace_count(c->trace); i++) {
        const crd_message *m = crd_trace_site(c->trace, i);
        crdi_string prior;
        char shape[96];
        if (!is_latent(m))
            continue;
        crdi_string_init(&prior, c->ctx);
        crdi_prior_text(c->trace, m, &prior);
        if (json)
            add_site_json(json, m, crdi_string_text(&prior));
        else
            crdi_string_append(out, "%-*s  %-14s %-10s %s\n", widest, m->name,
                               m->shape.ndim ? crdi_shape_text(m->shape, shape, sizeof shape) : "",
                               crd_constraint_text(m->dist.type->support(&m->dist).kind), crdi_string_text(&prior));
        crd_status status = prior.status;
        crdi_string_clear(&prior);
        CRD_TRY(status);
    }
    return out->status;
}

/* ---- draws from the prior -------------------------------------------------------------------------------------- */

/* Rows spread evenly over the data: the model's outputs at all rows of a large table would not fit. */
static crd_status pick_rows(struct check *c)
{
    const crd_dataset *d = c->request->dataset;
    int64_t all = d->x.shape.dim[0], features = d->x.shape.dim[1], rows = all < MOST_ROWS ? all : MOST_ROWS;
    CRD_TRY(crd_array_init(c->ctx, &c->x, crd_shape_2(rows, features)));
    for (int64_t i = 0; i < rows; i++)
        memcpy(c->x.data + i * features, d->x.data + i * all / rows * features, sizeof(double) * (size_t)features);
    c->network = *c->request->network;
    c->network.x = c->x;
    c->network.y = NULL;
    c->network.classes = c->request->dataset->recipe->class_count;
    return CRD_OK;
}

static crd_status draw(struct check *c, crd_program *program, int64_t skip)
{
    const crd_recipe *r = c->request->dataset->recipe;
    int64_t rows = c->x.shape.dim[0], width = crdi_network_width(&c->network);
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, program));
    for (int k = 0; k < c->request->draws; k++) {
        crd_key key = crd_key_fold_in(c->request->key, (uint32_t)k);
        crd_exec_input(exec)[0] = key.word[0];
        crd_exec_input(exec)[1] = key.word[1];
        crd_exec_run(exec);
        const double *f = crd_exec_output(exec) + skip, *y = f + rows * width;
        for (int64_t i = 0; i < rows; i++) {
            /* What overflows in the prior has no place in quantiles; how much it is is said. */
            bool finite = isfinite(y[i]);
            for (int64_t j = 0; j < width; j++)
                finite = finite && isfinite(f[i * width + j]);
            c->lost += !finite;
            if (!finite)
                continue;
            for (int64_t j = 0; j < width; j++)
                c->f_draws[c->total * width + j] = r->target_mean + r->target_sd * f[i * width + j];
            c->y_draws[c->total++] = r->target_mean + r->target_sd * y[i];
        }
    }
    crd_exec_destroy(&exec);
    return CRD_OK;
}

static crd_status predict(struct check *c)
{
    static const char *const names[] = {"f", "y"};
    const crd_dataset *d = c->request->dataset;
    int64_t most = c->x.shape.dim[0] * c->request->draws, skip = 0, n = d->y.shape.dim[0];
    crd_program *program;
    int64_t width = crdi_network_width(&c->network);
    c->f_draws = crdi_alloc_array(c->ctx, most * width, sizeof *c->f_draws);
    c->y_draws = crdi_alloc_array(c->ctx, most, sizeof *c->y_draws);
    if (!c->f_draws || !c->y_draws)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_model_site_count(c->model); i++)
        skip += crd_model_site(c->model, i)->size;
    CRD_TRY(crd_array_init(c->ctx, &c->y, crd_shape_1(n)));
    for (int64_t i = 0; i < n; i++)
        c->y.data[i] = d->recipe->target_mean + d->recipe->target_sd * d->y.data[i];
    CRD_TRY(crd_model_compile_prior(c->model, names, 2, &program));
    crd_status status = draw(c, program, skip);
    crd_program_destroy(&program);
    if (status == CRD_OK && c->total > 0)
        status = crd_diag_quantile(c->ctx, c->f_draws, c->total * width, prob, QUANTILES, c->f);
    if (status == CRD_OK && c->total > 0)
        status = crd_diag_quantile(c->ctx, c->y_draws, c->total, prob, QUANTILES, c->predicted);
    return status == CRD_OK ? crd_diag_quantile(c->ctx, c->y.data, n, prob, QUANTILES, c->target) : status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static void add_range(crdi_string *out, const char *name, const double *q)
{
    crdi_string_append(out, "%-8s", name);
    for (int k = 0; k < QUANTILES; k++)
        crdi_string_append(out, " %10.4g", q[k]);
    crdi_string_append(out, "\n");
}

static void add_ranges(const struct check *c, crdi_string *out)
{
    crdi_string_append(out, "\nprior predictive, %d draws at %lld rows:\n%-8s", c->request->draws,
                       (long long)c->x.shape.dim[0], "");
    for (int k = 0; k < QUANTILES; k++)
        crdi_string_append(out, " %10s", heading[k]);
    crdi_string_append(out, "\n");
    add_range(out, "f", c->f);
    add_range(out, "y", c->predicted);
    add_range(out, "target", c->target);
    if (c->lost > 0)
        crdi_string_append(out, "%.3g%% of the predictions overflow and are left out\n",
                           100 * (double)c->lost / (double)(c->lost + c->total));
}

static void put_range(crdi_json_writer *w, const char *name, const double *q)
{
    crdi_json_open(w, name, '[');
    for (int k = 0; k < QUANTILES; k++)
        crdi_json_put_number(w, NULL, q[k]);
    crdi_json_close(w, ']');
}

static crd_status write_json(struct check *c, crdi_string *out)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_open(&w, "sites", '[');
    CRD_TRY(add_sites(c, &w, out));
    crdi_json_close(&w, ']');
    crdi_json_put_integer(&w, "parameters", crd_model_dim(c->model));
    crdi_json_put_integer(&w, "draws", c->request->draws);
    crdi_json_put_integer(&w, "rows", c->x.shape.dim[0]);
    put_range(&w, "probabilities", prob);
    put_range(&w, "f", c->f);
    put_range(&w, "y", c->predicted);
    put_range(&w, "target", c->target);
    crdi_json_put_number(&w, "not_finite", (double)c->lost / (double)(c->lost + c->total));
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}

static crd_status write_text(struct check *c, crdi_string *out)
{
    const crd_network *n = &c->network;
    crdi_string_append(out, "model:  hidden %s, %s, likelihood %s, %lld parameters\n\n", n->hidden, n->activation,
                       n->likelihood ? n->likelihood : "normal", (long long)crd_model_dim(c->model));
    CRD_TRY(add_sites(c, NULL, out));
    add_ranges(c, out);
    return out->status;
}

static crd_status check(struct check *c, crdi_string *out)
{
    CRD_TRY(pick_rows(c));
    /* The observed y is needed for a model without it as a latent site; its values at these rows do not matter. */
    crd_network observed = c->network;
    crd_array zeros;
    CRD_TRY(crd_array_init(c->ctx, &zeros, crd_shape_1(c->x.shape.dim[0])));
    observed.y = &zeros;
    crd_status status = crd_model_create(&c->model, c->ctx, crd_network_model, &observed);
    if (status == CRD_OK)
        status = trace_model(c);
    if (status == CRD_OK)
        status = predict(c);
    crd_array_clear(&zeros);
    CRD_TRY(status);
    return c->request->json ? write_json(c, out) : write_text(c, out);
}

crd_status crdi_model_check(crd_context *ctx, const crdi_model_check_request *request, crdi_string *out)
{
    struct check c = {.ctx = ctx, .request = request};
    crd_status status = check(&c, out);
    crd_model_destroy(&c.model);
    crd_trace_destroy(&c.trace);
    crd_array_clear(&c.x);
    crd_array_clear(&c.y);
    crdi_free(ctx, c.f_draws);
    crdi_free(ctx, c.y_draws);
    return status;
}
