/* gibbs.c - see gibbs.h. */
#include "infer/mcmc/gibbs.h"
#include "rng/stream.h"

#include <math.h>
#include <string.h>

/* One element of a site on its way through a slice. */
struct slice {
    crdi_stream stream;
    double here, log_value, squares; /* where it was: u, log S, sum of squares */
    double level; /* log of the height of the slice */
    double width, low, high; /* of a step; the interval */
    int64_t steps_low, steps_high; /* left for stepping out */
    bool done;
};

/* A site's programs, bound. */
struct bound {
    crd_exec *draw, *squares, *prior;
};

struct crdi_gibbs {
    crd_context *ctx;
    const crdi_scale_sites *scales;
    int64_t dim;
    struct bound *bound; /* by site */
    crd_exec *log_sd;
    double *before; /* (dim) log sd before a site was drawn */
    struct slice *slice; /* of the longest site that has no conjugate draw */
};

crd_status crdi_scale_sites_need(const crd_model *model, const char *blocks, crdi_scale_sites *out)
{
    bool noise = strcmp(blocks, "all") == 0;
    CRD_TRY(crdi_scale_sites_create(model, noise, out));
    if (out->count > 0)
        return CRD_OK;
    return crdi_raise(crd_model_context(model), CRD_EINVAL,
                      "blocks %s: the model has no site that is the scale of %snormal ones and nothing else%s", blocks,
                      noise ? "" : "latent ", noise ? "" : "; a noise is one of --blocks all");
}

crd_status crdi_gibbs_create(crd_context *ctx, const crdi_scale_sites *scales, int64_t dim, crdi_gibbs **out)
{
    crdi_gibbs *g = crdi_alloc(ctx, sizeof *g);
    int64_t longest = 0;
    if (!g)
        return CRD_ENOMEM;
    *g = (crdi_gibbs){.ctx = ctx, .scales = scales, .dim = dim};
    g->bound = crdi_alloc_array(ctx, scales->count, sizeof *g->bound);
    crd_status status = g->bound ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK && scales->log_sd) {
        status = crd_exec_create(&g->log_sd, scales->log_sd);
        g->before = crdi_alloc_array(ctx, dim, sizeof *g->before);
        status = status == CRD_OK && !g->before ? CRD_ENOMEM : status;
    }
    for (int i = 0; i < scales->count && status == CRD_OK; i++) {
        const crdi_scale_site *site = &scales->site[i];
        if (site->draw) {
            status = crd_exec_create(&g->bound[i].draw, site->draw);
            continue;
        }
        longest = site->size > longest ? site->size : longest;
        status = crd_exec_create(&g->bound[i].squares, site->squares);
        if (status == CRD_OK)
            status = crd_exec_create(&g->bound[i].prior, site->prior);
    }
    if (status == CRD_OK && longest > 0 && !(g->slice = crdi_alloc_array(ctx, longest, sizeof *g->slice)))
        status = CRD_ENOMEM;
    if (status < 0) {
        crdi_gibbs_destroy(&g);
        return status;
    }
    *out = g;
    return CRD_OK;
}

void crdi_gibbs_destroy(crdi_gibbs **gibbs)
{
    crdi_gibbs *g = *gibbs;
    if (!g)
        return;
    for (int i = 0; g->bound && i < g->scales->count; i++) {
        crd_exec_destroy(&g->bound[i].draw);
        crd_exec_destroy(&g->bound[i].squares);
        crd_exec_destroy(&g->bound[i].prior);
    }
    crd_exec_destroy(&g->log_sd);
    crdi_free(g->ctx, g->before);
    crdi_free(g->ctx, g->bound);
    crdi_free(g->ctx, g->slice);
    crdi_free(g->ctx, g);
    *gibbs = NULL;
}

/* ---- conjugate ----------------------------------------------------------------------------------------------- */

static void draw_conjugate(const crdi_gibbs *g, int number, crd_key key, double *u)
{
    const crdi_scale_site *site = &g->scales->site[number];
    crd_exec *draw = g->bound[number].draw;
    double *input = crd_exec_input(draw);
    memcpy(input, u, sizeof *u * (size_t)g->dim);
    input[g->dim] = key.word[0];
    input[g->dim + 1] = key.word[1];
    crd_exec_run(draw);
    for (int64_t i = 0; i < site->size; i++)
        if (isfinite(crd_exec_output(draw)[i]))
            u[site->offset + i] = crd_exec_output(draw)[i];
}

/* ---- slices -------------------------------------------------------------------------------------------------- */

/* All elements go through their slices side by side, as the prior is a program of all of them: `try` holds the point that each
 * asks about. */
struct slices {
    const crdi_scale_site *site;
    crd_exec *prior;
    double *try; /* (size) in the input of `prior` */
    struct slice *slice;
};

/* Log density of element i at its point, after a run; -inf where it is not a number. */
static double height(const struct slices *s, int64_t i)
{
    const double *prior = crd_exec_output(s->prior), *log_value = prior + s->site->size;
    double moved = s->site->power * (log_value[i] - s->slice[i].log_value);
    double f = prior[i] - s->site->count[i] * moved - 0.5 * s->slice[i].squares * exp(-2 * moved);
    return isnan(f) ? -INFINITY : f;
}

