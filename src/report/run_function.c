/* run_function.c - see run_function.h. */
#include "report/run_function.h"
#include "nn/likelihood.h"
#include "report/by_row.h"
#include "store/dataset.h"

#include <credence/diag.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- probes ----------------------------------------------------------------------------------------------------- */

struct column {
    double low, high, middle;
};

static crd_status describe_column(crd_context *ctx, const crd_array *x, int64_t j, double *scratch, struct column *out)
{
    int64_t rows = x->shape.dim[0], features = x->shape.dim[1];
    for (int64_t i = 0; i < rows; i++)
        scratch[i] = x->data[i * features + j];
    CRD_TRY(crd_diag_sort(ctx, scratch, rows, scratch));
    *out = (struct column){scratch[0], scratch[rows - 1], crd_diag_quantile_sorted(scratch, rows, 0.5)};
    return CRD_OK;
}

/* The row that is nearest to the medians, each input measured by its range. */
static int64_t typical_row(const crd_array *x, const struct column *column)
{
    int64_t rows = x->shape.dim[0], features = x->shape.dim[1], best = 0;
    double least = INFINITY;
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0;
        for (int64_t j = 0; j < features; j++) {
            double range = column[j].high - column[j].low, d = x->data[i * features + j] - column[j].middle;
            sum += range > 0 ? d / range * (d / range) : 0;
        }
        if (sum < least) {
            least = sum;
            best = i;
        }
    }
    return best;
}

static crd_status fill_probes(const crdi_network_run *net, const struct column *column, crd_array *out)
{
    static const double how_far[] = {-1, -0.5, -0.25, 0.25, 0.5, 1};
    int64_t features = net->x.shape.dim[1], base = typical_row(&net->x, column), numerical = 0, taken = 0, seen = 0;
    for (int64_t j = 0; j < features; j++)
        numerical += !net->recipe->feature[j].level;
    int64_t most = CRDI_PROBES / CRDI_PROBES_EACH, used = numerical < most ? numerical : most;
    CRD_TRY(crd_array_init(net->ctx, out, crd_shape_2(used * CRDI_PROBES_EACH, features)));
    for (int64_t j = 0; j < features && taken < used; j++) {
        if (net->recipe->feature[j].level || seen++ < taken * numerical / used)
            continue;
        for (int k = 0; k < CRDI_PROBES_EACH; k++) {
            double *row = out->data + (taken * CRDI_PROBES_EACH + k) * features, range = column[j].high - column[j].low;
            memcpy(row, net->x.data + base * features, (size_t)features * sizeof *row);
            row[j] = (how_far[k] < 0 ? column[j].low : column[j].high) + how_far[k] * range;
        }
        taken++;
    }
    return CRD_OK;
}

crd_status crdi_run_probes(const crdi_network_run *net, crd_array *out)
{
    CRD_TRY(crdi_network_run_need(net, "probes"));
    int64_t rows = net->x.shape.dim[0], features = net->x.shape.dim[1];
    double *scratch = crdi_alloc_array(net->ctx, rows, sizeof *scratch);
    struct column *column = crdi_alloc_array(net->ctx, features, sizeof *column);
    crd_status status = scratch && column ? CRD_OK : CRD_ENOMEM;
    for (int64_t j = 0; j < features && status == CRD_OK; j++)
        status = describe_column(net->ctx, &net->x, j, scratch, &column[j]);
    if (status == CRD_OK)
        status = fill_probes(net, column, out);
    crdi_free(net->ctx, scratch);
    crdi_free(net->ctx, column);
    return status;
}

/* ---- one number ------------------------------------------------------------------------------------------------- */

struct work {
    const crdi_network_run *net;
    crdi_function_space *space;
    crd_array x, y; /* rows of the fit that are used, then the probes; y of the rows */
};

