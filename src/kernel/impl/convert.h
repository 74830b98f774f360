/* convert.h - between the two precisions. */

/* out[i] = the float next to a[i], n[0] elements; larger ones become infinite. */
static void k_narrow(const crdi_call *call)
{
    const double *a = call->in[0];
    float *out = call->out_single;
    _Pragma("omp simd")
    for (int64_t i = 0; i < call->n[0]; i++)
        out[i] = (float)a[i];
}

/* out[i] = a[i], n[0] elements. */
static void k_widen(const crdi_call *call)
{
    const float *a = call->in_single[0];
    double *out = call->out;
    _Pragma("omp simd")
    for (int64_t i = 0; i < call->n[0]; i++)
        out[i] = (double)a[i];
}
