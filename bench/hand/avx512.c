/* avx512.c - the loops for this instruction set (flags in bench/CMakeLists.txt). */
#define ISA avx512
#include "hand/loops.h"
