/* reduce.h - sums and maxima. A sum over n elements puts element i into lane i mod LANES and adds the lanes in
 * vr_sum's tree; what is missing in the last vector counts as zero.
 *
 * Sums of all elements (sum, sumsq, dot) are what log densities are made of. Of floats they are taken in double precision,
 * products exactly, and the result is a double. */

static inline real sum_of(const real *a, int64_t n)
{
    vr sum = vr_set(0);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum = vr_add(sum, vr_load(a + i));
    if (i < n)
        sum = vr_add(sum, vr_load_n(a + i, n - i));
    return vr_sum(sum);
}

static inline real dot_of(const real *a, const real *b, int64_t n)
{
    vr sum = vr_set(0);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum = vr_fma(vr_load(a + i), vr_load(b + i), sum);
    if (i < n)
        sum = vr_fma(vr_load_n(a + i, n - i), vr_load_n(b + i, n - i), sum);
    return vr_sum(sum);
}

/* out[q] = dot_of(a, b + q step, n), q = 0 to 3: four chains of additions at once, each in its own order. */
static inline void dots_of(real *out, const real *a, const real *b, int64_t step, int64_t n)
{
    vr s0 = vr_set(0), s1 = s0, s2 = s0, s3 = s0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vr x = vr_load(a + i);
        s0 = vr_fma(x, vr_load(b + i), s0);
        s1 = vr_fma(x, vr_load(b + step + i), s1);
        s2 = vr_fma(x, vr_load(b + 2 * step + i), s2);
        s3 = vr_fma(x, vr_load(b + 3 * step + i), s3);
    }
    if (i < n) {
        vr x = vr_load_n(a + i, n - i);
        s0 = vr_fma(x, vr_load_n(b + i, n - i), s0);
        s1 = vr_fma(x, vr_load_n(b + step + i, n - i), s1);
        s2 = vr_fma(x, vr_load_n(b + 2 * step + i, n - i), s2);
        s3 = vr_fma(x, vr_load_n(b + 3 * step + i, n - i), s3);
    }
    vr_sum4(out, s0, s1, s2, s3);
}

/* out[q] = sum_of(a + q n, n), q = 0 to 3. */
static inline void sums_of(real *out, const real *a, int64_t n)
{
    vr s0 = vr_set(0), s1 = s0, s2 = s0, s3 = s0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        s0 = vr_add(s0, vr_load(a + i));
        s1 = vr_add(s1, vr_load(a + n + i));
        s2 = vr_add(s2, vr_load(a + 2 * n + i));
        s3 = vr_add(s3, vr_load(a + 3 * n + i));
    }
    if (i < n) {
        s0 = vr_add(s0, vr_load_n(a + i, n - i));
        s1 = vr_add(s1, vr_load_n(a + n + i, n - i));
        s2 = vr_add(s2, vr_load_n(a + 2 * n + i, n - i));
        s3 = vr_add(s3, vr_load_n(a + 3 * n + i, n - i));
    }
    vr_sum4(out, s0, s1, s2, s3);
}

#if CRDI_SINGLE
static inline v8 wide_low(const float *a, int64_t rest)
{
    return v16_low(rest < LANES ? v16_load_n(a, rest) : v16_load(a));
}

static inline v8 wide_high(const float *a, int64_t rest)
{
    return v16_high(rest < LANES ? v16_load_n(a, rest) : v16_load(a));
}

static inline double wide_sum_of(const float *a, int64_t n)
{
    v8 low = v8_set(0), high = low;
    for (int64_t i = 0; i < n; i += LANES) {
        low = v8_add(low, wide_low(a + i, n - i));
        high = v8_add(high, wide_high(a + i, n - i));
    }
    return v8_sum(v8_add(low, high));
}

static inline double wide_dot_of(const float *a, const float *b, int64_t n)
{
    v8 low = v8_set(0), high = low;
    for (int64_t i = 0; i < n; i += LANES) {
        low = v8_fma(wide_low(a + i, n - i), wide_low(b + i, n - i), low);
        high = v8_fma(wide_high(a + i, n - i), wide_high(b + i, n - i), high);
    }
    return v8_sum(v8_add(low, high));
}
#else
#define wide_sum_of sum_of
#define wide_dot_of dot_of
#endif

/* out[0] = sum of a[0 .. n[0]). */
static void k_sum(const crdi_call *call)
{
    call->out[0] = wide_sum_of(call->IN[0], call->n[0]);
}

/* out[r] = sum of row r; n[1] rows of n[0] elements. */
static void k_sum_rows(const crdi_call *call)
{
    int64_t r = 0;
    for (; r + 4 <= call->n[1]; r += 4)
        sums_of(call->OUT + r, call->IN[0] + r * call->n[0], call->n[0]);
    for (; r < call->n[1]; r++)
        call->OUT[r] = sum_of(call->IN[0] + r * call->n[0], call->n[0]);
}

/* out[j, i] = sum over m of a[j, m, i]; n = {inner, middle, outer}. Elements are added in the order of m. */
static void k_sum_columns(const crdi_call *call)
{
    int64_t inner = call->n[0], middle = call->n[1];
    for (int64_t j = 0; j < call->n[2]; j++) {
        const real *a = call->IN[0] + j * middle * inner;
        real *out = call->OUT + j * inner;
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
        const real *a = call->IN[0] + r * call->n[0];
        real largest = a[0];
        for (int64_t i = 1; i < call->n[0]; i++)
            largest = VM(max)(largest, a[i]);
        call->OUT[r] = largest;
    }
}

/* out[0] = sum of a[i]^2, n[0] elements. */
static void k_sumsq(const crdi_call *call)
{
    call->out[0] = wide_dot_of(call->IN[0], call->IN[0], call->n[0]);
}

/* out[0] = sum of a[i] b[i], n[0] elements. */
static void k_dot(const crdi_call *call)
{
    call->out[0] = wide_dot_of(call->IN[0], call->IN[1], call->n[0]);
}
