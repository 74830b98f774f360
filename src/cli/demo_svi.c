/* demo_svi.c - the tutorial's variational fit: the loss and the bands, then two things that the page says in words, as numbers:
 * how the bands differ from those of MCMC, and what a small init_scale and many particles are worth. */
#include "cli/demo.h"
#include "cli/interrupt.h"
#include "nn/tutorial.h"
#include "report/prediction.h"

#include <credence/nn.h>
#include <credence/svi.h>
#include <math.h>
#include <stdio.h>

enum { KEYS = 8 };

/* ---- bands -------------------------------------------------------------------------------------------------- */

/* Mean widths of the central 95 % of f. */
struct widths {
    double inside, outside; /* |x| up to 1, where the data are, and beyond */
};

static void measure(const crdi_prediction *p, struct widths *out)
{
    int inside = 0;
    *out = (struct widths){0};
    for (int i = 0; i < CRDI_DEMO_GRID; i++) {
        bool in = fabs(crdi_demo_grid(i)) <= 1;
        *(in ? &out->inside : &out->outside) += p->f[2 * i + 1] - p->f[2 * i];
        inside += in;
    }
    out->inside /= inside;
    out->outside /= CRDI_DEMO_GRID - inside;
}

static crd_status widths_of(crdi_cli *cli, const char *folder, const char *name, struct widths *out)
{
    static const double prob[] = {0.025, 0.975};
    double x[CRDI_DEMO_GRID];
    char path[1024];
    crdi_network_run *net;
    crdi_prediction *prediction;
    crd_array inputs = crd_array_borrow(x, crd_shape_2(CRDI_DEMO_GRID, 1));
    for (int i = 0; i < CRDI_DEMO_GRID; i++)
        x[i] = crdi_demo_grid(i);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CRD_TRY(crdi_network_run_open(cli->ctx, path, &net));
    crd_status status = crdi_prediction_make(
        net, &(crdi_prediction_request){.x = &inputs, .prob = prob, .prob_count = 2, .key = crd_key_make(1)},
        &prediction);
    if (status == CRD_OK) {
        measure(prediction, out);
        crdi_prediction_destroy(&prediction);
    }
    crdi_network_run_close(&net);
    return status;
}

static crd_status compare_bands(crdi_cli *cli, const char *folder)
{
    struct widths svi, nuts;
    CRD_TRY(widths_of(cli, folder, "svi.crd", &svi));
    CRD_TRY(widths_of(cli, folder, "nuts.crd", &nuts));
    printf("\nMean width of the 95 %% band of f, same model and data\n\n");
    printf("%-8s %22s %28s\n", "", "at the data, |x| <= 1", "outside, 1 < |x| <= 1.5");
    printf("%-8s %22.3f %28.3f\n", "SVI", svi.inside, svi.outside);
    printf("%-8s %22.3f %28.3f\n", "NUTS", nuts.inside, nuts.outside);
    printf(
        "\nSVI's band is %.1f times as wide as NUTS's at the data, and %.2f times outside them: the guide is a product "
        "of\n"
        "normals round one of the posterior's many modes, and does not know what the other modes say where no data\n"
        "hold them together. Believe its band at the data only; its Pareto k above warns of the same. (NUTS's r_hat\n"
        "of single weights is large because hidden units can change places; 'credence demo effects' judges f.)\n",
        svi.inside / nuts.inside, svi.outside / nuts.outside);
    return CRD_OK;
}

/* ---- the page's tips ---------------------------------------------------------------------------------------- */

static int stop(void *user)
{
    (void)user;
    return atomic_load(crdi_interrupt_flag()) != 0;
}

