/* run_report_predictions.c - data and predictions of a network's run: curves or maps, observed against predicted, scores, checks,
 * leave-one-out, and a table of rows. */
#include "report/evaluation.h"
#include "report/prediction.h"
#include "report/run_inputs.h"
#include "report/run_report_impl.h"
#include "store/dataset.h"
#include "store/network_svi.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

enum { USUAL_DRAWS = 4000, MOST_PANELS = 12, MOST_COLUMNS = 24, INPUTS_SHOWN = 6, TARGETS_SHOWN = 3 };
static const double probs[] = {0.025, 0.5, 0.975};

/* What the section is made from. */
struct outlook {
    struct report *r;
    crdi_run_inputs all;
    bool classes;
    int64_t rows, targets; /* rows that are looked at */
    int64_t *row; /* (rows) numbers among the rows of the fit */
    crd_array x, y; /* of these rows, as the network sees them */
    crdi_prediction *p; /* of these rows; NULL: no draws */
};

static double *room(struct report *r, int64_t count)
{
    return crdi_arena_alloc(r->arena, (size_t)(count + 1) * sizeof(double));
}

/* ---- rows that are looked at --------------------------------------------------------------------------------------- */

static crd_status choose_rows(struct outlook *s)
{
    struct report *r = s->r;
    int64_t all = r->net->x.shape.dim[0], features = r->net->x.shape.dim[1], most = r->o->rows;
    s->rows = most > 0 && all > most ? most : all;
    s->row = crdi_arena_alloc(r->arena, (size_t)s->rows * sizeof *s->row);
    double *x = room(r, s->rows * features), *y = room(r, s->rows * s->targets);
    if (!s->row || !x || !y)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < s->rows; i++) {
        int64_t from = s->row[i] = i * all / s->rows;
        memcpy(x + i * features, r->net->x.data + from * features, (size_t)features * sizeof *x);
        memcpy(y + i * s->targets, r->net->y.data + from * s->targets, (size_t)s->targets * sizeof *y);
    }
    s->x = crd_array_borrow(x, crd_shape_2(s->rows, features));
    s->y = crd_array_borrow(y, crdi_recipe_shape(r->net->recipe, s->rows));
    return CRD_OK;
}

static int64_t draws_used(const struct report *r)
{
    int64_t most = r->o->draws > 0 ? r->o->draws : USUAL_DRAWS, all = r->part.chains * r->part.draws;
    return all > most ? most : 0;
}

static crd_status predict(struct outlook *s)
{
    crdi_report_step(s->r, "predictions");
    return crdi_prediction_make(s->r->net,
                                &(crdi_prediction_request){.x = &s->x,
                                                           .prob = probs,
                                                           .prob_count = CRDI_COUNT(probs),
                                                           .key = crd_key_make(0),
                                                           .draws = draws_used(s->r),
                                                           .threads = s->r->o->threads},
                                &s->p);
}

/* ---- figures ------------------------------------------------------------------------------------------------------- */

static crd_status add_curves(struct outlook *s)
{
    static const double levels[] = {0.5, 0.8, 0.95};
    struct report *r = s->r;
    bool single = s->all.count == 1;
    int64_t classes = r->net->recipe->class_count, each = classes > 2 ? classes : s->targets;
    bool functions = single && !s->classes && !r->net->network.linear_about && !crdi_run_is_point(r->net->run);
    if (s->all.count * each > MOST_PANELS) {
        crdi_report_note(
            r, "Not shown: curves over each input: there would be too many of them; 'credence plot RUN.crd bands "
               "--along COL' draws one.");
        return CRD_OK;
    }
    crdi_run_figure_options options = {.level = levels,
                                       .level_count = CRDI_COUNT(levels),
                                       .functions = functions ? 8 : 0,
                                       .bands_alone = true,
                                       .quiet = true,
                                       .key = crd_key_make(0)};
    return crdi_report_figure(r, "bands", &options,
                              single ? crdi_report_print(r, "Predictions over %s", s->all.input[0].column)
                                     : "Predictions over each input",
                              s->classes ? single ? "The probability of each class over the input: median and "
                                                    "intervals of its draws; points are rows, 1 "
                                                    "where they are of that class."
                                                  : "The probability of each class over one input, the others held at "
                                                    "typical values: median and intervals "
                                                    "of its draws."
                              : single   ? "The median of f and the intervals that hold 50, 80 and 95 % of its draws; "
                                           "the noise of single values comes on "
                                           "top."
                                         : "The median of f over one input, the others held at typical values, and the "
                                           "intervals that hold 50, 80 and 95 % of "
                                           "its draws.");
}

