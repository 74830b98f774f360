/* all.h - every kernel and the table of them, for one instruction set: isa/NAME.c defines CRDI_ISA and includes this. */
#include "kernel/impl/simd.h"
#include "kernel/view.h"
#include "kernel/vmath.h"

#include "kernel/impl/elementwise.h"
#include "kernel/impl/reduce.h"
#include "kernel/impl/product.h"
#include "kernel/impl/dense.h"
#include "kernel/impl/move.h"
#include "kernel/impl/linalg.h"
#include "kernel/impl/scalars.h"
#include "kernel/impl/vector.h"

#define CRDI_PASTE_(a, b) a##b
#define CRDI_PASTE(a, b) CRDI_PASTE_(a, b)
#define CRDI_TEXT_(a) #a
#define CRDI_TEXT(a) CRDI_TEXT_(a)

const crdi_kernel_table CRDI_PASTE(crdi_kernels_, CRDI_ISA) = {
    CRDI_TEXT(CRDI_ISA),
    {
#define UNARY(name) k_##name,
#define BINARY(name) k_##name##_vv, k_##name##_vs, k_##name##_sv,
#define OTHER(name) k_##name,
#define FUSED(name) k_##name,
#include "kernel/kernels.def"
#undef UNARY
#undef BINARY
#undef OTHER
#undef FUSED
    },
    {v_axpy, v_add, v_mul, v_dot, v_kick_drift, v_kick_sharp, v_no_turn, v_exp, v_log_add_exp},
};
