/* main.c - the smallest program that uses an installed credence. */
#include <credence/credence.h>
#include <stdio.h>

int main(void)
{
    crd_context *ctx = NULL;
    if (crd_context_create(&ctx, NULL) != CRD_OK)
        return 1;
    printf("credence %s, %s\n", crd_version(), crd_context_kernels(ctx));
    crd_context_destroy(&ctx);
    return 0;
}
