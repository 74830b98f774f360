/* graph.h - expressions over arrays: build, differentiate, compile, run.
 *
 * A crd_node is a value that is not a number yet: a formula over inputs, constants and other nodes, with a known shape.
 * Operations on nodes are functions named after the mathematics (crd_add, crd_tanh, crd_matmul, ...); those that work
 * element by element broadcast as NumPy does and are listed in ops_table.h, which is generated from src/graph/ops.def.
 * Nodes are values: copy them freely; they live as long as their graph.
 *
 * Errors are sticky. An operation that cannot be (shapes that do not fit) gives a bad node; operations on bad nodes give
 * bad nodes; the first failure is kept, with the line of the call that made it, and comes out of crd_compile. */
#ifndef CREDENCE_GRAPH_H
#define CREDENCE_GRAPH_H

#include <credence/array.h>
#include <credence/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct crd_graph crd_graph;
typedef struct crd_program crd_program;
typedef struct crd_exec crd_exec;

/** A place in the user's source, for messages. */
typedef struct crd_where {
    const char *file;
    int line;
} crd_where;
#define CRD_HERE ((crd_where){__FILE__, __LINE__})

/** A value in a graph, or a plain number that is not in a graph yet (graph NULL). Make numbers with crd_num. */
typedef struct crd_node {
    crd_graph *graph;
    int32_t id;
    double number;
} crd_node;

/** A number, to be used where a node is wanted: crd_mul(x, crd_num(2)). */
CRD_API crd_node crd_num(double number);

/** Creates an empty graph. @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_graph_create(crd_graph **out, crd_context *ctx);
CRD_API void crd_graph_destroy(crd_graph **graph);
CRD_API crd_context *crd_graph_context(const crd_graph *graph);

/** CRD_OK, or the status of the first failed operation; its message is in the context. */
CRD_API crd_status crd_graph_status(const crd_graph *graph);

/** Adds an input: a part of the vector that a program is run on. Inputs are packed in the order of their addition
 *  unless crd_compile is told otherwise. */
CRD_API crd_node crd_input(crd_graph *graph, const char *name, crd_shape shape);

/** Adds an array of constants; the elements are copied. */
CRD_API crd_node crd_constant(crd_graph *graph, const crd_array *array);

/** The shape of a node; a number is a scalar, a bad node too. */
CRD_API crd_shape crd_node_shape(crd_node node);
/** Whether a node stands for a value (it is no bad node). */
CRD_API int crd_node_ok(crd_node node);
/** Whether a node's elements are known now; if so and `elements` is not NULL, points it at them (borrowed). */
CRD_API int crd_node_known(crd_node node, const double **elements);

#include <credence/ops_table.h>

/* Operations with arguments of their own. Each _at form takes the place that messages name; the macro gives its own.
 * Those that need an axis give the number NaN for a number that is in no graph: there is no graph to keep the error. */

