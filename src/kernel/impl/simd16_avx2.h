/* simd16_avx2.h - v16 as two registers; see simd.h. */

typedef struct v16 {
    __m256 x, y;
} v16;

/* All ones in the lanes below n. */
static inline __m256i v16_below(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline v16 v16_load(const float *p)
{
    return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}

static inline void v16_store(float *p, v16 a)
{
    _mm256_storeu_ps(p, a.x);
    _mm256_storeu_ps(p + 8, a.y);
}

static inline v16 v16_load_n(const float *p, int64_t n)
{
    return (v16){_mm256_maskload_ps(p, v16_below(n)),
                 n > 8 ? _mm256_maskload_ps(p + 8, v16_below(n - 8)) : _mm256_setzero_ps()};
}

static inline void v16_store_n(float *p, v16 a, int64_t n)
{
    _mm256_maskstore_ps(p, v16_below(n), a.x);
    if (n > 8)
        _mm256_maskstore_ps(p + 8, v16_below(n - 8), a.y);
}

static inline v16 v16_set(float a)
{
    return (v16){_mm256_set1_ps(a), _mm256_set1_ps(a)};
}

static inline v16 v16_add(v16 a, v16 b)
{
    return (v16){_mm256_add_ps(a.x, b.x), _mm256_add_ps(a.y, b.y)};
}

static inline v16 v16_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fmadd_ps(a.x, b.x, c.x), _mm256_fmadd_ps(a.y, b.y, c.y)};
}

static inline v16 v16_sub(v16 a, v16 b)
{
    return (v16){_mm256_sub_ps(a.x, b.x), _mm256_sub_ps(a.y, b.y)};
}

static inline v16 v16_mul(v16 a, v16 b)
{
    return (v16){_mm256_mul_ps(a.x, b.x), _mm256_mul_ps(a.y, b.y)};
}

static inline v16 v16_fnma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fnmadd_ps(a.x, b.x, c.x), _mm256_fnmadd_ps(a.y, b.y, c.y)};
}

static inline v16 v16_if_positive(v16 a, v16 b)
{
    __m256 zero = _mm256_setzero_ps();
    return (v16){_mm256_and_ps(_mm256_cmp_ps(a.x, zero, _CMP_GT_OQ), b.x),
                 _mm256_and_ps(_mm256_cmp_ps(a.y, zero, _CMP_GT_OQ), b.y)};
}

static inline v16 v16_relu(v16 a)
{
    __m256 zero = _mm256_setzero_ps();
    return (v16){_mm256_and_ps(_mm256_cmp_ps(a.x, zero, _CMP_NLE_UQ), a.x),
                 _mm256_and_ps(_mm256_cmp_ps(a.y, zero, _CMP_NLE_UQ), a.y)};
}

static inline v16 v16_first(v16 a, int64_t n)
{
    return (v16){_mm256_and_ps(_mm256_castsi256_ps(v16_below(n)), a.x),
                 _mm256_and_ps(_mm256_castsi256_ps(v16_below(n - 8)), a.y)};
}

static inline v8 v16_low(v16 a)
{
    return (v8){_mm256_cvtps_pd(_mm256_castps256_ps128(a.x)), _mm256_cvtps_pd(_mm256_extractf128_ps(a.x, 1))};
}

static inline v8 v16_high(v16 a)
{
    return (v8){_mm256_cvtps_pd(_mm256_castps256_ps128(a.y)), _mm256_cvtps_pd(_mm256_extractf128_ps(a.y, 1))};
}

static inline float v16_sum(v16 a)
{
    __m256 eight = _mm256_add_ps(a.x, a.y);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline void v16_sum4(float *out, v16 a, v16 b, v16 c, v16 d)
{
    __m256 ea = _mm256_add_ps(a.x, a.y), eb = _mm256_add_ps(b.x, b.y);
    __m256 ec = _mm256_add_ps(c.x, c.y), ed = _mm256_add_ps(d.x, d.y);
    __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(ea, eb, 0x20), _mm256_permute2f128_ps(ea, eb, 0x31));
    __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(ec, ed, 0x20), _mm256_permute2f128_ps(ec, ed, 0x31));
    __m256 two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
    __m256 one = _mm256_hadd_ps(two, two); /* a c a c, b d b d */
    _mm_storeu_ps(out, _mm_unpacklo_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1)));
}
