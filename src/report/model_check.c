/* model_check.c - see model_check.h. */
#include "report/model_check.h"
#include "report/text.h"
#include "nn/likelihood.h"
#include "nn/nn.h"
#include "store/dataset.h"
#include "store/json.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 500, QUANTILES = 5, FEWEST_DRAWS = 100, MOST_NUMBERS = 30000000 };
static const double prob[QUANTILES] = {0.005, 0.025, 0.5, 0.975, 0.995};
static const char *const heading[QUANTILES] = {"0.5%", "2.5%", "50%", "97.5%", "99.5%"};

struct check {
    crd_context *ctx;
    const crdi_model_check_request *request;
    crd_network network; /* at the rows used, nothing observed */
    crd_array x, y; /* the rows used */
    crd_model *model;
    crd_trace *trace;
    int64_t targets;
    int draws;
    double *f_draws, *y_draws; /* (rows x draws x numbers a row of f), (rows x draws x targets) */
    int64_t total, lost; /* rows x draws that are finite and kept; that are not */
    struct ranges {
        double f[QUANTILES], predicted[QUANTILES], target[QUANTILES];
    } * range; /* (targets) */
};

/* ---- the sites ------------------------------------------------------------------------------------------------ */

/* The statements in the model's order; all values stay open. */
static crd_status trace_model(struct check *c)
{
    crd_handler open;
    CRD_TRY(crd_trace_create(&c->trace, c->ctx));
    crd_input_init(&open);
    CRD_TRY(crd_trace_push(c->trace, &open));
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
    c->network.targets = c->targets = c->request->dataset->recipe->target_count;
    return CRD_OK;
}

static bool all_finite(const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static crd_status draw(struct check *c, crd_program *program, int64_t skip)
{
    const crd_recipe *r = c->request->dataset->recipe;
    int64_t rows = c->x.shape.dim[0], width = crdi_network_width(&c->network), targets = c->targets;
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, program));
    for (int k = 0; k < c->draws; k++) {
        crd_key key = crd_key_fold_in(c->request->key, (uint32_t)k);
        crd_exec_input(exec)[0] = key.word[0];
        crd_exec_input(exec)[1] = key.word[1];
        crd_exec_run(exec);
        const double *f = crd_exec_output(exec) + skip, *y = f + rows * width;
        for (int64_t i = 0; i < rows; i++, f += width, y += targets) {
            /* What overflows in the prior has no place in quantiles; how much it is is said. */
            bool finite = all_finite(f, width) && all_finite(y, targets);
            c->lost += !finite;
            if (!finite)
                continue;
            for (int64_t j = 0; j < width; j++)
                c->f_draws[c->total * width + j] = crdi_recipe_own_units(r, j, f[j]);
            for (int64_t j = 0; j < targets; j++)
                c->y_draws[c->total * targets + j] = crdi_recipe_own_units(r, j, y[j]);
            c->total++;
        }
    }
    crd_exec_destroy(&exec);
    return CRD_OK;
}

/* Quantiles of count values, each `stride` behind the other. `work` has room for them. */
static crd_status quantiles(crd_context *ctx, const double *values, int64_t count, int64_t stride, double *work,
                            double *out)
{
    for (int64_t i = 0; i < count; i++)
        work[i] = values[i * stride];
    return crd_diag_quantile(ctx, work, count, prob, QUANTILES, out);
}

static crd_status find_ranges(struct check *c, double *work)
{
    int64_t width = crdi_network_width(&c->network), n = c->y.shape.dim[0];
    for (int64_t j = 0; j < c->targets; j++) {
        struct ranges *range = &c->range[j];
        CRD_TRY(quantiles(c->ctx, c->y.data + j, n, c->targets, work, range->target));
        if (c->total == 0)
            continue;
        CRD_TRY(quantiles(c->ctx, c->y_draws + j, c->total, c->targets, work, range->predicted));
        /* the logits of classes are one range */
        bool several = c->targets > 1;
        CRD_TRY(quantiles(c->ctx, c->f_draws + j, several ? c->total : c->total * width, several ? c->targets : 1, work,
                          range->f));
    }
    return CRD_OK;
}

/* A wide network takes a moment a draw: what is to be seen in a second or so is seen in fewer. */
static int draws_for(const struct check *c)
{
    int64_t asked = c->request->draws, fit = MOST_NUMBERS / (crd_model_dim(c->model) + 1);
    fit = fit > FEWEST_DRAWS ? fit : FEWEST_DRAWS;
    return (int)(fit < asked ? fit : asked);
}

