/* outlook.c - see outlook.h. Classes: the logits f of every draw; numbers and counts: mean, variance, density and distribution
 * function of the distribution of y that the model itself has, and draws of it. */
#include "report/outlook.h"
#include "report/by_row.h"
#include "store/dataset.h"
#include "store/input.h"

#include <credence/scores.h>
#include <math.h>
#include <string.h>

struct work {
    const crdi_outlook_request *request;
    crd_context *ctx;
    bool classes;
    int64_t width; /* numbers a row of the program's output */
    int64_t class_count, targets, repeats; /* repeats: draws of y for each draw of the run */
    double *sample_weight;
};

/* The parts of a row of numbers, each (targets, draws); the last is (targets, draws, repeats). */
enum { MEAN, VARIANCE, LOG_DENSITY, CDF, SAMPLE };

/* ---- the program ------------------------------------------------------------------------------------------------ */

/* One block of rows while its program is made. */
struct block {
    const struct work *work;
    int64_t rows;
    const double *y; /* (rows, targets), or NULL */
};

/* The distribution of y with one axis for rows and targets: what depends on neither stays a number or is repeated. */
static crd_status flatten(const crdi_network_run *net, const crd_message *y, int64_t rows, crd_dist *out)
{
    crd_shape both = crdi_recipe_shape(net->recipe, rows), flat = crd_shape_1(rows * net->recipe->target_count);
    const crd_dist_type *type = y->dist.type;
    if (!type->mean || !type->variance || !type->cdf || y->dist.base)
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED,
                          "%s: the distribution %s of the target has no mean, variance or distribution function",
                          net->path, type->name);
    *out = (crd_dist){.type = type};
    for (int i = 0; i < type->param_count; i++) {
        out->param[i] = y->dist.param[i];
        if (out->param[i].graph)
            out->param[i] = crd_reshape(crd_broadcast_to(out->param[i], both), flat);
    }
    return CRD_OK;
}

/* A number for each row and target as a table (rows, targets). */
static crd_node as_table(const crdi_network_run *net, crd_node node, int64_t rows)
{
    int64_t targets = net->recipe->target_count;
    return crd_reshape(crd_broadcast_to(node, crd_shape_1(rows * targets)), crd_shape_2(rows, targets));
}

/* (rows, targets, repeats), the last two as one axis. */
static crd_node draw(const crdi_network_run *net, const crd_dist *each, crd_node key, int64_t rows, int64_t repeats)
{
    enum { OWN_KEY = 0x6f75746c }; /* apart from those of the model's sites */
    int64_t targets = net->recipe->target_count;
    crd_node drawn = each->type->draw(each, crd_key_fold_in_node(key, OWN_KEY), crd_shape_2(repeats, rows * targets));
    return crd_reshape(crd_transpose(drawn), crd_shape_2(rows, targets * repeats));
}

crd_status crdi_outlook_noise(const crdi_network_run *net, const crd_message *y, crd_node key, int64_t rows,
                              int64_t repeats, crd_node *out)
{
    crd_dist each;
    crd_node part[2];
    CRD_TRY(flatten(net, y, rows, &each));
    part[0] = as_table(net, each.type->variance(&each), rows);
    if (repeats > 0)
        part[1] = draw(net, &each, key, rows, repeats);
    *out = repeats > 0 ? crd_concat(part, 2, 1) : part[0];
    return CRD_OK;
}

static crd_status number_outputs(const struct block *b, crd_trace *trace, const crd_message *y, crd_node key,
                                 crd_node *out)
{
    const struct work *w = b->work;
    const crdi_network_run *net = w->request->net;
    crd_dist each;
    crd_node part[5];
    int count = 0;
    CRD_TRY(flatten(net, y, b->rows, &each));
    part[count++] = as_table(net, each.type->mean(&each), b->rows);
    part[count++] = as_table(net, each.type->variance(&each), b->rows);
    if (b->y) {
        crd_array data = crd_array_borrow((double *)b->y, crd_shape_1(b->rows * w->targets));
        crd_node at = crd_constant(crd_trace_graph(trace), &data);
        part[count++] = as_table(net, crd_dist_log_prob(&each, at), b->rows);
        part[count++] = as_table(net, each.type->cdf(&each, at), b->rows);
    }
    if (w->repeats > 0)
        part[count++] = draw(net, &each, key, b->rows, w->repeats);
    *out = crd_concat(part, count, 1);
    return CRD_OK;
}

