/* test_evaluation.c - scores of a run against what is written out by hand from its draws; calibration; Bernoulli and categorical. The
 * run files are written here with draws that the test knows: networks without hidden layers. */
#include "report/comparison.h"
#include "report/prediction.h"
#include "report/run_likelihood.h"
#include "store/dataset.h"
#include "testing.h"

#include <credence/diag.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 150, DRAWS = 40, MOST_SITES = 4, MOST_SIZE = 64 };

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-evaluation-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* ---- runs with known draws --------------------------------------------------------------------------------------- */

typedef double (*value_fn)(const void *user, const char *site, int64_t draw, int64_t element);

struct known {
    crd_context *ctx;
    crd_dataset *dataset;
    const char *likelihood;
    int64_t draws;
    value_fn value;
    const void *user;
};

static void put_draws(crdi_run *run, const crd_model *model, const struct known *k)
{
    static double values[MOST_SITES][MOST_SIZE * 4000];
    const double *column[MOST_SITES];
    crdi_sink sink = crdi_run_sink(run);
    for (int i = 0; i < crd_model_site_count(model); i++) {
        const crd_site *site = crd_model_site(model, i);
        int64_t size = crd_shape_size(site->shape);
        assert_true(i < MOST_SITES && size <= MOST_SIZE && k->draws <= 4000);
        for (int64_t d = 0; d < k->draws; d++)
            for (int64_t e = 0; e < size; e++)
                values[i][d * size + e] = k->value(k->user, site->name, d, e);
        column[i] = values[i];
    }
    assert_ok(k->ctx, sink.draws(sink.user, 0, 0, k->draws, column));
}

static crdi_network_run *write_run(const struct known *k)
{
    char path[96];
    crdi_run *run;
    crd_model *model;
    crdi_network_run *net;
    crd_column column[MOST_SITES] = {0};
    crd_network network = {.hidden = "none",
                           .activation = "tanh",
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .likelihood = k->likelihood,
                           .x = k->dataset->x,
                           .y = &k->dataset->y,
                           .classes = k->dataset->recipe->class_count,
                           .targets = k->dataset->recipe->target_count};
    crdi_network_description about = {.network = &network,
                                      .recipe = k->dataset->recipe,
                                      .data_name = "table",
                                      .data_sha256 = k->dataset->sha256,
                                      .options = "{}",
                                      .method = "nuts",
                                      .draws = k->draws};
    network.x.owner = NULL;
    snprintf(path, sizeof path, "%s/run.crd", folder);
    assert_ok(k->ctx, crd_model_create(&model, k->ctx, crd_network_model, &network));
    assert_ok(k->ctx, crdi_run_create(k->ctx, path, true, &run));
    assert_ok(k->ctx, crdi_network_run_describe(run, &about));
    int sites = crd_model_site_count(model);
    for (int i = 0; i < sites; i++) {
        const crd_site *site = crd_model_site(model, i);
        column[i] = (crd_column){.name = (char *)(uintptr_t)site->name,
                                 .shape = site->shape,
                                 .size = crd_shape_size(site->shape),
                                 .kind = CRD_COLUMN_LATENT};
    }
    assert_ok(k->ctx, crdi_run_begin(run, column, sites, 1));
    put_draws(run, model, k);
    assert_ok(k->ctx, crdi_run_close(&run, CRD_OK));
    crd_model_destroy(&model);
    assert_ok(k->ctx, crdi_network_run_open(k->ctx, path, &net));
    unlink(path); /* it is open */
    return net;
}

static crd_dataset *parse(crd_context *ctx, const crdi_string *text, const crd_dataset_options *options)
{
    crd_table *table;
    crd_dataset *dataset;
    assert_ok(ctx, crd_csv_parse(ctx, "table", crdi_string_text(text), text->length, NULL, &table));
    assert_ok(ctx, crd_dataset_make(ctx, table, options, &dataset));
    crd_table_destroy(&table);
    return dataset;
}

static double x_of(int i)
{
    return sin(3.0 * i);
}

