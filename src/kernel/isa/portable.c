/* portable.c - the kernels as compiled for this instruction set (flags in CMakeLists.txt). */
#define CRDI_ISA portable
#include "kernel/impl/all.h"
