/* whole.c - see whole.h. */
#include "infer/mcmc/whole.h"

#include <string.h>

crd_status crdi_whole_create(crdi_whole *w, const crdi_batches *batches, crd_exec *exec)
{
    *w = (crdi_whole){.batches = batches, .exec = exec, .parts = batches->population / batches->rows};
    if (!batches->last)
        return CRD_OK;
    w->parts++;
    return crd_exec_create(&w->last, batches->last);
}

void crdi_whole_destroy(crdi_whole *w)
{
    crd_exec_destroy(&w->last);
    *w = (crdi_whole){0};
}

const double *crdi_whole_part(crdi_whole *w, int64_t i, double *weight)
{
    const crdi_batches *b = w->batches;
    bool is_last = w->last && i == w->parts - 1;
    crd_exec *exec = is_last ? w->last : w->exec;
    int64_t rows = is_last ? b->left : b->rows;
    double *input = crd_exec_input(exec);
    if (is_last)
        memcpy(input, crd_exec_input(w->exec), sizeof *input * (size_t)b->dim);
    for (int64_t k = 0; k < rows && rows < b->population; k++)
        input[b->dim + k] = (double)(i * b->rows + k);
    crd_exec_run(exec);
    *weight = (double)rows / (double)b->population;
    return crd_exec_output(exec);
}

void crdi_whole_sum(crdi_whole *w, double *out)
{
    memset(out, 0, sizeof *out * (size_t)(w->batches->dim + 1));
    for (int64_t i = 0; i < w->parts; i++) {
        double weight;
        const double *part = crdi_whole_part(w, i, &weight);
        for (int64_t k = 0; k <= w->batches->dim; k++)
            out[k] += weight * part[k];
    }
}
