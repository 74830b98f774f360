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

/** A graph of expressions. */
typedef struct crd_graph crd_graph;
/** A compiled program: outputs as a function of the input vector. Read-only: threads share it. */
typedef struct crd_program crd_program;
/** What one thread needs to run a program: its input, output and workspace. */
typedef struct crd_exec crd_exec;

/** A place in the user's source, for messages. */
typedef struct crd_where {
    const char *file; /**< as __FILE__ has it */
    int line; /**< from 1 */
} crd_where;
/** The place of the call, for messages. */
#define CRD_HERE ((crd_where){__FILE__, __LINE__})

/** A value in a graph, or a plain number that is not in a graph yet (graph NULL). Make numbers with crd_num. */
typedef struct crd_node {
    crd_graph *graph; /**< where it lives; NULL: a number */
    int32_t id; /**< its place there; negative: a bad node */
    double number; /**< of a node that is a number */
} crd_node;

/** A number, to be used where a node is wanted: crd_mul(x, crd_num(2)).
 *  @param number  any, NaN and infinities too. */
CRD_API crd_node crd_num(double number);

/** Creates an empty graph. @return CRD_OK; CRD_ENOMEM.
 *  @param out  returns owned, written only on success. @param ctx  borrowed: it must outlive the graph. */
CRD_API CRD_MUST_CHECK crd_status crd_graph_create(crd_graph **out, crd_context *ctx);
/** Destroys a graph with all its nodes and nulls the pointer. NULL is accepted. Programs compiled from it stay.
 *  @param graph  the pointer to set to NULL. */
CRD_API void crd_graph_destroy(crd_graph **graph);
/** The context that a graph was created with.
 *  @param graph  borrowed. */
CRD_API crd_context *crd_graph_context(const crd_graph *graph);

/** The status of the first failed operation; its message is in the context.
 *  @param graph  borrowed. @return CRD_OK if all were possible. */
CRD_API crd_status crd_graph_status(const crd_graph *graph);

/** Adds an input: a part of the vector that a program is run on. Inputs are packed in the order of their addition
 *  unless crd_compile is told otherwise.
 *  @param graph  borrowed. @param name  for messages; copied. @param shape  of the input. */
CRD_API crd_node crd_input(crd_graph *graph, const char *name, crd_shape shape);

/** Adds an array of constants; the elements are copied.
 *  @param graph  borrowed. @param array  borrowed during the call. */
CRD_API crd_node crd_constant(crd_graph *graph, const crd_array *array);

/** The shape of a node; a number is a scalar, a bad node too.
 *  @param node  any. */
CRD_API crd_shape crd_node_shape(crd_node node);
/** Whether a node stands for a value (it is no bad node).
 *  @param node  any. */
CRD_API int crd_node_ok(crd_node node);
/** Whether a node's elements are known now; if so and `elements` is not NULL, points it at them (borrowed).
 *  @param node  any. @param elements  returns the elements, row-major, owned by the graph; may be NULL. */
CRD_API int crd_node_known(crd_node node, const double **elements);

#include <credence/ops_table.h>

/* Operations with arguments of their own. Each _at form takes the place that messages name; the macro gives its own.
 * Those that need an axis give the number NaN for a number that is in no graph: there is no graph to keep the error. */

/** select(c, a, b): a where c is not 0, else b; broadcasts. The gradient flows to the branch taken.
 *  @param condition  not 0 takes a. @param a, b  the branches; both are computed. */
CRD_API crd_node crd_select_at(crd_node condition, crd_node a, crd_node b, crd_where where);
/** Sum of all elements: a scalar.
 *  @param x  an array. */
CRD_API crd_node crd_sum_at(crd_node x, crd_where where);
/** Sum, or maximum, along one axis (negative counts from the end), which disappears.
 *  @param x  an array. @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_sum_axis_at(crd_node x, int axis, crd_where where);
/** Maximum along one axis, which disappears; equal maxima share the gradient.
 *  @param x  an array. @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_max_axis_at(crd_node x, int axis, crd_where where);
/** log(sum(exp(x))) along an axis, safe for large x.
 *  @param x  an array. @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_logsumexp_at(crd_node x, int axis, crd_where where);
/** Sum of a b over all elements of two arrays of one shape.
 *  @param a, b  of one shape. */