static crd_status add_map(struct outlook *s)
{
    crdi_run_figure_options options = {
        .resolution = 70, .draws = s->r->o->draws, .key = crd_key_make(0), .quiet = true};
    int64_t all = s->r->part.chains * s->r->part.draws;
    options.draws = options.draws > all ? 0 : options.draws;
    return crdi_report_figure(
        s->r, "map", &options, "Predictions over the two inputs",
        s->classes ? "The likeliest class, and how unsure the prediction is: its entropy. Points are the data."
                   : "The mean of f, and how far its draws differ. Points are the data.");
}

/* By row of the sub-sample: the observed value of a target. */
static const double *observed(struct outlook *s, int64_t target)
{
    double *y = room(s->r, s->rows);
    for (int64_t i = 0; y && i < s->rows; i++)
        y[i] = s->all.target[target].values[s->row[i]];
    return y;
}

/* Number k of every `stride` of an array by row. */
static const double *strided(struct outlook *s, const double *values, int64_t stride, int64_t k)
{
    double *out = room(s->r, s->rows);
    for (int64_t i = 0; out && i < s->rows; i++)
        out[i] = values[i * stride + k];
    return out;
}

static crd_status add_fits(struct outlook *s)
{
    struct report *r = s->r;
    int64_t stride = 3 * s->targets;
    crdi_figure *f = NULL;
    struct crdi_fit *fit = crdi_arena_alloc(r->arena, (size_t)s->targets * sizeof *fit);
    if (!fit)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < s->targets; j++) {
        fit[j] = (struct crdi_fit){.name = s->targets > 1 ? s->all.target[j].name : NULL,
                                   .count = s->rows,
                                   .observed = observed(s, j),
                                   .low = strided(s, s->p->y, stride, 3 * j),
                                   .predicted = strided(s, s->p->y, stride, 3 * j + 1),
                                   .high = strided(s, s->p->y, stride, 3 * j + 2),
                                   .probability = 0.95};
        if (!fit[j].observed || !fit[j].low || !fit[j].predicted || !fit[j].high)
            return CRD_ENOMEM;
    }
    CRD_TRY(crdi_figure_bands(&f, r->ctx, &(crdi_figure_source){.fit_count = (int)s->targets, .fit = fit}));
    crdi_html_figure_add(
        &r->html, f, "Observed against predicted",
        "Each row of the fit: the median of what is predicted for it, with the interval that should hold 95 % of the "
        "observed values. Rows far off the diagonal are predicted badly.");
    crdi_figure_destroy(&f);
    return CRD_OK;
}

/* ---- scores -------------------------------------------------------------------------------------------------------- */

struct score_table {
    const char **group, **name, **what;
    double *value, *se;
    int64_t count, most;
};

static crd_status add_scores(struct outlook *s, const crdi_scores *scores, const char *where, struct score_table *t)
{
    for (int64_t i = 0; i < scores->count && t->count < t->most; i++) {
        const crdi_scored *one = &scores->score[i];
        t->group[t->count] = where;
        t->name[t->count] = s->targets > 1 && one->target >= 0
                                ? crdi_report_print(s->r, "%s: %s", s->all.target[one->target].name, one->name)
                                : crdi_arena_strdup(s->r->arena, one->name);
        t->what[t->count] = crdi_arena_strdup(s->r->arena, one->what);
        t->value[t->count] = one->score.value;
        t->se[t->count] = one->score.se;
        if (!t->name[t->count] || !t->what[t->count])
            return CRD_ENOMEM;
        t->count++;
    }
    return CRD_OK;
}

