/* test_scores.c - scores against what other libraries say of stored cases, closed forms, and sampling laws. */
#include "testing.h"

#include <credence/diag.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 200 };

static int64_t numbers(const json_t *row, const char *key, double *out)
{
    int64_t count = testing_numbers(json_object_get(row, key), NULL);
    assert_true(count > 0 && count <= 8 * MOST);
    return testing_numbers(json_object_get(row, key), out);
}

static double number(const json_t *row, const char *key)
{
    return testing_number(json_object_get(row, key));
}

/* ---- stored cases --------------------------------------------------------------------------------------------- */

/* The bins that are not empty, as calibration_curve lists them. */
static void check_curve(const json_t *row, const char *key, const crd_reliability_bin *bin, int bins)
{
    double frequency[MOST], confidence[MOST];
    const json_t *curve = json_object_get(row, key);
    int64_t count = numbers(curve, "frequency", frequency), seen = 0;
    numbers(curve, "confidence", confidence);
    for (int b = 0; b < bins; b++) {
        if (bin[b].count == 0)
            continue;
        assert_true(seen < count);
        assert_close(bin[b].frequency, frequency[seen], 1e-12, 1e-15);
        assert_close(bin[b].confidence, confidence[seen++], 1e-12, 0);
    }
    assert_int_equal(seen, count);
}

static void check_classes(crd_context *ctx, const json_t *row)
{
    double p[8 * MOST], y[MOST], top[MOST], right[MOST], brier[MOST], log_p[MOST];
    crd_reliability_bin bin[MOST];
    int64_t n = numbers(row, "y", y), k = numbers(row, "p", p) / n;
    int bins = (int)number(row, "bins");
    for (int64_t i = 0; i < n; i++) {
        int64_t best = 0;
        for (int64_t c = 1; c < k; c++)
            best = p[i * k + c] > p[i * k + best] ? c : best;
        top[i] = p[i * k + best];
        right[i] = (double)best == y[i];
        brier[i] = crd_brier(p + i * k, k, (int64_t)y[i]);
        log_p[i] = log(p[i * k + (int64_t)y[i]]);
    }
    assert_close(crd_score_mean(right, n, NULL).value, number(row, "accuracy"), 1e-14, 0);
    assert_close(crd_score_mean(brier, n, NULL).value, number(row, "brier"), 1e-12, 0);
    assert_close(-crd_score_mean(log_p, n, NULL).value, number(row, "log_loss"), 1e-12, 0);
    assert_ok(ctx, crd_reliability(ctx, top, right, n, CRD_BINS_EQUAL_WIDTH, bins, bin));
    check_curve(row, "uniform", bin, bins);
    assert_close(crd_score_ece(bin, bins, top, right, n, NULL).value, number(row, "ece"), 1e-12, 0);
    assert_close(crd_score_mce(bin, bins, top, right, n, NULL).value, number(row, "mce"), 1e-12, 0);
    assert_ok(ctx, crd_reliability(ctx, top, right, n, CRD_BINS_EQUAL_COUNT, bins, bin));
    check_curve(row, "quantile", bin, bins);
    if (k == 2) {
        crd_score auroc;
        for (int64_t i = 0; i < n; i++)
            top[i] = p[2 * i + 1];
        assert_ok(ctx, crd_score_auroc(ctx, top, y, n, NULL, &auroc));
        assert_close(auroc.value, number(row, "auroc"), 1e-12, 0);
    }
}

static void classes_as_by_scikit_learn_and_netcal(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *root = testing_json("scores.json"), *row;
    size_t i;
    json_array_foreach(json_object_get(root, "classes"), i, row) check_classes(ctx, row);
    assert_true(i == 3);
    json_decref(root);
    testing_context_destroy(&ctx);
}

static void auroc_with_ties_as_by_scikit_learn(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *root = testing_json("scores.json"), *row;
    size_t i;
    json_array_foreach(json_object_get(root, "auroc"), i, row)
    {
        double score[MOST], positive[MOST], influence[MOST], sum = 0;
        crd_score auroc;
        int64_t n = numbers(row, "score", score);
        numbers(row, "positive", positive);
        assert_ok(ctx, crd_score_auroc(ctx, score, positive, n, influence, &auroc));
        assert_close(auroc.value, number(row, "auroc"), 1e-12, 0);
        assert_close(auroc.se, number(row, "se"), 1e-12, 0);
        for (int64_t j = 0; j < n; j++)
            sum += influence[j];
        assert_close(sum, 0, 0, 1e-11);
    }
    json_decref(root);
    testing_context_destroy(&ctx);
}