CRD_API crd_node crd_dot_at(crd_node a, crd_node b, crd_where where);
/** Matrix product (m, k)(k, n) -> (m, n); leading batch axes must be equal or missing on one side.
 *  @param a  (..., m, k). @param b  (..., k, n). */
CRD_API crd_node crd_matmul_at(crd_node a, crd_node b, crd_where where);
/** A dense layer with units along the rows: K' X + b, (in, out), (in, n), (out,) -> (out, n).
 *  @param kernel  (in, out). @param x  (in, n): units along the rows. @param bias  (out). */
CRD_API crd_node crd_affine_at(crd_node kernel, crd_node x, crd_node bias, crd_where where);
/** The same elements, row by row, under another shape of as many elements.
 *  @param x  an array. @param shape  of the result. */
CRD_API crd_node crd_reshape_at(crd_node x, crd_shape shape, crd_where where);
/** Exchanges the last two axes.
 *  @param x  an array. */
CRD_API crd_node crd_transpose_at(crd_node x, crd_where where);
/** Repeats x along the axes that it lacks or has with extent 1, as NumPy's broadcast_to.
 *  @param x  an array. @param shape  of the result. */
CRD_API crd_node crd_broadcast_to_at(crd_node x, crd_shape shape, crd_where where);
/** Elements start, start + step, ... (count of them) along an axis. step may be negative.
 *  @param x  an array. @param axis  from 0, or from the end if negative. @param start  the first index.
 *  @param count  how many. @param step  not 0. */
CRD_API crd_node crd_slice_at(crd_node x, int axis, int64_t start, int64_t count, int64_t step, crd_where where);
/** One index along an axis, which disappears: crd_take(x, 1, 0) is the first column.
 *  @param x  an array. @param axis, index  from 0, or from the end if negative. */
CRD_API crd_node crd_take_at(crd_node x, int axis, int64_t index, crd_where where);
/** Joins arrays along an existing axis.
 *  @param parts  arrays that differ along that axis only, borrowed. @param count  of parts.
 *  @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_concat_at(const crd_node *parts, int count, int axis, crd_where where);
/** Rows of x, along its first axis, picked by an array of indices: index shape (m) -> (m, *rest).
 *  @param x  (rows, *rest). @param index  whole numbers in the range of the rows. */
CRD_API crd_node crd_gather_at(crd_node x, crd_node index, crd_where where);
/** Running sum along an axis.
 *  @param x  an array. @param axis  from 0, or from the end if negative. */
CRD_API crd_node crd_cumsum_at(crd_node x, int axis, crd_where where);
/** Lower Cholesky factor of a symmetric positive definite matrix (n, n); NaN if it is not.
 *  @param a  (n, n); its lower triangle is read. */
CRD_API crd_node crd_cholesky_at(crd_node a, crd_where where);
/** Solves L X = B, or L' X = B when transposed, for lower triangular L (n, n) and B (n, m).
 *  @param l  (n, n); its lower triangle is read. @param b  (n, m). @param transposed  not 0: L'. */
CRD_API crd_node crd_solve_triangular_at(crd_node l, crd_node b, int transposed, crd_where where);
/** x, through which no gradient flows.
 *  @param x  an array. */
CRD_API crd_node crd_stop_gradient_at(crd_node x, crd_where where);
/** Diagonal of (n, n) as (n).
 *  @param x  (n, n). */
CRD_API crd_node crd_diagonal_at(crd_node x, crd_where where);

/* Distribution functions, element by element; they broadcast. Gradients flow to all arguments but the parameters of beta,
 * Student's t and von Mises, which must be known where one is asked for. */

/** log of the standard normal distribution function, accurate far below 0.
 *  @param z  any number. */
CRD_API crd_node crd_log_normal_cdf_at(crd_node z, crd_where where);
/** The standard normal quantile of a probability that is given by its log.
 *  @param log_p  0 or less. */
CRD_API crd_node crd_normal_quantile_at(crd_node log_p, crd_where where);
/** The regularised incomplete gamma functions P(a, x) and 1 - P(a, x), and the x with P(a, x) = p.
 *  @param a  above 0. @param x  0 or more. */
CRD_API crd_node crd_gamma_p_at(crd_node a, crd_node x, crd_where where);
/** The regularised incomplete gamma function 1 - P(a, x), without cancellation.
 *  @param a  above 0. @param x  0 or more. */