/* One input; kind: 'n' a number far from 0, 'c' a count, else so many classes. */
static crd_dataset *make_dataset(crd_context *ctx, char kind, crd_scale scale)
{
    static const char *const names[] = {"ash", "elm", "oak"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,y\n");
    for (int i = 0; i < ROWS; i++) {
        crdi_string_append(&text, "%.17g,", x_of(i));
        if (kind == 'n')
            crdi_string_append(&text, "%.17g\n", 50 + 9 * x_of(i) + 6 * cos(11.0 * i));
        else if (kind == 'c')
            crdi_string_append(&text, "%d\n", (int)(2 + 1.5 * cos(5.0 * i)));
        else
            crdi_string_append(&text, "%s\n", names[i % (kind - '0')]);
    }
    crd_dataset_options options = {
        .target = "y", .scale = scale, .target_kind = kind == 'c' ? CRD_TARGET_COUNT : CRD_TARGET_AUTO};
    crd_dataset *dataset = parse(ctx, &text, &options);
    crdi_string_clear(&text);
    return dataset;
}

static crdi_outlook_request request_of(const crdi_network_run *net)
{
    return (crdi_outlook_request){.net = net, .what = "scores", .x = &net->x, .y = &net->y, .key = crd_key_make(3)};
}

static double cell(const crdi_evaluation *e, crdi_cell kind, int64_t row)
{
    return crdi_evaluation_cell(e, 0, kind)[row];
}

static const double *make_weights(double *out, int64_t n)
{
    double sum = 0;
    for (int64_t d = 0; d < n; d++)
        sum += out[d] = d == 3 ? 0 : 1 + sin(2.0 * (double)d);
    for (int64_t d = 0; d < n; d++)
        out[d] /= sum;
    return out;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static double number_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    (void)user;
    (void)element;
    if (strcmp(site, "s") == 0)
        return 0.5 + 0.2 * sin(1.0 * (double)draw);
    if (strcmp(site, "df") == 0)
        return 4 + 0.05 * (double)draw;
    return strstr(site, "kernel") ? 0.6 + 0.2 * cos(4.0 * (double)draw) : 0.1 * sin(9.0 * (double)draw);
}

static double phi(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* In own units: mean and sd of y under a draw, from what number_value says and the recipe. */
static double mean_under(const crd_recipe *r, int64_t d, int i)
{
    double x = (x_of(i) - r->feature[0].mean) / r->feature[0].sd;
    double f = x * number_value(NULL, "kernel", d, 0) + number_value(NULL, "bias", d, 0);
    return r->target_mean + r->target_sd * f;
}

static double sd_under(const crd_recipe *r, int64_t d)
{
    return r->target_sd * number_value(NULL, "s", d, 0);
}

static void check_number(const crdi_evaluation *e, const crd_recipe *r, const double *w, int i)
{
    double y = 50 + 9 * x_of(i) + 6 * cos(11.0 * i), below = 0, mean = 0, noise = 0, spread = 0, crps = 0;
    double density[DRAWS];
    for (int d = 0; d < DRAWS; d++) {
        double m = mean_under(r, d, i), s = sd_under(r, d), z = (y - m) / s;
        density[d] = -z * z / 2 - log(s * sqrt(2 * acos(-1)));
        below += w[d] * phi(z);
        mean += w[d] * m;
        noise += w[d] * s * s;
        crps += w[d] * ((y - m) * (2 * phi(z) - 1) + 2 * s * exp(-z * z / 2) / sqrt(2 * acos(-1)));
        for (int k = 0; k < DRAWS; k++) {
            double v = sqrt(s * s + sd_under(r, k) * sd_under(r, k)), u = (m - mean_under(r, k, i)) / v;
            crps -= 0.5 * w[d] * w[k] * v * (u * (2 * phi(u) - 1) + 2 * exp(-u * u / 2) / sqrt(2 * acos(-1)));
        }
    }
    for (int d = 0; d < DRAWS; d++)
        spread += w[d] * (mean_under(r, d, i) - mean) * (mean_under(r, d, i) - mean);
    double total = noise + spread;
    assert_close(cell(e, CRDI_CELL_Y, i), y, 1e-12, 0);
    assert_close(cell(e, CRDI_CELL_LOG_DENSITY, i), crd_log_mean_exp(density, w, DRAWS), 1e-11, 0);
    assert_close(cell(e, CRDI_CELL_GAUSSIAN, i), -(y - mean) * (y - mean) / 2 / total - log(2 * acos(-1) * total) / 2,
                 1e-10, 0);
    assert_close(cell(e, CRDI_CELL_SQUARED, i), (y - mean) * (y - mean), 1e-9, 1e-12);
    assert_close(cell(e, CRDI_CELL_CONFIDENCE, i), below, 1e-10, 0);
    assert_close(cell(e, CRDI_CELL_CRPS, i), crps, 1e-10, 0);
    assert_close(cell(e, CRDI_CELL_TOTAL, i), total, 1e-10, 0);
    assert_close(cell(e, CRDI_CELL_ALEATORIC, i), noise, 1e-10, 0);
    assert_close(cell(e, CRDI_CELL_EPISTEMIC, i), spread, 1e-9, 0);
    assert_close(cell(e, CRDI_CELL_COVERED_90, i), below >= 0.05 && below <= 0.95, 0, 0);
    assert_close(cell(e, CRDI_CELL_COVERED_50, i), below >= 0.25 && below <= 0.75, 0, 0);
}

static void numbers_by_hand(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double weight[DRAWS], same[DRAWS];
    make_weights(weight, DRAWS);
    for (int d = 0; d < DRAWS; d++)
        same[d] = 1.0 / DRAWS;
    for (int k = 0; k < 4; k++) {
        struct known known = {ctx,          make_dataset(ctx, 'n', k % 2 ? CRD_SCALE_STANDARD : CRD_SCALE_NONE),
                              "normal",     DRAWS,
                              number_value, NULL};
        crdi_network_run *net = write_run(&known);
        crdi_outlook_request request = request_of(net);
        crdi_evaluation *e, *again;
        request.weight = k < 2 ? NULL : weight;
        assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
        for (int i = 0; i < ROWS; i++)
            check_number(e, net->recipe, k < 2 ? same : weight, i);
        request.threads = 3;
        assert_ok(ctx, crdi_evaluation_make(&request, NULL, &again));
        assert_memory_equal(e->cell, again->cell, (size_t)(CRDI_CELLS * ROWS) * sizeof(double));
        crdi_evaluation_destroy(&e);
        crdi_evaluation_destroy(&again);
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
    }
    testing_context_destroy(&ctx);
}

/* One draw, as a point estimate is: intervals are the noise's own. */
static void a_single_draw_has_its_noise(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct known known = {ctx, make_dataset(ctx, 'n', CRD_SCALE_STANDARD), "normal", 1, number_value, NULL};
    crdi_network_run *net = write_run(&known);
    crdi_outlook_request request = request_of(net);
    crdi_evaluation *e;
    double s = sd_under(net->recipe, 0);
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
    for (int i = 0; i < ROWS; i++) {
        assert_close(cell(e, CRDI_CELL_WIDTH_95, i), 2 * 1.959963984540054 * s, 1e-12, 0);
        assert_close(cell(e, CRDI_CELL_WIDTH_50, i), 2 * 0.6744897501960817 * s, 1e-12, 0);
        assert_close(cell(e, CRDI_CELL_EPISTEMIC, i), 0, 0, 0);
        assert_close(cell(e, CRDI_CELL_LOG_DENSITY, i), cell(e, CRDI_CELL_GAUSSIAN, i), 1e-12, 0);
    }
    crdi_evaluation_destroy(&e);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    /* Student's t by draws of y, 1000 of one draw: quartiles are at 0.741 s (df 4); the error of each is about 0.055 s, of the mean of
     * 150 widths 0.0064 s; five of these */
    known = (struct known){ctx, make_dataset(ctx, 'n', CRD_SCALE_STANDARD), "student_t", 1, number_value, NULL};
    net = write_run(&known);
    request = request_of(net);
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
    double width = crd_diag_mean(crdi_evaluation_cell(e, 0, CRDI_CELL_WIDTH_50), ROWS) / sd_under(net->recipe, 0);
    assert_close(width, 2 * 0.7406970841, 0, 5 * 0.0064);
    assert_close(cell(e, CRDI_CELL_TOTAL, 0), 2 * sd_under(net->recipe, 0) * sd_under(net->recipe, 0), 1e-12, 0);
    crdi_evaluation_destroy(&e);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    testing_context_destroy(&ctx);
}

/* ---- several targets ----------------------------------------------------------------------------------------------- */

static crd_dataset *two_targets(crd_context *ctx)
{
    static const char *const names[] = {"a", "b"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,b,a\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%.17g,%.17g,%.17g\n", x_of(i), -3 + 0.1 * x_of(i) + 0.2 * sin(6.0 * i),
                           50 + 9 * x_of(i) + 6 * cos(11.0 * i));
    crd_dataset *dataset =
        parse(ctx, &text, &(crd_dataset_options){.targets = names, .target_count = 2, .scale = CRD_SCALE_STANDARD});
    crdi_string_clear(&text);
    return dataset;
}

/* Element 1 is of b, which has another slope, bias, noise and df. */
static double pair_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    return number_value(user, site, draw + 5 * element, 0);
}

/* log p(a, b | draw) of a row, and that of target j alone. */
static double log_density_of(const crdi_network_run *net, int64_t d, int i, int j, bool tails)
{
    const crd_recipe *r = net->recipe;
    double x = (x_of(i) - r->feature[0].mean) / r->feature[0].sd, s = pair_value(NULL, "s", d, j);
    double z = (net->y.data[2 * i + j] - x * pair_value(NULL, "kernel", d, j) - pair_value(NULL, "bias", d, j)) / s;
    double df = pair_value(NULL, "df", d, j);
    double shape =
        tails ? lgamma((df + 1) / 2) - lgamma(df / 2) - log(acos(-1) * df) / 2 - (df + 1) / 2 * log1p(z * z / df)
              : -z * z / 2 - log(2 * acos(-1)) / 2;
    return shape - log(s * r->targets[j].sd);
}

static void targets_alone_and_together(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int tails = 0; tails < 2; tails++) {
        struct known known = {ctx, two_targets(ctx), tails ? "student_t" : "normal", DRAWS, pair_value, NULL};
        crdi_network_run *net = write_run(&known);
        crdi_outlook_request request = request_of(net);
        crdi_score_options options = {.bins = 10};
        crdi_evaluation *e;
        crdi_scores *s;
        assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
        for (int i = 0; i < ROWS; i++) {
            double one[2][DRAWS], both[DRAWS];
            for (int d = 0; d < DRAWS; d++) {
                for (int j = 0; j < 2; j++)
                    one[j][d] = log_density_of(net, d, i, j, tails);
                both[d] = one[0][d] + one[1][d];
            }
            for (int j = 0; j < 2; j++)
                assert_close(crdi_evaluation_cell(e, j, CRDI_CELL_LOG_DENSITY)[i],
                             crd_log_mean_exp(one[j], NULL, DRAWS), 1e-10, 1e-12);
            assert_close(e->joint[i], crd_log_mean_exp(both, NULL, DRAWS), 1e-10, 1e-12);
            assert_close(crdi_evaluation_cell(e, 1, CRDI_CELL_Y)[i], -3 + 0.1 * x_of(i) + 0.2 * sin(6.0 * i), 1e-12, 0);
        }
        /* widths are in each target's own units */
        double ratio = crd_diag_mean(crdi_evaluation_cell(e, 0, CRDI_CELL_WIDTH_90), ROWS) /
                       crd_diag_mean(crdi_evaluation_cell(e, 1, CRDI_CELL_WIDTH_90), ROWS);
        assert_close(ratio, net->recipe->targets[0].sd / net->recipe->targets[1].sd, 0.2, 0);
        assert_ok(ctx, crdi_scores_make(e, NULL, &options, &s));
        assert_true(s->score[s->count - 1].target == -1 && s->score[0].target == 0);
        assert_close(s->score[s->count - 1].score.value, crd_diag_mean(e->joint, ROWS), 1e-13, 0);
        crdi_scores_destroy(&s);
        crdi_evaluation_destroy(&e);
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
    }
    testing_context_destroy(&ctx);
}