/* Scores of some rows; their reliability as a figure, if it is wanted. */
static crd_status score(struct outlook *s, const crd_array *x, const crd_array *y, const char *where, bool draw,
                        struct score_table *t)
{
    static const crdi_score_options options = {.bins = 10, .binning = CRD_BINS_EQUAL_WIDTH};
    struct report *r = s->r;
    crdi_evaluation *e = NULL;
    crdi_scores *scores = NULL;
    crdi_figure *f = NULL;
    crd_status status = crdi_evaluation_make(
        &(crdi_outlook_request){
            .net = r->net, .what = "scores", .x = x, .y = y, .key = crd_key_make(0), .threads = r->o->threads},
        NULL, &e);
    if (status == CRD_OK)
        status = crdi_scores_make(e, NULL, &options, &scores);
    if (status == CRD_OK)
        status = add_scores(s, scores, where, t);
    if (status == CRD_OK && draw && e->outcome != CRDI_OUTCOME_COUNT)
        status = crdi_evaluation_figure(e, scores, &options, &f);
    const char *caption = crdi_report_print(r, "Reliability at %s", where);
    if (status == CRD_OK && !caption)
        status = CRD_ENOMEM;
    if (status == CRD_OK && f)
        crdi_html_figure_add(
            &r->html, f, caption,
            s->classes
                ? "How often the likeliest class is right, by how sure the prediction is; on the diagonal they "
                  "are as often right as they say."
                : "How many of the observed values lie below each quantile of their predictions; on the diagonal "
                  "as many as they should.");
    crdi_figure_destroy(&f);
    crdi_scores_destroy(&scores);
    crdi_evaluation_destroy(&e);
    return crdi_report_forgive(r, "scores", status);
}

static crd_status score_held_out(struct outlook *s, struct score_table *t)
{
    crd_array x = {0}, y = {0};
    if (!crdi_run_has(s->r->net->run, "svi_epoch"))
        return CRD_OK;
    crd_status status = crdi_run_get_array(s->r->net->run, "x_held_out", &x);
    if (status == CRD_OK)
        status = crdi_run_get_array(s->r->net->run, "y_held_out", &y);
    if (status == CRD_OK)
        status = score(s, &x, &y, "rows held out", true, t);
    else if (status == CRD_EMISSING) {
        crd_error_clear(s->r->ctx);
        status = CRD_OK;
    }
    crd_array_clear(&x);
    crd_array_clear(&y);
    return status;
}

static crd_status add_score_table(struct outlook *s)
{
    enum { MOST = 400 };
    struct report *r = s->r;
    struct score_table t = {.most = MOST};
    t.group = crdi_arena_alloc(r->arena, MOST * sizeof *t.group);
    t.name = crdi_arena_alloc(r->arena, MOST * sizeof *t.name);
    t.what = crdi_arena_alloc(r->arena, MOST * sizeof *t.what);
    t.value = room(r, MOST);
    t.se = room(r, MOST);
    if (!t.group || !t.name || !t.what || !t.value || !t.se)
        return CRD_ENOMEM;
    crdi_report_step(r, "scores");
    CRD_TRY(score_held_out(s, &t));
    bool held_out = t.count > 0;
    CRD_TRY(score(s, &s->x, &s->y, "the rows of the fit", !held_out, &t));
    const crdi_html_column columns[] = {
        {.name = "score", .text = t.name},
        {.name = "value", .value = t.value, .decimals = -1},
        {.name = "se", .about = "its standard error over rows", .value = t.se, .decimals = -1},
        {.name = "what it is", .text = t.what}};
    crdi_html_table_add(
        &r->html,
        &(crdi_html_table){.caption = held_out ? "Scores at rows held out and at the rows of the fit"
                                               : "Scores at the rows of the fit, which it has seen: new rows tell more "
                                                 "(credence evaluate)",
                           .columns = CRDI_COUNT(columns),
                           .column = columns,
                           .rows = t.count,
                           .group = held_out ? t.group : NULL});
    return CRD_OK;
}

/* ---- leave-one-out -------------------------------------------------------------------------------------------------- */

crd_status crdi_report_find_loo(struct report *r)
{
    static const double most_terms = 1e9; /* rows times draws */
    const crdi_network_run *net = r->net;
    if (!net->is_network || crdi_run_is_point(net->run))
        return CRD_OK;
    int64_t rows = net->x.shape.dim[0];
    if ((r->o->rows > 0 && rows > r->o->rows) || (double)rows * (double)(r->part.chains * r->part.draws) > most_terms) {
        crdi_report_note(
            r, "Not shown: leave-one-out: there are more rows than this page looks at (--rows); 'credence loo RUN.crd' "
               "takes them all.");
        return CRD_OK;
    }
    crdi_report_step(r, "leave-one-out");
    return crdi_report_forgive(r, "leave-one-out", crdi_run_loo_make(net, 0, r->o->threads, &r->loo));
}