CRD_API crd_node crd_gamma_q_at(crd_node a, crd_node x, crd_where where);
/** The x with P(a, x) = p.
 *  @param a  above 0. @param p  a probability. */
CRD_API crd_node crd_gamma_quantile_at(crd_node a, crd_node p, crd_where where);
/** The regularised incomplete beta function I_x(a, b), and the x where it is p.
 *  @param a, b  above 0. @param x  from 0 to 1. */
CRD_API crd_node crd_beta_cdf_at(crd_node a, crd_node b, crd_node x, crd_where where);
/** The x where I_x(a, b) is p.
 *  @param a, b  above 0. @param p  a probability. */
CRD_API crd_node crd_beta_quantile_at(crd_node a, crd_node b, crd_node p, crd_where where);
/** Student's t distribution function with df degrees of freedom, and its inverse.
 *  @param df  degrees of freedom, above 0. @param t  any number. */
CRD_API crd_node crd_student_t_cdf_at(crd_node df, crd_node t, crd_where where);
/** Student's t with df degrees of freedom: the number where its distribution function is p.
 *  @param df  above 0. @param p  a probability. */
CRD_API crd_node crd_student_t_quantile_at(crd_node df, crd_node p, crd_where where);
/** The first count whose distribution function reaches p: of a Poisson, a binomial, a negative binomial (by its mean), a
 *  beta binomial. Steps, without gradients.
 *  @param rate  its mean. @param p  a probability. */
CRD_API crd_node crd_poisson_quantile_at(crd_node rate, crd_node p, crd_where where);
/** The same of a binomial.
 *  @param n  trials. @param probability  of a success. @param p  a probability. */
CRD_API crd_node crd_binomial_quantile_at(crd_node n, crd_node probability, crd_node p, crd_where where);
/** The same of a negative binomial.
 *  @param mean  above 0. @param concentration  as crd_negative_binomial2 has it. @param p  a probability. */
CRD_API crd_node crd_negative_binomial_quantile_at(crd_node mean, crd_node concentration, crd_node p, crd_where where);
/** The same of a beta binomial.
 *  @param n  trials. @param a, b  of the beta. @param p  a probability. */
CRD_API crd_node crd_beta_binomial_quantile_at(crd_node n, crd_node a, crd_node b, crd_node p, crd_where where);
/** log I_0(k) and I_1(k) / I_0(k), the modified Bessel functions, for k >= 0.
 *  @param k  0 or more. */
CRD_API crd_node crd_log_bessel_i0_at(crd_node k, crd_where where);
/** I_1(k) / I_0(k), the mean resultant length of a von Mises of concentration k.
 *  @param k  0 or more. */
CRD_API crd_node crd_bessel_ratio_at(crd_node k, crd_where where);
/** The von Mises distribution function with mean 0 and concentration k at an angle x in [-pi, pi].
 *  @param k  concentration, 0 or more. @param x  an angle. */
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
    int64_t stride[2]; /**< 0: 1 */
    /** What stands beside an array for windows that reach over its ends. */
    enum crd_padding {
        CRD_PADDING_SAME = 0, /**< ceil(extent / stride) windows; an odd element of padding goes behind */
        CRD_PADDING_VALID, /**< windows lie inside */
        CRD_PADDING_EXPLICIT /**< before and behind as given */
    } padding; /**< what is outside */
    int64_t before[2]; /**< elements of padding in front */
    int64_t behind[2]; /**< and at the end */
} crd_window;

/** The elements of each window: (n, length, c) -> (n, length', size, c), or
 *  (n, height, width, c) -> (n, height', width', size[0] size[1], c). Padding has the value `fill`.
 *  @param x  as above. @param window  copied. @param fill  the value of padding. */
CRD_API crd_node crd_windows_at(crd_node x, const crd_window *window, double fill, crd_where where);
/** Convolution: x (n, length, in) with kernel (size, in, out), or (n, height, width, in) with (size[0], size[1], in, out);
 *  the window's size is the kernel's, what `window` says of it is not read.
 *  @param x  an array. @param kernel  see above. @param window  stride and padding; copied. */
CRD_API crd_node crd_convolve_at(crd_node x, crd_node kernel, const crd_window *window, crd_where where);
#define crd_windows(...) crd_windows_at(__VA_ARGS__, CRD_HERE)
#define crd_convolve(...) crd_convolve_at(__VA_ARGS__, CRD_HERE)

