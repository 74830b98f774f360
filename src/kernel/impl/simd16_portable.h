/* simd16_portable.h - v16 as four vectors of four; see simd.h. */

typedef float v4f __attribute__((vector_size(16)));
typedef struct v16 {
    v4f x, y, z, w;
} v16;

static inline v16 v16_load(const float *p)
{
    v16 a;
    memcpy(&a.x, p, sizeof a.x);
    memcpy(&a.y, p + 4, sizeof a.y);
    memcpy(&a.z, p + 8, sizeof a.z);
    memcpy(&a.w, p + 12, sizeof a.w);
    return a;
}

static inline void v16_store(float *p, v16 a)
{
    memcpy(p, &a.x, sizeof a.x);
    memcpy(p + 4, &a.y, sizeof a.y);
    memcpy(p + 8, &a.z, sizeof a.z);
    memcpy(p + 12, &a.w, sizeof a.w);
}

static inline v16 v16_load_n(const float *p, int64_t n)
{
    float r[16] = {0};
    for (int64_t i = 0; i < n; i++)
        r[i] = p[i];
    return v16_load(r);
}

static inline void v16_store_n(float *p, v16 a, int64_t n)
{
    float r[16];
    v16_store(r, a);
    for (int64_t i = 0; i < n; i++)
        p[i] = r[i];
}

static inline v16 v16_set(float a)
{
    v4f four = {a, a, a, a};
    return (v16){four, four, four, four};
}

static inline v16 v16_add(v16 a, v16 b)
{
    return (v16){a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}

static inline v4f v4f_fma(v4f a, v4f b, v4f c)
{
    return (v4f){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
}

static inline v16 v16_fma(v16 a, v16 b, v16 c)
{
    return (v16){v4f_fma(a.x, b.x, c.x), v4f_fma(a.y, b.y, c.y), v4f_fma(a.z, b.z, c.z), v4f_fma(a.w, b.w, c.w)};
}

static inline v16 v16_sub(v16 a, v16 b)
{
    return (v16){a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w};
}

static inline v16 v16_mul(v16 a, v16 b)
{
    return (v16){a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w};
}

static inline v16 v16_fnma(v16 a, v16 b, v16 c)
{
    return v16_fma((v16){-a.x, -a.y, -a.z, -a.w}, b, c);
}

static inline v16 v16_if_positive(v16 a, v16 b)
{
    float p[16], q[16];
    v16_store(p, a);
    v16_store(q, b);
    for (int i = 0; i < 16; i++)
        q[i] = p[i] > 0 ? q[i] : 0;
    return v16_load(q);
}

static inline v16 v16_relu(v16 a)
{
    float p[16];
    v16_store(p, a);
    for (int i = 0; i < 16; i++)
        p[i] = p[i] <= 0 ? 0 : p[i];
    return v16_load(p);
}

static inline v16 v16_first(v16 a, int64_t n)
{
    float r[16];
    v16_store(r, a);
    return v16_load_n(r, n);
}

static inline v8 v16_low(v16 a)
{
    return (v8){{a.x[0], a.x[1]}, {a.x[2], a.x[3]}, {a.y[0], a.y[1]}, {a.y[2], a.y[3]}};
}

static inline v8 v16_high(v16 a)
{
    return (v8){{a.z[0], a.z[1]}, {a.z[2], a.z[3]}, {a.w[0], a.w[1]}, {a.w[2], a.w[3]}};
}

static inline float v16_sum(v16 a)
{
    v4f four = (a.x + a.z) + (a.y + a.w);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

static inline void v16_sum4(float *out, v16 a, v16 b, v16 c, v16 d)
{
    out[0] = v16_sum(a);
    out[1] = v16_sum(b);
    out[2] = v16_sum(c);
    out[3] = v16_sum(d);
}
