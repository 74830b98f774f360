/* run_figure_map.c - maps of a run: what it predicts over a grid of two inputs, the others held at typical values. */
#include "report/prediction.h"
#include "report/run_figure_impl.h"
#include "report/run_inputs.h"

#include <math.h>
#include <string.h>

enum { CELLS = 100, MOST_MAPS = 24, USUAL_DRAWS = 1000 };

/* ---- what can be shown -------------------------------------------------------------------------------------- */

enum { OF_CLASS = 1 << CRDI_OUTCOME_CLASS, OF_AMOUNT = 1 << CRDI_OUTCOME_NUMBER | 1 << CRDI_OUTCOME_COUNT };

/* `at`: the cell, times the targets and plus the target where these are several. */
typedef double (*quantity_fn)(const crdi_prediction *p, int64_t at);

static double mode_of(const crdi_prediction *p, int64_t at)
{
    return (double)crdi_prediction_mode(p, at);
}

static double entropy_of(const crdi_prediction *p, int64_t at)
{
    return p->entropy[at];
}

static double expected_entropy_of(const crdi_prediction *p, int64_t at)
{
    return p->expected_entropy[at];
}

static double mutual_information_of(const crdi_prediction *p, int64_t at)
{
    return fmax(0, entropy_of(p, at) - expected_entropy_of(p, at)); /* below zero by rounding alone */
}

static double mean_of(const crdi_prediction *p, int64_t at)
{
    return p->mean[at];
}

static double sd_of(const crdi_prediction *p, int64_t at)
{
    return p->sd[at];
}

static double total_of(const crdi_prediction *p, int64_t at)
{
    return sqrt(p->aleatoric[at] + p->epistemic[at]);
}

static double noise_of(const crdi_prediction *p, int64_t at)
{
    return sqrt(p->aleatoric[at]);
}

/* The names are those of the columns of `credence predict`; the second ones say what kind of uncertainty it is. */
static const struct quantity {
    const char *name, *kind;
    int outcomes;
    const char *title, *unit; /* unit NULL: the target's */
    crdi_palette palette;
    bool usual; /* shown unless something else is asked for */
    quantity_fn value;
} quantities[] = {
    {"mode", "class", OF_CLASS, "mode: the likeliest class", "", CRDI_PALETTE_AMOUNT, true, mode_of},
    {"entropy", "total", OF_CLASS, "entropy of the prediction", "nats", CRDI_PALETTE_AMOUNT, true, entropy_of},
    {"expected_entropy", "aleatoric", OF_CLASS, "expected entropy (aleatoric)", "nats", CRDI_PALETTE_AMOUNT, false,
     expected_entropy_of},
    {"mutual_information", "epistemic", OF_CLASS, "mutual information (epistemic)", "nats", CRDI_PALETTE_AMOUNT, false,
     mutual_information_of},
    {"mean", "f_mean", OF_AMOUNT, "mean", NULL, CRDI_PALETTE_VALUE, true, mean_of},
    {"sd", "epistemic", OF_AMOUNT, "sd of the mean (epistemic)", NULL, CRDI_PALETTE_AMOUNT, true, sd_of},
    {"y_sd", "total", OF_AMOUNT, "sd of a new value (total)", NULL, CRDI_PALETTE_AMOUNT, false, total_of},
    {"noise", "aleatoric", OF_AMOUNT, "sd of the noise (aleatoric)", NULL, CRDI_PALETTE_AMOUNT, false, noise_of},
};

/* One panel: a quantity, the probability of a class, or a draw of the target. */
struct shown {
    const struct quantity *quantity;
    int64_t class; /* without a quantity: -1, or the class */
    int64_t sample; /* else the place among the samples */
    int64_t target; /* which of several */
};

struct map {
    crdi_network_run *net;
    crdi_arena *arena;
    const crdi_run_figure_options *options;
    crdi_run_inputs all;
    crdi_outcome outcome;
    int64_t axis[2];
    const crdi_run_input *input[2];
    double edge[2][2];
    int64_t cells[2];
    int shown_count;
    struct shown shown[MOST_MAPS];
    crdi_prediction *prediction; /* of the quantities; NULL: none */
    crdi_prediction *draws; /* of single draws; NULL: none */
};

/* ---- what is asked for -------------------------------------------------------------------------------------- */

/* Once for each target. */
static crd_status add_shown(struct map *m, struct shown one)
{
    for (one.target = 0; one.target < m->net->recipe->target_count; one.target++) {
        if (m->shown_count == MOST_MAPS)
            return crdi_raise(m->net->ctx, CRD_EUNSUPPORTED, "a figure has up to %d maps", MOST_MAPS);
        m->shown[m->shown_count++] = one;
    }
    return CRD_OK;
}