/* A recurrence is a scan: a body that takes carries and one row of each of some arrays, and gives the next carries and one
 * row of each of some results. */

/** What the body of a scan gets and gives. It builds nodes in `graph`, which is the body's own: nodes from outside come
 *  in through the carries, xs and constants only. */
typedef struct crd_scan_step {
    crd_graph *graph; /**< the body's own */
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
    crd_scan_fn body; /**< builds one step */
    void *user; /**< passed to body */
    const crd_node *init; /**< the first carries */
    int carry_count; /**< of init */
    const crd_node *xs; /**< arrays of `length` rows */
    int x_count; /**< of xs */
    const crd_node *constants; /**< arrays that every step sees whole */
    int constant_count; /**< of constants */
    int y_count; /**< results a step */
    int64_t length; /**< steps */
    int reverse; /**< not 0: from the last row to the first; rows keep their places */
} crd_scan_options;

/** Builds the scan: carry_t+1, y_t = body(carry_t, x_t, constants) for t = 0 .. length - 1.
 *  It can be differentiated, and its gradient too; a body may hold a scan. Each carry's values at all steps are kept for
 *  the gradient: (length + 1) times its size in memory.
 *  @param graph  borrowed. @param options  borrowed during the call.
 *  @param carry_out  [carry_count], the final carries; may be NULL.
 *  @param ys_out     [y_count], each with length rows; may be NULL. */
CRD_API void crd_scan_at(crd_graph *graph, const crd_scan_options *options, crd_node *carry_out, crd_node *ys_out,
                         crd_where where);
#define crd_scan(...) crd_scan_at(__VA_ARGS__, CRD_HERE)

/* Random numbers as operations: a function of a key node, which has shape (2): the two words as numbers. The same key
 * gives the same numbers as crd_random_... does. */

/** The key as a node. A key in the original order is refused (CRD_EUNSUPPORTED).
 *  @param graph  borrowed. @param key  in the partitionable order. */
CRD_API crd_node crd_key_node(crd_graph *graph, crd_key key);
/** The sub-key number `data` of a key.
 *  @param key  a key node: shape (2). @param data  which sub-key. */
CRD_API crd_node crd_key_fold_in_node(crd_node key, uint32_t data);
/** Uniforms in [0, 1): those of crd_random_uniform.
 *  @param key  a key node: shape (2). @param shape  of the result. */
CRD_API crd_node crd_random_uniform_node(crd_node key, crd_shape shape);
/** Standard normals: those of crd_random_normal. Reparameterised draws are formulas of them.
 *  @param key  a key node: shape (2). @param shape  of the result. */
CRD_API crd_node crd_random_normal_node(crd_node key, crd_shape shape);
/** log of draws of Gamma(concentration, 1), which broadcasts to the shape. Element i has the sub-key i, so that draws do
 *  not depend on how many proposals others refuse. The gradient in the concentration is the implicit one: how the
 *  draw moves if its probability below stays the same.
 *  @param key  a key node: shape (2). @param concentration  above 0. @param shape  of the result. */
CRD_API crd_node crd_random_log_gamma_node(crd_node key, crd_node concentration, crd_shape shape);
/** Angles in [-pi, pi] of von Mises about 0; no gradient flows to the concentration.
 *  @param key  a key node: shape (2). @param concentration  0 or more. @param shape  of the result. */
CRD_API crd_node crd_random_von_mises_node(crd_node key, crd_node concentration, crd_shape shape);
/** Counts, one sub-key an element: parameters broadcast to `shape`, and no gradient flows to them. For a multinomial the
 *  last axis of `shape` and `probs` are the classes, and `total` has none of them.
 *  @param key  a key node: shape (2). @param rate  0 or more. @param shape  of the result. */
CRD_API crd_node crd_random_poisson_node(crd_node key, crd_node rate, crd_shape shape);
/** Binomial counts, as crd_random_poisson_node.
 *  @param key  a key node: shape (2). @param total  trials. @param probs  of a success. @param shape  of the result. */
CRD_API crd_node crd_random_binomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape);
/** Multinomial counts, as crd_random_poisson_node; a sub-key a row.
 *  @param key  a key node: shape (2). @param total  trials. @param probs  (..., classes).
 *  @param shape  of the result. */
