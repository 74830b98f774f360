/* test_netcdf.c - what is written to a netCDF file is read again; what is none is refused. */
#include "store/netcdf.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-netcdf-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/file.nc", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(crd_context *ctx)
{
    crdi_netcdf *nc;
    int group, dim[2], x, flag;
    const double values[6] = {1, 2.5, NAN, -INFINITY, 1e-300, 6}, more[2] = {70, 80}, flags[3] = {1, 0, 1};
    assert_ok(ctx, crdi_netcdf_create(ctx, path, path, &nc));
    assert_ok(ctx, crdi_netcdf_put_text(nc, crdi_netcdf_root(nc), CRDI_NETCDF_OF_GROUP, "title", "gr\u00f6\u00dfe"));
    assert_ok(ctx, crdi_netcdf_add_group(nc, "posterior", &group));
    assert_ok(ctx, crdi_netcdf_put_integer(nc, group, CRDI_NETCDF_OF_GROUP, "tuning_steps", 1234567890123));
    assert_ok(ctx, crdi_netcdf_add_dimension(nc, group, "chain", 2, &dim[0]));
    assert_ok(ctx, crdi_netcdf_add_dimension(nc, group, "draw", 3, &dim[1]));
    assert_ok(ctx, crdi_netcdf_add_variable(nc, group, "net.x", CRDI_NETCDF_DOUBLE, 2, dim, &x));
    assert_ok(ctx, crdi_netcdf_put_text(nc, group, x, "site", "net/x"));
    assert_ok(ctx, crdi_netcdf_put_number(nc, group, x, "half", 0.5));
    assert_ok(ctx, crdi_netcdf_add_variable(nc, group, "flag", CRDI_NETCDF_BOOL, 1, &dim[1], &flag));
    assert_ok(ctx, crdi_netcdf_write(nc, group, x, (int64_t[]){0, 0}, (int64_t[]){2, 3}, values));
    assert_ok(ctx, crdi_netcdf_write(nc, group, x, (int64_t[]){0, 2}, (int64_t[]){2, 1}, more));
    assert_ok(ctx, crdi_netcdf_write(nc, group, flag, (int64_t[]){0}, (int64_t[]){3}, flags));
    assert_int_equal(crdi_netcdf_add_group(nc, "posterior", &group), CRD_EIO);
    assert_non_null(strstr(crd_error_message(ctx), "file.nc: posterior: "));
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_netcdf_close(&nc));
    assert_null(nc);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_netcdf *nc;
    crdi_netcdf_variable v;
    int group, count;
    char *text;
    double x[6], number;
    write_file(ctx);
    assert_ok(ctx, crdi_netcdf_open(ctx, path, &nc));
    assert_ok(ctx, crdi_netcdf_get_text(nc, crdi_netcdf_root(nc), CRDI_NETCDF_OF_GROUP, "title", &text));
    assert_string_equal(text, "gr\u00f6\u00dfe");
    crdi_free(ctx, text);
    assert_false(crdi_netcdf_find_group(nc, "prior", &group));
    assert_true(crdi_netcdf_find_group(nc, "posterior", &group));
    assert_true(crdi_netcdf_get_number(nc, group, CRDI_NETCDF_OF_GROUP, "tuning_steps", &number));
    assert_true(number == 1234567890123);
    assert_false(crdi_netcdf_get_number(nc, group, CRDI_NETCDF_OF_GROUP, "absent", &number));
    assert_ok(ctx, crdi_netcdf_count_variables(nc, group, &count));
    assert_int_equal(count, 2);
    assert_ok(ctx, crdi_netcdf_variable_at(nc, group, 0, &v));
    assert_string_equal(v.name, "net.x");
    assert_true(v.type == CRDI_NETCDF_DOUBLE && v.ndim == 2 && v.extent[0] == 2 && v.extent[1] == 3);
    assert_string_equal(v.dim_name[1], "draw");
    assert_ok(ctx, crdi_netcdf_read(nc, group, &v, x));
    assert_true(x[0] == 1 && x[1] == 2.5 && x[2] == 70 && x[3] == -INFINITY && x[4] == 1e-300 && x[5] == 80);
    assert_ok(ctx, crdi_netcdf_get_text(nc, group, v.id, "site", &text));
    assert_string_equal(text, "net/x");
    crdi_free(ctx, text);
    assert_ok(ctx, crdi_netcdf_get_text(nc, group, v.id, "half", &text)); /* a number is no text */
    assert_null(text);
    assert_true(crdi_netcdf_get_number(nc, group, v.id, "half", &number) && number == 0.5);
    assert_false(crdi_netcdf_get_number(nc, group, v.id, "site", &number));
    assert_ok(ctx, crdi_netcdf_variable_at(nc, group, 1, &v));
    assert_true(v.type == CRDI_NETCDF_INTEGER);
    assert_ok(ctx, crdi_netcdf_get_text(nc, group, v.id, "dtype", &text));
    assert_string_equal(text, "bool");
    crdi_free(ctx, text);
    assert_ok(ctx, crdi_netcdf_read(nc, group, &v, x));
    assert_true(x[0] == 1 && x[1] == 0 && x[2] == 1);
    assert_ok(ctx, crdi_netcdf_close(&nc));
    testing_context_destroy(&ctx);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_netcdf *nc = NULL;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("\x89HDF\r\n\x1a\nnothing behind it", file);
    fclose(file);
    assert_int_equal(crdi_netcdf_open(ctx, path, &nc), CRD_EDAMAGED);
    assert_non_null(strstr(crd_error_message(ctx), "file.nc: this is no netCDF file"));
    crd_error_clear(ctx);
    assert_int_equal(crdi_netcdf_create(ctx, "/nowhere/at/all.nc", "/nowhere/at/all.nc", &nc), CRD_EIO);
    assert_null(nc);
    assert_ok(ctx, crdi_netcdf_close(&nc));
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(what_was_written_is_read), TEST(what_is_no_file_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