/** select(c, a, b): a where c is not 0, else b; broadcasts. The gradient flows to the branch taken. */
CRD_API crd_node crd_select_at(crd_node condition, crd_node a, crd_node b, crd_where where);
/** Sum of all elements: a scalar. */
CRD_API crd_node crd_sum_at(crd_node x, crd_where where);
/** Sum, or maximum, along one axis (negative counts from the end), which disappears. */
CRD_API crd_node crd_sum_axis_at(crd_node x, int axis, crd_where where);
CRD_API crd_node crd_max_axis_at(crd_node x, int axis, crd_where where);
/** log(sum(exp(x))) along an axis, safe for large x. */
CRD_API crd_node crd_logsumexp_at(crd_node x, int axis, crd_where where);
/** Sum of a b over all elements of two arrays of one shape. */
CRD_API crd_node crd_dot_at(crd_node a, crd_node b, crd_where where);
/** Matrix product (m, k)(k, n) -> (m, n); leading batch axes must be equal or missing on one side. */
CRD_API crd_node crd_matmul_at(crd_node a, crd_node b, crd_where where);
/** A dense layer with units along the rows: K' X + b, (in, out), (in, n), (out,) -> (out, n). */
CRD_API crd_node crd_affine_at(crd_node kernel, crd_node x, crd_node bias, crd_where where);
CRD_API crd_node crd_reshape_at(crd_node x, crd_shape shape, crd_where where);
/** Exchanges the last two axes. */
CRD_API crd_node crd_transpose_at(crd_node x, crd_where where);
CRD_API crd_node crd_broadcast_to_at(crd_node x, crd_shape shape, crd_where where);
/** Elements start, start + step, ... (count of them) along an axis. step may be negative. */
CRD_API crd_node crd_slice_at(crd_node x, int axis, int64_t start, int64_t count, int64_t step, crd_where where);
/** One index along an axis, which disappears: crd_take(x, 1, 0) is the first column. */
CRD_API crd_node crd_take_at(crd_node x, int axis, int64_t index, crd_where where);
/** Joins arrays along an existing axis. */
CRD_API crd_node crd_concat_at(const crd_node *parts, int count, int axis, crd_where where);
/** Rows of x, along its first axis, picked by an array of indices: index shape (m) -> (m, *rest). */
CRD_API crd_node crd_gather_at(crd_node x, crd_node index, crd_where where);
/** Running sum along an axis. */
CRD_API crd_node crd_cumsum_at(crd_node x, int axis, crd_where where);
/** Lower Cholesky factor of a symmetric positive definite matrix (n, n); NaN if it is not. */
CRD_API crd_node crd_cholesky_at(crd_node a, crd_where where);
/** Solves L X = B, or L' X = B when transposed, for lower triangular L (n, n) and B (n, m). */
CRD_API crd_node crd_solve_triangular_at(crd_node l, crd_node b, int transposed, crd_where where);
/** x, through which no gradient flows. */
CRD_API crd_node crd_stop_gradient_at(crd_node x, crd_where where);
/** Diagonal of (n, n) as (n). */
CRD_API crd_node crd_diagonal_at(crd_node x, crd_where where);

/* Distribution functions, element by element; they broadcast. Gradients flow to all arguments but the parameters of beta,
 * Student's t and von Mises, which must be known where one is asked for. */

/** log of the standard normal distribution function, accurate far below 0. */
CRD_API crd_node crd_log_normal_cdf_at(crd_node z, crd_where where);
/** The standard normal quantile of a probability that is given by its log. */
CRD_API crd_node crd_normal_quantile_at(crd_node log_p, crd_where where);
/** The regularised incomplete gamma functions P(a, x) and 1 - P(a, x), and the x with P(a, x) = p. */
CRD_API crd_node crd_gamma_p_at(crd_node a, crd_node x, crd_where where);
CRD_API crd_node crd_gamma_q_at(crd_node a, crd_node x, crd_where where);
CRD_API crd_node crd_gamma_quantile_at(crd_node a, crd_node p, crd_where where);
/** The regularised incomplete beta function I_x(a, b), and the x where it is p. */
CRD_API crd_node crd_beta_cdf_at(crd_node a, crd_node b, crd_node x, crd_where where);
CRD_API crd_node crd_beta_quantile_at(crd_node a, crd_node b, crd_node p, crd_where where);
/** Student's t distribution function with df degrees of freedom, and its inverse. */
CRD_API crd_node crd_student_t_cdf_at(crd_node df, crd_node t, crd_where where);
CRD_API crd_node crd_student_t_quantile_at(crd_node df, crd_node p, crd_where where);
/** The first count whose distribution function reaches p: of a Poisson, a binomial, a negative binomial (by its mean), a
 *  beta binomial. Steps, without gradients. */
