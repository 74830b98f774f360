/* demo_classification.c - the tutorial's spiral of three classes: a Bayesian network by variational inference, and its deterministic
 * twin; then a table of what both say at the data, away from them, and how good that is on fresh data. */
#include "cli/demo.h"
#include "nn/tutorial.h"
#include "report/prediction.h"
#include "store/csv.h"

#include <credence/scores.h>
#include <math.h>
#include <stdio.h>

enum {
    DATA_KEY = 0, /* of the data that are fitted */
    FRESH_KEY = 1, /* of those that are not */
    EACH = 100, /* points of a class */
    FRESH_EACH = 1000,
    PAGE_DRAWS = 100, /* of which the page takes frequencies */
    BINS = 10 /* as credence evaluate has */
};

/* ---- the data ----------------------------------------------------------------------------------------------- */

/* x (rows, 2) and, if it is not NULL, y as FOLDER/NAME. */
static crd_status write_rows(crdi_cli *cli, const char *folder, const char *name, int64_t rows, const double *x,
                             const double *y)
{
    static const char *const names[] = {"x0", "x1", "y"};
    char path[1024];
    crdi_csv_writer *writer;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CRD_TRY(crdi_csv_writer_open(&writer, cli->ctx, path, true, names, y ? 3 : 2));
    for (int64_t i = 0; i < rows; i++) {
        crdi_csv_writer_number(writer, x[2 * i]);
        crdi_csv_writer_number(writer, x[2 * i + 1]);
        if (y)
            crdi_csv_writer_number(writer, y[i]);
        crdi_csv_writer_end_row(writer);
    }
    return crdi_csv_writer_commit(&writer);
}

/* Rows of two inputs, and their classes where these are known. */
struct places {
    int64_t rows;
    double *x, *y; /* y in the same memory, or NULL */
};

static crd_status make_spiral(crd_context *ctx, uint64_t key, int each, struct places *out)
{
    int64_t rows = (int64_t)CRDI_TUTORIAL_CLASSES * each;
    *out = (struct places){rows, crdi_alloc_array(ctx, 3 * rows, sizeof(double)), NULL};
    if (!out->x)
        return CRD_ENOMEM;
    out->y = out->x + 2 * rows;
    crdi_tutorial_spiral(crd_key_make(key), each, out->x, out->y);
    return CRD_OK;
}

/* Points of a square grid outside a circle. */
static crd_status make_grid(crd_context *ctx, double low, double step, int side, double square_radius,
                            struct places *out)
{
    *out = (struct places){0, crdi_alloc_array(ctx, (int64_t)2 * side * side, sizeof(double)), NULL};
    if (!out->x)
        return CRD_ENOMEM;
    for (int i = 0; i < side * side; i++) {
        double a = low + step * (i % side), b = low + step * (i / side);
        if (a * a + b * b <= square_radius)
            continue;
        out->x[2 * out->rows] = a;
        out->x[2 * out->rows++ + 1] = b;
    }
    return CRD_OK;
}

/* The page's square, 100 x 100 points from -0.5 by 0.01; what is outside the unit circle of the points from -2 to 1.95 by
 * 0.05; fresh data. */
enum { SQUARE, FAR, FRESH, PLACES };

static crd_status make_places(crd_context *ctx, struct places out[PLACES])
{
    CRD_TRY(make_grid(ctx, -0.5, 0.01, 100, -1, &out[SQUARE]));
    CRD_TRY(make_grid(ctx, -2, 0.05, 80, 1, &out[FAR]));
    return make_spiral(ctx, FRESH_KEY, FRESH_EACH, &out[FRESH]);
}

static crd_status write_data(crdi_cli *cli, const char *folder, const struct places places[PLACES])
{
    const struct places *fresh = &places[FRESH], *far = &places[FAR];
    struct places data;
    CRD_TRY(make_spiral(cli->ctx, DATA_KEY, EACH, &data));
    crd_status status = write_rows(cli, folder, "spiral.csv", data.rows, data.x, data.y);
    crdi_free(cli->ctx, data.x);
    CRD_TRY(status);
    CRD_TRY(write_rows(cli, folder, "fresh.csv", fresh->rows, fresh->x, fresh->y));
    return write_rows(cli, folder, "far.csv", far->rows, far->x, NULL);
}

/* ---- what a run says ---------------------------------------------------------------------------------------- */

/* Means over the rows of a prediction. */
struct uncertainty {
    double total, epistemic; /* entropy of the mean probabilities, and the mutual information in it */
    double frequencies; /* entropy of the classes of the page's draws: its sum p log p has p + 1e-10 in the logarithm */
};

struct figures {
    struct uncertainty at[PLACES];
    crd_score log_score, calibration;
    double too_sure; /* mean confidence less accuracy */
};

