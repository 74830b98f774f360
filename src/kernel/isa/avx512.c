/* avx512.c - the kernels as compiled for this instruction set (flags in CMakeLists.txt). */
#define CRDI_ISA avx512
#include "kernel/impl/all.h"