static crd_status judge(const struct work *w, crdi_function_part *part, int64_t i, const double *x, double offset,
                        double unit)
{
    crd_context *ctx = w->net->ctx;
    int chains = w->space->chains;
    int64_t draws = w->space->draws;
    crdi_function_number *out = &part->number[i];
    for (int c = 0; c < chains; c++)
        part->chain_mean[i * chains + c] = offset + unit * crd_diag_mean(x + c * draws, draws);
    crd_diag_spread spread = crd_diag_take_apart(x, chains, draws);
    out->sd = unit * crd_diag_sd(x, chains * draws);
    out->between = spread.between;
    out->drift = spread.drift;
    out->r_hat = crd_diag_split_gelman_rubin(x, chains, draws);
    if (chains > 1)
        CRD_TRY(crd_diag_r_hat_rank(ctx, x, chains, draws, &out->r_hat));
    CRD_TRY(crd_diag_ess_bulk(ctx, x, chains, draws, &out->ess_bulk));
    return crd_diag_ess_tail(ctx, x, chains, draws, &out->ess_tail);
}

static bool has_classes(const crdi_function_space *s, const crdi_network_run *net)
{
    return s->outputs > 1 && net->recipe->class_count > 0;
}

/* Output k of one draw: as it is, or for classes the logarithm of its probability. */
static double output_of(const struct work *w, const double *f, int64_t k)
{
    int64_t width = w->space->outputs;
    if (!has_classes(w->space, w->net))
        return f[k];
    double most = f[0], sum = 0;
    for (int64_t j = 1; j < width; j++)
        most = fmax(most, f[j]);
    for (int64_t j = 0; j < width; j++)
        sum += exp(f[j] - most);
    return f[k] - most - log(sum);
}

static crd_status judge_outputs(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    crdi_function_space *s = w->space;
    bool probe = row >= s->rows_used;
    crdi_function_part *part = &s->part[probe ? CRDI_F_OUTSIDE : CRDI_F_AT_DATA];
    int64_t place = probe ? row - s->rows_used : row;
    double *x = crdi_alloc_array(s->ctx, draws, sizeof *x);
    crd_status status = x ? CRD_OK : CRD_ENOMEM;
    for (int64_t k = 0; k < s->outputs && status == CRD_OK; k++) {
        crdi_function_number *number = &part->number[place * s->outputs + k];
        for (int64_t d = 0; d < draws; d++)
            x[d] = output_of(w, values[0] + d * s->outputs, k);
        number->output = k;
        const crd_target *target = &w->net->recipe->targets[has_classes(s, w->net) ? 0 : k];
        status = judge(w, part, place * s->outputs + k, x, target->mean, target->sd);
    }
    crdi_free(s->ctx, x);
    return status;
}

static crd_status judge_likelihood(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    double less = 0;
    (void)draws;
    for (int64_t j = 0; j < w->net->recipe->target_count; j++)
        less += log(w->net->recipe->targets[j].sd);
    return judge(w, &w->space->part[CRDI_LIKELIHOOD], row, values[0], -less, 1);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static crd_status compile_f(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f"};
    const struct work *w = user;
    crd_shape shape;
    int64_t features = w->x.shape.dim[1];
    crd_network network = w->net->network;
    network.x = crd_array_borrow(w->x.data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crd_model_compile_predictive(model, &network, names, 1, &shape, out);
}

static crd_status compile_likelihood(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"y"};
    const struct work *w = user;
    crd_shape shape;
    int64_t features = w->x.shape.dim[1];
    crd_network network = w->net->network;
    const crd_recipe *recipe = w->net->recipe;
    crd_array y = crd_array_borrow(w->y.data + first * recipe->target_count, crdi_recipe_shape(recipe, rows));
    network.x = crd_array_borrow(w->x.data + first * features, crd_shape_2(rows, features));
    network.y = &y;
    return crd_model_compile_log_likelihood(model, &network, names, 1, &shape, out);
}

static crd_status run_programs(struct work *w, const crdi_function_request *request)
{
    int threads = request->threads;
    crdi_function_space *s = w->space;
    CRD_TRY(crdi_by_row_run(&(crdi_by_row){.net = w->net,
                                           .what = "diagnostics of f",
                                           .rows = w->x.shape.dim[0],
                                           .outputs = 1,
                                           .width = {s->outputs},
                                           .keyed = true, /* predictions have a key, though f does not use it */
                                           .threads = threads,
                                           .compile = compile_f,
                                           .row = judge_outputs,
                                           .user = w}));
    if (request->only_f)
        return CRD_OK;
    return crdi_by_row_run(&(crdi_by_row){.net = w->net,
                                          .what = "diagnostics of the log likelihood",
                                          .rows = s->rows_used,
                                          .outputs = 1,
                                          .threads = threads,
                                          .compile = compile_likelihood,
                                          .row = judge_likelihood,
                                          .user = w});
}

/* ---- all together ----------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sum_up(crdi_function_part *p, double *scratch)
{
    p->worst = NULL;
    p->ess_bulk = p->ess_tail = NAN;
    p->between[0] = p->between[1] = p->drift[0] = p->drift[1] = NAN;
    p->above_101 = p->above_105 = 0;
    for (int64_t i = 0; i < p->count; i++) {
        const crdi_function_number *n = &p->number[i];
        if (isnan(n->r_hat))
            continue;
        p->above_101 += n->r_hat > 1.01;
        p->above_105 += n->r_hat > 1.05;
        p->worst = !p->worst || n->r_hat > p->worst->r_hat ? n : p->worst;
        p->ess_bulk = fmin(n->ess_bulk, p->ess_bulk); /* fmin passes over NaN */
        p->ess_tail = fmin(n->ess_tail, p->ess_tail);
    }
    for (int which = 0; which < 2; which++) {
        double *out = which ? p->drift : p->between;
        int64_t count = 0;
        for (int64_t i = 0; i < p->count; i++) {
            double share = which ? p->number[i].drift : p->number[i].between;
            if (!isnan(share))
                scratch[count++] = share;
        }
        if (count == 0)
            continue;
        qsort(scratch, (size_t)count, sizeof *scratch, by_size);
        out[0] = crd_diag_quantile_sorted(scratch, count, 0.5);
        out[1] = scratch[count - 1];
    }
}