static const char *quantity_name(const void *list, int64_t i)
{
    return ((const struct quantity *const *)list)[i]->name;
}

static crd_status raise_unknown(const struct map *m, const char *name)
{
    const struct quantity *mine[CRDI_COUNT(quantities)];
    int64_t count = 0;
    for (int i = 0; i < CRDI_COUNT(quantities); i++)
        if (quantities[i].outcomes & 1 << m->outcome)
            mine[count++] = &quantities[i];
    return crdi_raise_unknown(m->net->ctx, "quantity of a map", name, quantity_name, mine, count);
}

/* "entropy", "total", or "p_NAME" for the probability of a class. */
static crd_status add_named(struct map *m, const char *name)
{
    const crd_recipe *r = m->net->recipe;
    for (int i = 0; i < CRDI_COUNT(quantities); i++) {
        const struct quantity *q = &quantities[i];
        if ((q->outcomes & 1 << m->outcome) && (strcmp(name, q->name) == 0 || strcmp(name, q->kind) == 0))
            return add_shown(m, (struct shown){q, -1, -1, 0});
    }
    for (int64_t k = 0; k < r->class_count && strncmp(name, "p_", 2) == 0; k++)
        if (strcmp(name + 2, r->class_name[k]) == 0)
            return add_shown(m, (struct shown){NULL, k, -1, 0});
    return raise_unknown(m, name);
}

static crd_status find_shown(struct map *m)
{
    const crdi_run_figure_options *o = m->options;
    for (int64_t i = 0; i < o->pick_count; i++)
        CRD_TRY(add_shown(m, (struct shown){NULL, -1, i, 0}));
    for (int64_t i = 0; i < o->show_count; i++) {
        char *at = crdi_arena_strdup(m->arena, o->show[i]), *next;
        if (!at)
            return CRD_ENOMEM;
        for (; at; at = next) {
            next = strchr(at, ',');
            if (next)
                *next++ = 0;
            CRD_TRY(add_named(m, at));
        }
    }
    for (int i = 0; i < CRDI_COUNT(quantities) && o->pick_count == 0 && o->show_count == 0; i++)
        if (quantities[i].usual && quantities[i].outcomes & 1 << m->outcome)
            CRD_TRY(add_shown(m, (struct shown){&quantities[i], -1, -1, 0}));
    return CRD_OK;
}

/* The two inputs, and what the axes span: levels each a cell, numbers what the data span and a little more. */
static crd_status find_axes(struct map *m)
{
    const crdi_run_figure_options *o = m->options;
    int64_t count = 0;
    if (m->all.count < 2)
        return crdi_raise(m->net->ctx, CRD_EUNSUPPORTED,
                          "%s: a map needs two inputs, and the run has one; 'bands' draws predictions over it",
                          m->net->path);
    CRD_TRY(crdi_run_inputs_select(m->net, m->arena, &m->all, o->inputs, o->input_count, 2, m->axis, &count));
    if (count == 1)
        return crdi_raise(m->net->ctx, CRD_EINVAL, "a map needs two inputs, and one is named: '%s'", o->inputs[0]);
    for (int a = 0; a < 2; a++) {
        const crdi_run_input *in = m->input[a] = &m->all.input[count ? m->axis[a] : (m->axis[a] = a)];
        double low = in->values[0], high = low, *edge = m->edge[a];
        for (int64_t i = 0; i < m->all.rows; i++) {
            low = fmin(low, in->values[i]);
            high = fmax(high, in->values[i]);
        }
        edge[0] = in->levels ? -0.5 : low - 0.08 * (high - low);
        edge[1] = in->levels ? (double)in->levels - 0.5 : high + 0.08 * (high - low);
        m->cells[a] = in->levels ? in->levels : o->resolution > 0 ? o->resolution : CELLS;
        const double *range = o->range ? o->range + (o->range_count > 2 ? 2 * a : 0) : NULL;
        if (range && !in->levels) {
            edge[0] = range[0];
            edge[1] = range[1];
        }
    }
    return CRD_OK;
}

/* ---- predictions -------------------------------------------------------------------------------------------- */

static double centre(const struct map *m, int a, int64_t i)
{
    return m->edge[a][0] + ((double)i + 0.5) / (double)m->cells[a] * (m->edge[a][1] - m->edge[a][0]);
}