CRD_API crd_node crd_poisson_quantile_at(crd_node rate, crd_node p, crd_where where);
CRD_API crd_node crd_binomial_quantile_at(crd_node n, crd_node probability, crd_node p, crd_where where);
CRD_API crd_node crd_negative_binomial_quantile_at(crd_node mean, crd_node concentration, crd_node p, crd_where where);
CRD_API crd_node crd_beta_binomial_quantile_at(crd_node n, crd_node a, crd_node b, crd_node p, crd_where where);
/** log I_0(k) and I_1(k) / I_0(k), the modified Bessel functions, for k >= 0. */
CRD_API crd_node crd_log_bessel_i0_at(crd_node k, crd_where where);
CRD_API crd_node crd_bessel_ratio_at(crd_node k, crd_where where);
/** The von Mises distribution function with mean 0 and concentration k at an angle x in [-pi, pi]. */
CRD_API crd_node crd_von_mises_cdf_at(crd_node k, crd_node x, crd_where where);

#define crd_select(...) crd_select_at(__VA_ARGS__, CRD_HERE)
#define crd_sum(...) crd_sum_at(__VA_ARGS__, CRD_HERE)
#define crd_sum_axis(...) crd_sum_axis_at(__VA_ARGS__, CRD_HERE)
#define crd_max_axis(...) crd_max_axis_at(__VA_ARGS__, CRD_HERE)
#define crd_logsumexp(...) crd_logsumexp_at(__VA_ARGS__, CRD_HERE)
#define crd_dot(...) crd_dot_at(__VA_ARGS__, CRD_HERE)
#define crd_matmul(...) crd_matmul_at(__VA_ARGS__, CRD_HERE)
#define crd_affine(...) crd_affine_at(__VA_ARGS__, CRD_HERE)
#define crd_reshape(...) crd_reshape_at(__VA_ARGS__, CRD_HERE)
#define crd_transpose(...) crd_transpose_at(__VA_ARGS__, CRD_HERE)
#define crd_broadcast_to(...) crd_broadcast_to_at(__VA_ARGS__, CRD_HERE)
#define crd_slice(...) crd_slice_at(__VA_ARGS__, CRD_HERE)
#define crd_take(...) crd_take_at(__VA_ARGS__, CRD_HERE)
#define crd_concat(...) crd_concat_at(__VA_ARGS__, CRD_HERE)
#define crd_gather(...) crd_gather_at(__VA_ARGS__, CRD_HERE)
#define crd_cumsum(...) crd_cumsum_at(__VA_ARGS__, CRD_HERE)
#define crd_cholesky(...) crd_cholesky_at(__VA_ARGS__, CRD_HERE)
#define crd_solve_triangular(...) crd_solve_triangular_at(__VA_ARGS__, CRD_HERE)
#define crd_stop_gradient(...) crd_stop_gradient_at(__VA_ARGS__, CRD_HERE)
#define crd_diagonal(...) crd_diagonal_at(__VA_ARGS__, CRD_HERE)
#define crd_log_normal_cdf(...) crd_log_normal_cdf_at(__VA_ARGS__, CRD_HERE)
#define crd_normal_quantile(...) crd_normal_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_gamma_p(...) crd_gamma_p_at(__VA_ARGS__, CRD_HERE)
#define crd_gamma_q(...) crd_gamma_q_at(__VA_ARGS__, CRD_HERE)
#define crd_gamma_quantile(...) crd_gamma_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_beta_cdf(...) crd_beta_cdf_at(__VA_ARGS__, CRD_HERE)
#define crd_beta_quantile(...) crd_beta_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_poisson_quantile(...) crd_poisson_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_binomial_quantile(...) crd_binomial_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_negative_binomial_quantile(...) crd_negative_binomial_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_beta_binomial_quantile(...) crd_beta_binomial_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_student_t_cdf(...) crd_student_t_cdf_at(__VA_ARGS__, CRD_HERE)
#define crd_student_t_quantile(...) crd_student_t_quantile_at(__VA_ARGS__, CRD_HERE)
#define crd_log_bessel_i0(...) crd_log_bessel_i0_at(__VA_ARGS__, CRD_HERE)
#define crd_bessel_ratio(...) crd_bessel_ratio_at(__VA_ARGS__, CRD_HERE)
#define crd_von_mises_cdf(...) crd_von_mises_cdf_at(__VA_ARGS__, CRD_HERE)