static crd_status add_loo(struct report *r)
{
    const crdi_run_loo *l = r->loo;
    crdi_figure *f = NULL;
    if (!l)
        return CRD_OK;
    CRD_TRY(crdi_figure_k_hat(
        &f, r->ctx, &(crdi_figure_source){.rows = l->rows, .k_hat = l->k_hat, .good_k = crd_psis_good_k(l->draws)}));
    crdi_html_figure_add(
        &r->html, f, "Leave-one-out, row by row",
        "Pareto k of each row: above the line its leave-one-out is not to be trusted, and the row has more to say than "
        "others.");
    crdi_figure_destroy(&f);
    static const char *const name[] = {"elpd_loo", "p_loo", "looic", "elpd_waic", "p_waic"};
    static const char *const what[] = {
        "log density expected for a new row, summed over as many rows", "effective number of parameters", "-2 elpd_loo",
        "the same by WAIC, which does not know when it fails", "its number of parameters"};
    const double value[] = {l->loo.elpd, l->loo.p, -2 * l->loo.elpd, l->waic.elpd, l->waic.p};
    const double se[] = {l->loo.se, NAN, 2 * l->loo.se, l->waic.se, NAN};
    const crdi_html_column columns[] = {{.name = "estimate", .text = name},
                                        {.name = "value", .value = value, .decimals = 2},
                                        {.name = "se", .about = "its standard error", .value = se, .decimals = 2},
                                        {.name = "what it is", .text = what}};
    crdi_html_table_add(&r->html, &(crdi_html_table){.caption = "Leave-one-out cross-validation",
                                                     .columns = CRDI_COUNT(columns),
                                                     .column = columns,
                                                     .rows = CRDI_COUNT(name)});
    return CRD_OK;
}

/* ---- the table of rows ------------------------------------------------------------------------------------------------ */

struct columns {
    crdi_html_column item[MOST_COLUMNS];
    int count;
    bool failed;
};

static void add_numbers(struct columns *c, const char *name, const char *about, const double *value, int decimals)
{
    c->failed = c->failed || !name || !value;
    if (!c->failed && c->count < MOST_COLUMNS)
        c->item[c->count++] = (crdi_html_column){.name = name, .about = about, .value = value, .decimals = decimals};
}

static void add_texts(struct columns *c, const char *name, const char *about, const char *const *text)
{
    c->failed = c->failed || !name || !text;
    if (!c->failed && c->count < MOST_COLUMNS)
        c->item[c->count++] = (crdi_html_column){.name = name, .about = about, .text = text};
}

static void add_inputs(struct outlook *s, struct columns *c)
{
    for (int64_t k = 0; k < s->all.count && k < INPUTS_SHOWN; k++) {
        const crdi_run_input *in = &s->all.input[k];
        double *value = room(s->r, s->rows);
        const char **level = in->levels ? crdi_arena_alloc(s->r->arena, (size_t)s->rows * sizeof *level) : NULL;
        c->failed = c->failed || !value || (in->levels && !level);
        for (int64_t i = 0; !c->failed && i < s->rows; i++) {
            value[i] = in->values[s->row[i]];
            if (level)
                level[i] = crdi_run_inputs_level(&s->all, in, (int64_t)value[i]);
        }
        if (level)
            add_texts(c, in->column, "an input", level);
        else
            add_numbers(c, in->column, "an input", value, -1);
    }
}

static void add_predicted_numbers(struct outlook *s, struct columns *c)
{
    struct report *r = s->r;
    for (int64_t j = 0; j < s->targets && j < TARGETS_SHOWN; j++) {
        const char *name = s->all.target[j].name;
        const double *y = observed(s, j), *mean = strided(s, s->p->mean, s->targets, j);
        double *off = room(r, s->rows);
        c->failed = c->failed || !y || !mean || !off;
        for (int64_t i = 0; !c->failed && i < s->rows; i++)
            off[i] = y[i] - mean[i];
        bool several = s->targets > 1;
        add_numbers(c, name, "observed", y, -1);
        add_numbers(c, several ? crdi_report_print(r, "mean of %s", name) : "mean", "predicted", mean, -1);
        add_numbers(c, several ? crdi_report_print(r, "2.5 %% of %s", name) : "2.5 %", "of the predicted values",
                    strided(s, s->p->y, 3 * s->targets, 3 * j), -1);
        add_numbers(c, several ? crdi_report_print(r, "97.5 %% of %s", name) : "97.5 %", "of the predicted values",
                    strided(s, s->p->y, 3 * s->targets, 3 * j + 2), -1);
        add_numbers(c, several ? crdi_report_print(r, "residual of %s", name) : "residual", "observed less mean", off,
                    -1);
    }
}