static void crps_as_by_properscoring_and_scoringrules(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *root = testing_json("scores.json"), *row;
    double x[MOST], s[MOST], w[MOST], value;
    size_t i;
    json_array_foreach(json_object_get(root, "ensemble"), i, row)
    {
        int64_t n = numbers(row, "x", x);
        numbers(row, "w", w);
        assert_ok(ctx, crd_crps_ensemble(ctx, x, NULL, n, number(row, "y"), &value));
        assert_close(value, number(row, "crps"), 1e-12, 0);
        assert_close(value, number(row, "scoringrules"), 1e-12, 0);
        assert_ok(ctx, crd_crps_ensemble(ctx, x, w, n, number(row, "y"), &value));
        assert_close(value, number(row, "weighted"), 1e-12, 0);
    }
    json_array_foreach(json_object_get(root, "mixture"), i, row)
    {
        double y = number(row, "y");
        int64_t n = numbers(row, "m", x);
        numbers(row, "s", s);
        numbers(row, "w", w);
        assert_close(crd_crps_normal_mixture(x, s, w, n, y), number(row, "crps"), 1e-10, 0);
        assert_close(crd_crps_normal_mixture(x, s, w, n, y), number(row, "scoringrules"), 1e-10, 0);
        assert_close(crd_normal_mixture_cdf(x, s, w, n, y), number(row, "cdf"), 1e-12, 1e-15);
        for (double p = 0.01; p < 1; p += 0.07)
            assert_close(crd_normal_mixture_cdf(x, s, w, n, crd_normal_mixture_quantile(x, s, w, n, p)), p, 0, 1e-11);
    }
    json_array_foreach(json_object_get(root, "normal"), i, row)
    {
        double m = number(row, "m"), sd = number(row, "s"), y = number(row, "y");
        assert_close(crd_crps_normal(m, sd, y), number(row, "crps"), 1e-12, 0);
        assert_close(crd_crps_normal_mixture(&m, &sd, NULL, 1, y), number(row, "crps"), 1e-12, 0);
        assert_close(crd_normal_log_density(y, m, sd * sd), number(row, "log"), 1e-13, 0);
    }
    assert_true(i == 3);
    json_decref(root);
    testing_context_destroy(&ctx);
}

/* ---- closed forms --------------------------------------------------------------------------------------------- */

/* The sum over pairs and the integral are two ways to one number. */
static void mixtures_by_pairs_and_by_steps(void **state)
{
    (void)state;
    enum { N = 400 };
    static double m[N], s[N], w[N];
    double pairs = 0, total = 0, y = 0.7;
    for (int d = 0; d < N; d++) {
        m[d] = 3 * sin(7 * d);
        s[d] = 1 + 0.5 * cos(5 * d);
        total += w[d] = 1.2 + sin(3 * d);
    }
    for (int d = 0; d < N; d++)
        w[d] /= total;
    for (int d = 0; d < N; d++) {
        double z = (y - m[d]) / s[d];
        pairs += w[d] * ((y - m[d]) * erf(z / sqrt(2)) + s[d] * sqrt(2 / acos(-1)) * exp(-z * z / 2));
        for (int e = 0; e < N; e++) {
            double v = s[d] * s[d] + s[e] * s[e], mm = m[d] - m[e];
            pairs -= 0.5 * w[d] * w[e] * (mm * erf(mm / sqrt(2 * v)) + sqrt(2 * v / acos(-1)) * exp(-mm * mm / v / 2));
        }
    }
    assert_close(crd_crps_normal_mixture(m, s, w, N, y), pairs, 1e-12, 0);
}