static crd_status predict(struct check *c)
{
    static const char *const names[] = {"f", "y"};
    const crd_dataset *d = c->request->dataset;
    c->draws = draws_for(c);
    int64_t most = c->x.shape.dim[0] * c->draws, skip = 0, n = d->y.shape.dim[0];
    crd_program *program;
    int64_t width = crdi_network_width(&c->network);
    c->f_draws = crdi_alloc_array(c->ctx, most * width, sizeof *c->f_draws);
    c->y_draws = crdi_alloc_array(c->ctx, most * c->targets, sizeof *c->y_draws);
    c->range = crdi_alloc_array(c->ctx, c->targets, sizeof *c->range);
    if (!c->f_draws || !c->y_draws || !c->range)
        return CRD_ENOMEM;
    for (int i = 0; i < crd_model_site_count(c->model); i++)
        skip += crd_model_site(c->model, i)->size;
    CRD_TRY(crd_array_init(c->ctx, &c->y, d->y.shape));
    for (int64_t i = 0; i < crd_shape_size(d->y.shape); i++)
        c->y.data[i] = crdi_recipe_own_units(d->recipe, i, d->y.data[i]);
    CRD_TRY(crd_model_compile_prior(c->model, names, 2, &program));
    crd_status status = draw(c, program, skip);
    crd_program_destroy(&program);
    CRD_TRY(status);
    double *work = crdi_alloc_array(c->ctx, most * width > n ? most * width : n, sizeof *work);
    status = work ? find_ranges(c, work) : CRD_ENOMEM;
    crdi_free(c->ctx, work);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* A line of quantiles: of a target's name behind `what`, if there are several. */
static void add_range(const struct check *c, crdi_string *out, const char *what, int64_t target, int width,
                      const double *q)
{
    size_t before = out->length;
    crdi_string_append(out, "%s%s%s", what, c->targets > 1 ? " " : "",
                       c->targets > 1 ? c->request->dataset->recipe->targets[target].name : "");
    crdi_string_append(out, "%*s", width - (int)(out->length - before), "");
    for (int k = 0; k < QUANTILES; k++)
        crdi_string_append(out, " %10.4g", q[k]);
    crdi_string_append(out, "\n");
}

static void add_ranges(const struct check *c, crdi_string *out)
{
    int width = 8;
    for (int64_t j = 0; j < c->targets && c->targets > 1; j++) {
        int length = (int)strlen("target ") + (int)strlen(c->request->dataset->recipe->targets[j].name);
        width = length > width ? length : width;
    }
    crdi_string_append(out, "\nprior predictive, %d draws at %lld rows:\n%-*s", c->draws, (long long)c->x.shape.dim[0],
                       width, "");
    for (int k = 0; k < QUANTILES; k++)
        crdi_string_append(out, " %10s", heading[k]);
    crdi_string_append(out, "\n");
    for (int64_t j = 0; j < c->targets; j++) {
        add_range(c, out, "f", j, width, c->range[j].f);
        add_range(c, out, "y", j, width, c->range[j].predicted);
        add_range(c, out, "target", j, width, c->range[j].target);
    }
    if (c->lost > 0)
        crdi_string_append(out, "%.3g%% of the predictions overflow and are left out\n",
                           100 * (double)c->lost / (double)(c->lost + c->total));
}

/* What the numbers above are: their units, or which class a number is. */
static void add_units(const struct check *c, crdi_string *out)
{
    enum { NAMED = 6 };
    const crd_recipe *r = c->request->dataset->recipe;
    const crdi_likelihood *likelihood = crdi_likelihood_find(c->ctx, c->network.likelihood);
    crdi_outcome outcome = likelihood ? likelihood->outcome : CRDI_OUTCOME_NUMBER;
    if (outcome == CRDI_OUTCOME_NUMBER) {
        crdi_string_append(out, "all in the %sunits of %s", c->targets > 1 ? "own " : "",
                           c->targets > 1 ? "each target" : "the target");
        if (r->scale == CRD_SCALE_STANDARD && c->targets == 1)
            crdi_string_append(out, "; the network works with (target - %.4g) / %.4g, and its priors are for that",
                               r->target_mean, r->target_sd);
        else
            crdi_string_append(out, r->scale == CRD_SCALE_STANDARD
                                        ? "; the network works with (target - mean) / sd, and its priors are for that"
                                        : ", which the network takes as it is");
    } else if (outcome == CRDI_OUTCOME_COUNT) {
        crdi_string_append(out, "f is the log of the rate; y and target are counts");
    } else {
        if (crdi_network_width(&c->network) == 1)
            crdi_string_append(out, "f is the logit of class 1; y and target are numbers of classes:");
        else
            crdi_string_append(out, "f is the logit of any class; y and target are numbers of classes:");
        for (int64_t k = 0; k < r->class_count && k < NAMED; k++) {
            crdi_string_append(out, "%s %lld ", k ? "," : "", (long long)k);
            crdi_text_printable(out, r->class_name[k]);
        }
        if (r->class_count > NAMED)
            crdi_string_append(out, ", ...");
    }
    crdi_string_append(out, "\n");
}

static void put_range(crdi_json_writer *w, const char *name, const double *q)
{
    crdi_json_open(w, name, '[');
    for (int k = 0; k < QUANTILES; k++)
        crdi_json_put_number(w, NULL, q[k]);
    crdi_json_close(w, ']');
}

/* Of one target among the members of the whole; of several as a list. */
static void put_ranges(const struct check *c, crdi_json_writer *w)
{
    if (c->targets > 1)
        crdi_json_open(w, "targets", '[');
    for (int64_t j = 0; j < c->targets; j++) {
        if (c->targets > 1) {
            crdi_json_open(w, NULL, '{');
            crdi_json_put_text(w, "name", c->request->dataset->recipe->targets[j].name);
        }
        put_range(w, "f", c->range[j].f);
        put_range(w, "y", c->range[j].predicted);
        put_range(w, "target", c->range[j].target);
        if (c->targets > 1)
            crdi_json_close(w, '}');
    }
    if (c->targets > 1)
        crdi_json_close(w, ']');
}

static void put_predictive(const struct check *c, crdi_json_writer *w)
{
    crdi_json_put_integer(w, "draws", c->draws);
    crdi_json_put_integer(w, "rows", c->x.shape.dim[0]);
    put_range(w, "probabilities", prob);
    put_ranges(c, w);
    crdi_json_put_number(w, "not_finite", (double)c->lost / (double)(c->lost + c->total));
}

static crd_status write_json(struct check *c, crdi_string *out)
{
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_open(&w, "sites", '[');
    CRD_TRY(add_sites(c, &w, out));
    crdi_json_close(&w, ']');
    crdi_json_put_integer(&w, "parameters", crd_model_dim(c->model));
    if (c->request->plan) {
        crdi_json_put_text(&w, "plan", c->request->plan);
        crdi_json_put_text(&w, "plan_rule", c->request->plan_rule);
    }
    if (!crdi_network_plain(&c->network))
        put_predictive(c, &w);
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}

static crd_status write_text(struct check *c, crdi_string *out)
{
    const crd_network *n = &c->network;
    bool linear = strcmp(n->hidden, "none") == 0;
    crdi_string_append(out, "model:  hidden %s%s%s, likelihood %s, %lld parameters\n\n", n->hidden, linear ? "" : ", ",
                       linear ? "" : n->activation, n->likelihood ? n->likelihood : "normal",
                       (long long)crd_model_dim(c->model));
    CRD_TRY(add_sites(c, NULL, out));
    if (!crdi_network_plain(n)) {
        add_ranges(c, out);
        add_units(c, out);
    }
    return out->status;
}

static crd_status check(struct check *c, crdi_string *out)
{
    CRD_TRY(pick_rows(c));
    /* The observed y is needed for a model without it as a latent site; its values at these rows do not matter. */
    crd_network observed = c->network;
    crd_array zeros;
    CRD_TRY(crd_array_init(c->ctx, &zeros, crdi_recipe_shape(c->request->dataset->recipe, c->x.shape.dim[0])));
    observed.y = &zeros;
    crd_status status = crd_model_create(&c->model, c->ctx, crd_network_model, &observed);
    if (status == CRD_OK)
        status = trace_model(c);
    if (status == CRD_OK && !crdi_network_plain(&c->network)) /* without priors nothing can be drawn */
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
    crdi_free(ctx, c.range);
    return status;
}
