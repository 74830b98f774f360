/* initializer.c - first values of parameters.
 *
 * As JAX has them (jax.nn.initializers): the truncated normal is sqrt(2) erfinv(u) of u uniform between the distribution
 * function's values at -2 and 2, divided by its own standard deviation. */
#include "diag/diag.h"
#include "nn/nn.h"

#include <credence/random.h>
#include <math.h>
#include <string.h>

enum kind { TRUNCATED, UNIFORM, PLAIN_NORMAL, PLAIN_UNIFORM, CONSTANT };
enum fan { FAN_IN, FAN_MEAN };

static const struct initializer {
    const char *name;
    enum kind kind;
    enum fan fan;
    double scale;
    const char *what;
} initializers[] = {
#define INITIALIZER(name, kind, fan, scale, what) {#name, kind, fan, scale, what},
#include "nn/initializers.def"
#undef INITIALIZER
};

const char *crd_initializer_name(int i)
{
    return i >= 0 && i < CRDI_COUNT(initializers) ? initializers[i].name : NULL;
}

const char *crd_initializer_what(int i)
{
    return i >= 0 && i < CRDI_COUNT(initializers) ? initializers[i].what : NULL;
}

static const char *get_name(const void *list, int64_t i)
{
    (void)list;
    return initializers[i].name;
}

void crd_fans(crd_shape shape, int64_t *fan_in, int64_t *fan_out)
{
    int64_t field = 1;
    for (int d = 0; d < shape.ndim - 2; d++)
        field *= shape.dim[d];
    *fan_in = shape.ndim < 2 ? 1 : field * shape.dim[shape.ndim - 2];
    *fan_out = shape.ndim < 2 ? crd_shape_size(shape) : field * shape.dim[shape.ndim - 1];
    *fan_in = *fan_in > 1 ? *fan_in : 1;
    *fan_out = *fan_out > 1 ? *fan_out : 1;
}

/* Standard normals cut at -2 and 2, with variance 1 again. */
static void truncated(crd_key key, double sd, int64_t n, double *out)
{
    const double low = 0.022750131948179207, own_sd = 0.87962566103423978; /* Phi(-2); the cut normal's deviation */
    crd_random_uniform_between(key, low, 1 - low, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = sd / own_sd * crdi_diag_normal_quantile(out[i]);
}

static void draw(const struct initializer *how, double scale, const crd_param_spec *spec, crd_key key, double *out)
{
    int64_t fan_in, fan_out, n = crd_shape_size(spec->shape);
    crd_fans(spec->shape, &fan_in, &fan_out);
    fan_in = spec->fan_in > 0 ? spec->fan_in : fan_in;
    fan_out = spec->fan_out > 0 ? spec->fan_out : fan_out;
    double fan = how->fan == FAN_IN ? (double)fan_in : 0.5 * ((double)fan_in + (double)fan_out);
    double sd = sqrt(how->scale / fan);
    switch (how->kind) {
    case TRUNCATED:
        truncated(key, sd, n, out);
        break;
    case UNIFORM:
        crd_random_uniform_between(key, -sqrt(3) * sd, sqrt(3) * sd, n, out);
        break;
    case PLAIN_NORMAL:
        crd_random_normal(key, n, out);
        for (int64_t i = 0; i < n; i++)
            out[i] *= scale;
        break;
    case PLAIN_UNIFORM:
        crd_random_uniform_between(key, 0, scale, n, out);
        break;
    case CONSTANT:
        for (int64_t i = 0; i < n; i++)
            out[i] = scale;
        break;
    }
}

crd_status crd_initialize(crd_context *ctx, const crd_initializer *initializer, const crd_param_spec *spec, crd_key key,
                          double *out)
{
    const char *name = initializer->name ? initializer->name : "lecun_normal";
    for (int i = 0; i < CRDI_COUNT(initializers); i++) {
        if (strcmp(initializers[i].name, name) != 0)
            continue;
        draw(&initializers[i], initializer->scale != 0 ? initializer->scale : initializers[i].scale, spec, key, out);
        return CRD_OK;
    }
    return crdi_raise_unknown(ctx, "initialiser", name, get_name, NULL, CRDI_COUNT(initializers));
}
