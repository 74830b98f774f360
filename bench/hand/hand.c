/* hand.c - which builds there are. */
#include "hand/hand.h"

#include <string.h>

extern const hand_model hand_portable_models[2];
#if defined(__x86_64__)
extern const hand_model hand_avx2_models[2], hand_avx512_models[2];
#endif

const hand_model *hand_find(const char *kernels, int units)
{
    static const hand_model *const builds[] = {
        hand_portable_models,
#if defined(__x86_64__)
        hand_avx2_models,
        hand_avx512_models,
#endif
    };
    for (unsigned b = 0; b < sizeof builds / sizeof *builds; b++)
        for (int m = 0; m < 2; m++)
            if (strcmp(builds[b][m].kernels, kernels) == 0 && builds[b][m].units == units)
                return &builds[b][m];
    return NULL;
}
