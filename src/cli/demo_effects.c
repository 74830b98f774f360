/* demo_effects.c - the tutorial's six settings: what the prior's scale, the width and the activation do to the posterior
 * of f. One line of numbers and one panel each.
 *
 * Convergence is judged in function space: r_hat of f at the test inputs. That of single weights would say little, since
 * hidden units can change places and signs. Weights with a prior sd of 10 need the most: NUTS leaves an r_hat of 1.2 there
 * after 200 + 2000 iterations, microcanonical Langevin (with its small bias) comes to its end. */
#include "cli/demo.h"
#include "cli/interrupt.h"
#include "nn/tutorial.h"
#include "report/figures.h"

#include <credence/diag.h>
#include <credence/mcmc.h>
#include <credence/nn.h>
#include <stdlib.h>

enum { TEST = CRDI_DEMO_GRID, SETTINGS = 6 };

static const struct setting {
    const char *title, *hidden, *activation, *prior;
    int64_t draws;
} settings[SETTINGS] = {
    {"10 tanh units, prior sd 1", "10", "tanh", "normal:0,1", 2000},
    {"prior sd 0.1", "10", "tanh", "normal:0,0.1", 2000},
    {"prior sd 10", "10", "tanh", "normal:0,10", 4000},
    {"2 units", "2", "tanh", "normal:0,1", 2000},
    {"100 units", "100", "tanh", "normal:0,1", 2000},
    {"10 relu units", "10", "relu", "normal:0,1", 2000},
};

enum { CHAINS = 4, WARMUP = 500 };
static const char method[] = "mclmc", metric[] = "fisher";
static const double MOST_R_HAT = 1.01, LEAST_N_EFF = 400; /* of what has converged */

/* What the figure shows of one setting, and what the line says. */
struct effect {
    double low[TEST], median[TEST], high[TEST];
    double r_hat, n_eff; /* the worst over the test inputs */
    char title[96];
};

static crd_status judge(crd_context *ctx, const crd_array *f, struct effect *effect)
{
    static const double prob[3] = {0.025, 0.5, 0.975};
    int chains = (int)f->shape.dim[0];
    int64_t draws = f->shape.dim[1], count = chains * draws;
    double *series = crdi_alloc_array(ctx, 2 * count, sizeof *series), quantile[3];
    crd_status status = series ? CRD_OK : CRD_ENOMEM;
    effect->r_hat = 0;
    effect->n_eff = 1e300;
    for (int i = 0; i < TEST && status == CRD_OK; i++) {
        double n_eff;
        for (int64_t d = 0; d < count; d++)
            series[d] = f->data[d * TEST + i];
        double r_hat = crd_diag_split_gelman_rubin(series, chains, draws);
        status = crd_diag_n_eff(ctx, series, chains, draws, &n_eff);
        if (status == CRD_OK)
            status = crd_diag_sort(ctx, series, count, series + count);
        for (int k = 0; k < 3 && status == CRD_OK; k++)
            quantile[k] = crd_diag_quantile_sorted(series + count, count, prob[k]);
        effect->low[i] = quantile[0];
        effect->median[i] = quantile[1];
        effect->high[i] = quantile[2];
        effect->r_hat = r_hat > effect->r_hat ? r_hat : effect->r_hat;
        effect->n_eff = n_eff < effect->n_eff ? n_eff : effect->n_eff;
    }
    crdi_free(ctx, series);
    return status;
}

static int stop(void *user)
{
    (void)user;
    return atomic_load(crdi_interrupt_flag()) != 0;
}

