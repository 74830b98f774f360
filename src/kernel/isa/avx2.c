/* avx2.c - the kernels as compiled for this instruction set (flags in CMakeLists.txt). */
#define CRDI_ISA avx2
#include "kernel/impl/all.h"
