/* avx512_single.c - the kernels of floats as compiled for this instruction set (flags in cmake/Kernels.cmake). */
#define CRDI_ISA avx512
#define CRDI_SINGLE 1
#include "kernel/impl/all.h"
