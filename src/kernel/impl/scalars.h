/* scalars.h - arithmetic on single numbers, many steps in one call: a call for each would cost more than the sum. */

/* n[0] steps in order, in extra (crdi_scalar); each computes what its kernel computes for one element. All are doubles, but
 * for what narrow writes and widen reads. */
static void k_scalars(const crdi_call *call)
{
    const crdi_scalar *step = call->extra, *end = step + call->n[0];
    for (; step < end; step++) {
        switch (step->kernel) {
#define UNARY(name)                                                                                                    \
    case CRDI_K_##name:                                                                                                \
        step->out[0] = vm_##name(step->in[0][0]);                                                                      \
        break;
#define BINARY(name)                                                                                                   \
    case CRDI_K_##name##_vv:                                                                                           \
    case CRDI_K_##name##_vs:                                                                                           \
    case CRDI_K_##name##_sv:                                                                                           \
        step->out[0] = vm_##name(step->in[0][0], step->in[1][0]);                                                      \
        break;
#define OTHER(name)
#define FUSED(name)
#include "kernel/kernels.def"
        case CRDI_K_select:
            step->out[0] = step->in[0][0] != 0 ? step->in[1][0] : step->in[2][0];
            break;
        case CRDI_K_narrow:
            step->out_single[0] = (float)step->in[0][0];
            break;
        case CRDI_K_widen:
            step->out[0] = (double)step->in_single[0][0];
            break;
        default:
            step->out[0] = step->in[0][0];
            break; /* copy */
        }
    }
}
