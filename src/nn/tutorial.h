/* tutorial.h - the data of the tutorial's regression problem, made from a key as the page makes them. */
#ifndef CRDI_TUTORIAL_H
#define CRDI_TUTORIAL_H

#include <stdint.h>

enum { CRDI_TUTORIAL_ROWS = 40 };

/* x ~ Uniform(-1, 1), y = x sin(5 x) + 0.1 noise, in single precision from key 0 in the order in which JAX before 0.5 drew
 * (the page is of 2022): the numbers of tests/data/regression.csv. x and y have CRDI_TUTORIAL_ROWS elements. */
void crdi_tutorial_regression(double *x, double *y);

#endif
