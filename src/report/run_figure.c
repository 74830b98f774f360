/* run_figure.c - which figure of a run, its data and its bands; traces are in run_figure_trace.c.
 *
 * All that is drawn is in the units of the table that was read (run_inputs.h). */
#include "report/run_figure.h"
#include "report/prediction.h"
#include "report/run_figure_impl.h"
#include "report/run_inputs.h"
#include "report/run_outputs.h"
#include "store/dataset.h"
#include "store/network_svi.h"

#include <credence/diag.h>
#include <math.h>
#include <string.h>

enum { GRID = 200, MOST_BANDS = 16 };

/* ---- the data ----------------------------------------------------------------------------------------------- */

static crd_status make_data(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                            crdi_figure **out)
{
    crdi_run_inputs all;
    CRD_TRY(crdi_network_run_need(net, "figures of the data"));
    CRD_TRY(crdi_run_inputs_find(net, arena, &all));
    int64_t count, *chosen = crdi_arena_alloc(arena, (size_t)all.count * sizeof *chosen);
    crdi_named *named = crdi_arena_alloc(arena, (size_t)all.count * sizeof *named);
    crdi_axis_levels *level = crdi_arena_alloc(arena, (size_t)all.count * sizeof *level);
    if (!named || !chosen || !level)
        return CRD_ENOMEM;
    CRD_TRY(crdi_run_inputs_select(net, arena, &all, options->inputs, options->input_count, all.count, chosen, &count));
    for (int64_t k = 0; k < (count ? count : all.count); k++) {
        const crdi_run_input *in = &all.input[count ? chosen[k] : k];
        named[k] = (crdi_named){in->name, in->values};
        const char **name = crdi_arena_alloc(arena, (size_t)(in->levels + 1) * sizeof *name);
        if (!name)
            return CRD_ENOMEM;
        for (int64_t j = 0; j < in->levels; j++)
            name[j] = crdi_run_inputs_level(&all, in, j);
        level[k] = (crdi_axis_levels){in->levels, name, in->column};
    }
    return crdi_figure_data(out, net->ctx,
                            &(crdi_figure_source){.rows = all.rows,
                                                  .input_count = (int)(count ? count : all.count),
                                                  .input = named,
                                                  .level = level,
                                                  .target_count = (int)net->recipe->target_count,
                                                  .target = all.target,
                                                  .class_count = net->recipe->class_count,
                                                  .class_name = net->recipe->class_name});
}

/* ---- the bands ---------------------------------------------------------------------------------------------- */

static const double probs[] = {0.025, 0.5, 0.975};

/* The grid over one input: `range` (low, high) or, if that is NULL, what its data span, a quarter more on both sides where
 * it is the only one; levels: each once. */
static int64_t grid_of(const crdi_run_inputs *all, const crdi_run_input *in, const double *range, double *grid)
{
    double low = in->values[0], high = in->values[0];
    if (all->recipe->feature[in->first].level) {
        for (int64_t level = 0; level < in->end - in->first; level++)
            grid[level] = (double)level;
        return in->end - in->first;
    }
    for (int64_t i = 0; i < all->rows; i++) {
        low = fmin(low, in->values[i]);
        high = fmax(high, in->values[i]);
    }
    double more = all->count == 1 ? 0.25 * (high - low) : 0;
    low = range ? range[0] : low - more;
    high = range ? range[1] : high + more;
    for (int g = 0; g < GRID; g++)
        grid[g] = low + (high - low) * g / (GRID - 1);
    return GRID;
}

/* Splits quantiles, three every `stride` numbers, into low, median and high. */
static crd_status split(crdi_arena *arena, const double *quantiles, int64_t rows, int64_t stride, int count,
                        const double **out)
{
    for (int k = 0; k < count; k++) {
        double *values = crdi_arena_alloc(arena, (size_t)rows * sizeof *values);
        if (!values)
            return CRD_ENOMEM;
        for (int64_t i = 0; i < rows; i++)
            values[i] = quantiles[stride * i + k];
        out[k] = values;
    }
    return CRD_OK;
}

static crd_status predict(const crdi_network_run *net, const crd_array *x, const double *prob, int prob_count,
                          crd_key key, crdi_prediction **out)
{
    return crdi_prediction_make(
        net, &(crdi_prediction_request){.x = x, .prob = prob, .prob_count = prob_count, .key = key}, out);
}