CRD_API crd_node crd_random_multinomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape);
/** `count` of the numbers 0 to n - 1, each at most once, in random order: (count). n below 2^32. Cost: n + count.
 *  @param key  a key node: shape (2). @param n  how many there are. @param count  how many are taken. */
CRD_API crd_node crd_random_choice_node(crd_node key, int64_t n, int64_t count);

/** Differentiates: out[i] = d y / d x[i], with the shape of x[i], as nodes of the same graph (reverse mode, graph to
 *  graph). y must be a scalar. Where y does not depend on x[i] the result is zeros.
 *  @param y  a scalar. @param x  [count], nodes of the graph of y, borrowed. @param count  of x.
 *  @param out  [count]. */
CRD_API void crd_gradient_at(crd_node y, const crd_node *x, int count, crd_node *out, crd_where where);
#define crd_gradient(...) crd_gradient_at(__VA_ARGS__, CRD_HERE)

/** What a program computes in. Its inputs and outputs are doubles in either. */
typedef enum crd_precision {
    CRD_DOUBLE, /**< everything is a double */
    CRD_SINGLE /**< arrays are floats; single numbers and sums of all elements are doubles (docs/dev/programs.md) */
} crd_precision;
/** Sets what programs compiled from now on compute in; CRD_DOUBLE before.
 *  @param graph  borrowed. @param precision  of its programs. */
CRD_API void crd_graph_set_precision(crd_graph *graph, crd_precision precision);
/** What a program computes in.
 *  @param program  borrowed. */
CRD_API crd_precision crd_program_precision(const crd_program *program);

/** Compiles: the outputs, as a function of the inputs. The program copies what it needs and outlives the graph.
 *  @param graph  borrowed. @param input_count, output_count  their numbers.
 *  @param out  returns owned, written only on success.
 *  @param inputs   which inputs make up the input vector, in this order, each flattened row by row; NULL: all, in the
 *                  order of their addition.
 *  @param outputs  the output vector: these nodes, in this order, each flattened.
 *  @return CRD_OK; the status of the first failed operation; CRD_EINVAL if an output needs an input that is not listed;
 *          CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_compile(crd_graph *graph, const crd_node *inputs, int input_count,
                                              const crd_node *outputs, int output_count, crd_program **out);
/** Destroys a program and nulls the pointer; NULL is accepted. Its execs must be gone.
 *  @param program  the pointer to set to NULL. */
CRD_API void crd_program_destroy(crd_program **program);
/** The number of doubles of the input vector.
 *  @param program  borrowed. */
CRD_API int64_t crd_program_input_size(const crd_program *program);
/** The number of doubles of the output vector.
 *  @param program  borrowed. */
CRD_API int64_t crd_program_output_size(const crd_program *program);
/** Number of kernel calls of a run, and doubles of workspace.
 *  @param program  borrowed. */
CRD_API int64_t crd_program_calls(const crd_program *program);
/** Doubles of workspace that an exec of it has.
 *  @param program  borrowed. */
CRD_API int64_t crd_program_workspace(const crd_program *program);
/** Writes the plan, a line a call, to a FILE-like function.
 *  @param program  borrowed. @param print  gets one line at a time. @param user  passed to print. */
CRD_API void crd_program_print(const crd_program *program, crd_log_fn print, void *user);

/** Creates what one thread needs to run a program. The program must outlive it.
 *  @param out  returns owned, written only on success. @param program  borrowed. @return CRD_OK; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_exec_create(crd_exec **out, const crd_program *program);
/** Destroys an exec and nulls the pointer; NULL is accepted.
 *  @param exec  the pointer to set to NULL. */
CRD_API void crd_exec_destroy(crd_exec **exec);
/** Where to put the input vector, and where the output vector is after a run.
 *  @param exec  borrowed. */
CRD_API double *crd_exec_input(crd_exec *exec);
/** Where the output vector is after a run; overwritten by the next. Borrowed from the exec.
 *  @param exec  borrowed. */
CRD_API const double *crd_exec_output(const crd_exec *exec);
/** Runs the program: no allocation, no lock, no failure; what is not finite comes out as such.
 *  @param exec  borrowed. */
CRD_API void crd_exec_run(crd_exec *exec);

#ifdef __cplusplus
}
#endif
#endif
