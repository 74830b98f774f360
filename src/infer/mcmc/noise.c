/* noise.c - see noise.h. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc.h"

#include <math.h>
#include <string.h>

struct matrix {
    double m[2][2];
};

static struct matrix multiply(struct matrix a, struct matrix b, bool transposed)
{
    struct matrix out;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            out.m[i][j] = transposed ? a.m[i][0] * b.m[j][0] + a.m[i][1] * b.m[j][1]
                                     : a.m[i][0] * b.m[0][j] + a.m[i][1] * b.m[1][j];
    return out;
}

/* A P A'. */
static struct matrix carry(struct matrix a, struct matrix p)
{
    return multiply(multiply(a, p, false), a, true);
}

static struct matrix add(struct matrix a, struct matrix b, double times)
{
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            a.m[i][j] += times * b.m[i][j];
    return a;
}

static struct matrix square_of(const double *x)
{
    return (struct matrix){{{x[0] * x[0], x[0] * x[1]}, {x[1] * x[0], x[1] * x[1]}}};
}

static struct matrix matrix_of(const crdi_linear_kernel *kernel)
{
    return (struct matrix){{{kernel->a[0][0], kernel->a[0][1]}, {kernel->a[1][0], kernel->a[1][1]}}};
}

/* P = A P A' + Q, by doubling the number of terms of its series. */
static struct matrix stationary(struct matrix a, struct matrix q)
{
    enum { DOUBLINGS = 64 };
    for (int i = 0; i < DOUBLINGS; i++) {
        q = add(q, carry(a, q), 1);
        a = multiply(a, a, false);
    }
    return q;
}

static double variance_of(struct matrix p)
{
    return isfinite(p.m[0][0]) ? p.m[0][0] : INFINITY;
}

double crdi_linear_injected(const crdi_linear_kernel *kernel)
{
    return variance_of(stationary(matrix_of(kernel), square_of(kernel->b)));
}

/* The sums over the first batches of an epoch, and the power of A that belongs to them. */
struct sums {
    struct matrix power, squares;
    double term[2], sum[2];
};

static void take_batch(struct sums *s, struct matrix a)
{
    s->squares = add(s->squares, square_of(s->term), 1);
    double first = a.m[0][0] * s->term[0] + a.m[0][1] * s->term[1];
    s->sum[0] += s->term[0];
    s->sum[1] += s->term[1];
    s->term[1] = a.m[1][0] * s->term[0] + a.m[1][1] * s->term[1];
    s->term[0] = first;
    s->power = multiply(a, s->power, false);
}

static struct matrix noise_of(const struct sums *s, double batches)
{
    struct matrix scaled = add((struct matrix){{{0}}}, s->squares, batches / (batches - 1));
    return add(scaled, square_of(s->sum), -1 / (batches - 1));
}

double crdi_linear_noise(const crdi_linear_kernel *kernel, int64_t batches)
{
    const struct sums none = {.power = {{{1, 0}, {0, 1}}}, .term = {kernel->c[0], kernel->c[1]}};
    struct matrix a = matrix_of(kernel), end;
    struct sums s = none;
    double mean = 0;
    if (batches == 0)
        return variance_of(stationary(a, square_of(kernel->c)));
    if (batches == 1) /* all rows: there is no noise */
        return 0;
    for (int64_t k = 0; k < batches; k++)
        take_batch(&s, a);
    end = stationary(s.power, noise_of(&s, (double)batches));
    s = none;
    for (int64_t k = 0; k < batches; k++) {
        take_batch(&s, a);
        mean += add(carry(s.power, end), noise_of(&s, (double)batches), 1).m[0][0] / (double)batches;
    }
    return isfinite(mean) ? mean : INFINITY;
}

crdi_linear_kernel crdi_linear_sgld(double step)
{
    double half = 0.5 * step * step;
    return (crdi_linear_kernel){.a = {{1 - half, 0}, {0, 0}}, .b = {step, 0}, .c = {half, 0}};
}

/* z is of the moment before a kick, which is whole there: kick, half a drift, friction and noise, half a drift. */
crdi_linear_kernel crdi_linear_sghmc(double step, double friction)
{
    double c = exp(-friction * step), both = 0.5 * step * (1 + c), injected = sqrt(1 - c * c);
    return (crdi_linear_kernel){.a = {{1 - step * both, both}, {-c * step, c}},
                                .b = {0.5 * step * injected, injected},
                                .c = {step * both, c * step}};
}

bool crdi_mcmc_bias_of(const char *kernel, double step_size, double ratio, double friction, int64_t batches,
                       crdi_mcmc_bias *out)
{
    bool hamiltonian = strcmp(kernel, "sghmc") == 0;
    if (!hamiltonian && strcmp(kernel, "sgld") != 0)
        return false;
    double square = step_size * step_size;
    crdi_linear_kernel linear = hamiltonian ? crdi_linear_sghmc(step_size, friction) : crdi_linear_sgld(step_size);
    double noisiness = hamiltonian ? -ratio * expm1(-2 * friction * step_size) / square : 4 * ratio / square;
    *out = (crdi_mcmc_bias){.noise = noisiness > 0 ? noisiness * crdi_linear_noise(&linear, batches) : 0,
                            .step = crdi_linear_injected(&linear) - 1,
                            .corrected = hamiltonian};
    return true;
}