static void add_predicted_classes(struct outlook *s, struct columns *c)
{
    struct report *r = s->r;
    char *const *names = r->net->recipe->class_name;
    const char **is = crdi_arena_alloc(r->arena, (size_t)s->rows * sizeof *is);
    const char **mode = crdi_arena_alloc(r->arena, (size_t)s->rows * sizeof *mode);
    const char **right = crdi_arena_alloc(r->arena, (size_t)s->rows * sizeof *right);
    double *p = room(r, s->rows);
    c->failed = c->failed || !is || !mode || !right || !p;
    for (int64_t i = 0; !c->failed && i < s->rows; i++) {
        int64_t class = (int64_t)s->y.data[i], best = crdi_prediction_mode(s->p, i);
        is[i] = names[class];
        mode[i] = names[best];
        right[i] = class == best ? "yes" : "no";
        p[i] = s->p->mean[i * s->p->classes + class];
    }
    add_texts(c, r->net->recipe->target, "observed", is);
    add_texts(c, "likeliest", "the class of greatest probability", mode);
    add_texts(c, "right", NULL, right);
    add_numbers(c, "p(observed)", "mean probability of the observed class", p, 3);
    add_numbers(c, "entropy", "of the mean probabilities, in nats", s->p->entropy, 3);
}

static crd_status add_rows(struct outlook *s)
{
    struct report *r = s->r;
    struct columns c = {.count = 0};
    double *number = room(r, s->rows);
    for (int64_t i = 0; number && i < s->rows; i++)
        number[i] = (double)s->row[i];
    add_numbers(&c, "row", "of the fit, counted from 0", number, 0);
    add_inputs(s, &c);
    (s->classes ? add_predicted_classes : add_predicted_numbers)(s, &c);
    if (r->loo && r->loo->rows == s->rows) {
        add_numbers(&c, "elpd_loo", "log density of the row, predicted from the others", r->loo->elpd, 2);
        add_numbers(&c, "k_hat", "how far that can be trusted", r->loo->k_hat, 2);
    }
    if (c.failed)
        return CRD_ENOMEM;
    crdi_html_table_add(&r->html, &(crdi_html_table){.caption = s->rows < s->all.rows ? "Rows of the fit, spread evenly"
                                                                                      : "Rows of the fit",
                                                     .columns = c.count,
                                                     .column = c.item,
                                                     .rows = s->rows});
    return CRD_OK;
}

/* ---- the section ------------------------------------------------------------------------------------------------------- */

static crd_status add_all(struct outlook *s)
{
    struct report *r = s->r;
    CRD_TRY(predict(s));
    if (s->all.count == 2)
        CRD_TRY(add_map(s));
    else
        CRD_TRY(add_curves(s));
    if (!s->classes && s->all.count > 1)
        CRD_TRY(add_fits(s));
    CRD_TRY(add_score_table(s));
    if (!crdi_run_is_point(r->net->run) && !r->net->network.linear_about)
        CRD_TRY(crdi_report_figure(
            r, "posterior_check", &(crdi_run_figure_options){.key = crd_key_make(0)}, "Data that the fit makes up",
            "The distribution of the data beside those that the fitted model draws for the same inputs: they should "
            "look alike."));
    CRD_TRY(add_loo(r));
    return add_rows(s);
}

crd_status crdi_report_predictions(struct report *r)
{
    struct outlook s = {.r = r, .classes = r->net->recipe->class_count > 0, .targets = r->net->recipe->target_count};
    CRD_TRY(crdi_run_inputs_find(r->net, r->arena, &s.all));
    CRD_TRY(choose_rows(&s));
    crdi_report_open(r, "predictions", "Data and predictions");
    crd_status status = r->has_draws ? add_all(&s)
                                     : crdi_report_figure(r, "data", &(crdi_run_figure_options){.key = crd_key_make(0)},
                                                          "The data", NULL);
    crdi_report_close(r);
    crdi_prediction_destroy(&s.p);
    return status == CRD_OK ? r->html.body.status : status;
}
