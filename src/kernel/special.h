/* special.h - distribution functions and their inverses, one number at a time: what operations of the graph call.
 *
 * Like vmath.h these use our own elementary functions only, so that their bits do not depend on the instruction set.
 * Arguments outside the domain give NaN. Accuracy is asserted against mpmath points in tests/unit/kernel/test_special.c. */
#ifndef CRDI_SPECIAL_H
#define CRDI_SPECIAL_H

/* log of Phi(z), the standard normal distribution function, and the z for a given log of it: accurate in the lower tail. */
double crdi_log_normal_cdf(double z);
double crdi_normal_quantile_of_log(double log_p);

/* P(a, x) and Q(a, x) = 1 - P, the regularised incomplete gamma functions; x with P(a, x) = p. */
double crdi_gamma_p(double a, double x);
double crdi_gamma_q(double a, double x);
double crdi_gamma_quantile(double a, double p);
/* d log(x) / d a where P(a, x) stays the same: the implicit derivative of a draw. Takes log x, as x may underflow. */
double crdi_log_gamma_slope(double a, double log_x);

/* I_x(a, b), the regularised incomplete beta function, and x with I_x(a, b) = p. */
double crdi_beta_cdf(double a, double b, double x);
double crdi_beta_quantile(double a, double b, double p);

/* Student's t with df degrees of freedom. */
double crdi_student_t_cdf(double df, double t);
double crdi_student_t_quantile(double df, double p);

/* The first count whose distribution function reaches p. Infinite for p = 1 where the counts are. */
double crdi_poisson_quantile(double rate, double p);
double crdi_binomial_quantile(double n, double probability, double p);
double crdi_negative_binomial_quantile(double mean, double concentration, double p);
double crdi_beta_binomial_quantile(double n, double a, double b, double p);

/* log I_0(k) and I_1(k) / I_0(k) for k >= 0, the modified Bessel functions. */
double crdi_log_bessel_i0(double k);
double crdi_bessel_ratio(double k);
/* The von Mises distribution function with mean 0 and concentration k, at an angle x; 0 at -pi, 1 at pi. */
double crdi_von_mises_cdf(double k, double x);

/* ---- what the files of these functions share ------------------------------------------------------------------ */

/* t - log(1 + t), without the cancellation near 0. */
double crdi_log1p_defect(double t);
/* log G(a) - ((a - 1/2) log a - a + log(2 pi) / 2), for a >= 8: what Stirling's formula leaves. */
double crdi_stirling_rest(double a);

/* A function that rises (log F - log p, or log q - log of the upper tail) and its slope. */
typedef double (*crdi_rising_fn)(const void *problem, double u, double *slope);
/* Its root by Newton's method inside a bracket that shrinks, which cannot run away. */
double crdi_rising_root(crdi_rising_fn f, const void *problem, double low, double high, double start);

#endif