/* By row: 1 if it is of the class, else 0. */
static const double *is_class(crdi_arena *arena, const crdi_run_inputs *all, int64_t class)
{
    double *out = crdi_arena_alloc(arena, (size_t)all->rows * sizeof *out);
    for (int64_t i = 0; out && i < all->rows; i++)
        out[i] = all->target->values[i] == (double)class;
    return out;
}

/* part: a class, or one of the targets. */
/* ---- functions ---------------------------------------------------------------------------------------------- */

/* Some draws of f at the rows of a grid, as the bands have it: own units, rates, the probability of a class. */
struct functions {
    const crdi_network_run *net;
    crdi_outcome outcome;
    int64_t part, width, count, rows;
    double *value; /* (count, rows) */
};

static double as_drawn(const struct functions *s, const double *f)
{
    const crd_target *target = &s->net->recipe->targets[s->outcome == CRDI_OUTCOME_NUMBER ? s->part : 0];
    double sum = 0;
    if (s->outcome == CRDI_OUTCOME_COUNT)
        return exp(f[s->part]);
    if (s->outcome == CRDI_OUTCOME_NUMBER)
        return target->mean + target->sd * f[s->part];
    if (s->width == 1)
        return 1 / (1 + exp(s->part == 1 ? -f[0] : f[0]));
    for (int64_t j = 0; j < s->width; j++)
        sum += exp(f[j] - f[s->part]);
    return 1 / sum;
}

static crd_status keep_functions(void *user, int64_t row, int64_t draws, double *f)
{
    const struct functions *s = user;
    for (int64_t k = 0; k < s->count; k++)
        s->value[k * s->rows + row] = as_drawn(s, f + k * draws / s->count * s->width);
    return CRD_OK;
}

static crd_status make_functions(const crdi_network_run *net, crdi_arena *arena, const crd_array *x, int64_t count,
                                 int64_t part, crdi_bands *out)
{
    const crdi_likelihood *likelihood = crdi_likelihood_find(net->ctx, net->network.likelihood);
    struct functions s = {.net = net, .part = part, .width = crdi_network_width(&net->network), .count = count};
    if (count == 0)
        return CRD_OK;
    if (!likelihood)
        return CRD_ENAME;
    if (net->network.linear_about)
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED,
                          "%s: predicts by the network's expansion about a point, which has no "
                          "draws of f to show",
                          net->path);
    s.outcome = likelihood->outcome;
    s.rows = x->shape.dim[0];
    s.value = crdi_arena_alloc(arena, (size_t)(count * s.rows) * sizeof *s.value);
    if (!s.value)
        return CRD_ENOMEM;
    out->function_count = count;
    out->function = s.value;
    return crdi_run_outputs(net, x, 0, keep_functions, &s);
}

/* ---- one panel of bands -------------------------------------------------------------------------------------- */

enum { MOST_LEVELS = 8 };
static const double usual_level = 0.95;

/* The quantiles behind the levels: the median, then the ends of each. */
static int level_probs(const double *level, int count, double prob[1 + 2 * MOST_LEVELS])
{
    prob[0] = 0.5;
    for (int k = 0; k < count; k++) {
        prob[1 + 2 * k] = (1 - level[k]) / 2;
        prob[2 + 2 * k] = (1 + level[k]) / 2;
    }
    return 1 + 2 * count;
}

