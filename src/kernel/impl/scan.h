/* scan.h - running sums. */

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