static crd_status outputs(void *user, crd_trace *trace, crd_node key, crd_node *out)
{
    const struct block *b = user;
    const crd_message *f = crd_trace_find(trace, "f"), *y = crd_trace_find(trace, "y");
    CRDI_ASSERT(f && y);
    if (!b->work->classes)
        return number_outputs(b, trace, y, key, out);
    *out = f->value;
    return CRD_OK;
}

static crd_status compile(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    const struct work *w = user;
    const crdi_outlook_request *request = w->request;
    int64_t features = request->x->shape.dim[1];
    struct block block = {w, rows, request->y ? request->y->data + first * w->targets : NULL};
    crd_network network = request->net->network;
    network.x = crd_array_borrow(request->x->data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crdi_model_compile_forwards(model, &network, outputs, &block, 1, out);
}

/* ---- a row of classes ------------------------------------------------------------------------------------------- */

void crdi_log_softmax(const double *logit, int64_t width, double *out)
{
    int64_t count = width == 1 ? 2 : width;
    double most = -INFINITY, sum = 0;
    for (int64_t k = 0; k < count; k++) {
        out[k] = width > 1 ? logit[k] : k == 1 ? logit[0] : 0;
        most = out[k] > most ? out[k] : most;
    }
    for (int64_t k = 0; k < count; k++)
        sum += exp(out[k] - most);
    for (int64_t k = 0; k < count; k++)
        out[k] -= most + log(sum);
}

crd_status crdi_outlook_pool(crd_context *ctx, const crdi_outlook *o, double *log_p)
{
    double *draws = crdi_alloc_array(ctx, o->draws, sizeof *draws);
    for (int64_t k = 0; draws && k < o->classes; k++) {
        for (int64_t d = 0; d < o->draws; d++)
            draws[d] = o->log_probability[d * o->classes + k];
        log_p[k] = crd_log_mean_exp(draws, o->weight, o->draws);
    }
    crd_status status = draws ? CRD_OK : CRD_ENOMEM;
    crdi_free(ctx, draws);
    return status;
}

static crd_status class_row(const struct work *w, crdi_outlook *o, const double *logit)
{
    int64_t count = w->class_count, cells = o->draws * count;
    double *log_p = crdi_alloc_array(w->ctx, 2 * cells + o->draws, sizeof *log_p);
    double *p = log_p + cells, *log_density = p + cells;
    if (!log_p)
        return CRD_ENOMEM;
    for (int64_t d = 0; d < o->draws; d++)
        crdi_log_softmax(logit + d * w->width, w->width, log_p + d * count);
    for (int64_t i = 0; i < cells; i++)
        p[i] = exp(log_p[i]);
    for (int64_t d = 0; w->request->y && d < o->draws; d++)
        log_density[d] = log_p[d * count + (int64_t)w->request->y->data[o->row]];
    o->classes = count;
    o->probability = p;
    o->log_probability = log_p;
    o->log_density = w->request->y ? log_density : NULL;
    crd_status status = w->request->row(w->request->user, o);
    crdi_free(w->ctx, log_p);
    return status;
}

/* ---- a row of numbers or counts --------------------------------------------------------------------------------- */

/* One target's part of a row's values, in its own units. */
static void unpack(const struct work *w, const double *values, int64_t draws, int64_t target, double *const *out)
{
    const crd_target *scaling = &w->request->net->recipe->targets[target];
    double middle = scaling->mean, sd = scaling->sd, less = log(sd);
    bool known = w->request->y != NULL;
    int64_t first_sample = (known ? 4 : 2) * w->targets + target * w->repeats;
    for (int64_t d = 0; d < draws; d++) {
        const double *row = values + d * w->width;
        out[MEAN][target * draws + d] = middle + sd * row[target];
        out[VARIANCE][target * draws + d] = sd * sd * row[w->targets + target];
        if (known) {
            out[LOG_DENSITY][target * draws + d] = row[2 * w->targets + target] - less;
            out[CDF][target * draws + d] = row[3 * w->targets + target];
        }
        for (int64_t r = 0; r < w->repeats; r++)
            out[SAMPLE][(target * draws + d) * w->repeats + r] = middle + sd * row[first_sample + r];
    }
}

static crd_status number_row(const struct work *w, crdi_outlook *o, const double *values)
{
    int64_t cells = w->targets * o->draws;
    double *work = crdi_alloc_array(w->ctx, cells * (SAMPLE + w->repeats), sizeof *work), *part[SAMPLE + 1];
    if (!work)
        return CRD_ENOMEM;
    for (int k = 0; k <= SAMPLE; k++)
        part[k] = work + k * cells;
    for (int64_t j = 0; j < w->targets; j++)
        unpack(w, values, o->draws, j, part);
    o->mean = part[MEAN];
    o->variance = part[VARIANCE];
    o->log_density = w->request->y ? part[LOG_DENSITY] : NULL;
    o->cdf = w->request->y ? part[CDF] : NULL;
    o->samples = w->repeats * o->draws;
    o->sample = part[SAMPLE];
    o->sample_weight = w->sample_weight;
    crd_status status = w->request->row(w->request->user, o);
    crdi_free(w->ctx, work);
    return status;
}

static crd_status one_row(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    crdi_outlook o = {.row = row, .draws = draws, .weight = w->request->weight, .targets = w->targets};
    return w->classes ? class_row(w, &o, values[0]) : number_row(w, &o, values[0]);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static crd_status count_draws(const crdi_network_run *net, int *chains, int64_t *draws)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    *chains = part.chains;
    *draws = part.chains * part.draws;
    crdi_run_part_clear(net->ctx, &part);
    return *draws > 0 ? CRD_OK : crdi_raise(net->ctx, CRD_EMISSING, "%s: holds no draws", net->path);
}

int64_t crdi_outlook_repeats(const crdi_likelihood *likelihood, int64_t draws)
{
    bool normal = strcmp(likelihood->dist, "normal") == 0;
    return normal ? 0 : (CRDI_OUTLOOK_SAMPLES + draws - 1) / draws;
}

/* The draws of y that the means and variances of a normal make unnecessary. */
static crd_status plan_samples(struct work *w, const crdi_likelihood *likelihood, int64_t draws)
{
    const double *weight = w->request->weight;
    w->repeats = crdi_outlook_repeats(likelihood, draws);
    if (!weight || w->repeats == 0)
        return CRD_OK;
    w->sample_weight = crdi_alloc_array(w->ctx, draws * w->repeats, sizeof *w->sample_weight);
    for (int64_t i = 0; w->sample_weight && i < draws * w->repeats; i++)
        w->sample_weight[i] = weight[i / w->repeats] / (double)w->repeats;
    return w->sample_weight ? CRD_OK : CRD_ENOMEM;
}

static crd_status plan(struct work *w)
{
    const crdi_network_run *net = w->request->net;
    const crdi_likelihood *likelihood = crdi_likelihood_find(w->ctx, net->network.likelihood);
    int chains;
    int64_t draws;
    if (!likelihood)
        return CRD_ENAME;
    CRD_TRY(count_draws(net, &chains, &draws));
    w->classes = likelihood->outcome == CRDI_OUTCOME_CLASS;
    w->class_count = net->recipe->class_count;
    w->width = crdi_network_width(&net->network);
    w->targets = crdi_outlook_targets(net);
    if (w->classes)
        return CRD_OK;
    CRD_TRY(plan_samples(w, likelihood, draws));
    w->width = w->targets * ((w->request->y ? 4 : 2) + w->repeats);
    return CRD_OK;
}

int64_t crdi_outlook_targets(const crdi_network_run *net)
{
    return net->recipe->target_count;
}

const char *crdi_outlook_target_name(const crdi_network_run *net, int64_t target)
{
    return net->recipe->targets[target].name;
}

double crdi_outlook_y(const crdi_outlook_request *request, int64_t row, int64_t target)
{
    int64_t i = row * request->net->recipe->target_count + target;
    return crdi_recipe_own_units(request->net->recipe, i, request->y->data[i]);
}

crd_status crdi_outlook_run(const crdi_outlook_request *request)
{
    struct work w = {.request = request, .ctx = request->net->ctx};
    CRD_TRY(crdi_network_run_need(request->net, request->what));
    crd_status status = plan(&w);
    if (status == CRD_OK)
        status = crdi_by_row_run(&(crdi_by_row){.net = request->net,
                                                .what = request->what,
                                                .rows = request->x->shape.dim[0],
                                                .outputs = 1,
                                                .width = {w.width},
                                                .keyed = true,
                                                .key = request->key,
                                                .threads = request->threads,
                                                .compile = compile,
                                                .row = one_row,
                                                .user = &w});
    crdi_free(w.ctx, w.sample_weight);
    return status;
}

/* ---- weights of draws ------------------------------------------------------------------------------------------- */

struct weights {
    crd_context *ctx;
    const char *path;
    double *value, sum;
    int64_t count, capacity;
};

static crd_status read_numbers(struct weights *w, const char *text)
{
    static const char between[] = ", \t\r\n";
    for (const char *at = text + strspn(text, between); *at; at += strspn(at, between)) {
        char word[64];
        double value;
        size_t length = strcspn(at, between);
        memcpy(word, at, length < sizeof word ? length : 0);
        word[length < sizeof word ? length : 0] = 0;
        at += length;
        if (!crdi_parse_double(word, &value) || !(value >= 0) || !isfinite(value))
            return crdi_raise(w->ctx, CRD_EDATA, "%s: '%.*s' is no weight: numbers of 0 or more are needed", w->path,
                              length < 40 ? (int)length : 40, at - length);
        CRD_TRY(crdi_grow(w->ctx, &w->value, &w->capacity, w->count, sizeof *w->value));
        w->value[w->count++] = value;
        w->sum += value;
    }
    return CRD_OK;
}

static crd_status spread_weights(const struct weights *w, const crdi_network_run *net, double **out)
{
    int chains;
    int64_t draws;
    CRD_TRY(count_draws(net, &chains, &draws));
    if (w->count != draws && w->count != chains)
        return crdi_raise(w->ctx, CRD_EDATA,
                          "%s: %lld weights, but %s has %lld draws of %d chain%s: a weight for each draw "
                          "or for each chain is needed",
                          w->path, (long long)w->count, net->path, (long long)draws, chains, chains == 1 ? "" : "s");
    if (!(w->sum > 0 && isfinite(w->sum)))
        return crdi_raise(w->ctx, CRD_EDATA, "%s: all weights are 0", w->path);
    double *weight = crdi_alloc_array(w->ctx, draws, sizeof *weight);
    if (!weight)
        return CRD_ENOMEM;
    int64_t each = draws / w->count;
    for (int64_t d = 0; d < draws; d++)
        weight[d] = w->value[d / each] / w->sum / (double)each;
    *out = weight;
    return CRD_OK;
}

crd_status crdi_draw_weights_read(const crdi_network_run *net, const char *path, double **out)
{
    struct weights w = {.ctx = net->ctx, .path = path};
    char *text;
    size_t length;
    CRD_TRY(crdi_input_read(net->ctx, path, &text, &length));
    crd_status status = read_numbers(&w, text);
    if (status == CRD_OK)
        status = spread_weights(&w, net, out);
    crdi_free(net->ctx, text);
    crdi_free(net->ctx, w.value);
    return status;
}