/* The network's inputs in all cells. */
static crd_status fill_cells(const struct map *m, crd_array *out)
{
    int64_t features = m->net->recipe->feature_count, count = m->cells[0] * m->cells[1];
    double *x = crdi_arena_alloc(m->arena, (size_t)(count * features) * sizeof *x);
    double *values = crdi_arena_alloc(m->arena, (size_t)m->all.count * sizeof *values);
    if (!x || !values)
        return CRD_ENOMEM;
    for (int64_t k = 0; k < m->all.count; k++)
        values[k] = m->all.input[k].typical;
    for (int64_t i = 0; i < count; i++) {
        values[m->axis[0]] = centre(m, 0, i % m->cells[0]);
        values[m->axis[1]] = centre(m, 1, i / m->cells[0]);
        crdi_run_inputs_row(&m->all, values, x + i * features);
    }
    *out = crd_array_borrow(x, crd_shape_2(count, features));
    return CRD_OK;
}

/* Single draws: of each chain as many of the first ones are computed as it takes. */
static crd_status predict_draws(struct map *m, const crd_array *x, const crdi_run_part *part)
{
    const crdi_run_figure_options *o = m->options;
    int64_t each = 0, *pick = crdi_arena_alloc(m->arena, (size_t)o->pick_count * sizeof *pick);
    if (!pick)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < o->pick_count; i++) {
        if (o->pick[i] < 0 || o->pick[i] >= part->chains * part->draws)
            return crdi_raise(m->net->ctx, CRD_EINVAL, "draw %lld is asked for, of draws 0 to %lld",
                              (long long)o->pick[i], (long long)(part->chains * part->draws) - 1);
        each = o->pick[i] % part->draws + 1 > each ? o->pick[i] % part->draws + 1 : each;
    }
    for (int64_t i = 0; i < o->pick_count; i++)
        pick[i] = o->pick[i] / part->draws * each + o->pick[i] % part->draws;
    return crdi_prediction_make(
        m->net,
        &(crdi_prediction_request){
            .x = x, .key = o->key, .draws = each * part->chains, .samples = o->pick_count, .pick = pick},
        &m->draws);
}

static crd_status predict(struct map *m)
{
    crdi_run_part part;
    crd_array x;
    crd_status status = CRD_OK;
    CRD_TRY(fill_cells(m, &x));
    CRD_TRY(crdi_run_part_find(m->net->ctx, m->net->run, &part));
    int64_t draws = m->options->draws, all = part.chains * part.draws;
    if (m->options->pick_count > 0)
        status = predict_draws(m, &x, &part);
    if (status == CRD_OK && m->shown_count > m->options->pick_count * m->net->recipe->target_count)
        status = crdi_prediction_make(
            m->net, &(crdi_prediction_request){.x = &x, .draws = draws == 0 && all > USUAL_DRAWS ? USUAL_DRAWS : draws},
            &m->prediction);
    crdi_run_part_clear(m->net->ctx, &part);
    return status;
}

static double value_of(const struct map *m, const struct shown *s, int64_t i)
{
    if (s->quantity)
        return s->quantity->value(m->prediction, i * m->prediction->targets + s->target);
    if (s->sample >= 0)
        return m->draws->sample[(i * m->draws->targets + s->target) * m->draws->samples + s->sample];
    return m->prediction->mean[i * m->prediction->classes + s->class];
}

static const char *title_of(const struct map *m, const struct shown *s)
{
    const crd_recipe *r = m->net->recipe;
    if (s->sample >= 0)
        return crdi_arena_printf(m->arena, "%s%spredictive draw %lld",
                                 r->target_count > 1 ? r->targets[s->target].name : "", r->target_count > 1 ? ": " : "",
                                 (long long)m->options->pick[s->sample]);
    if (!s->quantity)
        return crdi_arena_printf(m->arena, "P(%s = %s)", r->target, r->class_name[s->class]);
    if (m->outcome == CRDI_OUTCOME_CLASS)
        return s->quantity->title;
    return crdi_arena_printf(m->arena, "%s: %s", r->targets[s->target].name, s->quantity->title);
}

/* Entropies of different runs can be compared: their scale ends at the greatest that there can be. That of the mutual
 * information ends at what it reaches, and does not make rounding visible. */
static void set_scale(const struct map *m, const struct shown *s, int64_t count, crdi_map *out)
{
    double most = 1e-6;
    out->scale[0] = out->scale[1] = NAN;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, out->value[i]);
    if (s->quantity && out->palette == CRDI_PALETTE_AMOUNT)
        out->scale[0] = 0;
    if (m->outcome != CRDI_OUTCOME_CLASS)
        return;
    out->scale[0] = 0;
    out->scale[1] = !s->quantity                                  ? 1
                    : s->quantity->value == mutual_information_of ? most
                                                                  : log((double)m->net->recipe->class_count);
}

