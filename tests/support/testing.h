/* testing.h - what every test includes: cmocka, a context that fails the test when it leaks, numbers that are close. */
#ifndef CRD_TESTING_H
#define CRD_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <credence/credence.h>
#include <jansson.h>
#include <stdbool.h>

/* A context whose allocations are counted. testing_context_destroy fails the test if any block is left. */
crd_context *testing_context(void);
void testing_context_destroy(crd_context **ctx);
int64_t testing_allocations(void); /* calls that allocated since the start */
void testing_fail_allocation(int64_t k); /* the k-th allocation from now on fails; 0: none does */
bool testing_allocation_failed(void); /* whether that came to pass */
int64_t testing_live(void); /* blocks that are not freed */

/* Fails the test with the library's message unless status is CRD_OK. */
#define assert_ok(ctx, expression) testing_ok((ctx), (expression), #expression, __FILE__, __LINE__)
void testing_ok(crd_context *ctx, crd_status status, const char *expression, const char *file, int line);

/* |a - b| <= relative * max(|a|, |b|) + absolute; equal infinities and two NaNs count as close. */
#define assert_close(a, b, relative, absolute) testing_close((a), (b), (relative), (absolute), #a, __FILE__, __LINE__)
void testing_close(double a, double b, double relative, double absolute, const char *what, const char *file, int line);
double testing_ulp(double a, double b); /* distance in units of the last place of doubles */
double testing_ulp_single(float a, float b);

/* Reads a JSON file from tests/data; fails the test when it cannot. Numbers that are strings ("nan", "inf") are read by
 * testing_number; null gives NaN. */
json_t *testing_json(const char *name);
double testing_number(const json_t *value);
/* Copies a (nested) JSON array of numbers, row by row; returns how many. out may be NULL to count. */
int64_t testing_numbers(const json_t *value, double *out);

/* Turns a locale with a decimal comma on or the C locale back on; false if none is installed. */
bool testing_decimal_comma(bool on);

/* Valgrind computes long doubles and the software fma of libm with less than their digits, and lets a program that is not
 * there be spawned: what is checked to the last bit against these, or for that failure, is skipped there. */
bool testing_under_valgrind(void);

/* Whether this build has sanitizers, and how many of so many draws a test of statistics takes in it: all, but an eighth under them.
 * They ask what memory and threads do, which shows in few draws; the optimised build, whose draws have the same bits, asks for
 * the moments. */
bool testing_sanitized(void);
int64_t testing_draws(int64_t draws);

/* A file of the shared reference data, or NULL (the test skips, saying so, with testing_skip). */
const char *testing_shared(const char *name);
#define testing_skip(...)                                                                                              \
    do {                                                                                                               \
        print_message(__VA_ARGS__);                                                                                    \
        skip();                                                                                                        \
    } while (0)

#endif