static double entropy_of_draws(const crdi_prediction *p, int64_t row)
{
    double entropy = 0;
    for (int64_t k = 0; k < p->classes; k++) {
        double share = 0;
        for (int64_t i = 0; i < p->samples; i++)
            share += p->sample[row * p->samples + i] == (double)k;
        share /= (double)p->samples;
        entropy -= share * log(share + 1e-10);
    }
    return entropy;
}

static void measure_uncertainty(const crdi_prediction *p, struct uncertainty *out)
{
    *out = (struct uncertainty){0};
    for (int64_t i = 0; i < p->rows; i++) {
        out->total += p->entropy[i] / (double)p->rows;
        out->epistemic += (p->entropy[i] - p->expected_entropy[i]) / (double)p->rows;
        if (p->samples > 0)
            out->frequencies += entropy_of_draws(p, i) / (double)p->rows;
    }
}

/* Log score and calibration of predictions of rows with known classes. */
static crd_status measure_scores(const crdi_prediction *p, const double *y, struct figures *out)
{
    crd_reliability_bin bin[BINS];
    double *work = crdi_alloc_array(p->ctx, 3 * p->rows, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    double *right = work, *log_p = right + p->rows, *confidence = log_p + p->rows;
    for (int64_t i = 0; i < p->rows; i++) {
        const double *mean = p->mean + i * p->classes;
        int64_t mode = crdi_prediction_mode(p, i);
        right[i] = (double)mode == y[i];
        confidence[i] = mean[mode];
        log_p[i] = log(mean[(int64_t)y[i]]);
    }
    out->too_sure = crd_score_mean(confidence, p->rows, NULL).value - crd_score_mean(right, p->rows, NULL).value;
    out->log_score = crd_score_mean(log_p, p->rows, NULL);
    crd_status status = crd_reliability(p->ctx, confidence, right, p->rows, CRD_BINS_EQUAL_WIDTH, BINS, bin);
    if (status == CRD_OK)
        out->calibration = crd_score_ece(bin, BINS, confidence, right, p->rows, NULL);
    crdi_free(p->ctx, work);
    return status;
}

static crd_status measure(const crdi_network_run *net, const struct places places[PLACES], bool draws,
                          struct figures *out)
{
    crdi_prediction *p[PLACES] = {NULL};
    crd_status status = CRD_OK;
    for (int k = 0; k < PLACES && status == CRD_OK; k++) {
        crd_array x = crd_array_borrow(places[k].x, crd_shape_2(places[k].rows, 2));
        status =
            crdi_prediction_make(net,
                                 &(crdi_prediction_request){
                                     .x = &x, .samples = draws && k != FRESH ? PAGE_DRAWS : 0, .key = crd_key_make(1)},
                                 &p[k]);
        if (status == CRD_OK)
            measure_uncertainty(p[k], &out->at[k]);
    }
    if (status == CRD_OK)
        status = measure_scores(p[FRESH], places[FRESH].y, out);
    for (int k = 0; k < PLACES; k++)
        crdi_prediction_destroy(&p[k]);
    return status;
}

static crd_status figures_of(crdi_cli *cli, const char *folder, const char *name, const struct places places[PLACES],
                             bool draws, struct figures *out)
{
    char path[1024];
    crdi_network_run *net;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CRD_TRY(crdi_network_run_open(cli->ctx, path, &net));
    crd_status status = measure(net, places, draws, out);
    crdi_network_run_close(&net);
    return status;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static void print_line(const char *what, double svi, double twin)
{
    printf("%-58s %12.4f %12.4f\n", what, svi, twin);
}

static void print_score(const char *what, crd_score svi, crd_score twin)
{
    printf("%-58s %12.4f %12.4f   (+- %.4f, %.4f)\n", what, svi.value, twin.value, svi.se, twin.se);
}

static void print_table(const struct figures *svi, const struct figures *twin)
{
    printf("\n%-58s %12s %12s\n\n", "", "SVI", "twin");
    print_line("Entropy at fresh data, of the mean probabilities", svi->at[FRESH].total, twin->at[FRESH].total);
    print_line("Entropy over the page's square, -0.5 to 0.5", svi->at[SQUARE].total, twin->at[SQUARE].total);
    printf("%-58s %12.4f\n", "  of the classes of 100 draws, as on the page", svi->at[SQUARE].frequencies);
    print_line("Entropy far from the data, x0^2 + x1^2 > 1, up to 2", svi->at[FAR].total, twin->at[FAR].total);
    printf("%-58s %12.4f\n", "  of the classes of 100 draws, as on the page", svi->at[FAR].frequencies);
    print_line("  what the draws disagree on there (mutual information)", svi->at[FAR].epistemic,
               fmax(0, twin->at[FAR].epistemic));
    print_score("Log score of a fresh row (0 is the best)", svi->log_score, twin->log_score);
    print_score("Expected calibration error on fresh data, 10 bins", svi->calibration, twin->calibration);
    print_line("  mean confidence less accuracy (above 0: too sure)", svi->too_sure, twin->too_sure);
    printf("\nEntropies are in nats, between 0 and log 3 = %.4f. Fresh data: %d points of the same spiral, key %d.\n",
           log(3), CRDI_TUTORIAL_CLASSES * FRESH_EACH, FRESH_KEY);
}

static void explain(void)
{
    static const char *const text[] = {
        "Both networks have the same form and put nearly every point on the right side. They differ in what they say",
        "elsewhere. The twin is one network, and the entropy of its softmax is low nearly everywhere, also where it "
        "never",
        "saw a point: once the data are classified, its loss can only fall further by making probabilities more "
        "extreme,",
        "and relu units carry that on outwards without end. SVI predicts with the mean of many networks. Each may be "
        "as",
        "sure of itself as the twin, but they put the borders in different places, and where they disagree the mean is",
        "unsure: that part is the mutual information, and a single network has none. ood_auroc_total is how often the "
        "entropy",
        "is larger at a far place than at a fresh row: 0.5 is blind, and less points the wrong way.",
        "",
        "So the entropy of a softmax does not measure what the model does not know. At best it is the noise in the "
        "classes;",
        "averaging over networks adds what the data leave open. The two have the same name and the same unit and must",
        "not be taken for each other. A small calibration error does not heal this: it is measured on data like those "
        "of",
        "the fit, where nearly all rows are right, and says nothing of other places; the log score counts how sure the "
        "few",
        "wrong ones were. Nor is the average perfect: this guide is a product of normals round one mode of the "
        "posterior,",
        "and far away it is still sure of itself in wide sectors (svi_far.png).",
    };
    printf("\n");
    for (int i = 0; i < CRDI_COUNT(text); i++)
        printf("%s\n", text[i]);
}

static crd_status compare(crdi_cli *cli, const char *folder, const struct places places[PLACES])
{
    struct figures svi, twin;
    CRD_TRY(figures_of(cli, folder, "svi.crd", places, true, &svi));
    CRD_TRY(figures_of(cli, folder, "twin.crd", places, false, &twin));
    print_table(&svi, &twin);
    explain();
    return CRD_OK;
}

/* ---- the demo ----------------------------------------------------------------------------------------------- */

crd_status crdi_demo_classification(crdi_cli *cli, const char *folder)
{
    static const char *const lines[] = {
        "fit @/spiral.csv --target y --likelihood categorical --hidden 100 --activation relu --prior normal:0,10 "
        "--scale none --method svi --guide normal --init-scale 1e-2 --loss trace_mean_field --particles 10 "
        "--optimizer clip_by_global_norm:10,adam,scale:-1e-2 --steps 10000 --seed 1234 --out @/svi.crd --force",
        "plot @/svi.crd data --out @/spiral.png --force",
        "plot @/svi.crd loss --out @/svi_loss.png --force",
        "plot @/svi.crd map --inputs x0,x1 --draw 0,1,2 --range -0.5,0.5 --out @/svi_draws.png --force",
        "plot @/svi.crd map --inputs x0,x1 --draws 100 --range -0.5,0.5 --out @/svi_map.png --force",
        "plot @/svi.crd map --inputs x0,x1 --show mode,entropy,mutual_information --draws 100 --range -2,2 "
        "--out @/svi_far.png --force",
        "fit @/spiral.csv --target y --likelihood categorical --hidden 100 --activation relu --prior none --scale none "
        "--method map --optimizer clip_by_global_norm:10,adam,scale:-1e-2 --steps 10000 --seed 12345 "
        "--out @/twin.crd --force",
        "plot @/twin.crd loss --out @/twin_loss.png --force",
        "plot @/twin.crd map --inputs x0,x1 --range -0.5,0.5 --out @/twin_map.png --force",
        "plot @/twin.crd map --inputs x0,x1 --range -2,2 --out @/twin_far.png --force",
        "compare @/svi.crd @/twin.crd --data @/fresh.csv --ood @/far.csv",
    };
    struct places places[PLACES] = {{0}, {0}, {0}};
    crd_status status = make_places(cli->ctx, places);
    if (status == CRD_OK)
        status = write_data(cli, folder, places);
    if (status == CRD_OK)
        printf("%s/spiral.csv holds a spiral of three classes, %d points each, made as the tutorial makes it from key "
               "%d.\n",
               folder, EACH, DATA_KEY);
    if (status == CRD_OK)
        status = crdi_demo_type(cli, folder, lines, CRDI_COUNT(lines));
    if (status == CRD_OK)
        status = compare(cli, folder, places);
    for (int k = 0; k < PLACES; k++)
        crdi_free(cli->ctx, places[k].x);
    if (status == CRD_OK)
        printf("\nFigures: %s/spiral.png, and of both svi_*.png and twin_*.png: the loss, mode and entropy over the "
               "data's\n"
               "square, and the same far beyond it\n",
               folder);
    return status;
}