/* Rows that are spread evenly over those of the fit. */
static int64_t row_at(const crdi_function_space *s, int64_t i)
{
    return i * s->rows / s->rows_used;
}

static crd_status gather(struct work *w)
{
    const crdi_network_run *net = w->net;
    crdi_function_space *s = w->space;
    int64_t features = net->x.shape.dim[1], probes = s->probes.shape.dim[0], numbers = 1;
    CRD_TRY(crd_array_init(s->ctx, &w->x, crd_shape_2(s->rows_used + probes, features)));
    int64_t targets = net->recipe->target_count;
    CRD_TRY(crd_array_init(s->ctx, &w->y, crd_shape_2(s->rows_used, targets)));
    for (int64_t i = 0; i < s->rows_used; i++) {
        memcpy(w->x.data + i * features, net->x.data + row_at(s, i) * features, (size_t)features * sizeof(double));
        memcpy(w->y.data + i * targets, net->y.data + row_at(s, i) * targets, (size_t)targets * sizeof(double));
    }
    memcpy(w->x.data + s->rows_used * features, s->probes.data, (size_t)(probes * features) * sizeof(double));
    const int64_t count[CRDI_FUNCTION_PLACES] = {s->rows_used * s->outputs, probes * s->outputs, s->rows_used};
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++) {
        crdi_function_part *p = &s->part[k];
        p->count = count[k];
        p->number = crdi_alloc_array(s->ctx, count[k] + 1, sizeof *p->number);
        p->chain_mean = crdi_alloc_array(s->ctx, (count[k] + 1) * s->chains, sizeof *p->chain_mean);
        if (!p->number || !p->chain_mean)
            return CRD_ENOMEM;
        memset(p->number, 0, (size_t)(count[k] + 1) * sizeof *p->number);
        for (int64_t i = 0; i < count[k]; i++) {
            int64_t place = k == CRDI_LIKELIHOOD ? i : i / s->outputs;
            p->number[i].row = k == CRDI_F_OUTSIDE ? place : row_at(s, place);
        }
        numbers = count[k] > numbers ? count[k] : numbers;
    }
    return CRD_OK;
}

static crd_status summarise(crdi_function_space *s)
{
    int64_t most = 1;
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++)
        most = s->part[k].count > most ? s->part[k].count : most;
    double *scratch = crdi_alloc_array(s->ctx, most, sizeof *scratch);
    if (!scratch)
        return CRD_ENOMEM;
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++)
        sum_up(&s->part[k], scratch);
    crdi_free(s->ctx, scratch);
    return CRD_OK;
}