/** How windows move over one or two axes. Zero means the default: a stride of 1. */
typedef struct crd_window {
    int axes; /**< 1 or 2 */
    int64_t size[2]; /**< of the window; [1] is not read for one axis, here and below */
    int64_t stride[2];
    enum crd_padding {
        CRD_PADDING_SAME = 0, /**< ceil(extent / stride) windows; an odd element of padding goes behind */
        CRD_PADDING_VALID, /**< windows lie inside */
        CRD_PADDING_EXPLICIT /**< before and behind as given */
    } padding;
    int64_t before[2], behind[2];
} crd_window;

/** The elements of each window: (n, length, c) -> (n, length', size, c), or
 *  (n, height, width, c) -> (n, height', width', size[0] size[1], c). Padding has the value `fill`. */
CRD_API crd_node crd_windows_at(crd_node x, const crd_window *window, double fill, crd_where where);
/** Convolution: x (n, length, in) with kernel (size, in, out), or (n, height, width, in) with (size[0], size[1], in, out);
 *  the window's size is the kernel's, what `window` says of it is not read. */
CRD_API crd_node crd_convolve_at(crd_node x, crd_node kernel, const crd_window *window, crd_where where);
#define crd_windows(...) crd_windows_at(__VA_ARGS__, CRD_HERE)
#define crd_convolve(...) crd_convolve_at(__VA_ARGS__, CRD_HERE)

/* A recurrence is a scan: a body that takes carries and one row of each of some arrays, and gives the next carries and one
 * row of each of some results. */

/** What the body of a scan gets and gives. It builds nodes in `graph`, which is the body's own: nodes from outside come
 *  in through the carries, xs and constants only. */
typedef struct crd_scan_step {
    crd_graph *graph;
    const crd_node *carry; /**< before this step */
    const crd_node *x; /**< row t of each of the xs, without the first axis */
    const crd_node *constant; /**< the same in every step */
    crd_node *carry_next; /**< to be set, each with the shape of its carry */
    crd_node *y; /**< to be set; any shape of up to CRD_MAX_DIMS - 1 axes */
} crd_scan_step;

/** Builds one step. Called once, while the scan is built. */
typedef void (*crd_scan_fn)(crd_scan_step *step, void *user);

/** A scan. Counts may be 0, and their arrays NULL then; at most 64 arguments (carries, xs, constants) in all. */
typedef struct crd_scan_options {
    crd_scan_fn body;
    void *user; /**< passed to body */
    const crd_node *init; /**< the first carries */
    int carry_count;
    const crd_node *xs; /**< arrays of `length` rows */
    int x_count;
    const crd_node *constants;
    int constant_count;
    int y_count; /**< results a step */
    int64_t length; /**< steps */
    int reverse; /**< not 0: from the last row to the first; rows keep their places */
} crd_scan_options;

/** Builds the scan: carry_t+1, y_t = body(carry_t, x_t, constants) for t = 0 .. length - 1.
 *  It can be differentiated, and its gradient too; a body may hold a scan. Each carry's values at all steps are kept for
 *  the gradient: (length + 1) times its size in memory.
 *  @param carry_out  [carry_count], the final carries; may be NULL.
 *  @param ys_out     [y_count], each with length rows; may be NULL. */
CRD_API void crd_scan_at(crd_graph *graph, const crd_scan_options *options, crd_node *carry_out, crd_node *ys_out,
                         crd_where where);
#define crd_scan(...) crd_scan_at(__VA_ARGS__, CRD_HERE)

/* Random numbers as operations: a function of a key node, which has shape (2): the two words as numbers. The same key
 * gives the same numbers as crd_random_... does. */

