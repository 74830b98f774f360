/* reduce.h - sums and maxima. A sum over n elements puts element i into lane i mod 8 and adds the lanes in v8_sum's
 * tree; what is missing in the last eight counts as zero. */

static inline double sum_of(const double *a, int64_t n)
{
    v8 sum = v8_set(0);
    int64_t i = 0;
    for (; i + CRDI_LANES <= n; i += CRDI_LANES)
        sum = v8_add(sum, v8_load(a + i));
    if (i < n)
        sum = v8_add(sum, v8_load_n(a + i, n - i));
    return v8_sum(sum);
}

static inline double dot_of(const double *a, const double *b, int64_t n)
{
    v8 sum = v8_set(0);
    int64_t i = 0;
    for (; i + CRDI_LANES <= n; i += CRDI_LANES)
        sum = v8_fma(v8_load(a + i), v8_load(b + i), sum);
    if (i < n)
        sum = v8_fma(v8_load_n(a + i, n - i), v8_load_n(b + i, n - i), sum);
    return v8_sum(sum);
}

/* out[q] = dot_of(a, b + q step, n), q = 0 to 3: four chains of additions at once, each in its own order. */
static inline void dots_of(double *out, const double *a, const double *b, int64_t step, int64_t n)
{
    v8 s0 = v8_set(0), s1 = s0, s2 = s0, s3 = s0;
    int64_t i = 0;
    for (; i + CRDI_LANES <= n; i += CRDI_LANES) {
        v8 x = v8_load(a + i);
        s0 = v8_fma(x, v8_load(b + i), s0);
        s1 = v8_fma(x, v8_load(b + step + i), s1);
        s2 = v8_fma(x, v8_load(b + 2 * step + i), s2);
        s3 = v8_fma(x, v8_load(b + 3 * step + i), s3);
    }
    if (i < n) {
        v8 x = v8_load_n(a + i, n - i);
        s0 = v8_fma(x, v8_load_n(b + i, n - i), s0);
        s1 = v8_fma(x, v8_load_n(b + step + i, n - i), s1);
        s2 = v8_fma(x, v8_load_n(b + 2 * step + i, n - i), s2);
        s3 = v8_fma(x, v8_load_n(b + 3 * step + i, n - i), s3);
    }
    out[0] = v8_sum(s0);
    out[1] = v8_sum(s1);
    out[2] = v8_sum(s2);
    out[3] = v8_sum(s3);
}

/* out[0] = sum of a[0 .. n[0]). */
static void k_sum(const crdi_call *call)
{
    call->out[0] = sum_of(call->in[0], call->n[0]);
}

/* out[r] = sum of row r; n[1] rows of n[0] elements. */
static void k_sum_rows(const crdi_call *call)
{
    for (int64_t r = 0; r < call->n[1]; r++)
        call->out[r] = sum_of(call->in[0] + r * call->n[0], call->n[0]);
}

/* out[j, i] = sum over m of a[j, m, i]; n = {inner, middle, outer}. Elements are added in the order of m. */
static void k_sum_columns(const crdi_call *call)
{
    int64_t inner = call->n[0], middle = call->n[1];
    for (int64_t j = 0; j < call->n[2]; j++) {
        const double *a = call->in[0] + j * middle * inner;
        double *out = call->out + j * inner;
        for (int64_t i = 0; i < inner; i++)
            out[i] = 0;
        for (int64_t m = 0; m < middle; m++)
            _Pragma("omp simd")
        for (int64_t i = 0; i < inner; i++)
            out[i] += a[m * inner + i];
    }
}

/* out[r] = largest of row r, NaN if one is; n[1] rows of n[0] >= 1 elements. */
static void k_max_rows(const crdi_call *call)
{
    for (int64_t r = 0; r < call->n[1]; r++) {
        const double *a = call->in[0] + r * call->n[0];
        double largest = a[0];
        for (int64_t i = 1; i < call->n[0]; i++)
            largest = vm_max(largest, a[i]);
        call->out[r] = largest;
    }
}

/* out[0] = sum of a[i]^2, n[0] elements. */
static void k_sumsq(const crdi_call *call)
{
    call->out[0] = dot_of(call->in[0], call->in[0], call->n[0]);
}

/* out[0] = sum of a[i] b[i], n[0] elements. */
static void k_dot(const crdi_call *call)
{
    call->out[0] = dot_of(call->in[0], call->in[1], call->n[0]);
}

/* out[j, m, i] = sum of a[j, 0 .. m, i]; n = {inner, middle, outer}. */
static void k_cumsum(const crdi_call *call)
{
    int64_t inner = call->n[0], middle = call->n[1];
    for (int64_t j = 0; j < call->n[2]; j++)
        for (int64_t m = 0; m < middle; m++)
            for (int64_t i = 0; i < inner; i++) {
                int64_t at = (j * middle + m) * inner + i;
                call->out[at] = call->in[0][at] + (m ? call->out[at - inner] : 0);
            }
}