/* ---- counts and heavy tails --------------------------------------------------------------------------------------- */

static double count_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    (void)user;
    (void)element;
    if (strcmp(site, "concentration") == 0)
        return 6;
    return strstr(site, "kernel") ? 0.2 : 0.7 + 0.02 * sin(5.0 * (double)draw);
}

static crd_status keep_mean(void *user, int64_t row, int64_t draws, double *log_likelihood)
{
    ((double *)user)[row] = crd_log_mean_exp(log_likelihood, NULL, draws);
    return CRD_OK;
}

/* Densities are those that leave-one-out has; the score of a Poisson is a sum over its distribution function. */
static void counts_and_tails(void **state)
{
    (void)state;
    static const struct {
        const char *likelihood;
        char kind;
        value_fn value;
    } of[] = {{"poisson", 'c', count_value}, {"negative_binomial", 'c', count_value}, {"student_t", 'n', number_value}};
    for (int k = 0; k < 3; k++) {
        crd_context *ctx = testing_context();
        struct known known = {
            ctx, make_dataset(ctx, of[k].kind, CRD_SCALE_STANDARD), of[k].likelihood, DRAWS, of[k].value, NULL};
        crdi_network_run *net = write_run(&known);
        crdi_outlook_request request = request_of(net);
        crdi_evaluation *e;
        double mean[ROWS], off = 0;
        assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
        assert_ok(ctx, crdi_run_log_likelihood(net, 1, 0, ROWS, keep_mean, mean));
        for (int i = 0; i < ROWS; i++) {
            double x = (x_of(i) - net->recipe->feature[0].mean) / net->recipe->feature[0].sd, crps = 0, rate = 0;
            assert_close(cell(e, CRDI_CELL_LOG_DENSITY, i), mean[i], 1e-10, 0);
            if (k > 0)
                continue;
            double below[60] = {0}, y = net->y.data[i], square = 0;
            for (int d = 0; d < DRAWS; d++) {
                double m = exp(0.2 * x + count_value(NULL, "bias", d, 0)), p = exp(-m), sum = p;
                rate += m / DRAWS;
                square += m * m / DRAWS;
                for (int n = 0; n < 60; sum += p *= m / ++n)
                    below[n] += sum / DRAWS;
            }
            for (int n = 0; n < 60; n++)
                crps += (below[n] - (n >= y)) * (below[n] - (n >= y));
            off += cell(e, CRDI_CELL_CRPS, i) - crps;
            assert_close(cell(e, CRDI_CELL_ALEATORIC, i), rate, 1e-12, 0);
            assert_close(cell(e, CRDI_CELL_EPISTEMIC, i), square - rate * rate, 0, 1e-10);
            assert_close(cell(e, CRDI_CELL_SQUARED, i), (y - rate) * (y - rate), 1e-10, 1e-14);
        }
        /* 1000 draws leave an error of about 0.03 in each row's CRPS and of 0.0025 in the mean; their spread makes it too small by
         * 0.5 E|X - X'| / 1000 = 0.001 */
        assert_close(off / ROWS, -0.001, 0, 5 * 0.0025);
        assert_true(k > 0 || fabs(off) > 0);
        crdi_evaluation_destroy(&e);
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
        testing_context_destroy(&ctx);
    }
}

