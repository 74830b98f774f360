/* simd16_avx512.h - v16 as one register; see simd.h. */

typedef struct v16 {
    __m512 x;
} v16;

static inline v16 v16_load(const float *p)
{
    return (v16){_mm512_loadu_ps(p)};
}

static inline void v16_store(float *p, v16 a)
{
    _mm512_storeu_ps(p, a.x);
}

static inline v16 v16_load_n(const float *p, int64_t n)
{
    return (v16){_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p)};
}

static inline void v16_store_n(float *p, v16 a, int64_t n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), a.x);
}

static inline v16 v16_set(float a)
{
    return (v16){_mm512_set1_ps(a)};
}

static inline v16 v16_add(v16 a, v16 b)
{
    return (v16){_mm512_add_ps(a.x, b.x)};
}

static inline v16 v16_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm512_fmadd_ps(a.x, b.x, c.x)};
}

static inline v16 v16_sub(v16 a, v16 b)
{
    return (v16){_mm512_sub_ps(a.x, b.x)};
}

static inline v16 v16_mul(v16 a, v16 b)
{
    return (v16){_mm512_mul_ps(a.x, b.x)};
}

static inline v16 v16_fnma(v16 a, v16 b, v16 c)
{
    return (v16){_mm512_fnmadd_ps(a.x, b.x, c.x)};
}

static inline v16 v16_if_positive(v16 a, v16 b)
{
    return (v16){_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.x, _mm512_setzero_ps(), _CMP_GT_OQ), b.x)};
}

static inline v16 v16_relu(v16 a)
{
    return (v16){_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.x, _mm512_setzero_ps(), _CMP_NLE_UQ), a.x)};
}

static inline v16 v16_first(v16 a, int64_t n)
{
    return (v16){_mm512_maskz_mov_ps((__mmask16)((1u << n) - 1), a.x)};
}

static inline v8 v16_low(v16 a)
{
    return (v8){_mm512_cvtps_pd(_mm512_castps512_ps256(a.x))};
}

static inline v8 v16_high(v16 a)
{
    return (v8){_mm512_cvtps_pd(_mm512_extractf32x8_ps(a.x, 1))};
}

static inline float v16_sum(v16 a)
{
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.x), _mm512_extractf32x8_ps(a.x, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline void v16_sum4(float *out, v16 a, v16 b, v16 c, v16 d)
{
    __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a.x, b.x, 0x44), _mm512_shuffle_f32x4(a.x, b.x, 0xee));
    __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c.x, d.x, 0x44), _mm512_shuffle_f32x4(c.x, d.x, 0xee));
    __m512 four = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    __m512 two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x4e));
    __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
    _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, one)));
}