static crd_status copy_probes(const crdi_network_run *net, const crd_array *given, crd_array *out)
{
    if (!given)
        return crdi_run_probes(net, out);
    CRD_TRY(crd_array_init(net->ctx, out, given->shape));
    size_t count = (size_t)(given->shape.dim[0] * given->shape.dim[1]);
    if (count > 0) /* no rows outside: an array of none */
        memcpy(out->data, given->data, count * sizeof(double));
    return CRD_OK;
}

static crd_status make(struct work *w, const crdi_function_request *request)
{
    crdi_function_space *s = w->space;
    crdi_run_part part;
    s->outputs = crdi_network_width(&w->net->network);
    CRD_TRY(crdi_run_part_find(s->ctx, w->net->run, &part));
    s->chains = part.chains;
    s->draws = part.draws;
    crdi_run_part_clear(s->ctx, &part);
    s->rows = w->net->x.shape.dim[0];
    s->rows_used = request->rows > 0 && request->rows < s->rows ? request->rows : s->rows;
    CRD_TRY(copy_probes(w->net, request->probes, &s->probes));
    CRD_TRY(gather(w));
    CRD_TRY(run_programs(w, request));
    return summarise(s);
}

crd_status crdi_run_function_space(const crdi_network_run *net, const crdi_function_request *request,
                                   crdi_function_space **out)
{
    CRD_TRY(crdi_network_run_need(net, "diagnostics of f"));
    crdi_function_space *s = crdi_alloc(net->ctx, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    *s = (crdi_function_space){.ctx = net->ctx};
    struct work w = {.net = net, .space = s};
    crd_status status = make(&w, request);
    crd_array_clear(&w.x);
    crd_array_clear(&w.y);
    if (status < 0)
        crdi_function_space_destroy(&s);
    else
        *out = s;
    return status;
}

void crdi_function_space_destroy(crdi_function_space **space)
{
    if (!space || !*space)
        return;
    crdi_function_space *s = *space;
    crd_array_clear(&s->probes);
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++) {
        crdi_free(s->ctx, s->part[k].number);
        crdi_free(s->ctx, s->part[k].chain_mean);
    }
    crdi_free(s->ctx, s);
    *space = NULL;
}

/* ---- in words --------------------------------------------------------------------------------------------------- */

static void name_inputs(crdi_string *out, const crd_recipe *recipe, const double *x, int most)
{
    char name[CRDI_SHOWN], level[CRDI_SHOWN];
    int named = 0;
    for (int64_t j = 0; j < recipe->feature_count; j++) {
        const crd_feature *f = &recipe->feature[j];
        double own = f->mean + f->sd * x[j];
        if (f->level && own < 0.5)
            continue;
        if (named == most) {
            crdi_string_append(out, ", ...");
            return;
        }
        crdi_string_append(out, "%s%s", named++ ? ", " : "", crdi_csv_show(name, f->column));
        if (f->level)
            crdi_string_append(out, " = %s", crdi_csv_show(level, f->level));
        else
            crdi_string_append(out, " = %.4g", own);
    }
}

void crdi_function_where(crdi_string *out, const crdi_network_run *net, const crdi_function_space *space,
                         crdi_function_place place, const crdi_function_number *number, int most)
{
    char target[CRDI_SHOWN], class_name[CRDI_SHOWN];
    int64_t features = net->recipe->feature_count;
    bool probe = place == CRDI_F_OUTSIDE;
    const double *x = (probe ? space->probes.data : net->x.data) + number->row * features;
    if (!probe)
        crdi_string_append(out, "row %lld (", (long long)number->row);
    name_inputs(out, net->recipe, x, most);
    crdi_string_append(out, "%s", probe ? "" : ")");
    if (space->outputs == 1 || place == CRDI_LIKELIHOOD)
        return;
    if (has_classes(space, net))
        crdi_string_append(out, ", %s = %s", crdi_csv_show(target, net->recipe->target),
                           crdi_csv_show(class_name, net->recipe->class_name[number->output]));
    else
        crdi_string_append(out, ", %s", crdi_csv_show(target, net->recipe->targets[number->output].name));
}