/* ---- classes ------------------------------------------------------------------------------------------------------ */

/* Logits that differ by up to 900: a probability may be 0, its logarithm is not. */
static double class_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    const double *scale = user;
    if (strstr(site, "kernel"))
        return *scale * sin(2.0 * (double)draw + 5 * (double)element);
    return 0.5 * cos(3.0 * (double)draw + (double)element);
}

static void check_class(const crdi_evaluation *e, const crdi_network_run *net, const double *w, double scale,
                        int classes, int i)
{
    double x = (x_of(i) - net->recipe->feature[0].mean) / net->recipe->feature[0].sd, mean[3] = {0}, entropy = 0,
           total = 0;
    double log_density[DRAWS], brier = 0, best = -1;
    int y = i % classes, mode = 0;
    for (int d = 0; d < DRAWS; d++) {
        double f[3], most = -INFINITY, sum = 0;
        for (int k = 0; k < classes; k++) {
            f[k] = x * class_value(&scale, "kernel", d, k) + class_value(&scale, "bias", d, k);
            most = fmax(most, f[k]);
        }
        for (int k = 0; k < classes; k++)
            sum += exp(f[k] - most);
        for (int k = 0; k < classes; k++) {
            double p = exp(f[k] - most) / sum;
            mean[k] += w[d] * p;
            entropy -= p > 0 ? w[d] * p * log(p) : 0;
        }
        log_density[d] = f[y] - most - log(sum);
    }
    for (int k = 0; k < classes; k++) {
        total -= mean[k] > 0 ? mean[k] * log(mean[k]) : 0;
        brier += (mean[k] - (k == y)) * (mean[k] - (k == y));
        mode = mean[k] > best ? k : mode;
        best = fmax(best, mean[k]);
    }
    assert_close(cell(e, CRDI_CELL_TOTAL, i), total, 1e-10, 1e-14);
    assert_close(cell(e, CRDI_CELL_ALEATORIC, i), entropy, 1e-10, 1e-14);
    assert_close(cell(e, CRDI_CELL_EPISTEMIC, i), total - entropy, 0, 1e-12);
    assert_close(cell(e, CRDI_CELL_RIGHT, i), mode == y, 0, 0);
    assert_close(cell(e, CRDI_CELL_CONFIDENCE, i), best, 1e-12, 0);
    assert_close(cell(e, CRDI_CELL_BRIER, i), brier, 1e-11, 1e-14);
    assert_close(cell(e, CRDI_CELL_LOG_DENSITY, i), crd_log_mean_exp(log_density, w, DRAWS), 1e-10, 0);
}

static void classes_by_hand(void **state)
{
    (void)state;
    const double scales[] = {1, 300};
    crd_context *ctx = testing_context();
    double weight[DRAWS], least = 0;
    make_weights(weight, DRAWS);
    for (int k = 0; k < 2; k++) {
        struct known known = {ctx,       make_dataset(ctx, '3', CRD_SCALE_STANDARD), "categorical", DRAWS, class_value,
                              &scales[k]};
        crdi_network_run *net = write_run(&known);
        crdi_outlook_request request = request_of(net);
        crdi_evaluation *e;
        request.weight = weight;
        assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
        for (int i = 0; i < ROWS; i++) {
            check_class(e, net, weight, scales[k], 3, i);
            least = fmin(least, cell(e, CRDI_CELL_LOG_DENSITY, i));
        }
        crdi_evaluation_destroy(&e);
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
    }
    assert_true(isfinite(least));
    testing_context_destroy(&ctx);
}

/* ---- Bernoulli and categorical ------------------------------------------------------------------------------------ */

/* Weights of the second class's logit; a categorical network has any logit for the first, and its own plus that for the second. */
static double logit_weight(int64_t draw, int64_t feature)
{
    return 0.5 * sin(7.0 * (double)draw + 3 * (double)feature) + 0.7;
}

static double bernoulli_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    (void)user;
    return strstr(site, "kernel") ? logit_weight(draw, element) : 0.3 * cos((double)draw);
}

static double categorical_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    int64_t input = element / 2, second = element % 2;
    double first = 2 * cos(5.0 * (double)draw + (double)input);
    return first + (second ? bernoulli_value(user, site, draw, input) : 0);
}

static crd_dataset *breast_cancer(crd_context *ctx)
{
    crd_table *table;
    crd_dataset *dataset;
    assert_ok(ctx, crd_csv_read(ctx, TEST_DATA "/breast_cancer_small.csv", NULL, &table));
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "kind", .scale = CRD_SCALE_STANDARD},
                                    &dataset));
    crd_table_destroy(&table);
    return dataset;
}

/* The same at another temperature. */
static void compare_softened(crd_context *ctx, const crdi_network_run *a, const crdi_network_run *b)
{
    crdi_calibration softer = {.ctx = ctx, .temperature = 3};
    crdi_outlook_request of_a = request_of(a), of_b = request_of(b);
    crdi_evaluation *e, *f;
    assert_ok(ctx, crdi_evaluation_make(&of_a, &softer, &e));
    assert_ok(ctx, crdi_evaluation_make(&of_b, &softer, &f));
    for (int64_t i = 0; i < CRDI_CELLS * e->rows; i++)
        assert_close(e->cell[i], f->cell[i], 1e-10, 1e-13);
    crdi_evaluation_destroy(&e);
    crdi_evaluation_destroy(&f);
}

