/* test_canonical.c - the canonical form of a perceptron: the same function, and one form for all weights that compute it. */
#include "nn/canonical.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4, WIDEST = 9, NUMBERS = WIDEST * WIDEST };

static uint64_t seed;

static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) * 0x1p-53;
}

static double relu(double x)
{
    return fmax(x, 0);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double identity(double x)
{
    return x;
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static const struct {
    const char *name;
    double (*apply)(double);
} activations[] = {{"tanh", tanh}, {"relu", relu},         {"sigmoid", sigmoid}, {"abs", fabs},
                   {"cos", cos},   {"identity", identity}, {"silu", silu},       {"erf", erf}};

struct net {
    crdi_mlp mlp;
    double kernel[MOST][NUMBERS], bias[MOST][WIDEST];
};

static void make(struct net *n, const char *activation, int layers, const int64_t *width)
{
    memset(n, 0, sizeof *n);
    n->mlp.layers = layers;
    n->mlp.symmetry = crdi_activation_symmetry(activation);
    for (int l = 0; l <= layers; l++)
        n->mlp.width[l] = width[l];
    for (int l = 0; l < layers; l++) {
        for (int64_t i = 0; i < width[l] * width[l + 1]; i++)
            n->kernel[l][i] = 4 * uniform() - 2;
        for (int64_t i = 0; i < width[l + 1]; i++)
            n->bias[l][i] = 4 * uniform() - 2;
    }
}

static void evaluate(const struct net *n, double (*apply)(double), const double *x, double *out)
{
    double a[WIDEST], z[WIDEST];
    memcpy(a, x, (size_t)n->mlp.width[0] * sizeof *a);
    for (int l = 0; l < n->mlp.layers; l++) {
        int64_t units = n->mlp.width[l + 1];
        for (int64_t j = 0; j < units; j++) {
            z[j] = n->bias[l][j];
            for (int64_t i = 0; i < n->mlp.width[l]; i++)
                z[j] += a[i] * n->kernel[l][i * units + j];
        }
        for (int64_t j = 0; j < units; j++)
            a[j] = l + 1 < n->mlp.layers ? apply(z[j]) : z[j];
    }
    memcpy(out, a, (size_t)n->mlp.width[n->mlp.layers] * sizeof *out);
}

static void form(struct net *n)
{
    double *kernel[MOST], *bias[MOST], scratch[NUMBERS], sign[MOST][WIDEST];
    int64_t from[MOST][WIDEST];
    crdi_mlp_units units[MOST];
    for (int l = 0; l < MOST; l++) {
        kernel[l] = n->kernel[l];
        bias[l] = n->bias[l];
        units[l] = (crdi_mlp_units){from[l], sign[l]};
    }
    assert_true(crdi_mlp_scratch(&n->mlp) <= NUMBERS);
    crdi_mlp_canonical(&n->mlp, kernel, bias, units, scratch);
}

static const int64_t shapes[][MOST + 1] = {{1, 7, 1}, {3, 5, 2}, {2, 6, 4, 3}, {1, 9, 9, 5, 1}, {4, 1, 1}};
static const int depth[] = {2, 2, 3, 4, 2};

static void the_function_stays_the_same(void **state)
{
    (void)state;
    static struct net before, after;
    for (int a = 0; a < CRDI_COUNT(activations); a++)
        for (int s = 0; s < CRDI_COUNT(shapes); s++)
            for (int k = 0; k < 20; k++) {
                double x[WIDEST], f[WIDEST], g[WIDEST], size = 1;
                make(&before, activations[a].name, depth[s], shapes[s]);
                after = before;
                form(&after);
                for (int i = 0; i < WIDEST; i++)
                    x[i] = 4 * uniform() - 2;
                evaluate(&before, activations[a].apply, x, f);
                evaluate(&after, activations[a].apply, x, g);
                for (int l = 0; l < depth[s]; l++)
                    size *= 20; /* no layer makes more of a rounding error than this */
                for (int i = 0; i < shapes[s][depth[s]]; i++)
                    if (!(fabs(f[i] - g[i]) <= 1e-15 * size))
                        fail_msg("%s, shape %d: f is %.17g, was %.17g", activations[a].name, s, g[i], f[i]);
            }
}

static void swap(double *a, double *b)
{
    double other = *a;
    *a = *b;
    *b = other;
}

/* Swaps two units, turns one, scales one: as the activation allows, so that f stays. */
static void disguise(struct net *n)
{
    unsigned symmetry = n->mlp.symmetry;
    for (int l = 0; l + 1 < n->mlp.layers; l++) {
        int64_t inputs = n->mlp.width[l], units = n->mlp.width[l + 1], outputs = n->mlp.width[l + 2];
        double *in = n->kernel[l], *bias = n->bias[l], *out = n->kernel[l + 1];
        for (int k = 0; k < 20; k++) {
            int64_t a = (int64_t)(uniform() * (double)units), b = (int64_t)(uniform() * (double)units);
            double turn = uniform() < 0.5 && symmetry & (CRDI_ODD | CRDI_EVEN | CRDI_HALF_TURN) ? -1 : 1;
            double scale = symmetry & CRDI_HOMOGENEOUS ? exp(uniform() - 0.5) : 1;
            for (int64_t i = 0; i < inputs; i++) {
                swap(&in[i * units + a], &in[i * units + b]);
                in[i * units + a] *= turn * scale;
            }
            swap(&bias[a], &bias[b]);
            bias[a] *= turn * scale;
            for (int64_t j = 0; j < outputs; j++) {
                swap(&out[a * outputs + j], &out[b * outputs + j]);
                if (turn < 0 && symmetry & CRDI_HALF_TURN)
                    n->bias[l + 1][j] += out[a * outputs + j];
                out[a * outputs + j] *= (symmetry & CRDI_EVEN ? 1 : turn) / scale;
            }
        }
    }
}

static void all_disguises_have_one_form(void **state)
{
    (void)state;
    static struct net a, b;
    for (int k = 0; k < CRDI_COUNT(activations); k++)
        for (int s = 0; s < CRDI_COUNT(shapes); s++) {
            make(&a, activations[k].name, depth[s], shapes[s]);
            b = a;
            disguise(&b);
            form(&a);
            form(&b);
            for (int l = 0; l < depth[s]; l++) {
                for (int64_t i = 0; i < shapes[s][l] * shapes[s][l + 1]; i++)
                    assert_close(a.kernel[l][i], b.kernel[l][i], 1e-11, 1e-11);
                for (int64_t i = 0; i < shapes[s][l + 1]; i++)
                    assert_close(a.bias[l][i], b.bias[l][i], 1e-11, 1e-11);
            }
        }
}

/* What the form is: checked on weights whose form can be written down. */
static void forms_written_down(void **state)
{
    (void)state;
    static const double in[3] = {-1, 2, 0.5}, bias[3] = {3, 4, 5}, out[3] = {1, 2, -10};
    static const double in_after[3] = {0.5, 2, 1}, bias_after[3] = {5, 4, -3}, out_after[3] = {-10, 2, -1};
    static struct net n;
    const int64_t width[] = {1, 3, 1};
    make(&n, "tanh", 2, width);
    memcpy(n.kernel[0], in, sizeof in);
    memcpy(n.bias[0], bias, sizeof bias);
    memcpy(n.kernel[1], out, sizeof out);
    form(&n); /* sizes 0.5 * 10, 2 * 2, 1 * 1 */
    for (int j = 0; j < 3; j++) {
        assert_true(n.kernel[0][j] == in_after[j] && n.bias[0][j] == bias_after[j]);
        assert_true(n.kernel[1][j] == out_after[j]);
    }
    make(&n, "relu", 2, width);
    n.kernel[0][0] = 3;
    n.bias[0][0] = 4;
    n.kernel[1][0] = 1000;
    form(&n);
    assert_close(n.kernel[0][0], 0.6, 1e-15, 0);
    assert_close(n.bias[0][0], 0.8, 1e-15, 0);
    assert_close(n.kernel[1][0], 5000, 1e-15, 0);
    make(&n, "relu", 2, width); /* a dead unit stays, and goes last */
    n.kernel[0][0] = n.bias[0][0] = 0;
    n.kernel[1][0] = 7;
    form(&n);
    assert_true(n.kernel[0][2] == 0 && n.bias[0][2] == 0 && n.kernel[1][2] == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_stays_the_same),
        cmocka_unit_test(all_disguises_have_one_form),
        cmocka_unit_test(forms_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