/* One line: losses at the end of the fits from KEYS keys. */
static crd_status try_setting(crd_context *ctx, crd_network *net, double init_scale, int particles)
{
    crd_svi *svi;
    crd_svi_options options = {.loss = "trace_mean_field",
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .init_scale = init_scale,
                               .particles = particles,
                               .restarts = KEYS,
                               .stop = stop};
    CRD_TRY(crd_svi_fit(ctx, crd_network_model, net, &options, crd_key_make(1234), &svi));
    if (atomic_load(crdi_interrupt_flag())) {
        crd_svi_destroy(&svi);
        return CRD_INTERRUPTED;
    }
    const double *loss = crd_svi_history_of(svi)->final_loss;
    double sum = 0, least = INFINITY, most = -INFINITY;
    for (int k = 0; k < KEYS; k++) {
        sum += loss[k];
        least = loss[k] < least ? loss[k] : least;
        most = loss[k] > most ? loss[k] : most;
    }
    printf("%10g %10d %12.1f %12.1f %12.1f %14.2f\n", init_scale, particles, sum / KEYS, least, most,
           crd_svi_history_of(svi)->seconds);
    fflush(stdout);
    crd_svi_destroy(&svi);
    return CRD_OK;
}

static crd_status show_tips(crdi_cli *cli)
{
    static const struct {
        double init_scale;
        int particles;
    } settings[] = {{1e-3, 10}, {1e-3, 1}, {0.1, 10}, {0.1, 1}, {1, 10}, {1, 1}};
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crd_status status = CRD_OK;
    crdi_tutorial_regression(x, y);
    crd_array target = crd_array_borrow(y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    crd_network net = {.hidden = "10",
                       .activation = "tanh",
                       .prior = "normal:0,10",
                       .noise = "half_cauchy:0.5",
                       .x = crd_array_borrow(x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1)),
                       .y = &target};
    printf(
        "\nThe page's two tips: a small scale at the start, and many particles. Loss at the end (mean of the last 500\n"
        "steps) of fits from %d keys; the lower, the closer the guide is to the posterior\n\n",
        KEYS);
    printf("%10s %10s %12s %12s %12s %14s\n", "init_scale", "particles", "mean", "best key", "worst key",
           "seconds a fit");
    crdi_interrupt_watch();
    for (int i = 0; i < CRDI_COUNT(settings) && status == CRD_OK; i++)
        status = try_setting(cli->ctx, &net, settings[i].init_scale, settings[i].particles);
    crdi_interrupt_unwatch();
    if (status == CRD_OK)
        printf("\nMore particles always help. A large init_scale costs; whether it is 0.1 or less matters less than "
               "the key does,\n"
               "so --restarts, which keeps the best of several keys, is a third tip.\n");
    return status;
}

/* ---- the demo ----------------------------------------------------------------------------------------------- */

crd_status crdi_demo_svi(crdi_cli *cli, const char *folder)
{
    static const char fit_svi[] =
        "fit @/regression.csv --target y --hidden 10 --activation tanh --prior normal:0,10 --scale none --method svi "
        "--guide normal --init-scale 1e-3 --loss trace_mean_field --particles 10 "
        "--optimizer clip_by_global_norm:10,adam,scale:-1e-2 --steps 10000 --seed 1234 --out @/svi.crd --force";
    static const char fit_nuts[] =
        "fit @/regression.csv --target y --hidden 10 --activation tanh --prior normal:0,10 --scale none --method nuts "
        "--chains 2 --warmup 200 --draws 2000 --seed 1234 --out @/nuts.crd --force";
    static const char *const lines[] = {
        fit_svi,
        "plot @/svi.crd loss --out @/svi_loss.png --force",
        "predict @/svi.crd @/grid.csv --draws 1000 --out @/svi_bands.csv --force",
        "plot @/svi.crd bands --range -1.5,1.5 --out @/svi_bands.png --force",
        fit_nuts,
        "plot @/nuts.crd bands --range -1.5,1.5 --out @/nuts_bands.png --force",
    };
    CRD_TRY(crdi_demo_write_data(cli, folder));
    CRD_TRY(crdi_demo_write_grid(cli, folder));
    crd_status status = crdi_demo_type(cli, folder, lines, CRDI_COUNT(lines));
    if (status == CRD_OK)
        status = compare_bands(cli, folder);
    if (status == CRD_OK)
        status = show_tips(cli);
    if (status == CRD_OK)
        printf("\nFigures: %s/svi_loss.png, %s/svi_bands.png, %s/nuts_bands.png\n", folder, folder, folder);
    return status;
}
