/* optim_parse.h - a chain of gradient transformations from its text; the grammar is in optim.h. */
#ifndef CRDI_OPTIM_PARSE_H
#define CRDI_OPTIM_PARSE_H

#include "infer/svi/optim.h"

typedef struct crdi_chain_parts {
    crdi_transform part[CRDI_CHAIN_PARTS]; /* without state */
    int parts;
} crdi_chain_parts;

/* `out` is undefined after an error. */
crd_status crdi_optimiser_parse(crd_context *ctx, const char *text, crdi_chain_parts *out);

#endif
