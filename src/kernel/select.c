/* select.c - which instruction sets this build has and which of them this processor can run. */
#include "base/context_impl.h"
#include "kernel/kernel.h"

#include <string.h>

static const crdi_kernel_table *const tables[] = {
#if defined(__x86_64__)
    &crdi_kernels_avx512,
    &crdi_kernels_avx2,
#endif
    &crdi_kernels_portable,
};

int crdi_kernels_count(void)
{
    return CRDI_COUNT(tables);
}

const crdi_kernel_table *crdi_kernels_get(int i)
{
    return tables[i];
}

int crdi_kernels_usable(const crdi_kernel_table *table)
{
#if defined(__x86_64__)
    if (table == &crdi_kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("fma");
    if (table == &crdi_kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return table == &crdi_kernels_portable;
}

crd_status crdi_kernels_select(const char *name, const void **out, const char **out_name)
{
    for (int i = 0; i < CRDI_COUNT(tables); i++) {
        if (name && strcmp(name, tables[i]->name) != 0)
            continue;
        if (!crdi_kernels_usable(tables[i])) {
            if (name)
                return CRD_EUNSUPPORTED;
            continue;
        }
        *out = tables[i];
        *out_name = tables[i]->name;
        return CRD_OK;
    }
    return CRD_ENAME;
}

const char *crdi_kernel_name(enum crdi_kernel kernel)
{
    static const char *const names[] = {
#define UNARY(name) #name,
#define BINARY(name) #name "_vv", #name "_vs", #name "_sv",
#define OTHER(name) #name,
#define FUSED(name) #name,
#include "kernel/kernels.def"
    };
    return names[kernel];
}