static crd_status run_setting(crd_context *ctx, const struct setting *setting, const crd_array *x, const crd_array *y,
                              const crd_array *x_test, struct effect *effect)
{
    crd_network train = {.hidden = setting->hidden,
                         .activation = setting->activation,
                         .prior = setting->prior,
                         .noise = "half_cauchy:0.5",
                         .x = *x,
                         .y = y};
    crd_network test = train;
    crd_nuts_options options = {
        .chains = CHAINS, .warmup = WARMUP, .draws = setting->draws, .kernel = method, .metric = metric, .stop = stop};
    crd_model *model;
    crd_posterior *posterior = NULL;
    crd_array f = {0};
    test.x = *x_test;
    test.y = NULL;
    CRD_TRY(crd_model_create(&model, ctx, crd_network_model, &train));
    crd_status status = crd_nuts_run(model, &options, crd_key_make(1234), &posterior);
    if (status == CRD_OK)
        status = crd_predict(model, posterior, &test, "f", crd_key_make(1), &f);
    if (status == CRD_OK)
        status = judge(ctx, &f, effect);
    if (status == CRD_OK)
        crdi_format(effect->title, sizeof effect->title, "%s (%s, r_hat %.3f)", setting->title, method, effect->r_hat);
    if (status == CRD_OK)
        printf("%-26s %8.2f %12lld %12lld %8.4f %8.0f\n", setting->title,
               posterior->warmup_seconds + posterior->sampling_seconds, (long long)posterior->gradient_evaluations,
               (long long)crd_posterior_divergences(posterior), effect->r_hat, effect->n_eff);
    fflush(stdout);
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    crd_model_destroy(&model);
    return status;
}

static void say_what_converged(const struct effect *effects)
{
    int converged = 0;
    for (int i = 0; i < SETTINGS; i++)
        converged += effects[i].r_hat <= MOST_R_HAT && effects[i].n_eff >= LEAST_N_EFF;
    printf("\nr_hat and n_eff are the worst over the inputs. %d of %d panels converged: r_hat at most %.2f, n_eff at "
           "least %.0f.\n",
           converged, SETTINGS, MOST_R_HAT, LEAST_N_EFF);
    if (converged < SETTINGS)
        printf("The chains of the others do not agree yet: believe those panels only after a longer run.\n");
    printf("mclmc has no acceptance step: docs/samplers.md states its bias.\n");
}

static crd_status draw(crdi_cli *cli, const char *folder, const struct effect *effects, const double *x,
                       const double *y, const double *x_test)
{
    crdi_bands bands[SETTINGS];
    struct crdi_band level[SETTINGS];
    char path[1024];
    crdi_figure *figure;
    for (int i = 0; i < SETTINGS; i++) {
        level[i] = (struct crdi_band){0.95, effects[i].low, effects[i].high};
        bands[i] = (crdi_bands){.title = effects[i].title,
                                .count = TEST,
                                .x = x_test,
                                .median = effects[i].median,
                                .level_count = 1,
                                .level = &level[i],
                                .data_count = CRDI_TUTORIAL_ROWS,
                                .data_x = x,
                                .data_y = y};
    }
    crdi_figure_source source = {.band_count = SETTINGS, .bands = bands};
    CRD_TRY(crdi_figure_effects(&figure, cli->ctx, &source));
    snprintf(path, sizeof path, "%s/effects.png", folder);
    crd_status status = crdi_figure_save(figure, path, true);
    crdi_figure_destroy(&figure);
    if (status == CRD_OK)
        printf("\nFigure: %s\n", path);
    return status;
}

crd_status crdi_demo_effects(crdi_cli *cli, const char *folder)
{
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS], x_test[TEST];
    crdi_tutorial_regression(x, y);
    for (int i = 0; i < TEST; i++)
        x_test[i] = crdi_demo_grid(i);
    crd_array inputs = crd_array_borrow(x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1));
    crd_array observed = crd_array_borrow(y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    crd_array test = crd_array_borrow(x_test, crd_shape_2(TEST, 1));
    struct effect *effects = crdi_alloc_array(cli->ctx, SETTINGS, sizeof *effects);
    crd_status status = effects ? CRD_OK : CRD_ENOMEM;
    printf("%s, metric %s, %d chains, warm-up %d, f at %d inputs from -1.5 to 1.5\n\n", method, metric, CHAINS, WARMUP,
           TEST);
    printf("%-26s %8s %12s %12s %8s %8s\n", "", "seconds", "gradients", "divergences", "r_hat f", "n_eff f");
    crdi_interrupt_watch();
    for (int i = 0; i < SETTINGS && status == CRD_OK; i++)
        status = run_setting(cli->ctx, &settings[i], &inputs, &observed, &test, &effects[i]);
    crdi_interrupt_unwatch();
    if (status == CRD_OK) {
        say_what_converged(effects);
        status = draw(cli, folder, effects, x, y, x_test);
    }
    crdi_free(cli->ctx, effects);
    return status;
}
