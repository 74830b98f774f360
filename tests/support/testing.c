/* testing.c - see testing.h. */
#include "testing.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t allocations, live, fail_at;
static bool failed;

static void *counting_resize(void *user, void *block, size_t old_size, size_t size)
{
    (void)user;
    (void)old_size;
    pthread_mutex_lock(&lock);
    bool refuse = size && fail_at > 0 && --fail_at == 0;
    failed = failed || refuse;
    if (size && !refuse) {
        allocations++;
        live += block == NULL;
    } else if (size == 0 && block) {
        live--;
    }
    pthread_mutex_unlock(&lock);
    if (refuse)
        return NULL;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static void print_log(void *user, const char *line)
{
    (void)user;
    print_message("[ log      ] %s\n", line);
}

crd_context *testing_context(void)
{
    crd_context *ctx = NULL;
    crd_context_options options = {.resize = counting_resize, .log = print_log, .kernels = getenv("CREDENCE_KERNELS")};
    live = 0;
    fail_at = 0;
    assert_int_equal(crd_context_create(&ctx, &options), CRD_OK);
    return ctx;
}

void testing_context_destroy(crd_context **ctx)
{
    crd_context_destroy(ctx);
    assert_int_equal(live, 0);
}

int64_t testing_allocations(void)
{
    return allocations;
}

bool testing_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

bool testing_sanitized(void)
{
#ifdef CRDI_SANITIZED
    return true;
#else
    return false;
#endif
}

int64_t testing_draws(int64_t draws)
{
    return testing_sanitized() ? draws / 8 : draws;
}

void testing_fail_allocation(int64_t k)
{
    fail_at = k;
    failed = false;
}

bool testing_allocation_failed(void)
{
    return failed;
}

int64_t testing_live(void)
{
    return live;
}

void testing_ok(crd_context *ctx, crd_status status, const char *expression, const char *file, int line)
{
    if (status >= 0)
        return;
    print_error("%s: %s: %s\n", expression, crd_status_name(status), crd_error_message(ctx));
    _fail(file, line);
}

void testing_close(double a, double b, double relative, double absolute, const char *what, const char *file, int line)
{
    if ((isnan(a) && isnan(b)) || a == b)
        return;
    double error = fabs(a - b), allowed = relative * fmax(fabs(a), fabs(b)) + absolute;
    if (error <= allowed && isfinite(error)) /* infinity is not close to a number, whatever the tolerance */
        return;
    print_error("%s is %.17g, expected %.17g: off by %.3g, %.3g allowed\n", what, a, b, error, allowed);
    _fail(file, line);
}

double testing_ulp(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    if (!isfinite(a) || !isfinite(b))
        return INFINITY;
    double larger = fmax(fabs(a), fabs(b));
    return fabs(a - b) / (nextafter(larger, INFINITY) - larger);
}

double testing_ulp_single(float a, float b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    if (!isfinite(a) || !isfinite(b))
        return INFINITY;
    float larger = fmaxf(fabsf(a), fabsf(b));
    return fabs((double)a - (double)b) / ((double)nextafterf(larger, INFINITY) - (double)larger);
}

json_t *testing_json(const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : TEST_DATA, name[0] == '/' ? "" : "/", name);
    json_t *json = json_load_file(path, 0, &error);
    if (!json)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return json;
}

double testing_number(const json_t *value)
{
    if (json_is_string(value))
        return strtod(json_string_value(value), NULL);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t testing_numbers(const json_t *value, double *out)
{
    if (!json_is_array(value)) {
        if (out)
            *out = testing_number(value);
        return 1;
    }
    int64_t count = 0;
    for (size_t i = 0; i < json_array_size(value); i++)
        count += testing_numbers(json_array_get(value, i), out ? out + count : NULL);
    return count;
}

bool testing_decimal_comma(bool on)
{
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    if (!on)
        return setlocale(LC_ALL, "C") != NULL;
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++)
        if (setlocale(LC_ALL, commas[i]))
            return true;
    return false;
}

const char *testing_shared(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", SHARED_DATA, name);
    return access(path, R_OK) == 0 ? path : NULL;
}