/** The key as a node. A key in the original order is refused (CRD_EUNSUPPORTED). */
CRD_API crd_node crd_key_node(crd_graph *graph, crd_key key);
/** The sub-key number `data` of a key. */
CRD_API crd_node crd_key_fold_in_node(crd_node key, uint32_t data);
CRD_API crd_node crd_random_uniform_node(crd_node key, crd_shape shape);
CRD_API crd_node crd_random_normal_node(crd_node key, crd_shape shape);
/** log of draws of Gamma(concentration, 1), which broadcasts to the shape. Element i has the sub-key i, so that draws do
 *  not depend on how many proposals others refuse. The gradient in the concentration is the implicit one: how the
 *  draw moves if its probability below stays the same. */
CRD_API crd_node crd_random_log_gamma_node(crd_node key, crd_node concentration, crd_shape shape);
/** Angles in [-pi, pi] of von Mises about 0; no gradient flows to the concentration. */
CRD_API crd_node crd_random_von_mises_node(crd_node key, crd_node concentration, crd_shape shape);
/** Counts, one sub-key an element: parameters broadcast to `shape`, and no gradient flows to them. For a multinomial the
 *  last axis of `shape` and `probs` are the classes, and `total` has none of them. */
CRD_API crd_node crd_random_poisson_node(crd_node key, crd_node rate, crd_shape shape);
CRD_API crd_node crd_random_binomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape);
CRD_API crd_node crd_random_multinomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape);
/** `count` of the numbers 0 to n - 1, each at most once, in random order: (count). n below 2^32. Cost: n + count. */
CRD_API crd_node crd_random_choice_node(crd_node key, int64_t n, int64_t count);

/** Differentiates: out[i] = d y / d x[i], with the shape of x[i], as nodes of the same graph (reverse mode, graph to
 *  graph). y must be a scalar. Where y does not depend on x[i] the result is zeros. */
CRD_API void crd_gradient_at(crd_node y, const crd_node *x, int count, crd_node *out, crd_where where);
#define crd_gradient(...) crd_gradient_at(__VA_ARGS__, CRD_HERE)

/** Compiles: the outputs, as a function of the inputs. The program copies what it needs and outlives the graph.
 *  @param inputs   which inputs make up the input vector, in this order, each flattened row by row; NULL: all, in the
 *                  order of their addition.
 *  @param outputs  the output vector: these nodes, in this order, each flattened.
 *  @return CRD_OK; the status of the first failed operation; CRD_EINVAL if an output needs an input that is not listed;
 *          CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_compile(crd_graph *graph, const crd_node *inputs, int input_count,
                                              const crd_node *outputs, int output_count, crd_program **out);
CRD_API void crd_program_destroy(crd_program **program);
CRD_API int64_t crd_program_input_size(const crd_program *program);
CRD_API int64_t crd_program_output_size(const crd_program *program);
/** Number of kernel calls of a run, and doubles of workspace. */
CRD_API int64_t crd_program_calls(const crd_program *program);
CRD_API int64_t crd_program_workspace(const crd_program *program);
/** Writes the plan, a line a call, to a FILE-like function. */
CRD_API void crd_program_print(const crd_program *program, crd_log_fn print, void *user);

/** Creates what one thread needs to run a program. The program must outlive it. */
CRD_API CRD_MUST_CHECK crd_status crd_exec_create(crd_exec **out, const crd_program *program);
CRD_API void crd_exec_destroy(crd_exec **exec);
/** Where to put the input vector, and where the output vector is after a run. */
CRD_API double *crd_exec_input(crd_exec *exec);
CRD_API const double *crd_exec_output(const crd_exec *exec);
/** Runs the program: no allocation, no lock, no failure; what is not finite comes out as such. */
CRD_API void crd_exec_run(crd_exec *exec);

#ifdef __cplusplus
}
#endif
#endif