static void points_and_limits(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double point[] = {2, 2}, none[] = {0, 0}, one[] = {-1, 3}, half[] = {0, 1}, x[] = {-1000, -1000 + log(3)};
    double value;
    assert_close(crd_crps_normal_mixture(point, none, NULL, 2, 5), 3, 1e-15, 0);
    assert_close(crd_crps_normal(2, 0, 5), 3, 1e-15, 0);
    assert_close(crd_crps_normal_mixture(one, none, NULL, 2, 0), 2 - 1, 1e-15, 0);
    assert_close(crd_crps_normal_mixture(one, none, half, 2, 0), 3, 1e-15, 0);
    assert_ok(ctx, crd_crps_ensemble(ctx, one, NULL, 2, 0, &value));
    assert_close(value, 1, 1e-15, 0);
    assert_ok(ctx, crd_crps_ensemble(ctx, one, NULL, 0, 0, &value));
    assert_true(isnan(value));
    assert_close(crd_log_mean_exp(x, NULL, 2), -1000 + log(2), 1e-15, 0);
    assert_close(crd_log_mean_exp(x, half, 2), -1000 + log(3), 1e-15, 0);
    assert_true(crd_log_mean_exp((const double[]){-INFINITY, -INFINITY}, NULL, 2) == -INFINITY);
    assert_true(isnan(crd_log_mean_exp((const double[]){NAN, 0}, NULL, 2)));
    assert_close(crd_normal_mixture_quantile(point, none, NULL, 2, 0.3), 2, 0, 0);
    assert_true(crd_normal_mixture_quantile(one, one + 1, NULL, 1, 0) == -INFINITY);
    assert_true(isnan(crd_normal_mixture_quantile(one, one + 1, NULL, 1, 1.5)));
    assert_close(crd_normal_mixture_quantile(one, (const double[]){2, 2}, NULL, 1, 0.975), -1 + 2 * 1.959963984540054,
                 1e-13, 0);
    assert_true(crd_weighted_quantile_sorted(one, half, 2, 0) == 3);
    const double apart[] = {0, 10}, narrow[] = {0.01, 0.02}; /* 0.3 and 0.9 are their 0.6 and 0.8 quantiles */
    assert_close(crd_normal_mixture_quantile(apart, narrow, NULL, 2, 0.3), 0.01 * 0.2533471031357997, 1e-10, 0);
    assert_close(crd_normal_mixture_quantile(apart, narrow, NULL, 2, 0.9), 10 + 0.02 * 0.8416212335729143, 1e-13, 0);
    value = crd_normal_mixture_quantile(apart, narrow, NULL, 2, 0.5); /* anywhere between them */
    assert_true(value > 0.05 && value < 9.9);
    assert_close(crd_weighted_quantile_sorted(one, NULL, 2, 0.25), 0, 0, 1e-15);
    testing_context_destroy(&ctx);
}

static void uncertainty_adds_up(void **state)
{
    (void)state;
    enum { DRAWS = 50, K = 4 };
    double p[DRAWS * K], w[DRAWS], mean[K], m[DRAWS], v[DRAWS], middle, total = 0;
    for (int d = 0; d < DRAWS; d++) {
        double sum = 0;
        for (int k = 0; k < K; k++)
            sum += p[d * K + k] = k == 3 && d % 3 == 0 ? 0 : exp(4 * sin(13 * d + 5 * k));
        for (int k = 0; k < K; k++)
            p[d * K + k] /= sum;
        total += w[d] = 1 + cos(d);
        m[d] = sin(11 * d);
        v[d] = 0.1 + 0.05 * cos(3 * d);
    }
    for (int d = 0; d < DRAWS; d++)
        w[d] /= total;
    for (int weighted = 0; weighted < 2; weighted++) {
        crd_uncertainty u = crd_uncertainty_of_classes(p, weighted ? w : NULL, DRAWS, K, mean);
        assert_close(u.total, u.aleatoric + u.epistemic, 1e-12, 0);
        assert_true(u.epistemic > 0.1 && u.aleatoric > 0.1);
        assert_close(mean[0] + mean[1] + mean[2] + mean[3], 1, 1e-14, 0);
    }
    crd_uncertainty u = crd_uncertainty_of_numbers(m, v, w, DRAWS, &middle);
    double square = 0, mm = 0;
    for (int d = 0; d < DRAWS; d++) {
        square += w[d] * (v[d] + m[d] * m[d]);
        mm += w[d] * m[d];
    }
    assert_close(middle, mm, 1e-14, 0);
    assert_close(u.total, square - mm * mm, 1e-12, 0);
    assert_close(u.total, u.aleatoric + u.epistemic, 1e-14, 0);
    u = crd_uncertainty_of_classes((const double[]){0.3, 0.7, 0.3, 0.7}, NULL, 2, 2, mean);
    assert_true(u.epistemic >= 0 && u.epistemic < 1e-15);
    assert_close(u.total, -0.3 * log(0.3) - 0.7 * log(0.7), 1e-14, 0);
}

