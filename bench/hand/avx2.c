/* avx2.c - the loops for this instruction set (flags in bench/CMakeLists.txt). */
#define ISA avx2
#include "hand/loops.h"
