/* start.h - start points from a program that is compiled once and run by many threads; see start.c. */
#ifndef CRDI_START_H
#define CRDI_START_H

#include "model/model.h"

typedef struct crdi_starter {
    crd_context *ctx;
    crd_program *program; /* (key: 2 words) -> u */
    int64_t dim;
    int draws; /* of which the median is taken; an odd number */
    bool random; /* another key gives another point */
} crdi_starter;

crd_status crdi_starter_create(crdi_starter *starter, const crd_model *model, const crd_start *start);
void crdi_starter_destroy(crdi_starter *starter);
crd_status crdi_starter_run(const crdi_starter *starter, crd_key key, double *u);

#endif