static void bernoulli_is_categorical_with_differenced_logits(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = breast_cancer(ctx);
    struct known one = {ctx, dataset, "bernoulli", DRAWS, bernoulli_value, NULL};
    struct known two = {ctx, dataset, "categorical", DRAWS, categorical_value, NULL};
    crdi_network_run *net_one = write_run(&one), *net_two = write_run(&two);
    crdi_outlook_request request = request_of(net_one);
    crdi_score_options options = {.bins = 10};
    crdi_evaluation *e, *f;
    crdi_scores *s, *t;
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
    request = request_of(net_two);
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &f));
    assert_int_equal(e->rows, 143);
    for (int64_t i = 0; i < CRDI_CELLS * e->rows; i++)
        assert_close(e->cell[i], f->cell[i], 1e-10, 1e-13);
    compare_softened(ctx, net_one, net_two);
    assert_ok(ctx, crdi_scores_make(e, NULL, &options, &s));
    assert_ok(ctx, crdi_scores_make(f, NULL, &options, &t));
    assert_int_equal(s->count, t->count);
    for (int64_t i = 0; i < s->count; i++) {
        assert_string_equal(s->score[i].name, t->score[i].name);
        assert_close(s->score[i].score.value, t->score[i].score.value, 1e-10, 0);
        assert_close(s->score[i].score.se, t->score[i].score.se, 1e-8, 1e-13);
    }
    assert_true(s->score[0].score.value > 0.7); /* the weights are not nonsense */
    crdi_scores_destroy(&s);
    crdi_scores_destroy(&t);
    crdi_evaluation_destroy(&e);
    crdi_evaluation_destroy(&f);
    crdi_network_run_close(&net_one);
    crdi_network_run_close(&net_two);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

/* ---- calibration -------------------------------------------------------------------------------------------------- */

enum { MANY = 3000 };

/* Classes drawn with logits 4 x (1, -1, 0) / temperature. */
static crd_dataset *softened(crd_context *ctx, double temperature)
{
    static const char *const names[] = {"ash", "elm", "oak"};
    static double u[2 * MANY];
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,y\n");
    crd_random_uniform(crd_key_make(8), 2 * MANY, u);
    for (int i = 0; i < MANY; i++) {
        double x = 2 * u[2 * i] - 1, f = 4 * x / temperature, sum = exp(f) + exp(-f) + 1, v = u[2 * i + 1] * sum;
        crdi_string_append(&text, "%.17g,%s\n", x, names[v < exp(f) ? 0 : v < exp(f) + exp(-f) ? 1 : 2]);
    }
    crd_dataset *dataset = parse(ctx, &text, &(crd_dataset_options){.target = "y"});
    crdi_string_clear(&text);
    return dataset;
}

/* user: what the logits are multiplied by, and how far draws are apart */
static double logit_value(const void *user, const char *site, int64_t draw, int64_t element)
{
    const double *of = user, kernel[] = {4, -4, 0};
    double spread = of[1] * (draw % 2 ? 1 : -1);
    return strstr(site, "kernel") ? of[0] * kernel[element] : element == 0 ? spread : 0;
}

static void temperature_of(crd_context *ctx, crd_dataset *dataset, const double *user, int64_t draws,
                           crdi_calibration *out)
{
    struct known known = {ctx, dataset, "categorical", draws, logit_value, user};
    crdi_network_run *net = write_run(&known);
    crdi_outlook_request request = request_of(net);
    crdi_calibration *c;
    crdi_evaluation *plain, *calibrated;
    assert_ok(ctx, crdi_calibration_make(&request, "temperature", "auto", &c));
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &plain));
    assert_ok(ctx, crdi_evaluation_make(&request, c, &calibrated));
    double before = crd_diag_mean(crdi_evaluation_cell(plain, 0, CRDI_CELL_LOG_DENSITY), MANY);
    double after = crd_diag_mean(crdi_evaluation_cell(calibrated, 0, CRDI_CELL_LOG_DENSITY), MANY);
    assert_true(after > before + 1e-3);
    for (int i = 0; i < MANY; i++)
        assert_close(cell(calibrated, CRDI_CELL_TOTAL, i),
                     cell(calibrated, CRDI_CELL_ALEATORIC, i) + cell(calibrated, CRDI_CELL_EPISTEMIC, i), 1e-12, 1e-15);
    *out = *c;
    out->sorted = NULL;
    crdi_evaluation_destroy(&plain);
    crdi_evaluation_destroy(&calibrated);
    crdi_calibration_destroy(&c);
    crdi_network_run_close(&net);
}

/* Within three of its standard errors, which are small; logits twice as large want twice the temperature. */
static void a_known_temperature_comes_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double truth[] = {2.5, 0.7};
    for (int k = 0; k < 2; k++) {
        crd_dataset *dataset = softened(ctx, truth[k]);
        crdi_calibration one, twice, mixed;
        temperature_of(ctx, dataset, (const double[]){1, 0}, 1, &one);
        temperature_of(ctx, dataset, (const double[]){2, 0}, 2, &twice);
        temperature_of(ctx, dataset, (const double[]){1, 0.5}, 2, &mixed);
        assert_close(one.temperature, truth[k], 0, 3 * one.temperature_se);
        assert_true(one.temperature_se < 0.05 * truth[k] && one.temperature_se > 0.005 * truth[k]);
        assert_close(twice.temperature, 2 * one.temperature, 1e-6, 0);
        assert_close(twice.temperature_se, 2 * one.temperature_se, 1e-2, 0);
        assert_close(mixed.temperature, truth[k], 0.1, 0); /* draws that differ a little */
        crd_dataset_destroy(&dataset);
    }
    testing_context_destroy(&ctx);
}

static double overlap(const crdi_evaluation *e, crdi_cell kind, int64_t from)
{
    return crd_diag_mean(crdi_evaluation_cell(e, 0, kind) + from, e->rows - from);
}

/* Limits from the rows themselves: they cover ceil((n + 1) p) / n of these, whatever the score. */
static void conformal_limits_cover(void **state)
{
    (void)state;
    static const struct {
        const char *score;
        char kind;
    } of[] = {{"auto", 'n'},
              {"absolute", 'n'},
              {"normalised", 'n'},
              {"auto", '3'},
              {"adaptive", '3'}}; /* the last one has ties */
    static const double scale = 1;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(of); k++) {
        bool number = of[k].kind == 'n';
        struct known known = {ctx,
                              make_dataset(ctx, of[k].kind, CRD_SCALE_STANDARD),
                              number ? "normal" : "categorical",
                              DRAWS,
                              number ? number_value : class_value,
                              &scale};
        crdi_network_run *net = write_run(&known);
        crdi_outlook_request request = request_of(net);
        crdi_calibration *c;
        crdi_evaluation *e;
        assert_ok(ctx, crdi_calibration_make(&request, "conformal", of[k].score, &c));
        assert_ok(ctx, crdi_evaluation_make(&request, c, &e));
        for (int l = 0; l < CRDI_LEVELS; l++) {
            double covered = overlap(e, CRDI_CELL_CONFORMAL_50 + l, 0), size = overlap(e, CRDI_CELL_SIZE_50 + l, 0);
            double expected = ceil((ROWS + 1) * crdi_interval_levels[l]) / ROWS;
            if (k < 4)
                assert_close(covered, expected, 1e-12, 0);
            assert_true(covered >= expected - 1e-12); /* the least likely class has the score 1 in every row: ties */
            double sd = 0;
            for (int i = 0; i < ROWS; i++)
                sd += k == 1 ? 1.0 / ROWS : sqrt(cell(e, CRDI_CELL_TOTAL, i)) / ROWS;
            if (number)
                assert_close(size, 2 * sd * crdi_calibration_limit(c, 0, crdi_interval_levels[l]), 1e-12, 0);
            assert_true(number || (size >= 0.3 && size <= 3));
        }
        crdi_evaluation_destroy(&e);
        crdi_calibration_destroy(&c);
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
    }
    testing_context_destroy(&ctx);
}