static void errors_over_rows(void **state)
{
    (void)state;
    enum { N = 40 };
    double a[N], b[N], d[N], ia[N], ib[N];
    for (int i = 0; i < N; i++) {
        a[i] = 2 + sin(i);
        b[i] = 1 + sin(i) + 0.1 * cos(5 * i);
        d[i] = a[i] - b[i];
    }
    crd_score sa = crd_score_mean(a, N, ia), sb = crd_score_mean(b, N, ib), sd = crd_score_mean(d, N, NULL);
    crd_score difference = crd_score_difference(sa, ia, sb, ib, N);
    assert_close(sa.se, crd_diag_sd(a, N) / sqrt(N), 1e-13, 0);
    assert_close(difference.value, sd.value, 1e-13, 0);
    assert_close(difference.se, sd.se, 1e-12, 0);
    assert_true(difference.se < 0.3 * sa.se);
    crd_score rmse = crd_score_rmse(a, N, NULL);
    assert_close(rmse.value, sqrt(sa.value), 1e-14, 0);
    assert_close(rmse.se, sa.se / (2 * rmse.value), 1e-13, 0);
    assert_true(isnan(crd_score_mean(a, 1, NULL).se) && isnan(crd_score_mean(a, 0, NULL).value));
    assert_close(crd_score_rmse((const double[]){0, 0, 0}, 3, NULL).se, 0, 0, 0);
}

