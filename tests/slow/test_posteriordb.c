/* test_posteriordb.c - the programs of examples/posteriordb, run as a user runs them, against the reference draws of
 * posteriordb (10 chains of 1000, thinned until all but independent; ../shared/posteriordb has them).
 *
 * Means and standard deviations must agree within five standard errors, the Monte Carlo errors of both sides counted.
 * The settings must be the reference's (its reference.info.json), but for the centred eight schools, whose reference was
 * drawn with the other parametrisation. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct posterior {
    const char *name; /* of the program, and of the Stan model */
    const char *data; /* the folder is data-name */
    int draws; /* a chain */
    double target_accept; /* 0: as in the reference */
};

static struct posterior posteriors[] = {
    {"arK", "arK", 4000, 0},
    {"eight_schools_centered", "eight_schools", 10000, 0.99},
    {"eight_schools_noncentered", "eight_schools", 10000, 0},
    {"garch11", "garch", 4000, 0},
    {"gp_pois_regr", "gp_pois_regr", 2000, 0},
    {"hmm_example", "hmm_example", 4000, 0},
    {"kidscore_momiq", "kidiq", 4000, 0},
    {"kilpisjarvi", "kilpisjarvi_mod", 4000, 0},
    {"low_dim_gauss_mix", "low_dim_gauss_mix", 4000, 0},
    {"nes", "nes1972", 4000, 0},
    {"blr", "sblrc", 4000, 0},
};

enum { COUNT = sizeof posteriors / sizeof *posteriors, NAMES = 64 };

/* A file of a posterior; the test skips where there is none. */
static const char *file_of(const struct posterior *p, const char *file, char *buffer, size_t size)
{
    char name[256];
    snprintf(name, sizeof name, "posteriordb/%s-%s/%s", p->data, p->name, file);
    const char *path = testing_shared(name);
    if (!path)
        testing_skip("no ../shared/%s\n", name);
    snprintf(buffer, size, "%s", path);
    return buffer;
}

/* What a program printed: one row a quantity, and the last line. */
struct output {
    int exit_code;
    int rows;
    char name[NAMES][64];
    double r_hat[NAMES], z_mean[NAMES], z_sd[NAMES];
    double target_accept;
    int max_depth;
    char complaint[256];
};

static void run_program(const char *name, const char *data, const char *reference, int draws, const char *more,
                        struct output *out)
{
    char command[2048], line[512];
    *out = (struct output){0};
    snprintf(command, sizeof command, "'%s/example_%s' '%s' --reference '%s' --draws %d %s 2>&1", EXAMPLE_PROGRAMS,
             name, data, reference, draws, more);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        char *o = out->rows < NAMES ? out->name[out->rows] : NULL;
        int i = out->rows;
        if (o && sscanf(line, "%63s %*f %*f %*f %lf %*f %*f %lf %lf", o, &out->r_hat[i], &out->z_mean[i],
                        &out->z_sd[i]) == 4)
            out->rows++;
        else if (sscanf(line, "target_accept %lf, max_depth %d", &out->target_accept, &out->max_depth) != 2)
            snprintf(out->complaint, sizeof out->complaint, "%.*s", (int)strcspn(line, "\n"), line);
        else
            print_message("  %s: %s", name, line);
    }
    int status = pclose(pipe);
    out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_settings(const struct posterior *p, const json_t *info, const struct output *out)
{
    const json_t *control =
        json_object_get(json_object_get(json_object_get(info, "inference"), "method_arguments"), "control");
    const json_t *depth = json_object_get(control, "max_treedepth");
    assert_non_null(json_object_get(control, "adapt_delta"));
    double target = p->target_accept != 0 ? p->target_accept : testing_number(json_object_get(control, "adapt_delta"));
    assert_close(out->target_accept, target, 1e-12, 0);
    assert_int_equal(out->max_depth, depth ? (int)json_integer_value(depth) : 10);
}

