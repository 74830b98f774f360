/* select.c - a few quantiles of many numbers, without sorting them.
 *
 * Numbers go into buckets of equal width between the least and the largest; only those buckets are sorted in which a number
 * stands that a quantile needs. The quantiles are, to the bit, those of the sorted numbers. Where numbers crowd (one far
 * outlier) the buckets that are needed hold most of them, and all are sorted after all. */
#include "diag/diag.h"

#include <string.h>

enum { BUCKETS = 1024, MOST_WANTED = 64, LEAST = 256, NONE = 255 };

/* A bucket that is needed. */
struct bucket {
    int64_t below; /* numbers in the buckets before it */
    int64_t first, count; /* its place among the numbers that are gathered */
};

struct select {
    const double *x;
    int64_t n;
    double low, scale; /* bucket of x: (x - low) scale */
    uint16_t *of; /* (n) the bucket of each number */
    uint8_t slot[BUCKETS]; /* which needed bucket each is; NONE */
    struct bucket wanted[MOST_WANTED];
    int count;
    double *gathered;
};

/* False: numbers are too few, too far apart, all equal, or not finite. */
static bool find_range(struct select *s)
{
    double low = s->x[0], high = s->x[0], not_finite = 0;
    for (int64_t i = 0; i < s->n; i++) {
        low = s->x[i] < low ? s->x[i] : low;
        high = s->x[i] > high ? s->x[i] : high;
        not_finite += s->x[i] - s->x[i]; /* 0, or NaN */
    }
    s->low = low;
    s->scale = BUCKETS / (high - low);
    return not_finite == 0 && high > low && isfinite(high - low) && isfinite(s->scale);
}

static void fill_buckets(struct select *s, int32_t *count)
{
    for (int64_t i = 0; i < s->n; i++) {
        int32_t b = (int32_t)((s->x[i] - s->low) * s->scale);
        s->of[i] = (uint16_t)(b < BUCKETS ? b : BUCKETS - 1);
    }
    for (int64_t i = 0; i < s->n; i++)
        count[s->of[i]]++;
}

/* The two numbers between which a quantile lies, by their place in order. */
static int64_t place_of(double prob, int64_t n)
{
    int64_t below = (int64_t)(prob * (double)(n - 1));
    return below < n - 2 ? below : n - 2;
}

static void want(struct select *s, const int32_t *count, int64_t place)
{
    int64_t below = 0, b = 0;
    while (below + count[b] <= place)
        below += count[b++];
    if (s->slot[b] != NONE)
        return;
    s->slot[b] = (uint8_t)s->count;
    s->wanted[s->count++] = (struct bucket){.below = below, .count = count[b]};
}

static void gather(struct select *s)
{
    int64_t next[MOST_WANTED];
    for (int k = 0; k < s->count; k++)
        next[k] = s->wanted[k].first;
    for (int64_t i = 0; i < s->n; i++)
        if (s->slot[s->of[i]] != NONE)
            s->gathered[next[s->slot[s->of[i]]]++] = s->x[i] + 0.0; /* as sorting has it: no -0 */
}

static crd_status sort_bucket(crd_context *ctx, double *x, int64_t n)
{
    enum { FEW = 48 };
    if (n > FEW)
        return crdi_diag_order(ctx, x, n, x, NULL);
    for (int64_t i = 1; i < n; i++) {
        double one = x[i];
        int64_t j = i;
        for (; j > 0 && x[j - 1] > one; j--)
            x[j] = x[j - 1];
        x[j] = one;
    }
    return CRD_OK;
}

static double at_place(const struct select *s, int64_t place)
{
    for (int k = 0; k < s->count; k++)
        if (place >= s->wanted[k].below && place < s->wanted[k].below + s->wanted[k].count)
            return s->gathered[s->wanted[k].first + place - s->wanted[k].below];
    return NAN;
}

/* Sets *done if the quantiles could be had without sorting all. */
static crd_status by_buckets(crd_context *ctx, struct select *s, const double *prob, int64_t count, double *out,
                             bool *done)
{
    int32_t in[BUCKETS] = {0};
    int64_t total = 0;
    fill_buckets(s, in);
    memset(s->slot, NONE, sizeof s->slot);
    for (int64_t k = 0; k < count; k++) {
        want(s, in, place_of(prob[k], s->n));
        want(s, in, place_of(prob[k], s->n) + 1);
    }
    for (int k = 0; k < s->count; k++) {
        s->wanted[k].first = total;
        total += s->wanted[k].count;
    }
    *done = total <= s->n / 2;
    if (!*done)
        return CRD_OK;
    gather(s);
    for (int k = 0; k < s->count; k++)
        CRD_TRY(sort_bucket(ctx, s->gathered + s->wanted[k].first, s->wanted[k].count));
    for (int64_t k = 0; k < count; k++) {
        int64_t place = place_of(prob[k], s->n);
        out[k] =
            crdi_diag_between(at_place(s, place), at_place(s, place + 1), prob[k] * (double)(s->n - 1) - (double)place);
    }
    return CRD_OK;
}

crd_status crdi_diag_quantiles(crd_context *ctx, const double *x, int64_t n, const double *prob, int64_t count,
                               double *out)
{
    struct select s = {.x = x, .n = n};
    bool done = false;
    crd_status status = CRD_OK;
    if (count == 0)
        return CRD_OK;
    if (n >= LEAST && 2 * count <= MOST_WANTED && find_range(&s)) {
        s.gathered = crdi_alloc_array(ctx, n / 2 + n / 4 + 1, sizeof *s.gathered);
        if (!s.gathered)
            return CRD_ENOMEM;
        s.of = (uint16_t *)(s.gathered + n / 2);
        status = by_buckets(ctx, &s, prob, count, out, &done);
        crdi_free(ctx, s.gathered);
    }
    if (done || status < 0)
        return status;
    double *sorted = crdi_diag_sorted(ctx, x, n);
    if (!sorted)
        return CRD_ENOMEM;
    for (int64_t k = 0; k < count; k++)
        out[k] = crd_diag_quantile_sorted(sorted, n, prob[k]);
    crdi_free(ctx, sorted);
    return CRD_OK;
}
