/* vector.h - the implementations of kernel/vector.h. */

static void v_axpy(int64_t n, double a, const double *x, const double *y, double *out)
{
    _Pragma("omp simd")
    for (int64_t i = 0; i < n; i++)
        out[i] = fma(a, x[i], y[i]);
}

static void v_add(int64_t n, const double *x, const double *y, double *out)
{
    _Pragma("omp simd")
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] + y[i];
}

static void v_mul(int64_t n, const double *x, const double *y, double *out)
{
    _Pragma("omp simd")
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] * y[i];
}

static double v_dot(int64_t n, const double *x, const double *y)
{
    return dot_of(x, y, n);
}

static void v_kick_drift(int64_t n, double half, double step, const double *g, const double *v, double *p, double *q)
{
    _Pragma("omp simd")
    for (int64_t i = 0; i < n; i++) {
        double moved = fma(half, g[i], p[i]);
        p[i] = moved;
        q[i] = fma(step, v[i] * moved, q[i]);
    }
}

static double v_kick_sharp(int64_t n, double half, const double *g, const double *v, double *p, double *sharp)
{
    v8 sum = v8_set(0), zero = v8_set(0), h = v8_set(half);
    for (int64_t i = 0; i < n; i += CRDI_LANES) {
        int64_t rest = n - i < CRDI_LANES ? n - i : CRDI_LANES;
        v8 moved, s;
        if (rest == CRDI_LANES) {
            moved = v8_fma(h, v8_load(g + i), v8_load(p + i));
            s = v8_fma(v8_load(v + i), moved, zero);
            v8_store(p + i, moved);
            v8_store(sharp + i, s);
        } else {
            moved = v8_fma(h, v8_load_n(g + i, rest), v8_load_n(p + i, rest));
            s = v8_fma(v8_load_n(v + i, rest), moved, zero);
            v8_store_n(p + i, moved, rest);
            v8_store_n(sharp + i, s, rest);
        }
        sum = v8_fma(moved, s, sum);
    }
    return v8_sum(sum);
}

static int v_no_turn(int64_t n, const double *a, const double *b, const double *r1, const double *r2)
{
    v8 sum_a = v8_set(0), sum_b = v8_set(0);
    for (int64_t i = 0; i < n; i += CRDI_LANES) {
        int64_t rest = n - i < CRDI_LANES ? n - i : CRDI_LANES;
        if (rest == CRDI_LANES) {
            v8 rho = v8_add(v8_load(r1 + i), v8_load(r2 + i));
            sum_a = v8_fma(v8_load(a + i), rho, sum_a);
            sum_b = v8_fma(v8_load(b + i), rho, sum_b);
        } else {
            v8 rho = v8_add(v8_load_n(r1 + i, rest), v8_load_n(r2 + i, rest));
            sum_a = v8_fma(v8_load_n(a + i, rest), rho, sum_a);
            sum_b = v8_fma(v8_load_n(b + i, rest), rho, sum_b);
        }
    }
    return v8_sum(sum_a) > 0 && v8_sum(sum_b) > 0;
}

static double v_exp(double x)
{
    return vm_exp(x);
}

static double v_log_add_exp(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    return high == -INFINITY ? high : high + vm_log1p(vm_exp(low - high));
}