static crd_status make_band(const crdi_network_run *net, crdi_arena *arena, const crdi_run_inputs *all,
                            const crdi_run_input *along, const crdi_run_figure_options *options, int64_t part,
                            crdi_bands *out)
{
    int levels = options->level_count > 0 ? options->level_count : 1;
    const double *wanted = options->level_count > 0 ? options->level : &usual_level;
    double prob[1 + 2 * MOST_LEVELS];
    int probs_used = level_probs(wanted, levels, prob);
    const crd_recipe *r = all->recipe;
    int64_t most = along->end - along->first > GRID ? along->end - along->first : GRID;
    double *grid = crdi_arena_alloc(arena, (size_t)most * sizeof *grid);
    double *rows = crdi_arena_alloc(arena, (size_t)(most * r->feature_count) * sizeof *rows);
    double *values = crdi_arena_alloc(arena, (size_t)all->count * sizeof *values);
    struct crdi_band *level = crdi_arena_alloc(arena, (size_t)levels * sizeof *level);
    crdi_prediction *p;
    const double *curve[1 + 2 * MOST_LEVELS], *y_curve[1 + 2 * MOST_LEVELS];
    if (!grid || !rows || !values || !level)
        return CRD_ENOMEM;
    int64_t count = grid_of(all, along, options->range, grid);
    for (int64_t i = 0; i < count; i++) { /* typical in all other columns */
        for (int64_t k = 0; k < all->count; k++)
            values[k] = &all->input[k] == along ? grid[i] : all->input[k].typical;
        crdi_run_inputs_row(all, values, rows + i * r->feature_count);
    }
    crd_array x = crd_array_borrow(rows, crd_shape_2(count, r->feature_count));
    CRD_TRY(predict(net, &x, prob, probs_used, crd_key_make(0), &p));
    crd_status status =
        split(arena, p->f + probs_used * part, count, probs_used * p->classes * p->targets, probs_used, curve);
    /* Where the noise depends on the inputs, the band of f says little of what y will be. */
    bool noise = crdi_network_heteroscedastic(&net->network);
    if (status == CRD_OK && noise)
        status = split(arena, p->y + probs_used * part, count, probs_used * p->targets, probs_used, y_curve);
    crdi_prediction_destroy(&p);
    CRD_TRY(status);
    int widest = 0;
    for (int k = 1; k < levels; k++)
        widest = wanted[k] > wanted[widest] ? k : widest;
    for (int k = 0; k < levels; k++)
        level[k] = (struct crdi_band){wanted[k], curve[1 + 2 * k], curve[2 + 2 * k]};
    int64_t named_levels = r->feature[along->first].level ? along->end - along->first : 0;
    const char **names = crdi_arena_alloc(arena, (size_t)(named_levels + 1) * sizeof *names);
    if (!names)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < named_levels; j++)
        names[j] = r->feature[along->first + j].level;
    bool named = named_levels > 0 && named_levels <= CRDI_TICKS, classes = r->class_count > 0;
    const char *label =
        classes ? crdi_arena_printf(arena, "P(%s = %s)", r->target, r->class_name[part]) : r->targets[part].name;
    if (!label)
        return CRD_ENOMEM;
    *out = (crdi_bands){.x_label = named ? r->feature[along->first].column : along->name,
                        .x_name = named ? names : NULL,
                        .x_name_count = named_levels,
                        .y_label = label,
                        .apart = r->feature[along->first].level != NULL,
                        .count = count,
                        .x = grid,
                        .median = curve[0],
                        .level_count = levels,
                        .level = level};
    if (noise) {
        out->y_probability = wanted[widest];
        out->y_low = y_curve[1 + 2 * widest];
        out->y_high = y_curve[2 + 2 * widest];
    }
    CRD_TRY(make_functions(net, arena, &x, options->functions, part, out));
    if (all->count == 1) { /* else the other inputs vary in the data and are held in the band */
        out->data_count = all->rows;
        out->data_x = along->values;
        out->data_y = classes ? is_class(arena, all, part) : all->target[part].values;
        if (!out->data_y)
            return CRD_ENOMEM;
    }
    return CRD_OK;
}

/* A panel a target. */
static crd_status make_fits(const crdi_network_run *net, crdi_arena *arena, const crdi_run_inputs *all, crd_key key,
                            crdi_figure_source *source)
{
    int64_t targets = net->recipe->target_count;
    struct crdi_fit *fit = crdi_arena_alloc(arena, (size_t)targets * sizeof *fit);
    crd_status status = fit ? CRD_OK : CRD_ENOMEM;
    crdi_prediction *p;
    CRD_TRY(status);
    CRD_TRY(predict(net, &net->x, probs, CRDI_COUNT(probs), key, &p));
    for (int64_t j = 0; j < targets && status == CRD_OK; j++) {
        const double *curve[3];
        status = split(arena, p->y + 3 * j, all->rows, 3 * targets, 3, curve);
        if (status == CRD_OK)
            fit[j] = (struct crdi_fit){.name = targets > 1 ? all->target[j].name : NULL,
                                       .count = all->rows,
                                       .observed = all->target[j].values,
                                       .predicted = curve[1],
                                       .low = curve[0],
                                       .high = curve[2],
                                       .probability = 0.95};
    }
    crdi_prediction_destroy(&p);
    source->fit_count = (int)targets;
    source->fit = fit;
    return status;
}

