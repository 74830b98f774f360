/* simd_avx2.h - v8 as two registers; see simd.h. */
#include <immintrin.h>

#define CRDI_TILE_WIDE 1 /* as below, for #if */
#define CRDI_DOT_HIGH 2
#define CRDI_BACK_CASES 1 /* whether dense.h has code of its own for small layers */
enum { TILE_HIGH = 4, TILE_WIDE = CRDI_TILE_WIDE, BACK_UNITS = 1, DOT_HIGH = CRDI_DOT_HIGH };

typedef struct v8 {
    __m256d x, y;
} v8;

/* All ones in the lanes below n. */
static inline __m256i v8_below(int64_t n)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

static inline v8 v8_load(const double *p)
{
    return (v8){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}

static inline void v8_store(double *p, v8 a)
{
    _mm256_storeu_pd(p, a.x);
    _mm256_storeu_pd(p + 4, a.y);
}

static inline v8 v8_load_n(const double *p, int64_t n)
{
    return (v8){_mm256_maskload_pd(p, v8_below(n)),
                n > 4 ? _mm256_maskload_pd(p + 4, v8_below(n - 4)) : _mm256_setzero_pd()};
}

static inline void v8_store_n(double *p, v8 a, int64_t n)
{
    _mm256_maskstore_pd(p, v8_below(n), a.x);
    if (n > 4)
        _mm256_maskstore_pd(p + 4, v8_below(n - 4), a.y);
}

static inline v8 v8_set(double a)
{
    return (v8){_mm256_set1_pd(a), _mm256_set1_pd(a)};
}

static inline v8 v8_add(v8 a, v8 b)
{
    return (v8){_mm256_add_pd(a.x, b.x), _mm256_add_pd(a.y, b.y)};
}

static inline v8 v8_fma(v8 a, v8 b, v8 c)
{
    return (v8){_mm256_fmadd_pd(a.x, b.x, c.x), _mm256_fmadd_pd(a.y, b.y, c.y)};
}

static inline v8 v8_sub(v8 a, v8 b)
{
    return (v8){_mm256_sub_pd(a.x, b.x), _mm256_sub_pd(a.y, b.y)};
}

static inline v8 v8_mul(v8 a, v8 b)
{
    return (v8){_mm256_mul_pd(a.x, b.x), _mm256_mul_pd(a.y, b.y)};
}

static inline v8 v8_fnma(v8 a, v8 b, v8 c)
{
    return (v8){_mm256_fnmadd_pd(a.x, b.x, c.x), _mm256_fnmadd_pd(a.y, b.y, c.y)};
}

static inline v8 v8_if_positive(v8 a, v8 b)
{
    __m256d zero = _mm256_setzero_pd();
    return (v8){_mm256_and_pd(_mm256_cmp_pd(a.x, zero, _CMP_GT_OQ), b.x),
                _mm256_and_pd(_mm256_cmp_pd(a.y, zero, _CMP_GT_OQ), b.y)};
}

static inline v8 v8_relu(v8 a)
{
    __m256d zero = _mm256_setzero_pd();
    return (v8){_mm256_and_pd(_mm256_cmp_pd(a.x, zero, _CMP_NLE_UQ), a.x),
                _mm256_and_pd(_mm256_cmp_pd(a.y, zero, _CMP_NLE_UQ), a.y)};
}

static inline v8 v8_first(v8 a, int64_t n)
{
    return (v8){_mm256_and_pd(_mm256_castsi256_pd(v8_below(n)), a.x),
                _mm256_and_pd(_mm256_castsi256_pd(v8_below(n - 4)), a.y)};
}

static inline double v8_sum(v8 a)
{
    __m256d four = _mm256_add_pd(a.x, a.y);
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

static inline void v8_sum4(double *out, v8 a, v8 b, v8 c, v8 d)
{
    __m256d fa = _mm256_add_pd(a.x, a.y), fb = _mm256_add_pd(b.x, b.y);
    __m256d fc = _mm256_add_pd(c.x, c.y), fd = _mm256_add_pd(d.x, d.y);
    __m256d ab = _mm256_add_pd(_mm256_permute2f128_pd(fa, fb, 0x20), _mm256_permute2f128_pd(fa, fb, 0x31));
    __m256d cd = _mm256_add_pd(_mm256_permute2f128_pd(fc, fd, 0x20), _mm256_permute2f128_pd(fc, fd, 0x31));
    _mm256_storeu_pd(out, _mm256_permute4x64_pd(_mm256_hadd_pd(ab, cd), 0xd8));
}
