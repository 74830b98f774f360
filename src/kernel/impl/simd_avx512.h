/* simd_avx512.h - v8 as one register; see simd.h. */
#include <immintrin.h>

#define CRDI_TILE_WIDE 4 /* as below, for #if */
#define CRDI_DOT_HIGH 4
#define CRDI_BACK_CASES 1 /* whether dense.h has code of its own for small layers */
/* Sums of a tile of a product, units in one pass of dense.h: as many as the registers hold beside the operands. */
enum { TILE_HIGH = 4, TILE_WIDE = CRDI_TILE_WIDE, BACK_UNITS = 2, DOT_HIGH = CRDI_DOT_HIGH };

typedef struct v8 {
    __m512d x;
} v8;

static inline v8 v8_load(const double *p)
{
    return (v8){_mm512_loadu_pd(p)};
}

static inline void v8_store(double *p, v8 a)
{
    _mm512_storeu_pd(p, a.x);
}

static inline v8 v8_load_n(const double *p, int64_t n)
{
    return (v8){_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p)};
}

static inline void v8_store_n(double *p, v8 a, int64_t n)
{
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), a.x);
}

static inline v8 v8_set(double a)
{
    return (v8){_mm512_set1_pd(a)};
}

static inline v8 v8_add(v8 a, v8 b)
{
    return (v8){_mm512_add_pd(a.x, b.x)};
}

static inline v8 v8_fma(v8 a, v8 b, v8 c)
{
    return (v8){_mm512_fmadd_pd(a.x, b.x, c.x)};
}

static inline v8 v8_sub(v8 a, v8 b)
{
    return (v8){_mm512_sub_pd(a.x, b.x)};
}

static inline v8 v8_mul(v8 a, v8 b)
{
    return (v8){_mm512_mul_pd(a.x, b.x)};
}

static inline v8 v8_fnma(v8 a, v8 b, v8 c)
{
    return (v8){_mm512_fnmadd_pd(a.x, b.x, c.x)};
}

static inline v8 v8_if_positive(v8 a, v8 b)
{
    return (v8){_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a.x, _mm512_setzero_pd(), _CMP_GT_OQ), b.x)};
}

static inline v8 v8_relu(v8 a)
{
    return (v8){_mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a.x, _mm512_setzero_pd(), _CMP_NLE_UQ), a.x)};
}

static inline v8 v8_first(v8 a, int64_t n)
{
    return (v8){_mm512_maskz_mov_pd((__mmask8)((1u << n) - 1), a.x)};
}

static inline double v8_sum(v8 a)
{
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(a.x), _mm512_extractf64x4_pd(a.x, 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

static inline void v8_sum4(double *out, v8 a, v8 b, v8 c, v8 d)
{
    __m512d ab = _mm512_add_pd(_mm512_shuffle_f64x2(a.x, b.x, 0x44), _mm512_shuffle_f64x2(a.x, b.x, 0xee));
    __m512d cd = _mm512_add_pd(_mm512_shuffle_f64x2(c.x, d.x, 0x44), _mm512_shuffle_f64x2(c.x, d.x, 0xee));
    __m512d two = _mm512_add_pd(_mm512_shuffle_f64x2(ab, cd, 0x88), _mm512_shuffle_f64x2(ab, cd, 0xdd));
    __m512d one = _mm512_add_pd(two, _mm512_permute_pd(two, 0x55));
    _mm256_storeu_pd(out, _mm512_castpd512_pd256(_mm512_maskz_compress_pd(0x55, one)));
}
