/* bench_wide.c - a network that is large: 784-512-512-10 on 1024 rows, beside a BLAS that makes the same products alone.
 *
 * The BLAS is OpenBLAS, loaded if it is there (or the library that CREDENCE_BENCH_BLAS names); nothing else of credence
 * needs it. Products: three forward, three for the weights' gradients, two for those of the layers' inputs. Processor time
 * of one thread, by turns. */
#include "cli/bench.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1024, LAYERS = 3, CLASSES = 10, MOST = 784 };
static const int width[LAYERS + 1] = {784, 512, 512, CLASSES};

/* ---- BLAS ------------------------------------------------------------------------------------------------------- */

/* cblas.h, as far as it is needed here. */
enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
typedef void (*dgemm_fn)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha,
                         const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);
typedef void (*sgemm_fn)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                         int lda, const float *b, int ldb, float beta, float *c, int ldc);

typedef struct peer {
    void *library;
    bool single; /* which of the two is asked */
    dgemm_fn dgemm;
    sgemm_fn sgemm;
    void *a, *b, *c; /* (ROWS or MOST, MOST) doubles, of which floats take half */
} peer;

static void *symbol(const peer *blas, const char *name)
{
    char prefixed[64];
    void *found = dlsym(blas->library, name);
    if (found)
        return found;
    snprintf(prefixed, sizeof prefixed, "scipy_%s", name); /* as the package index has it */
    return dlsym(blas->library, prefixed);
}

/* False: there is none. */
static bool load(peer *out)
{
    const char *names[] = {getenv("CREDENCE_BENCH_BLAS"), "libopenblas.so.0", "libopenblas.so"};
    for (int i = 0; i < CRDI_COUNT(names) && !out->library; i++)
        if (names[i])
            out->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!out->library)
        return false;
    void *dgemm = symbol(out, "cblas_dgemm"), *sgemm = symbol(out, "cblas_sgemm");
    void *set_threads = symbol(out, "openblas_set_num_threads");
    memcpy(&out->dgemm, &dgemm, sizeof dgemm); /* an object's pointer becomes a function's */
    memcpy(&out->sgemm, &sgemm, sizeof sgemm);
    if (set_threads) {
        void (*set)(int);
        memcpy(&set, &set_threads, sizeof set);
        set(1);
    }
    return out->dgemm && out->sgemm;
}

/* C (m, n) = A B, one of them transposed or none. */
static void multiply(const peer *blas, int transpose_a, int transpose_b, int m, int n, int k, int lda, int ldb)
{
    if (blas->single)
        blas->sgemm(ROW_MAJOR, transpose_a, transpose_b, m, n, k, 1, blas->a, lda, blas->b, ldb, 0, blas->c, n);
    else
        blas->dgemm(ROW_MAJOR, transpose_a, transpose_b, m, n, k, 1, blas->a, lda, blas->b, ldb, 0, blas->c, n);
}

/* Units along the rows, as in credence: layer l is (out, in) (in, ROWS). */
static double time_products(const peer *blas)
{
    double start = crdi_bench_clock();
    for (int l = 0; l < LAYERS; l++) {
        int in = width[l], out = width[l + 1];
        multiply(blas, TRANSPOSED, PLAIN, out, ROWS, in, out, ROWS);
        multiply(blas, PLAIN, TRANSPOSED, in, out, ROWS, ROWS, ROWS);
        if (l > 0)
            multiply(blas, PLAIN, PLAIN, in, ROWS, out, out, ROWS);
    }
    return crdi_bench_clock() - start;
}

/* ---- credence --------------------------------------------------------------------------------------------------- */

static double gflop(void)
{
    double products = 0;
    for (int l = 0; l < LAYERS; l++)
        products += (l > 0 ? 3.0 : 2.0) * width[l] * width[l + 1];
    return 2e-9 * ROWS * products;
}

static crd_status take_turns(const crdi_bench *bench, crd_exec *exec, const peer *blas, double *rate, double *share)
{
    int64_t repeat = bench->options->repeat;
    for (int64_t r = -1; r < repeat; r++) { /* the first is to get warm */
        double theirs = blas->dgemm ? time_products(blas) : 1, ours = crdi_bench_run(exec);
        if (r < 0)
            continue;
        bench->times[r] = gflop() / ours;
        rate[r] = gflop() / theirs;
        share[r] = 100 * theirs / ours;
    }
    crdi_bench_values(bench, "784-512-512-10, 1024 rows: gradient", "GFLOP/s", bench->times, repeat);
    if (blas->dgemm) {
        crdi_bench_values(bench, "the same products in BLAS", "GFLOP/s", rate, repeat);
        crdi_bench_values(bench, "... of its rate", "%", share, repeat);
    } else if (!crdi_bench_json(bench))
        printf("no OpenBLAS here to compare with; CREDENCE_BENCH_BLAS names another library\n");
    return CRD_OK;
}

static crd_status measure(const crdi_bench *bench, crd_network *network, const peer *blas, double *room)
{
    crd_model *model;
    crd_exec *exec = NULL;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, network));
    crd_status status = crd_exec_create(&exec, crd_model_density(model));
    if (status == CRD_OK) {
        int64_t dim = crd_model_dim(model);
        double *u = crd_exec_input(exec);
        crd_random_normal(crd_key_make(1), dim, u);
        for (int64_t i = 0; i < dim; i++)
            u[i] *= 0.05;
        status = take_turns(bench, exec, blas, room, room + bench->options->repeat);
    }
    crd_exec_destroy(&exec);
    crd_model_destroy(&model);
    return status;
}

crd_status crdi_bench_wide(const crdi_bench *bench)
{
    crd_array x, y;
    peer blas = {.single = bench->network->precision == CRD_SINGLE};
    int64_t square = (int64_t)ROWS * MOST;
    CRD_TRY(crd_array_init(bench->ctx, &x, crd_shape_2(ROWS, width[0])));
    crd_status status = crd_array_init(bench->ctx, &y, crd_shape_1(ROWS));
    double *room = crdi_alloc_array(bench->ctx, 3 * square + 2 * bench->options->repeat, sizeof *room);
    if (status == CRD_OK && room) {
        memset(room, 0, sizeof *room * 3 * (size_t)square);
        crd_random_normal(crd_key_make(2), x.shape.dim[0] * x.shape.dim[1], x.data);
        for (int i = 0; i < ROWS; i++)
            y.data[i] = i % CLASSES;
        blas.a = room;
        blas.b = room + square;
        blas.c = room + 2 * square;
        if (!load(&blas))
            blas.dgemm = NULL;
        crd_network network = *bench->network;
        network.hidden = "512,512";
        network.activation = "relu";
        network.likelihood = "categorical";
        network.classes = CLASSES;
        network.x = x;
        network.y = &y;
        status = measure(bench, &network, &blas, room + 3 * square);
    }
    if (blas.library)
        dlclose(blas.library);
    crdi_free(bench->ctx, room);
    crd_array_clear(&y);
    crd_array_clear(&x);
    return status == CRD_OK && !room ? CRD_ENOMEM : status;
}