static crd_status make_map(const struct map *m, const struct shown *s, crdi_map *out)
{
    int64_t count = m->cells[0] * m->cells[1];
    double *value = crdi_arena_alloc(m->arena, (size_t)count * sizeof *value);
    const char *title = title_of(m, s);
    if (!value || !title)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < count; i++)
        value[i] = value_of(m, s, i);
    bool classes = m->outcome == CRDI_OUTCOME_CLASS, draw = s->sample >= 0;
    *out = (crdi_map){.title = title,
                      .classes = classes && (draw || (s->quantity && s->quantity->value == mode_of)),
                      .value = value,
                      .palette = s->quantity ? s->quantity->palette
                                 : draw      ? CRDI_PALETTE_VALUE
                                             : CRDI_PALETTE_AMOUNT,
                      .scale_label = s->quantity && s->quantity->unit ? s->quantity->unit
                                     : classes                        ? NULL
                                                                      : m->net->recipe->targets[s->target].name};
    if (!classes && out->palette == CRDI_PALETTE_VALUE)
        out->like_target = m->all.target[s->target].values;
    set_scale(m, s, count, out);
    return CRD_OK;
}

/* ---- the figure --------------------------------------------------------------------------------------------- */

/* "Other inputs: a = 1.5, colour = red"; NULL if there are none, or no memory. */
static const char *others(const struct map *m)
{
    const char *text = NULL;
    for (int64_t k = 0; k < m->all.count; k++) {
        const crdi_run_input *in = &m->all.input[k];
        const char *before = text ? text : "The other inputs are held at", *comma = text ? "," : "";
        if (k == m->axis[0] || k == m->axis[1])
            continue;
        if (in->levels)
            text = crdi_arena_printf(m->arena, "%s%s %s = %s", before, comma, in->column,
                                     crdi_run_inputs_level(&m->all, in, (int64_t)in->typical));
        else
            text = crdi_arena_printf(m->arena, "%s%s %s = %.4g", before, comma, in->column, in->typical);
    }
    return text;
}

/* The names of an axis's levels; NULL for numbers or too many. */
static crd_status level_names(const struct map *m, int a, const char *const **out)
{
    const crdi_run_input *in = m->input[a];
    *out = NULL;
    if (in->levels == 0 || in->levels > CRDI_TICKS)
        return CRD_OK;
    const char **names = crdi_arena_alloc(m->arena, (size_t)in->levels * sizeof *names);
    if (!names)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < in->levels; j++)
        names[j] = crdi_run_inputs_level(&m->all, in, j);
    *out = names;
    return CRD_OK;
}

static crd_status build(const struct map *m, crdi_figure **out)
{
    const crd_recipe *r = m->net->recipe;
    crdi_map *maps = crdi_arena_alloc(m->arena, (size_t)m->shown_count * sizeof *maps);
    crdi_figure_source source = {.class_count = r->class_count, .class_name = r->class_name};
    crdi_maps *all = &source.maps;
    if (!maps)
        return CRD_ENOMEM;
    for (int i = 0; i < m->shown_count; i++)
        CRD_TRY(make_map(m, &m->shown[i], &maps[i]));
    *all = (crdi_maps){.count = m->shown_count,
                       .map = maps,
                       .columns = m->cells[0],
                       .rows = m->cells[1],
                       .x = {m->edge[0][0], m->edge[0][1]},
                       .y = {m->edge[1][0], m->edge[1][1]},
                       .x_name_count = m->input[0]->levels,
                       .y_name_count = m->input[1]->levels,
                       .data_count = m->all.rows,
                       .data_x = m->input[0]->values,
                       .data_y = m->input[1]->values,
                       .data_target = m->all.target->values,
                       .footnote = others(m)};
    CRD_TRY(level_names(m, 0, &all->x_name));
    CRD_TRY(level_names(m, 1, &all->y_name));
    all->x_label = all->x_name ? m->input[0]->column : m->input[0]->name;
    all->y_label = all->y_name ? m->input[1]->column : m->input[1]->name;
    return crdi_figure_map(out, m->net->ctx, &source);
}

crd_status crdi_run_figure_map(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                               crdi_figure **out)
{
    struct map m = {.net = net, .arena = arena, .options = options};
    CRD_TRY(crdi_network_run_need(net, "predictions"));
    const crdi_likelihood *likelihood = crdi_likelihood_find(net->ctx, net->network.likelihood);
    if (!likelihood)
        return CRD_ENAME;
    m.outcome = likelihood->outcome;
    CRD_TRY(crdi_run_inputs_find(net, arena, &m.all));
    CRD_TRY(find_axes(&m));
    CRD_TRY(find_shown(&m));
    crd_status status = predict(&m);
    if (status == CRD_OK)
        status = build(&m, out);
    crdi_prediction_destroy(&m.draws);
    crdi_prediction_destroy(&m.prediction);
    return status;
}