/* A first interval, about as wide as the conditional of log S is: 1 / sqrt(2 p^2 n) by its curvature at the mode (Neal 2003,
 * fig. 3, with a bound on the steps). */
static void place(struct slices *s, int64_t i)
{
    enum { MOST = 200 };
    struct slice *e = &s->slice[i];
    double f = height(s, i);
    e->width = 3 / (fabs(s->site->power) * sqrt(2 * s->site->count[i]) + 0.1);
    e->done = !isfinite(f);
    e->level = f - crdi_stream_exponential(&e->stream);
    e->low = e->here - e->width * crdi_stream_uniform(&e->stream);
    e->high = e->low + e->width;
    e->steps_low = (int64_t)(MOST * crdi_stream_uniform(&e->stream));
    e->steps_high = MOST - 1 - e->steps_low;
}

/* Moves one end of all intervals out of the slices, by a width a step. */
static void step_out(struct slices *s, bool low)
{
    for (bool any = true; any;) {
        any = false;
        for (int64_t i = 0; i < s->site->size; i++)
            s->try[i] = s->slice[i].done ? s->slice[i].here : low ? s->slice[i].low : s->slice[i].high;
        crd_exec_run(s->prior);
        for (int64_t i = 0; i < s->site->size; i++) {
            struct slice *e = &s->slice[i];
            int64_t *left = low ? &e->steps_low : &e->steps_high;
            if (e->done || *left <= 0 || height(s, i) <= e->level)
                continue;
            (*left)--;
            *(low ? &e->low : &e->high) += low ? -e->width : e->width;
            any = true;
        }
    }
}

/* Draws from the intervals until each point lies in its slice; what does not cuts its interval (fig. 5). */
static void shrink(struct slices *s)
{
    for (bool any = true; any;) {
        any = false;
        for (int64_t i = 0; i < s->site->size; i++) {
            struct slice *e = &s->slice[i];
            if (!e->done)
                s->try[i] = e->low + (e->high - e->low) * crdi_stream_uniform(&e->stream);
        }
        crd_exec_run(s->prior);
        for (int64_t i = 0; i < s->site->size; i++) {
            struct slice *e = &s->slice[i];
            if (e->done)
                continue;
            e->done = height(s, i) > e->level;
            if (e->done)
                continue;
            *(s->try[i] < e->here ? &e->low : &e->high) = s->try[i];
            any = true;
            if (e->high - e->low < 1e-14 * (1 + fabs(e->here))) { /* it has shrunk to where it was */
                e->done = true;
                s->try[i] = e->here;
            }
        }
    }
}

static void draw_slices(crdi_gibbs *g, int number, crd_key key, double *u)
{
    const crdi_scale_site *site = &g->scales->site[number];
    struct bound *bound = &g->bound[number];
    struct slices s = {site, bound->prior, crd_exec_input(bound->prior) + site->offset, g->slice};
    memcpy(crd_exec_input(bound->squares), u, sizeof *u * (size_t)g->dim);
    memcpy(crd_exec_input(bound->prior), u, sizeof *u * (size_t)g->dim);
    crd_exec_run(bound->squares);
    crd_exec_run(bound->prior);
    for (int64_t i = 0; i < site->size; i++) {
        struct slice *e = &s.slice[i];
        crdi_stream_init(&e->stream, crd_key_fold_in(key, (uint32_t)i));
        e->here = u[site->offset + i];
        e->log_value = crd_exec_output(bound->prior)[site->size + i];
        e->squares = crd_exec_output(bound->squares)[i];
        place(&s, i);
    }
    step_out(&s, true);
    step_out(&s, false);
    for (int64_t i = 0; i < site->size; i++)
        s.try[i] = s.slice[i].here; /* where no point is to be found */
    shrink(&s);
    memcpy(u + site->offset, s.try, sizeof *u * (size_t)site->size);
}

static void run_log_sd(const crdi_gibbs *g, const double *u)
{
    memcpy(crd_exec_input(g->log_sd), u, sizeof *u * (size_t)g->dim);
    crd_exec_run(g->log_sd);
}

/* Standard normals z of products change so that sd z does not. */
static void keep_products(const crdi_gibbs *g, double *u)
{
    run_log_sd(g, u);
    const double *now = crd_exec_output(g->log_sd);
    for (int64_t i = 0; i < g->dim; i++)
        if (now[i] != g->before[i])
            u[i] *= exp(g->before[i] - now[i]);
}

void crdi_gibbs_draw(crdi_gibbs *gibbs, crd_key key, double *u)
{
    for (int i = 0; i < gibbs->scales->count; i++) {
        if (gibbs->log_sd) {
            run_log_sd(gibbs, u);
            memcpy(gibbs->before, crd_exec_output(gibbs->log_sd), sizeof *u * (size_t)gibbs->dim);
        }
        crd_key own = crd_key_fold_in(key, (uint32_t)i);
        if (gibbs->bound[i].draw)
            draw_conjugate(gibbs, i, own, u);
        else
            draw_slices(gibbs, i, own, u);
        if (gibbs->log_sd)
            keep_products(gibbs, u);
    }
}