static void what_cannot_be_calibrated(void **state)
{
    (void)state;
    static const double scale = 1;
    crd_context *ctx = testing_context();
    struct known number = {ctx, make_dataset(ctx, 'n', CRD_SCALE_NONE), "normal", DRAWS, number_value, NULL};
    struct known class = {ctx, make_dataset(ctx, '3', CRD_SCALE_NONE), "categorical", DRAWS, class_value, &scale};
    crdi_network_run *net = write_run(&number), *classes = write_run(&class);
    crdi_outlook_request request = request_of(net);
    crdi_calibration *c = NULL;
    assert_int_equal(crdi_calibration_make(&request, "temperature", "auto", &c), CRD_EUNSUPPORTED);
    crd_error_clear(ctx);
    assert_int_equal(crdi_calibration_make(&request, "conformal", "adaptive", &c), CRD_EUNSUPPORTED);
    crd_error_clear(ctx);
    request = request_of(classes);
    assert_int_equal(crdi_calibration_make(&request, "conformal", "absolute", &c), CRD_EUNSUPPORTED);
    crd_error_clear(ctx);
    assert_null(c);
    crdi_network_run_close(&net);
    crdi_network_run_close(&classes);
    crd_dataset_destroy(&number.dataset);
    crd_dataset_destroy(&class.dataset);
    testing_context_destroy(&ctx);
}

/* ---- other rows --------------------------------------------------------------------------------------------------- */

/* Rows partly far from the data: the draws of a slope differ more there, the noise does not. */
static void far_rows_are_told_apart_by_what_grows(void **state)
{
    (void)state;
    enum { FAR = 20 };
    static const struct {
        const char *name;
        crdi_cell cell;
    } of[] = {{"ood_auroc_total", CRDI_CELL_TOTAL},
              {"ood_auroc_aleatoric", CRDI_CELL_ALEATORIC},
              {"ood_auroc_epistemic", CRDI_CELL_EPISTEMIC}};
    crd_context *ctx = testing_context();
    struct known known = {ctx, make_dataset(ctx, 'n', CRD_SCALE_STANDARD), "normal", DRAWS, number_value, NULL};
    crdi_network_run *net = write_run(&known);
    crdi_outlook_request request = request_of(net);
    crdi_score_options options = {.bins = 10};
    crdi_evaluation *e, *other;
    crdi_scores *s;
    double far[FAR];
    for (int i = 0; i < FAR; i++)
        far[i] = 0.3 * i - 1;
    crd_array x = crd_array_borrow(far, crd_shape_2(FAR, 1));
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &e));
    request.x = &x;
    request.y = NULL;
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &other));
    assert_ok(ctx, crdi_scores_make(e, other, &options, &s));
    for (int k = 0; k < 3; k++) {
        const double *near_cell = crdi_evaluation_cell(e, 0, of[k].cell),
                     *far_cell = crdi_evaluation_cell(other, 0, of[k].cell);
        double pairs = 0, seen = 0;
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < FAR; j++)
                pairs += far_cell[j] > near_cell[i] ? 1 : far_cell[j] == near_cell[i] ? 0.5 : 0;
        for (int64_t i = 0; i < s->count; i++) {
            if (strcmp(s->score[i].name, of[k].name) != 0)
                continue;
            assert_close(s->score[i].score.value, pairs / (ROWS * FAR), 1e-12, 0);
            assert_int_equal(s->score[i].rows, ROWS + FAR);
            assert_true(k == 1 ? pairs == 0.5 * ROWS * FAR : pairs > 0.7 * ROWS * FAR && pairs < 0.95 * ROWS * FAR);
            seen++;
        }
        assert_true(seen == 1);
    }
    crdi_scores_destroy(&s);
    crdi_evaluation_destroy(&e);
    crdi_evaluation_destroy(&other);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    testing_context_destroy(&ctx);
}

/* ---- several runs ------------------------------------------------------------------------------------------------- */

static double other_number(const void *user, const char *site, int64_t draw, int64_t element)
{
    return (strstr(site, "kernel") ? 0.7 : 1) * number_value(user, site, draw, element);
}

/* One run scored, to be compared. */
struct scored_run {
    crd_dataset *dataset;
    crdi_network_run *net;
    crdi_evaluation *evaluation;
    crdi_scores *scores;
};

static crdi_compared score_run(crd_context *ctx, char kind, crd_scale scale, const char *likelihood, value_fn value,
                               struct scored_run *out)
{
    static const double one = 1;
    crdi_score_options options = {.bins = 10};
    out->dataset = make_dataset(ctx, kind, scale);
    out->net = write_run(&(struct known){ctx, out->dataset, likelihood, DRAWS, value, &one});
    crdi_outlook_request request = request_of(out->net);
    assert_ok(ctx, crdi_evaluation_make(&request, NULL, &out->evaluation));
    assert_ok(ctx, crdi_scores_make(out->evaluation, NULL, &options, &out->scores));
    return (crdi_compared){likelihood, out->evaluation, out->scores};
}

static void clear_run(struct scored_run *run)
{
    crdi_scores_destroy(&run->scores);
    crdi_evaluation_destroy(&run->evaluation);
    crdi_network_run_close(&run->net);
    crd_dataset_destroy(&run->dataset);
}

/* The number behind "run,target,score,estimate,se," of a CSV row of the second run. */
static void find_difference(const char *csv, const char *score, double *value, double *se)
{
    char key[64];
    snprintf(key, sizeof key, "student_t,y,%s,", score);
    const char *row = strstr(csv, key);
    assert_non_null(row);
    double estimate, error;
    assert_int_equal(sscanf(row + strlen(key), "%lf,%lf,%lf,%lf", &estimate, &error, value, se), 4);
}

