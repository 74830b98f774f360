/* all.h - every kernel and the table of them, for one instruction set: isa/NAME.c defines CRDI_ISA and includes this, and so
 * does isa/NAME_single.c with CRDI_SINGLE 1, for the table of floats. */
#ifndef CRDI_SINGLE
#define CRDI_SINGLE 0
#endif

#include "kernel/impl/real.h"
#include "kernel/view.h"

#include "kernel/impl/elementwise.h"
#include "kernel/impl/reduce.h"
#include "kernel/impl/chain.h"
#include "kernel/impl/product.h"
#include "kernel/impl/dense.h"
#include "kernel/impl/layers.h"
#include "kernel/impl/move.h"
#if CRDI_SINGLE
#include "kernel/impl/convert.h"
#else
#include "kernel/impl/scan.h"
#include "kernel/impl/linalg.h"
#include "kernel/impl/scalars.h"
#include "kernel/impl/vector.h"
#endif

#define CRDI_PASTE_(a, b) a##b
#define CRDI_PASTE(a, b) CRDI_PASTE_(a, b)
#define CRDI_TEXT_(a) #a
#define CRDI_TEXT(a) CRDI_TEXT_(a)

#define UNARY(name) k_##name,
#define BINARY(name) k_##name##_vv, k_##name##_vs, k_##name##_sv,
#define OTHER(name) k_##name,
#define FUSED(name) k_##name,
#if CRDI_SINGLE
#define WIDE(name) NULL,
#define SINGLE(name) k_##name,
const crdi_kernel_fn CRDI_PASTE(crdi_kernels_single_, CRDI_ISA)[CRDI_KERNEL_COUNT] = {
#include "kernel/kernels.def"
};
#else
#define WIDE(name) k_##name,
#define SINGLE(name) NULL,
const crdi_kernel_table CRDI_PASTE(crdi_kernels_, CRDI_ISA) = {
    CRDI_TEXT(CRDI_ISA),
    {
#include "kernel/kernels.def"
    },
    {v_axpy, v_add, v_mul, v_dot, v_kick_drift, v_kick_sharp, v_no_turn, v_exp, v_log_add_exp},
    CRDI_PASTE(crdi_kernels_single_, CRDI_ISA),
};
#endif