static void check_rows(const json_t *info, const struct output *out)
{
    const json_t *names =
        json_object_get(json_object_get(json_object_get(info, "diagnostics"), "diagnostic_information"), "names");
    double worst = 0;
    assert_int_equal(out->rows, (int)json_array_size(names));
    assert_true(out->rows > 0);
    for (size_t k = 0; k < json_array_size(names); k++) { /* in whatever order */
        int i = 0;
        while (i < out->rows && strcmp(out->name[i], json_string_value(json_array_get(names, k))) != 0)
            i++;
        assert_true(i < out->rows);
        if (!(fabs(out->z_mean[i]) <= 5) || !(fabs(out->z_sd[i]) <= 5) || !(out->r_hat[i] < 1.05))
            fail_msg("%s: z of the mean %.2f, of the standard deviation %.2f, r_hat %.3f", out->name[i], out->z_mean[i],
                     out->z_sd[i], out->r_hat[i]);
        worst = fmax(worst, fmax(fabs(out->z_mean[i]), fabs(out->z_sd[i])));
    }
    print_message("  %d quantities, the largest difference is %.2f standard errors\n", out->rows, worst);
}

static void check(const struct posterior *p, int draws, const char *more)
{
    struct output out;
    char data[1024], reference[1024], path[1024];
    file_of(p, "data.json", data, sizeof data);
    file_of(p, "draws.csv", reference, sizeof reference);
    json_t *info = testing_json(file_of(p, "reference.info.json", path, sizeof path));
    run_program(p->name, data, reference, draws, more, &out);
    if (out.exit_code != 0)
        print_message("  %s: %s\n", p->name, out.complaint);
    check_rows(info, &out);
    check_settings(p, info, &out);
    assert_int_equal(out.exit_code, 0);
    json_decref(info);
}

static void agrees(void **state)
{
    const struct posterior *p = *state;
    check(p, p->draws, "");
}

/* Warm-ups of 50 iterations, all but the centred eight schools, whose funnel needs more draws than these. */
static void short_warmups_agree(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        if (strcmp(posteriors[i].name, "eight_schools_centered") != 0)
            check(&posteriors[i], 1000, "--warmup 50 --metric low_rank");
}

/* Writes a copy of a table of numbers in which one column, counted from 0, is a shift and a factor away. */
static void distort(const char *from, FILE *to, int which, double factor, double shift)
{
    char line[4096];
    FILE *in = fopen(from, "r");
    assert_non_null(in);
    for (int row = 0; fgets(line, sizeof line, in); row++) {
        if (row == 0) {
            fputs(line, to);
            continue;
        }
        char *cell = strtok(line, ",\n");
        for (int k = 0; cell; k++, cell = strtok(NULL, ",\n"))
            fprintf(to, "%s%.9g", k ? "," : "",
                    strtod(cell, NULL) * (k == which ? factor : 1) + (k == which ? shift : 0));
        fputc('\n', to);
    }
    fclose(in);
}

/* The comparison is no formality: a reference that is a tenth of a standard deviation off, or a tenth wider, is refused. */
static void refuses_a_wrong_reference(void **state)
{
    (void)state;
    const struct posterior *p = &posteriors[2];
    char data[1024], reference[1024];
    file_of(p, "data.json", data, sizeof data);
    file_of(p, "draws.csv", reference, sizeof reference);
    for (int wider = 0; wider < 2; wider++) {
        struct output out;
        char name[] = "/tmp/credence_reference_XXXXXX";
        int file = mkstemp(name);
        FILE *to = fdopen(file, "w");
        assert_non_null(to);
        distort(reference, to, 2, wider ? 1.1 : 1, wider ? 0 : 0.47); /* theta[2], whose sd is 4.65 */
        fclose(to);
        run_program(p->name, data, name, p->draws, "", &out);
        unlink(name);
        assert_int_equal(out.exit_code, 1);
        assert_non_null(strstr(out.complaint, "does not agree"));
        assert_true(fabs(wider ? out.z_sd[1] : out.z_mean[1]) > 5);
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT + 2];
    for (int i = 0; i < COUNT; i++)
        tests[i] = (struct CMUnitTest){posteriors[i].name, agrees, NULL, NULL, &posteriors[i]};
    tests[COUNT] = (struct CMUnitTest)cmocka_unit_test(refuses_a_wrong_reference);
    tests[COUNT + 1] = (struct CMUnitTest)cmocka_unit_test(short_warmups_agree);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