static void differences_row_by_row(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct scored_run a, b;
    crdi_compared run[2] = {score_run(ctx, 'n', CRD_SCALE_STANDARD, "normal", number_value, &a),
                            score_run(ctx, 'n', CRD_SCALE_STANDARD, "student_t", other_number, &b)};
    crdi_string out;
    double d[ROWS], value, se;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, crdi_comparison_same_rows(&run[0], &run[1]));
    assert_ok(ctx, crdi_comparison_csv(&out, run, 2, &(crdi_bayes){0}));
    find_difference(crdi_string_text(&out), "log_density", &value, &se);
    for (int i = 0; i < ROWS; i++)
        d[i] = cell(b.evaluation, CRDI_CELL_LOG_DENSITY, i) - cell(a.evaluation, CRDI_CELL_LOG_DENSITY, i);
    assert_close(value, crd_diag_mean(d, ROWS), 1e-10, 0);
    assert_close(se, crd_diag_sd(d, ROWS) / sqrt(ROWS), 1e-10, 0);
    find_difference(crdi_string_text(&out), "coverage_80", &value, &se);
    for (int i = 0; i < ROWS; i++)
        d[i] = cell(b.evaluation, CRDI_CELL_COVERED_80, i) - cell(a.evaluation, CRDI_CELL_COVERED_80, i);
    assert_close(value, crd_diag_mean(d, ROWS), 1e-10, 1e-15);
    assert_close(se, crd_diag_sd(d, ROWS) / sqrt(ROWS), 1e-10, 0);
    crdi_string_clear(&out);
    clear_run(&a);
    clear_run(&b);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_compared(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct scored_run number, scaled, count, three, two;
    crdi_compared n = score_run(ctx, 'n', CRD_SCALE_NONE, "normal", number_value, &number);
    crdi_compared s = score_run(ctx, 'n', CRD_SCALE_STANDARD, "normal", number_value, &scaled);
    crdi_compared c = score_run(ctx, 'c', CRD_SCALE_NONE, "poisson", count_value, &count);
    crdi_compared k3 = score_run(ctx, '3', CRD_SCALE_NONE, "categorical", class_value, &three);
    crdi_compared k2 = score_run(ctx, '2', CRD_SCALE_NONE, "categorical", class_value, &two);
    assert_ok(ctx, crdi_comparison_same_rows(&n, &s));
    const struct {
        const crdi_compared *a, *b;
        const char *words;
    } pair[] = {{&n, &c, "densities"}, {&c, &k3, "densities"}, {&k3, &k2, "different classes"}};
    for (int i = 0; i < CRDI_COUNT(pair); i++) {
        assert_int_equal(crdi_comparison_same_rows(pair[i].a, pair[i].b), CRD_EDATA);
        assert_non_null(strstr(crd_error_message(ctx), pair[i].words));
        crd_error_clear(ctx);
    }
    scaled.evaluation->cell[CRDI_CELL_Y * ROWS + 7] += 1e-3;
    assert_int_equal(crdi_comparison_same_rows(&n, &s), CRD_EDATA);
    crd_error_clear(ctx);
    scaled.evaluation->rows--;
    assert_int_equal(crdi_comparison_same_rows(&n, &s), CRD_EDATA);
    assert_non_null(strstr(crd_error_message(ctx), "uses 150 rows"));
    crd_error_clear(ctx);
    struct scored_run *all[] = {&number, &scaled, &count, &three, &two};
    for (int i = 0; i < CRDI_COUNT(all); i++)
        clear_run(all[i]);
    testing_context_destroy(&ctx);
}

/* ---- predictions of few draws --------------------------------------------------------------------------------------- */

static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, const double *prob, int64_t draws)
{
    crdi_prediction *p;
    crdi_prediction_request request = {
        .x = &net->x, .prob = prob, .prob_count = 2, .key = crd_key_make(1), .draws = draws};
    assert_ok(ctx, crdi_prediction_make(net, &request, &p));
    return p;
}

