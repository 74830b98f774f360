/* tutorial.h - the data of the tutorial, made from a key as the page makes them. */
#ifndef CRDI_TUTORIAL_H
#define CRDI_TUTORIAL_H

#include <credence/random.h>

enum { CRDI_TUTORIAL_ROWS = 40 };

/* x ~ Uniform(-1, 1), y = x sin(5 x) + 0.1 noise, in single precision from key 0 in the order in which JAX before 0.5 drew
 * (the page is of 2022): the numbers of tests/data/regression.csv. x and y have CRDI_TUTORIAL_ROWS elements. */
void crdi_tutorial_regression(double *x, double *y);

enum { CRDI_TUTORIAL_CLASSES = 3 };

/* Three arms of a spiral: point i of n of class j lies at radius i / (2 (n - 1)) and at the angle 4 (j + i / (n - 1)) + 0.2 noise,
 * measured from the second axis. The page draws the noise with numpy's global generator; here class j has
 * that of crd_key_fold_in(key, j), in double. x: (3 n, 2), y: (3 n), class after class; n is 100 on the page, 2 or more. */
void crdi_tutorial_spiral(crd_key key, int n, double *x, double *y);

#endif