static void calibration_by_hand(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    /* bins (0, 0.5], (0.5, 1]: an edge belongs below; gaps 0.5 - 0.45 and 2/3 - 0.8 */
    const double confidence[] = {0.4, 0.5, 0.7, 0.8, 0.9}, right[] = {0, 1, 1, 0, 1};
    crd_reliability_bin bin[2];
    assert_ok(ctx, crd_reliability(ctx, confidence, right, 5, CRD_BINS_EQUAL_WIDTH, 2, bin));
    assert_true(bin[0].count == 2 && bin[1].count == 3);
    assert_close(bin[0].confidence, 0.45, 1e-15, 0);
    assert_close(bin[1].frequency, 2.0 / 3, 1e-15, 0);
    assert_close(crd_score_ece(bin, 2, confidence, right, 5, NULL).value, 0.4 * 0.05 + 0.6 * (0.8 - 2.0 / 3), 1e-13, 0);
    assert_close(crd_score_mce(bin, 2, confidence, right, 5, NULL).value, 0.8 - 2.0 / 3, 1e-13, 0);
    assert_close(crd_score_mce(bin, 2, confidence, right, 5, NULL).se, bin[1].se, 1e-12, 0);
    /* shares up to 1/4, 1/2, 3/4: 1/4, 3/4, 3/4 */
    const double pit[] = {0.1, 0.3, 0.4, 0.9};
    double frequency[3];
    assert_close(crd_score_pit(pit, 4, 4, frequency, NULL).value, 0.25 / 3, 1e-14, 0);
    assert_close(frequency[1], 0.75, 1e-15, 0);
    assert_close(crd_score_pit_max(pit, 4, 4, NULL).value, 0.25, 1e-14, 0);
    assert_true(isnan(crd_score_pit(pit, 4, 1, NULL, NULL).value));
    assert_int_equal(crd_reliability(ctx, confidence, right, 5, CRD_BINS_EQUAL_WIDTH, 0, bin), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_answered(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double score[] = {1, 2, NAN}, positive[] = {1, 0, 1}, all[] = {1, 1, 1};
    double influence[3];
    crd_score s;
    assert_ok(ctx, crd_score_auroc(ctx, score, positive, 3, influence, &s));
    assert_true(isnan(s.value) && isnan(s.se) && isnan(influence[0]));
    assert_ok(ctx, crd_score_auroc(ctx, score, all, 2, NULL, &s));
    assert_true(isnan(s.value));
    assert_ok(ctx, crd_score_auroc(ctx, score, all, 0, NULL, &s));
    assert_true(isnan(s.value));
    assert_true(isnan(crd_score_mean(score, 3, NULL).value));
    assert_int_equal(crd_score_auroc(ctx, score, all, -1, NULL, &s), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

/* ---- standard errors against repetitions ------------------------------------------------------------------------ */

enum { REPETITIONS = 400, ROWS = 150 };

struct sums {
    double value, square, se;
};

static void add(struct sums *s, crd_score score)
{
    s->value += score.value;
    s->square += score.value * score.value;
    s->se += score.se;
}

/* The mean of the standard errors is the sd over repetitions. The sd of 400 has an error of 3.5 %; five of these and what the
 * delta method is off by: a fifth. */
static void check_se(const char *what, const struct sums *s)
{
    double n = REPETITIONS, sd = sqrt((s->square - s->value * s->value / n) / (n - 1));
    if (fabs(s->se / n / sd - 1) > 0.2)
        fail_msg("%s: the standard errors are %g on average, the sd is %g", what, s->se / n, sd);
}

static void standard_errors_are_what_repetitions_show(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct sums ece = {0}, mce = {0}, auroc = {0}, difference = {0}, pit = {0}, pit_max = {0};
    static double u[6 * ROWS], confidence[ROWS], right[ROWS], a[ROWS], b[ROWS], ia[ROWS], ib[ROWS];
    crd_reliability_bin bin[4];
    crd_score s, other;
    for (int r = 0; r < REPETITIONS; r++) {
        crd_random_uniform(crd_key_fold_in(crd_key_make(5), (uint32_t)r), 6 * ROWS, u);
        for (int i = 0; i < ROWS; i++) {
            confidence[i] = 0.5 + 0.5 * u[6 * i];
            right[i] = u[6 * i + 1] < confidence[i] - 0.25; /* overconfident: the sign of no bin is in doubt */
            a[i] = right[i] + u[6 * i + 2] + u[6 * i + 3];
            b[i] = right[i] + u[6 * i + 2] + u[6 * i + 4];
        }
        assert_ok(ctx, crd_reliability(ctx, confidence, right, ROWS, CRD_BINS_EQUAL_WIDTH, 4, bin));
        add(&ece, crd_score_ece(bin, 4, confidence, right, ROWS, NULL));
        assert_ok(ctx, crd_score_auroc(ctx, a, right, ROWS, ia, &s));
        assert_ok(ctx, crd_score_auroc(ctx, b, right, ROWS, ib, &other));
        add(&auroc, s);
        add(&difference, crd_score_difference(s, ia, other, ib, ROWS));
        for (int i = 0; i < ROWS; i++)
            a[i] = sqrt(u[6 * i]); /* too few are small */
        add(&pit, crd_score_pit(a, ROWS, 5, NULL, NULL));
        add(&pit_max, crd_score_pit_max(a, ROWS, 2, NULL));
        for (int i = 0; i < ROWS; i++) {
            confidence[i] = i % 2 ? 0.95 : 0.3;
            right[i] = u[6 * i + 5] < (i % 2 ? 0.5 : 0.3);
        }
        assert_ok(ctx, crd_reliability(ctx, confidence, right, ROWS, CRD_BINS_EQUAL_WIDTH, 4, bin));
        add(&mce, crd_score_mce(bin, 4, confidence, right, ROWS, NULL));
    }
    check_se("ece", &ece);
    check_se("mce", &mce);
    check_se("auroc", &auroc);
    check_se("pit", &pit);
    check_se("pit_max", &pit_max);
    check_se("difference of aurocs", &difference);
    testing_context_destroy(&ctx);
}

/* ---- conformal ------------------------------------------------------------------------------------------------- */

static void limits_of_scores(void **state)
{
    (void)state;
    const double sorted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    double mean, sd;
    assert_true(crd_conformal_limit(sorted, 9, 0.9) == 9);
    assert_true(crd_conformal_limit(sorted, 9, 0.5) == 5);
    assert_true(crd_conformal_limit(sorted, 9, 0.51) == 6);
    assert_true(crd_conformal_limit(sorted, 9, 0.91) == INFINITY);
    assert_true(crd_conformal_limit(sorted, 0, 0.5) == INFINITY && isnan(crd_conformal_limit(sorted, 9, 1)));
    crd_conformal_law(9, 1, 0.9, &mean, &sd);
    assert_close(mean, 0.9, 1e-14, 0);
    assert_close(sd, 0.3, 1e-12, 0); /* one row: covered or not */
    crd_conformal_law(9, 2, 0.91, &mean, &sd);
    assert_true(mean == 1 && sd == 0);
    const double p[] = {0.2, 0.5, 0.2, 0.1};
    assert_close(crd_conformal_class_score(p, 4, 1, 0), 0.5, 1e-15, 0);
    assert_close(crd_conformal_class_score(p, 4, 1, 1), 0.5, 1e-15, 0);
    assert_close(crd_conformal_class_score(p, 4, 0, 1), 0.7, 1e-15, 0);
    assert_close(crd_conformal_class_score(p, 4, 2, 1), 0.9, 1e-15, 0);
    assert_close(crd_conformal_class_score(p, 4, 3, 1), 1, 1e-15, 0);
}

/* 200 calibration sets and test sets of 60 and 80 rows, predictions that are wrong in mean and spread: the share of rows covered
 * follows the beta-binomial law. Mean and variance within three standard errors: of 6 checks on a fixed key one fails with
 * probability 1.6 %. */
static void coverage_is_beta_binomial(void **state)
{
    (void)state;
    enum { SETS = 200, N = 60, M = 80 };
    static double u[N + M], z[N + M], score[2][N + M];
    const double level[] = {0.5, 0.9};
    crd_context *ctx = testing_context();
    for (int l = 0; l < 2; l++) {
        double sum[2] = {0}, square[2] = {0}, mean, sd;
        for (int r = 0; r < SETS; r++) {
            crd_key key = crd_key_fold_in(crd_key_make(17), (uint32_t)r);
            crd_random_uniform(crd_key_fold_in(key, 0), N + M, u);
            crd_random_normal(crd_key_fold_in(key, 1), N + M, z);
            for (int i = 0; i < N + M; i++) {
                double y = sin(6 * u[i]) + (0.1 + u[i]) * z[i], predicted = 0.7 * sin(6 * u[i]) + 0.1;
                score[0][i] = fabs(y - predicted);
                score[1][i] = fabs(y - predicted) / (0.3 + 0.2 * u[i]);
            }
            for (int k = 0; k < 2; k++) {
                assert_ok(ctx, crd_diag_sort(ctx, score[k], N, score[k]));
                double limit = crd_conformal_limit(score[k], N, level[l]), covered = 0;
                for (int i = N; i < N + M; i++)
                    covered += score[k][i] <= limit;
                sum[k] += covered / M;
                square[k] += covered / M * covered / M;
            }
        }
        crd_conformal_law(N, M, level[l], &mean, &sd);
        assert_true(mean >= level[l] && mean < level[l] + 1.0 / N);
        for (int k = 0; k < 2; k++) {
            double average = sum[k] / SETS, variance = (square[k] - SETS * average * average) / (SETS - 1);
            assert_close(average, mean, 0, 3 * sd / sqrt(SETS));
            assert_close(variance, sd * sd, 0, 3 * sd * sd * sqrt(2.0 / (SETS - 1)));
        }
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_as_by_scikit_learn_and_netcal),
        cmocka_unit_test(auroc_with_ties_as_by_scikit_learn),
        cmocka_unit_test(crps_as_by_properscoring_and_scoringrules),
        cmocka_unit_test(mixtures_by_pairs_and_by_steps),
        cmocka_unit_test(points_and_limits),
        cmocka_unit_test(uncertainty_adds_up),
        cmocka_unit_test(errors_over_rows),
        cmocka_unit_test(calibration_by_hand),
        cmocka_unit_test(what_cannot_be_answered),
        cmocka_unit_test(standard_errors_are_what_repetitions_show),
        cmocka_unit_test(limits_of_scores),
        cmocka_unit_test(coverage_is_beta_binomial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