/* A point, or a handful, has the quantiles of its distribution, not of as many draws of y. */
static void quantiles_of_few_draws(void **state)
{
    (void)state;
    static const double prob[] = {0.025, 0.8};
    crd_context *ctx = testing_context();
    struct known known = {ctx, make_dataset(ctx, 'n', CRD_SCALE_STANDARD), "normal", 5, number_value, NULL};
    crdi_network_run *net = write_run(&known);
    crdi_prediction *one = predict(ctx, net, prob, 1), *all = predict(ctx, net, prob, 0);
    const crd_recipe *r = net->recipe;
    for (int i = 0; i < ROWS; i++) {
        double below[2] = {0}, noise = 0, mean = 0, spread = 0;
        assert_close(one->y[2 * i], mean_under(r, 0, i) - 1.959963984540054 * sd_under(r, 0), 1e-12, 0);
        assert_close(one->epistemic[i], 0, 0, 0);
        for (int d = 0; d < 5; d++) {
            below[0] += phi((all->y[2 * i] - mean_under(r, d, i)) / sd_under(r, d)) / 5;
            below[1] += phi((all->y[2 * i + 1] - mean_under(r, d, i)) / sd_under(r, d)) / 5;
            noise += sd_under(r, d) * sd_under(r, d) / 5;
            mean += mean_under(r, d, i) / 5;
        }
        for (int d = 0; d < 5; d++)
            spread += (mean_under(r, d, i) - mean) * (mean_under(r, d, i) - mean) / 5;
        assert_close(below[0], 0.025, 0, 1e-10);
        assert_close(below[1], 0.8, 0, 1e-10);
        assert_close(all->aleatoric[i], noise, 1e-12, 0);
        assert_close(all->epistemic[i], spread, 1e-9, 0);
    }
    crdi_prediction_destroy(&one);
    crdi_prediction_destroy(&all);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    /* A Poisson of one rate near 2: of 1000 draws the 2.5 % quantile is 0 and the 80 % one 3 */
    known = (struct known){ctx, make_dataset(ctx, 'c', CRD_SCALE_NONE), "poisson", 1, count_value, NULL};
    net = write_run(&known);
    one = predict(ctx, net, prob, 0);
    for (int i = 0; i < ROWS; i++) {
        double rate = exp(0.2 * x_of(i) + 0.7);
        assert_close(one->mean[i], rate, 1e-12, 0);
        assert_close(one->aleatoric[i], rate, 1e-12, 0);
        assert_true(one->y[2 * i] == 0 && one->y[2 * i + 1] >= 2 && one->y[2 * i + 1] <= 4);
    }
    crdi_prediction_destroy(&one);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    testing_context_destroy(&ctx);
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

static crd_status read_weights(const crdi_network_run *net, const char *text, double **out)
{
    char path[96];
    snprintf(path, sizeof path, "%s/weights", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    crd_status status = crdi_draw_weights_read(net, path, out);
    unlink(path);
    if (status < 0)
        crd_error_clear(net->ctx);
    return status;
}

static void weights_of_draws_and_chains(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct known known = {ctx, make_dataset(ctx, 'n', CRD_SCALE_STANDARD), "normal", 4, number_value, NULL};
    crdi_network_run *net = write_run(&known);
    double *w = NULL;
    assert_ok(ctx, read_weights(net, "1, 3\n0\t4\n", &w));
    assert_close(w[0], 0.125, 1e-15, 0);
    assert_close(w[1], 0.375, 1e-15, 0);
    assert_true(w[2] == 0 && w[3] == 0.5);
    crdi_free(ctx, w);
    assert_ok(ctx, read_weights(net, "7", &w));
    assert_true(w[0] == 0.25 && w[3] == 0.25);
    crdi_free(ctx, w);
    w = NULL;
    assert_int_equal(read_weights(net, "1 2", &w), CRD_EDATA);
    assert_int_equal(read_weights(net, "1 2 -1 3", &w), CRD_EDATA);
    assert_int_equal(read_weights(net, "1 2 x 3", &w), CRD_EDATA);
    assert_int_equal(read_weights(net, "0 0 0 0", &w), CRD_EDATA);
    assert_int_equal(read_weights(net, "", &w), CRD_EDATA);
    assert_null(w);
    crdi_network_run_close(&net);
    crd_dataset_destroy(&known.dataset);
    testing_context_destroy(&ctx);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* All that the command does with a run, from calibration to tables. */
static crd_status all_of_it(const crdi_network_run *net, const crd_array *x, const crd_array *y, const char *method)
{
    crd_context *ctx = net->ctx;
    crdi_outlook_request request = {.net = net, .what = "scores", .x = x, .y = y, .key = crd_key_make(3), .threads = 1};
    crdi_score_options options = {.bins = 3, .binning = CRD_BINS_EQUAL_COUNT};
    crdi_calibration *c = NULL;
    crdi_evaluation *e = NULL, *other = NULL;
    crdi_scores *s = NULL;
    crdi_figure *f = NULL;
    crdi_string out;
    crdi_string_init(&out, ctx);
    crd_status status = crdi_calibration_make(&request, method, "auto", &c);
    if (status == CRD_OK)
        status = crdi_evaluation_make(&request, c, &e);
    request.y = NULL;
    if (status == CRD_OK)
        status = crdi_evaluation_make(&request, c, &other);
    if (status == CRD_OK)
        status = crdi_scores_make(e, other, &options, &s);
    if (status == CRD_OK)
        status = crdi_evaluation_figure(e, s, &options, &f);
    if (status == CRD_OK)
        status = crdi_evaluation_text(&out, e, s, &options);
    if (status == CRD_OK)
        status = crdi_evaluation_json(&out, e, s, &options);
    if (status == CRD_OK)
        status = crdi_comparison_text(&out, (const crdi_compared[]){{"a", e, s}, {"b", e, s}}, 2, &(crdi_bayes){0});
    if (status == CRD_OK)
        status = crdi_comparison_json(&out, (const crdi_compared[]){{"a", e, s}, {"b", e, s}}, 2, &(crdi_bayes){0});
    char path[96];
    snprintf(path, sizeof path, "%s/rows.csv", folder);
    if (status == CRD_OK)
        status = crdi_evaluation_rows(e, (const int64_t[]){0, 1, 2, 3}, path, true);
    unlink(path);
    crdi_string_clear(&out);
    crdi_figure_destroy(&f);
    crdi_scores_destroy(&s);
    crdi_evaluation_destroy(&other);
    crdi_evaluation_destroy(&e);
    crdi_calibration_destroy(&c);
    return status;
}

static void running_out_of_memory_leaks_nothing(void **state)
{
    (void)state;
    static const struct {
        char kind;
        const char *likelihood, *method;
        value_fn value;
    } of[] = {{'n', "normal", "conformal", number_value},
              {'n', "student_t", "conformal", number_value},
              {'3', "categorical", "temperature", class_value}};
    static const double scale = 1;
    for (int i = 0; i < CRDI_COUNT(of); i++) {
        crd_context *ctx = testing_context();
        struct known known = {ctx,   make_dataset(ctx, of[i].kind, CRD_SCALE_NONE), of[i].likelihood, 8, of[i].value,
                              &scale};
        crdi_network_run *net = write_run(&known);
        crd_array x = crd_array_borrow(net->x.data, crd_shape_2(4, 1)),
                  y = crd_array_borrow(net->y.data, crd_shape_1(4));
        crd_status status = CRD_ENOMEM;
        for (int64_t k = 1; status != CRD_OK; k += k < 300 ? 1 : 17) {
            testing_fail_allocation(k);
            status = all_of_it(net, &x, &y, of[i].method);
            testing_fail_allocation(0);
            assert_true(status == CRD_OK || status == CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), status);
            crd_error_clear(ctx);
            assert_true(k < 100000);
        }
        crdi_network_run_close(&net);
        crd_dataset_destroy(&known.dataset);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(a_single_draw_has_its_noise),
        cmocka_unit_test(targets_alone_and_together),
        cmocka_unit_test(counts_and_tails),
        cmocka_unit_test(classes_by_hand),
        cmocka_unit_test(bernoulli_is_categorical_with_differenced_logits),
        cmocka_unit_test(a_known_temperature_comes_back),
        cmocka_unit_test(conformal_limits_cover),
        cmocka_unit_test(what_cannot_be_calibrated),
        cmocka_unit_test(far_rows_are_told_apart_by_what_grows),
        cmocka_unit_test(differences_row_by_row),
        cmocka_unit_test(what_cannot_be_compared),
        cmocka_unit_test(quantiles_of_few_draws),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
        cmocka_unit_test(weights_of_draws_and_chains),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
