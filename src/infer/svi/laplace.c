/* laplace.c - from the most probable point to the normal that its curvature says.
 *
 * The precision is the Hessian H of -log p(x(u), y) - log |dx/du|, column by column as gradients of v' gradient. With
 * H = L L', the covariance is L^-T L^-1, and the log evidence log p(u, y) + dim/2 log 2 pi - log|L| (MacKay 1992). */
#include "infer/svi/svi.h"
#include "model/place.h"

#include <math.h>
#include <string.h>

/* (u, v) -> log density, H v. */
static crd_status build_curvature(const crdi_guide *g, crd_graph *graph, crd_program **out)
{
    int64_t dim = crd_model_dim(g->model);
    crd_node input[2] = {crd_input(graph, "u", crd_shape_1(dim)), crd_input(graph, "v", crd_shape_1(dim))};
    crd_node slope, output[2];
    crdi_placed placed;
    CRD_TRY(crdi_place(
        g->ctx,
        &(crdi_place_request){
            .graph = graph, .fn = g->fn, .user = g->user, .layout = g->model, .u = input[0], .key = crdi_nothing},
        &placed));
    output[0] = crd_trace_log_density(placed.trace);
    for (int i = 0; i < crd_model_site_count(g->model); i++)
        output[0] = crd_add(output[0], placed.log_jacobian[i]);
    crdi_placed_clear(&placed);
    crd_gradient(crd_neg(output[0]), input, 1, &slope);
    crd_gradient(crd_sum(crd_mul(slope, input[1])), input, 1, &output[1]);
    return crd_compile(graph, input, 2, output, 2, out);
}

/* H (dim, dim) -> log|L|, the lower factor of the covariance. */
static crd_status build_factors(crd_graph *graph, int64_t dim, crd_program **out)
{
    crd_node h = crd_input(graph, "precision", crd_shape_2(dim, dim)), output[2];
    crd_node lower = crd_cholesky(h);
    crd_node inverse = crd_solve_triangular(lower, crdi_guide_identity(graph, dim), 0);
    output[0] = crd_sum(crd_log(crd_diagonal(lower)));
    output[1] = crd_cholesky(crd_matmul(crd_transpose(inverse), inverse));
    return crd_compile(graph, &h, 1, output, 2, out);
}

static crd_status run_program(const crd_svi *svi, bool curvature, crd_exec **exec, crd_program **program)
{
    crd_graph *graph;
    CRD_TRY(crd_graph_create(&graph, svi->ctx));
    crd_status status = curvature ? build_curvature(svi->guide, graph, program)
                                  : build_factors(graph, crd_model_dim(svi->guide->model), program);
    crd_graph_destroy(&graph);
    return status == CRD_OK ? crd_exec_create(exec, *program) : status;
}

static void read_curvature(crd_exec *exec, const double *u, int64_t dim, double *h, double *log_density)
{
    double *input = crd_exec_input(exec);
    memcpy(input, u, sizeof *u * (size_t)dim);
    for (int64_t c = 0; c < dim; c++) {
        memset(input + dim, 0, sizeof *input * (size_t)dim);
        input[dim + c] = 1;
        crd_exec_run(exec);
        memcpy(h + c * dim, crd_exec_output(exec) + 1, sizeof *h * (size_t)dim);
    }
    *log_density = crd_exec_output(exec)[0];
    for (int64_t r = 0; r < dim; r++) /* equal but for rounding */
        for (int64_t c = 0; c < r; c++)
            h[r * dim + c] = h[c * dim + r] = 0.5 * (h[r * dim + c] + h[c * dim + r]);
}

/* The parameters of multivariate_normal.c at loc with the lower factor c: s = diagonal, I + L = c / s by rows. */
static void write_params(const double *loc, const double *c, int64_t dim, double *out)
{
    for (int64_t i = 0; i < dim; i++) {
        out[i] = loc[i];
        out[dim + i] = crdi_softplus_inverse(c[i * dim + i]);
        for (int64_t k = 0; k < dim; k++)
            out[2 * dim + i * dim + k] = k < i ? c[i * dim + k] / c[i * dim + i] : 0;
    }
}

/* Numbers are the log density, log|L|, the lower factor of the covariance. */
static crd_status factorise(crd_svi *svi, const double *u, int64_t dim, double *log_density, double *half_log_det,
                            double *factor)
{
    crd_program *program[2] = {NULL, NULL};
    crd_exec *exec[2] = {NULL, NULL};
    crd_status status = run_program(svi, true, &exec[0], &program[0]);
    if (status == CRD_OK)
        status = run_program(svi, false, &exec[1], &program[1]);
    if (status == CRD_OK) {
        read_curvature(exec[0], u, dim, crd_exec_input(exec[1]), log_density);
        crd_exec_run(exec[1]);
        *half_log_det = crd_exec_output(exec[1])[0];
        memcpy(factor, crd_exec_output(exec[1]) + 1, sizeof *factor * (size_t)(dim * dim));
    }
    for (int i = 0; i < 2; i++) {
        crd_exec_destroy(&exec[i]);
        crd_program_destroy(&program[i]);
    }
    return status;
}

crd_status crdi_svi_finish_laplace(crd_svi *svi)
{
    static const double HALF_LOG_2PI = 0.91893853320467274178;
    int64_t dim = crd_model_dim(svi->guide->model);
    const double *u = svi->run[svi->best].params;
    crdi_guide_part *part = &svi->guide->part[0];
    double log_density = NAN, half_log_det = NAN, *factor = crdi_alloc_array(svi->ctx, dim * dim, sizeof *factor);
    svi->fitted = crdi_alloc_array(svi->ctx, dim * (2 + dim), sizeof *svi->fitted);
    crd_status status =
        factor && svi->fitted ? factorise(svi, u, dim, &log_density, &half_log_det, factor) : CRD_ENOMEM;
    if (status == CRD_OK && !isfinite(half_log_det))
        status = crdi_raise(
            svi->ctx, CRD_EDOMAIN,
            "guide laplace: the curvature where the fit ended (mean loss %.6g) is not positive definite, so it is "
            "no maximum with a normal round it; more steps or --optimizer lbfgs may reach one, and --method laplace "
            "takes "
            "the Gauss-Newton matrix, which is never indefinite",
            svi->run[svi->best].final_loss);
    if (status == CRD_OK) {
        write_params(u, factor, dim, svi->fitted);
        svi->log_evidence = log_density + (double)dim * HALF_LOG_2PI - half_log_det;
        status = crdi_guide_type_find(svi->ctx, part->type->fitted, &part->type);
        svi->guide->params = dim * (2 + dim);
    }
    crdi_free(svi->ctx, factor);
    return status;
}
