/* order.c - sorting, and what is read off sorted draws: quantiles, the median, the narrowest interval.
 *
 * Sorting is by radix, eight bits at a time from the lowest: linear, without comparisons to mispredict, and stable, so
 * that ties keep their order. A byte that is the same in all numbers costs no pass. */
#include "diag/diag.h"

#include <string.h>

struct item {
    uint64_t key; /* ordered as the numbers are */
    int64_t index;
};

/* Bits of positive numbers are ordered as integers, those of negative ones the other way round and below. */
static uint64_t key_of(double x)
{
    uint64_t bits;
    x += 0.0; /* -0 and 0 are equal */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static double number_of(uint64_t key)
{
    double x;
    uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    memcpy(&x, &bits, sizeof x);
    return x;
}

enum { DIGITS = 8, VALUES = 256 };

/* Sorts `items` with the help of `other`; returns which of the two holds the result. */
static struct item *sort(struct item *items, struct item *other, int64_t n)
{
    int64_t count[DIGITS][VALUES] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            count[d][items[i].key >> 8 * d & 255]++;
    for (int d = 0; d < DIGITS; d++) {
        int64_t start = 0;
        if (count[d][items[0].key >> 8 * d & 255] == n)
            continue;
        for (int v = 0; v < VALUES; v++) {
            int64_t here = count[d][v];
            count[d][v] = start;
            start += here;
        }
        for (int64_t i = 0; i < n; i++)
            other[count[d][items[i].key >> 8 * d & 255]++] = items[i];
        struct item *swap = items;
        items = other;
        other = swap;
    }
    return items;
}

crd_status crdi_diag_order(crd_context *ctx, const double *x, int64_t n, double *sorted, int64_t *order)
{
    if (n == 0)
        return CRD_OK;
    struct item *items = crdi_alloc_array(ctx, 2 * n, sizeof *items);
    if (!items)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        items[i] = (struct item){key_of(x[i]), i};
    const struct item *result = sort(items, items + n, n);
    for (int64_t i = 0; sorted && i < n; i++)
        sorted[i] = number_of(result[i].key);
    for (int64_t i = 0; order && i < n; i++)
        order[i] = result[i].index;
    crdi_free(ctx, items);
    return CRD_OK;
}

crd_status crd_diag_sort(crd_context *ctx, const double *x, int64_t n, double *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    return crdi_diag_order(ctx, x, n, out, NULL);
}

double crdi_diag_between(double low, double high, double part)
{
    /* In the middle NumPy's median, to the bit: which distances from it tie decides ranks (folded r_hat). Elsewhere
     * from the nearer end: exact at both, and never outside. */
    if (part == 0.5)
        return low / 2 + high / 2;
    return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}

double crd_diag_quantile_sorted(const double *sorted, int64_t n, double prob)
{
    /* what is not finite stands at the ends */
    if (n < 1 || !(prob >= 0 && prob <= 1) || !isfinite(sorted[0]) || !isfinite(sorted[n - 1]))
        return NAN;
    double place = prob * (double)(n - 1);
    int64_t below = (int64_t)place;
    if (below >= n - 1)
        return sorted[n - 1];
    return crdi_diag_between(sorted[below], sorted[below + 1], place - (double)below);
}

void crd_diag_hpdi_sorted(const double *sorted, int64_t n, double prob, double *out)
{
    out[0] = out[1] = NAN;
    if (n < 1 || !(prob > 0 && prob <= 1) || !isfinite(sorted[0]) || !isfinite(sorted[n - 1]))
        return;
    int64_t length = (int64_t)(prob * (double)n), best = 0;
    if (length > n - 1)
        length = n - 1;
    for (int64_t i = 1; i + length < n; i++)
        if (sorted[i + length] - sorted[i] < sorted[best + length] - sorted[best])
            best = i;
    out[0] = sorted[best];
    out[1] = sorted[best + length];
}

static crd_status check_prob(crd_context *ctx, double prob, bool zero_too)
{
    if (prob <= 1 && (prob > 0 || (zero_too && prob == 0)))
        return CRD_OK;
    return crdi_raise(ctx, CRD_EINVAL, "a probability of %g: it must lie in %s0, 1]", prob, zero_too ? "[" : "(");
}

crd_status crdi_diag_check_prob(crd_context *ctx, double prob)
{
    return check_prob(ctx, prob, true);
}

crd_status crdi_diag_check_mass(crd_context *ctx, double prob)
{
    return check_prob(ctx, prob, false);
}

double *crdi_diag_sorted(crd_context *ctx, const double *x, int64_t n)
{
    double *sorted = crdi_alloc_array(ctx, n, sizeof *sorted);
    if (sorted && crdi_diag_order(ctx, x, n, sorted, NULL) == CRD_OK)
        return sorted;
    crdi_free(ctx, sorted);
    return NULL;
}

crd_status crd_diag_quantile(crd_context *ctx, const double *x, int64_t n, const double *prob, int64_t count,
                             double *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    for (int64_t i = 0; i < count; i++)
        CRD_TRY(crdi_diag_check_prob(ctx, prob[i]));
    return crdi_diag_quantiles(ctx, x, n, prob, count, out);
}

crd_status crd_diag_median(crd_context *ctx, const double *x, int64_t n, double *out)
{
    return crd_diag_quantile(ctx, x, n, &(double){0.5}, 1, out);
}

crd_status crd_diag_hpdi(crd_context *ctx, const double *x, int64_t n, double prob, double *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    CRD_TRY(crdi_diag_check_mass(ctx, prob));
    double *sorted = crdi_diag_sorted(ctx, x, n);
    if (!sorted)
        return CRD_ENOMEM;
    crd_diag_hpdi_sorted(sorted, n, prob, out);
    crdi_free(ctx, sorted);
    return CRD_OK;
}
