/* stacking.c - models beside each other: differences with their errors, and the weights of Yao et al. 2018.
 *
 * The stacking problem is concave in the weights. Weight moves from one model to another, the pair with the steepest
 * gain, each time as far as pays: a line search in one number, exact at the border, so that models that add nothing get
 * exactly 0. With g_k the mean over rows of p_ik / mixture_i, no weights gain more than max g - 1 a row, which ends it. */
#include "diag/diag.h"

#include <credence/loo.h>

static const double TOLERANCE = 1e-10;
enum { MOST_MOVES = 20000, MOST_HALVINGS = 200 };

struct stack {
    int models;
    int64_t rows;
    double *density; /* (models, rows), each row's largest 1 */
    double *mixture, *change; /* (rows) */
    double *weight, *gain; /* (models) */
};

/* ---- the problem ---------------------------------------------------------------------------------------------- */

/* Rows as densities relative to the row's best model; rows that are impossible everywhere are left out. False if a row
 * cannot be used at all. */
static bool fill(struct stack *s, const double *pointwise, int64_t rows)
{
    s->rows = 0;
    for (int64_t i = 0; i < rows; i++) {
        double most = -INFINITY;
        for (int k = 0; k < s->models; k++) {
            double x = pointwise[k * rows + i];
            if (isnan(x) || x == INFINITY)
                return false;
            most = x > most ? x : most;
        }
        if (most == -INFINITY)
            continue;
        for (int k = 0; k < s->models; k++)
            s->density[k * rows + s->rows] = exp(pointwise[k * rows + i] - most);
        s->rows++;
    }
    for (int k = 1; k < s->models; k++)
        for (int64_t i = 0; i < s->rows; i++)
            s->density[k * s->rows + i] = s->density[k * rows + i];
    return s->rows > 0;
}

static void mix(struct stack *s)
{
    for (int64_t i = 0; i < s->rows; i++) {
        double sum = 0;
        for (int k = 0; k < s->models; k++)
            sum += s->weight[k] * s->density[k * s->rows + i];
        s->mixture[i] = sum;
    }
    for (int k = 0; k < s->models; k++) {
        double sum = 0;
        for (int64_t i = 0; i < s->rows; i++)
            sum += s->density[k * s->rows + i] / s->mixture[i];
        s->gain[k] = sum / (double)s->rows;
    }
}

/* ---- one move ------------------------------------------------------------------------------------------------- */

/* The slope of the mean log mixture after a move of t along `change`; -infinity beyond a row's zero. */
static double slope(const struct stack *s, double t)
{
    double sum = 0;
    for (int64_t i = 0; i < s->rows; i++) {
        double mixture = s->mixture[i] + t * s->change[i];
        if (!(mixture > 0))
            return -INFINITY;
        sum += s->change[i] / mixture;
    }
    return sum / (double)s->rows;
}

/* How much weight to move: where the slope, above 0 at 0 and falling, has its zero; all of `most` if it has none. */
static double best_move(const struct stack *s, double most)
{
    double low = 0, high = most;
    if (slope(s, most) >= 0)
        return most;
    for (int i = 0; i < MOST_HALVINGS && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (slope(s, middle) >= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Moves weight between the pair that gains most; false when nothing is left to gain. */
static bool improve(struct stack *s)
{
    int up = 0, down = -1;
    mix(s);
    for (int k = 0; k < s->models; k++) {
        if (s->gain[k] > s->gain[up])
            up = k;
        if (s->weight[k] > 0 && (down < 0 || s->gain[k] < s->gain[down]))
            down = k;
    }
    if (s->gain[up] - 1 <= TOLERANCE || up == down)
        return false;
    for (int64_t i = 0; i < s->rows; i++)
        s->change[i] = s->density[up * s->rows + i] - s->density[down * s->rows + i];
    double moved = best_move(s, s->weight[down]);
    s->weight[up] += moved;
    s->weight[down] -= moved;
    return moved > 0;
}

static void solve(struct stack *s)
{
    double sum = 0;
    for (int k = 0; k < s->models; k++)
        s->weight[k] = 1 / (double)s->models;
    for (int moves = 0; moves < MOST_MOVES && improve(s);)
        moves++;
    for (int k = 0; k < s->models; k++)
        sum += s->weight[k];
    for (int k = 0; k < s->models; k++)
        s->weight[k] /= sum;
}

static crd_status check(crd_context *ctx, int models, int64_t rows)
{
    if (models < 1)
        return crdi_raise(ctx, CRD_EINVAL, "%d models to compare: there must be 1 or more", models);
    return crdi_diag_check(ctx, models + 2, rows);
}

crd_status crd_stacking(crd_context *ctx, const double *pointwise, int models, int64_t rows, double *out)
{
    CRD_TRY(check(ctx, models, rows));
    double *work = crdi_alloc_array(ctx, (models + 2) * rows + 2 * models, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    struct stack s = {.models = models, .density = work, .mixture = work + models * rows};
    s.change = s.mixture + rows;
    s.weight = s.change + rows;
    s.gain = s.weight + models;
    bool solvable = fill(&s, pointwise, rows);
    if (solvable)
        solve(&s);
    for (int k = 0; k < models; k++)
        out[k] = solvable ? s.weight[k] : NAN;
    crdi_free(ctx, work);
    return CRD_OK;
}

/* ---- differences ---------------------------------------------------------------------------------------------- */

static double sum_of(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* Best first; NaN last; what is equal stays in its order. */
static void sort(crd_comparison *out, int models)
{
    for (int i = 1; i < models; i++) {
        crd_comparison row = out[i];
        int at = i;
        for (; at > 0 && (row.elpd > out[at - 1].elpd || (isnan(out[at - 1].elpd) && !isnan(row.elpd))); at--)
            out[at] = out[at - 1];
        out[at] = row;
    }
}

crd_status crd_elpd_compare(crd_context *ctx, const double *pointwise, int models, int64_t rows, crd_comparison *out)
{
    CRD_TRY(check(ctx, models, rows));
    double *weight = crdi_alloc_array(ctx, models + rows, sizeof *weight);
    crd_status status = weight ? crd_stacking(ctx, pointwise, models, rows, weight) : CRD_ENOMEM;
    for (int k = 0; k < models && status == CRD_OK; k++)
        out[k] = (crd_comparison){.model = k,
                                  .elpd = sum_of(pointwise + k * rows, rows),
                                  .se = crdi_diag_error_of_sum(pointwise + k * rows, rows),
                                  .weight = weight[k]};
    if (status == CRD_OK)
        sort(out, models);
    for (int k = 0; k < models && status == CRD_OK; k++) {
        const double *best = pointwise + out[0].model * rows, *this = pointwise + out[k].model * rows;
        double *difference = weight + models;
        for (int64_t i = 0; i < rows; i++)
            difference[i] = best[i] - this[i];
        out[k].difference = k ? out[0].elpd - out[k].elpd : 0;
        out[k].difference_se = k ? crdi_diag_error_of_sum(difference, rows) : 0;
    }
    crdi_free(ctx, weight);
    return status;
}