static crd_status make_bands(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                             crdi_figure **out)
{
    crdi_run_inputs all;
    crdi_figure_source source = {0};
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    CRD_TRY(crdi_run_inputs_find(net, arena, &all));
    int64_t from = 0, to = all.count;
    if (options->along) {
        CRD_TRY(crdi_run_inputs_select(net, arena, &all, &options->along, 1, 1, &from, &to));
        to = from + 1;
    }
    /* Two classes: the probability of the second says all. */
    int64_t classes = net->recipe->class_count, targets = net->recipe->target_count;
    int64_t first = classes == 2 ? 1 : 0, panels = classes > 2 ? classes : targets;
    if ((to - from) * panels > MOST_BANDS)
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED, "%s: bands of %lld %s over %lld input%s are too many panels%s",
                          net->path, (long long)(classes ? classes : targets),
                          classes       ? "classes"
                          : targets > 1 ? "targets"
                                        : "target",
                          (long long)(to - from), to - from == 1 ? "" : "s",
                          to - from == 1 ? "" : "; --along COL draws one input");
    crdi_bands *bands = crdi_arena_alloc(arena, (size_t)(all.count * panels) * sizeof *bands);
    if (!bands)
        return CRD_ENOMEM;
    int64_t inner = targets > 1 ? to - from : panels; /* inputs of a target, or classes of an input, stand together */
    for (int64_t i = 0; i < (to - from) * panels; i++) {
        int64_t input = from + (targets > 1 ? i % inner : i / inner);
        int64_t part = first + (targets > 1 ? i / inner : i % inner);
        CRD_TRY(make_band(net, arena, &all, &all.input[input], options, part, &bands[source.band_count++]));
    }
    source.bands = bands;
    if (all.count > 1 && classes == 0 && !options->bands_alone)
        CRD_TRY(make_fits(net, arena, &all, options->key, &source));
    return crdi_figure_bands(out, net->ctx, &source);
}

/* ---- the loss ----------------------------------------------------------------------------------------------- */

static crd_status make_loss(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                            crdi_figure **out)
{
    crdi_variational v;
    (void)arena;
    (void)options;
    if (!crdi_run_is_variational(net->run) || !crdi_run_has(net->run, "svi_loss"))
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED,
                          "%s: a run without a loss; --method svi, map and ensemble have one", net->path);
    CRD_TRY(crdi_variational_read(net->ctx, net->run, &v));
    /* Without priors the two are of one kind; else one is of all rows and has the prior. */
    bool both = v.plain && v.held_out;
    crd_status status = crdi_figure_loss(out, net->ctx,
                                         &(crdi_figure_source){.step_count = v.steps,
                                                               .loss = v.loss_by_step.data,
                                                               .held_out = both ? v.watched.data : NULL,
                                                               .held_out_count = crd_shape_size(v.watched.shape),
                                                               .epoch = v.epoch});
    crdi_variational_clear(net->ctx, &v);
    return status;
}

/* ---- which -------------------------------------------------------------------------------------------------- */

/* The figures that are drawn from one run. */
static const struct drawn {
    const char *name;
    crd_status (*make)(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                       crdi_figure **out);
} drawn[] = {{"data", make_data},
             {"bands", make_bands},
             {"trace", crdi_run_figure_trace},
             {"rank", crdi_run_figure_rank},
             {"autocorrelation", crdi_run_figure_autocorrelation},
             {"pairs", crdi_run_figure_pairs},
             {"forest", crdi_run_figure_forest},
             {"energy", crdi_run_figure_energy},
             {"k_hat", crdi_run_figure_k_hat},
             {"prior_check", crdi_run_figure_prior_check},
             {"posterior_check", crdi_run_figure_posterior_check},
             {"network", crdi_run_figure_network},
             {"map", crdi_run_figure_map},
             {"loss", make_loss}};

crd_status crdi_run_figure_make(crdi_network_run *net, const char *figure, const crdi_run_figure_options *options,
                                crdi_figure **out)
{
    const crdi_figure_type *type;
    crdi_arena *arena;
    CRD_TRY(crdi_figure_type_find(net->ctx, figure, &type));
    for (int i = 0; i < CRDI_COUNT(drawn); i++)
        if (strcmp(type->name, drawn[i].name) == 0) {
            CRD_TRY(crdi_arena_create(&arena, net->ctx));
            crd_status status = drawn[i].make(net, arena, options, out);
            crdi_arena_destroy(&arena);
            return status;
        }
    if (type->needs == CRDI_NEEDS_RELIABILITY)
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED,
                          "figure '%s' needs rows that the fit did not see: credence evaluate %s TEST.csv --%s FILE",
                          type->name, net->path, type->name);
    return crdi_raise(net->ctx, CRD_EUNSUPPORTED, "figure '%s' compares several runs: it is not drawn from one",
                      type->name);
}
