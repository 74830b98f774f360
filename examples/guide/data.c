/* data.c - the guide's two data sets, made from keys: regression.csv, forty noisy points of x sin(5 x), and spiral.csv, three
 * arms of a hundred points each. */
#include <credence/credence.h>
#include <math.h>
#include <stdio.h>

enum { POINTS = 40, ARMS = 3, ARM = 100 };

static int write_regression(FILE *file)
{
    /* The tutorial was written with JAX before 0.5, in single precision. This key, in that order, gives its data. */
    crd_key key = crd_key_with_order(crd_key_make(0), CRD_ORDER_ORIGINAL), half[2];
    float x[POINTS], noise[POINTS];
    crd_random_uniform_between_f32(key, -1, 1, POINTS, x);
    crd_key_split(key, 2, half);
    crd_random_normal_f32(half[0], POINTS, noise);
    fprintf(file, "x,y\n");
    for (int i = 0; i < POINTS; i++)
        fprintf(file, "%.9g,%.9g\n", x[i], x[i] * sin(5 * x[i]) + 0.1 * noise[i]);
    return ferror(file);
}

static int write_spiral(FILE *file)
{
    crd_key key = crd_key_make(0);
    fprintf(file, "x0,x1,arm\n");
    for (int arm = 0; arm < ARMS; arm++) {
        double noise[ARM];
        crd_random_normal(crd_key_fold_in(key, (uint32_t)arm), ARM, noise);
        for (int i = 0; i < ARM; i++) {
            double along = i / (ARM - 1.0), angle = 4 * (arm + along) + 0.2 * noise[i];
            fprintf(file, "%.6f,%.6f,%c\n", 0.5 * along * sin(angle), 0.5 * along * cos(angle), "ABC"[arm]);
        }
    }
    return ferror(file);
}

int main(void)
{
    FILE *regression = fopen("regression.csv", "w"), *spiral = fopen("spiral.csv", "w");
    int failed = !regression || !spiral || write_regression(regression) || write_spiral(spiral);
    failed = (regression && fclose(regression)) || failed;
    failed = (spiral && fclose(spiral)) || failed;
    return failed;
}
