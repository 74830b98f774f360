/* simd_portable.h - v8 as four vectors of two, which every 64-bit processor has; see simd.h. */

#define CRDI_TILE_WIDE 1 /* as below, for #if */
#define CRDI_DOT_HIGH 1
#define CRDI_BACK_CASES 0 /* whether dense.h has code of its own for small layers */
enum { TILE_HIGH = 4, TILE_WIDE = CRDI_TILE_WIDE, BACK_UNITS = 1, DOT_HIGH = CRDI_DOT_HIGH };

typedef double v2 __attribute__((vector_size(16)));
typedef struct v8 {
    v2 x, y, z, w;
} v8;

static inline v8 v8_load(const double *p)
{
    return (v8){{p[0], p[1]}, {p[2], p[3]}, {p[4], p[5]}, {p[6], p[7]}};
}

static inline void v8_store(double *p, v8 a)
{
    memcpy(p, &a.x, sizeof a.x);
    memcpy(p + 2, &a.y, sizeof a.y);
    memcpy(p + 4, &a.z, sizeof a.z);
    memcpy(p + 6, &a.w, sizeof a.w);
}

static inline v8 v8_load_n(const double *p, int64_t n)
{
    double r[CRDI_LANES] = {0};
    for (int64_t i = 0; i < n; i++)
        r[i] = p[i];
    return v8_load(r);
}

static inline void v8_store_n(double *p, v8 a, int64_t n)
{
    double r[CRDI_LANES];
    v8_store(r, a);
    for (int64_t i = 0; i < n; i++)
        p[i] = r[i];
}

static inline v8 v8_set(double a)
{
    return (v8){{a, a}, {a, a}, {a, a}, {a, a}};
}

static inline v8 v8_add(v8 a, v8 b)
{
    return (v8){a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}

static inline v2 v2_fma(v2 a, v2 b, v2 c)
{
    return (v2){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])};
}

static inline v8 v8_fma(v8 a, v8 b, v8 c)
{
    return (v8){v2_fma(a.x, b.x, c.x), v2_fma(a.y, b.y, c.y), v2_fma(a.z, b.z, c.z), v2_fma(a.w, b.w, c.w)};
}

static inline v8 v8_sub(v8 a, v8 b)
{
    return (v8){a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w};
}

static inline v8 v8_mul(v8 a, v8 b)
{
    return (v8){a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w};
}

static inline v8 v8_fnma(v8 a, v8 b, v8 c)
{
    return v8_fma((v8){-a.x, -a.y, -a.z, -a.w}, b, c);
}

static inline v2 v2_if_positive(v2 a, v2 b)
{
    return (v2){a[0] > 0 ? b[0] : 0, a[1] > 0 ? b[1] : 0};
}

static inline v8 v8_if_positive(v8 a, v8 b)
{
    return (v8){v2_if_positive(a.x, b.x), v2_if_positive(a.y, b.y), v2_if_positive(a.z, b.z), v2_if_positive(a.w, b.w)};
}

static inline v2 v2_relu(v2 a)
{
    return (v2){a[0] <= 0 ? 0 : a[0], a[1] <= 0 ? 0 : a[1]};
}

static inline v8 v8_relu(v8 a)
{
    return (v8){v2_relu(a.x), v2_relu(a.y), v2_relu(a.z), v2_relu(a.w)};
}

static inline v8 v8_first(v8 a, int64_t n)
{
    double r[CRDI_LANES];
    v8_store(r, a);
    return v8_load_n(r, n);
}

static inline double v8_sum(v8 a)
{
    v2 two = (a.x + a.z) + (a.y + a.w);
    return two[0] + two[1];
}

static inline void v8_sum4(double *out, v8 a, v8 b, v8 c, v8 d)
{
    out[0] = v8_sum(a);
    out[1] = v8_sum(b);
    out[2] = v8_sum(c);
    out[3] = v8_sum(d);
}
