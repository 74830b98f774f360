/* canonical.h - one of the many sets of weights of a multi-layer perceptron that compute the same function.
 *
 * Hidden units can be swapped; what is odd, even or homogeneous in the activation allows changes of sign and scale besides.
 * A sampler visits all of these, so that means and r_hat of single weights say nothing. The canonical form is a function of
 * the weights alone, draw by draw: no draw is a reference for others. */
#ifndef CRDI_CANONICAL_H
#define CRDI_CANONICAL_H

#include "base/base.h"

enum { CRDI_ODD = 1, CRDI_EVEN = 2, CRDI_HALF_TURN = 4, CRDI_HOMOGENEOUS = 8 };

/* Of an activation (activations.def); 0 for a name that is none. */
unsigned crdi_activation_symmetry(const char *name);

enum { CRDI_MLP_MOST = 33 }; /* layers with weights */

typedef struct crdi_mlp {
    int layers; /* with weights: hidden layers + 1 */
    int64_t width[CRDI_MLP_MOST + 1]; /* inputs, hidden layers, outputs */
    unsigned symmetry; /* of the activation */
} crdi_mlp;

/* What was done to the hidden units of a layer: the unit at place j came from place from[j], times sign[j]. */
typedef struct crdi_mlp_units {
    int64_t *from; /* (units) */
    double *sign; /* (units); of its incoming weights */
} crdi_mlp_units;

/* Doubles of scratch memory that crdi_mlp_canonical needs. */
int64_t crdi_mlp_scratch(const crdi_mlp *mlp);

/* Brings weights into canonical form, in place. kernel[l] is (width[l], width[l + 1]), bias[l] is (width[l + 1]). From the input
 * on, first the scales of all layers, then layer by layer sign and order:
 *   scale  homogeneous: incoming weights and bias of each unit get length 1, the outgoing ones take its length over
 *   sign   odd, half turn, even: the incoming weights of each unit, without the bias, get a sum that is not negative
 *   order  by the length of the incoming weights times that of the outgoing ones, largest first
 * The function that the network computes stays the same but for rounding: each weight is multiplied by one number, or takes part
 * in sums in another order.
 *   units  by hidden layer (layers - 1), each written
 * Symmetries: Hecht-Nielsen 1990; Chen, Lu & Hecht-Nielsen 1993, doi:10.1162/neco.1993.5.6.910; that they hide mixing:
 * Papamarkou et al. 2022, doi:10.1214/21-STS840. */
void crdi_mlp_canonical(const crdi_mlp *mlp, double *const *kernel, double *const *bias, const crdi_mlp_units *units,
                        double *scratch);

/* Moves the rows (`axis` 0) or columns (1) of a (rows, columns) array to the places of their units, times their signs if
 * `signed_too`. scratch: as many doubles. */
void crdi_mlp_move(double *array, int64_t rows, int64_t columns, int axis, const crdi_mlp_units *units, bool signed_too,
                   double *scratch);

#endif
