/* test_dataset.c - tables made into inputs and targets, recipes stored and applied, and all that can be wrong with them.
 *
 * Means and standard deviations of scaled_as_scikit_learn_does are from scikit-learn's definition (StandardScaler:
 * divided by n) worked by hand. Hashes are those of FIPS 180-4's examples (NIST, SHA256.pdf). */
#include "store/dataset.h"
#include "store/json.h"
#include "store/sha256.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static char rows_path[] = "/tmp/test_rows.XXXXXX";

static int make_rows(void **state)
{
    (void)state;
    int file = mkstemp(rows_path);
    return file < 0 ? -1 : close(file);
}

static int remove_rows(void **state)
{
    (void)state;
    return unlink(rows_path);
}

static const char *rows_file(const char *text)
{
    FILE *file = fopen(rows_path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return rows_path;
}

static crd_table *table_of(crd_context *ctx, const char *text)
{
    crd_table *table = NULL;
    assert_ok(ctx, crd_csv_parse(ctx, "t.csv", text, strlen(text), NULL, &table));
    return table;
}

static const char *describe_values(char *buffer, size_t size, const crd_array *x, const crd_array *y)
{
    size_t used = 0;
    int64_t n = x->shape.dim[0], k = x->shape.dim[1];
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < k; j++)
            used += (size_t)snprintf(buffer + used, size - used, "%g ", x->data[i * k + j]);
        if (y->data)
            used += (size_t)snprintf(buffer + used, size - used, "-> %g", y->data[i]);
        used += (size_t)snprintf(buffer + used, size - used, ";");
    }
    return buffer;
}

/* ---- what can be made ------------------------------------------------------------------------------------------ */

static const char animals[] = "id,size,kind,eyes,legs,y\n"
                              "1,0.5,cat,2,4,10\n"
                              "2,1.5,dog,2,4,20\n"
                              "3,2.5,ant,2,6,40\n"
                              "4,NA,cat,2,4,30\n"
                              "5,3.5,,2,4,50\n";

struct good {
    const char *what;
    crd_dataset_options options;
    const char *rows; /* contents of the file of rows */
    const char *features, *values;
};

static const struct good good_ones[] = {
    {"features named, in their order",
     {.target = "y", .features = NAMES("legs", "id"), .feature_count = 2},
     NULL,
     "legs id",
     "4 1 -> 10;4 2 -> 20;6 3 -> 40;4 4 -> 30;4 5 -> 50;"},
    {"columns dropped",
     {.target = "y", .drop = NAMES("kind", "size", "eyes"), .drop_count = 3},
     NULL,
     "id legs",
     "1 4 -> 10;2 4 -> 20;3 6 -> 40;4 4 -> 30;5 4 -> 50;"},
    {"a constant column is left out",
     {.target = "y", .features = NAMES("eyes", "id"), .feature_count = 2},
     NULL,
     "id",
     "1 -> 10;2 -> 20;3 -> 40;4 -> 30;5 -> 50;"},
    {"levels",
     {.target = "y",
      .features = NAMES("kind", "id"),
      .feature_count = 2,
      .categorical = NAMES("kind"),
      .categorical_count = 1,
      .na = CRD_NA_DROP},
     NULL,
     "kind=ant kind=cat kind=dog id",
     "0 1 0 1 -> 10;0 0 1 2 -> 20;1 0 0 3 -> 40;0 1 0 4 -> 30;"},
    {"levels that are numbers",
     {.target = "y",
      .features = NAMES("legs"),
      .feature_count = 1,
      .categorical = NAMES("legs"),
      .categorical_count = 1},
     NULL,
     "legs=4 legs=6",
     "1 0 -> 10;1 0 -> 20;0 1 -> 40;1 0 -> 30;1 0 -> 50;"},
    {"every other column, incomplete rows dropped",
     {.target = "y", .categorical = NAMES("kind"), .categorical_count = 1, .na = CRD_NA_DROP},
     NULL,
     "id size kind=ant kind=cat kind=dog legs",
     "1 0.5 0 1 0 4 -> 10;2 1.5 0 0 1 4 -> 20;3 2.5 1 0 0 6 -> 40;"},
    {"rows in the order of their file",
     {.target = "y", .features = NAMES("size"), .feature_count = 1},
     "4\n0\n\n2\r\n",
     "size",
     "3.5 -> 50;0.5 -> 10;2.5 -> 40;"},
    {"row numbers as numpy.savetxt writes them",
     {.target = "y", .features = NAMES("id"), .feature_count = 1},
     "4.000000000000000000e+00\n0.0\n",
     "id",
     "5 -> 50;1 -> 10;"},
    {"what is constant in the rows used",
     {.target = "y",
      .features = NAMES("id", "legs", "kind"),
      .feature_count = 3,
      .categorical = NAMES("kind"),
      .categorical_count = 1},
     "0 3",
     "id",
     "1 -> 10;4 -> 30;"},
    {"classes by name",
     {.target = "kind", .features = NAMES("id"), .feature_count = 1, .na = CRD_NA_DROP},
     NULL,
     "id",
     "1 -> 1;2 -> 2;3 -> 0;4 -> 1;"},
    {"classes by number",
     {.target = "legs", .features = NAMES("id"), .feature_count = 1, .target_kind = CRD_TARGET_CLASS},
     NULL,
     "id",
     "1 -> 0;2 -> 0;3 -> 1;4 -> 0;5 -> 0;"},
    {"a categorical target",
     {.target = "legs",
      .features = NAMES("id"),
      .feature_count = 1,
      .categorical = NAMES("legs"),
      .categorical_count = 1,
      .scale = CRD_SCALE_STANDARD},
     "0 2",
     "id",
     "-1 -> 0;1 -> 1;"},
    {"scaled",
     {.target = "y",
      .features = NAMES("id", "legs"),
      .feature_count = 2,
      .categorical = NAMES("legs"),
      .categorical_count = 1,
      .scale = CRD_SCALE_STANDARD},
     "1 2",
     "id legs=4 legs=6",
     "-1 1 -1 -> -1;1 -1 1 -> 1;"},
};

static void tables_become_inputs_and_target(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *table = table_of(ctx, animals);
    for (int i = 0; i < CRDI_COUNT(good_ones); i++) {
        const struct good *g = &good_ones[i];
        crd_dataset_options options = g->options;
        crd_dataset *d;
        crdi_string names;
        char values[1024];
        options.rows = g->rows ? rows_file(g->rows) : NULL;
        crdi_string_init(&names, ctx);
        assert_ok(ctx, crd_dataset_make(ctx, table, &options, &d));
        for (int64_t j = 0; j < d->recipe->feature_count; j++)
            crdi_string_append(&names, "%s%s", j ? " " : "", d->recipe->feature[j].name);
        describe_values(values, sizeof values, &d->x, &d->y);
        if (strcmp(crdi_string_text(&names), g->features) != 0 || strcmp(values, g->values) != 0)
            fail_msg("%s: got %s: %s\nexpected %s: %s", g->what, crdi_string_text(&names), values, g->features,
                     g->values);
        assert_string_equal(d->recipe->target, g->options.target);
        crdi_string_clear(&names);
        crd_dataset_destroy(&d);
    }
    crd_table_destroy(&table);
    testing_context_destroy(&ctx);
}

static void the_recipe_says_what_was_done(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *table = table_of(ctx, animals);
    crd_dataset *d;
    assert_ok(ctx, crd_dataset_make(
                       ctx, table,
                       &(crd_dataset_options){.target = "kind", .na = CRD_NA_DROP, .scale = CRD_SCALE_STANDARD}, &d));
    const crd_recipe *r = d->recipe;
    assert_int_equal(r->constant_count, 1);
    assert_string_equal(r->constant[0], "eyes");
    assert_int_equal(r->target_kind, CRD_TARGET_CLASS);
    assert_int_equal(r->class_count, 3);
    assert_string_equal(r->class_name[2], "dog");
    assert_true(r->target_mean == 0 && r->target_sd == 1);
    assert_int_equal(d->left_out, 2);
    assert_int_equal(d->x.shape.dim[0], 3);
    assert_int_equal(d->row[2], 2);
    crd_dataset_destroy(&d);
    crd_table_destroy(&table);
    testing_context_destroy(&ctx);
}

static crd_dataset *trained(crd_context *ctx, const char *target)
{
    crd_table *table = table_of(ctx, animals);
    crd_dataset_options options = {
        .target = target, .categorical = NAMES("kind"), .categorical_count = 1, .na = CRD_NA_DROP};
    crd_dataset *d = NULL;
    options.scale = CRD_SCALE_STANDARD;
    assert_ok(ctx, crd_dataset_make(ctx, table, &options, &d));
    crd_table_destroy(&table);
    return d;
}

struct heard {
    int lines;
    char line[8][256];
};

static void hear(void *user, const char *line)
{
    struct heard *heard = user;
    snprintf(heard->line[heard->lines++ % 8], sizeof heard->line[0], "%s", line);
}

static void what_is_left_out_is_named(void **state)
{
    (void)state;
    struct heard heard = {0};
    crd_context *ctx;
    crd_dataset *d;
    crdi_string text;
    assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.log = hear, .log_user = &heard}), CRD_OK);
    crd_table *table = table_of(ctx, "a,b,kind,y\n1,7,x,10\n2,7.0,x,20\n,7,x,30\n4,7,x,30\n");
    crd_dataset_options options = {.target = "y", .categorical = NAMES("kind"), .categorical_count = 1};
    options.na = CRD_NA_DROP;
    assert_ok(ctx, crd_dataset_make(ctx, table, &options, &d));
    assert_int_equal(heard.lines, 3);
    assert_string_equal(heard.line[0], "t.csv: 1 row with missing cells left out, 3 kept");
    assert_string_equal(heard.line[1], "t.csv: column 'b' is constant (7) and left out");
    assert_string_equal(heard.line[2], "t.csv: column 'kind' is constant (x) and left out");
    assert_int_equal(d->recipe->constant_count, 2);
    assert_string_equal(d->recipe->constant[1], "kind");
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_dataset_describe(d, &text));
    assert_string_equal(crdi_string_text(&text), "rows:   3 (1 with missing cells left out)\n"
                                                 "inputs: 1: a\n"
                                                 "        constant, left out: b, kind\n"
                                                 "target: y, a number\n");
    crdi_string_clear(&text);
    crd_dataset_destroy(&d);
    crd_table_destroy(&table);
    crd_context_destroy(&ctx);
}

static void a_data_set_is_described(void **state)
{
    (void)state;
    static const struct {
        const char *target, *expected;
    } rows[] = {
        {"y", "rows:   3 (2 with missing cells left out)\n"
              "inputs: 6, standardised: id, size, kind (3 levels), legs\n"
              "        constant, left out: eyes\n"
              "target: y, a number, standardised (mean 23.3333, sd 12.4722)\n"},
        {"kind", "rows:   3 (2 with missing cells left out)\n"
                 "inputs: 4, standardised: id, size, legs, y\n"
                 "        constant, left out: eyes\n"
                 "target: kind, 3 classes: ant, cat, dog\n"},
    };
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        crd_dataset *d = trained(ctx, rows[i].target);
        crdi_string text;
        crdi_string_init(&text, ctx);
        assert_ok(ctx, crdi_dataset_describe(d, &text));
        assert_string_equal(crdi_string_text(&text), rows[i].expected);
        crdi_string_clear(&text);
        crd_dataset_destroy(&d);
    }
    testing_context_destroy(&ctx);
}

static void scaled_as_scikit_learn_does(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *table = table_of(ctx, "a,b,y\n1,1e-200,1000000001\n2,2e-200,1000000002\n6,3e-200,1000000006\n");
    crd_dataset *d;
    assert_ok(ctx,
              crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .scale = CRD_SCALE_STANDARD}, &d));
    double sd = sqrt(14.0 / 3); /* deviations -2, -1, 3 */
    assert_close(d->recipe->feature[0].mean, 3, 0, 0);
    assert_close(d->recipe->feature[0].sd, sd, 1e-15, 0);
    assert_close(d->recipe->feature[1].sd, 1e-200 * sqrt(2.0 / 3), 1e-15,
                 0); /* its square is below the smallest double */
    assert_close(d->recipe->target_mean, 1000000003, 0, 0);
    assert_close(d->recipe->target_sd, sd, 1e-15, 0);
    assert_close(d->x.data[4], 3 / sd, 1e-15, 0);
    assert_close(d->y.data[0], -2 / sd, 1e-15, 0);
    crd_dataset_destroy(&d);
    crd_table_destroy(&table);

    table = table_of(ctx, "a,y\n1e308,1\n1.1e308,2\n1.2e308,3\n");
    assert_int_equal(
        crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .scale = CRD_SCALE_STANDARD}, &d),
        CRD_EDATA);
    assert_string_equal(crd_error_message(ctx), "t.csv: column 'a' is too large or too small to be scaled");
    crd_table_destroy(&table);
    testing_context_destroy(&ctx);
}

/* ---- what cannot be made --------------------------------------------------------------------------------------- */

struct bad {
    const char *text;
    crd_dataset_options options;
    const char *rows;
    crd_status status;
    const char *message; /* ROWS stands for the path of the file of rows */
};

static const struct bad bad_ones[] = {
    {"a,y\n1,2\n2,3\n", {0}, NULL, CRD_EMISSING, "t.csv: no target given; --target names its column"},
    {"age,y\n1,2\n2,3\n", {.target = "yy"}, NULL, CRD_ENAME, "t.csv: unknown column 'yy'; there are: age, y"},
    {"age,weight,y\n1,2,3\n2,3,4\n",
     {.target = "y", .features = NAMES("wieght"), .feature_count = 1},
     NULL,
     CRD_ENAME,
     "t.csv: unknown column 'wieght'; did you mean 'weight'?"},
    {"age,y\n1,2\n2,3\n",
     {.target = "y", .drop = NAMES("height"), .drop_count = 1},
     NULL,
     CRD_ENAME,
     "t.csv: unknown column 'height'; there are: age, y"},
    {"age,y\n1,2\n2,3\n",
     {.target = "y", .categorical = NAMES("height"), .categorical_count = 1},
     NULL,
     CRD_ENAME,
     "t.csv: unknown column 'height'; there are: age, y"},
    {"a,y\n1,2\n2,3\n",
     {.target = "y", .features = NAMES("a", "y"), .feature_count = 2},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'y' is the target and in --features too"},
    {"a,y\n1,2\n2,3\n",
     {.target = "y", .features = NAMES("a", "a"), .feature_count = 2},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'a' is given twice in --features"},
    {"a,y\n1,2\n2,3\n",
     {.target = "y", .drop = NAMES("y"), .drop_count = 1},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'y' is the target and in --drop too"},
    {"a,y\n1,2\n2,3\n",
     {.target = "y", .features = NAMES("a"), .feature_count = 1, .drop = NAMES("a"), .drop_count = 1},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'a' is in --features and in --drop"},
    {"a,b,y\n1,2,3\n2,3,4\n",
     {.target = "y", .categorical = NAMES("a"), .categorical_count = 1, .drop = NAMES("a"), .drop_count = 1},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'a' is in --categorical and in --drop"},
    {"a,b,y\n1,2,3\n2,3,4\n",
     {.target = "y", .categorical = NAMES("a"), .categorical_count = 1, .features = NAMES("b"), .feature_count = 1},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'a' is in --categorical but not in --features"},
    {"a,y\n1,2\n2,3\n",
     {.target = "y", .categorical = NAMES("y"), .categorical_count = 1, .target_kind = CRD_TARGET_NUMBER},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'y' is a target to be read as a number and in --categorical too"},
    {"a,y,z\n1,2,u\n2,3,v\n",
     {.targets = NAMES("y", "z"), .target_count = 2},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'z' is one of several targets and holds text; they must be numbers, and classes are fitted alone"},
    {"a,y,z\n1,2,0\n2,3,1\n",
     {.targets = NAMES("y", "z"), .target_count = 2, .target_kind = CRD_TARGET_COUNT},
     NULL,
     CRD_EINVAL,
     "t.csv: 2 targets to be read as counts; several must be numbers"},
    {"a,y,z\n1,2,0\n2,3,1\n",
     {.targets = NAMES("y", "y"), .target_count = 2},
     NULL,
     CRD_EINVAL,
     "t.csv: column 'y' is twice a target"},
    {"a,y,z\n1,2,0\n2,3,1o\n",
     {.targets = NAMES("y", "z"), .target_count = 2},
     NULL,
     CRD_EDATA,
     "t.csv:3: the target 'z' holds '1o', which is not a finite number"},
    {"a,y,z\n1,2,5\n2,3,5\n",
     {.targets = NAMES("y", "z"), .target_count = 2},
     NULL,
     CRD_EDATA,
     "t.csv: the target 'z' is constant (5) in the rows used"},
    {"y\n1\n2\n", {.target = "y"}, NULL, CRD_EDATA, "t.csv: no feature is left beside the target 'y'"},
    {"a,y\n3,1\n3,2\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv: no feature is left: all are constant in the rows used"},
    {"a,y\n3,1.5\n4,1.5\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv: the target 'y' is constant (1.5) in the rows used"},
    {"a,y\n3,no\n4,no\n", {.target = "y"}, NULL, CRD_EDATA, "t.csv: the target 'y' is constant (no) in the rows used"},
    {"a,y\n\n3,1\n4,2\nx y,3\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv:5: column 'a' holds 'x y', which is not a finite number (text columns: --categorical a reads levels, "
     "--drop a "
     "leaves it out)"},
    {"a,y\n3,1\ninf,2\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv:3: column 'a' holds 'inf', which is not a finite number (text columns: --categorical a reads levels, "
     "--drop a "
     "leaves it out)"},
    {"a,y\n3,1\n4,2o\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv:3: the target 'y' holds '2o', which is not a finite number (a target of classes: --categorical y)"},
    {"a,y\n3,yes\n4,no\n",
     {.target = "y", .target_kind = CRD_TARGET_NUMBER},
     NULL,
     CRD_EDATA,
     "t.csv:2: the target 'y' holds 'yes', which is not a finite number (a target of classes: --categorical y)"},
    {"a,b,y\n3,1,1\n4,,2\nNA,?,3\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv: 3 missing cells in the columns used, the first on line 3 in column 'b'; --na drop leaves such rows out"},
    {"a,y\n3,1\n4,\n",
     {.target = "y"},
     NULL,
     CRD_EDATA,
     "t.csv: 1 missing cell in the columns used, the first on line 3 in column 'y'; --na drop leaves such rows out"},
    {"a,y\n,1\n4,\n",
     {.target = "y", .na = CRD_NA_DROP},
     NULL,
     CRD_EDATA,
     "t.csv: no row is left: each has a missing cell in the columns used"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "", CRD_EDATA, "ROWS: the file names no rows"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "0\n2\n", CRD_EDATA, "ROWS:2: row 2, but the rows of t.csv are 0 to 1"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "0\n-1\n", CRD_EDATA, "ROWS:2: row -1, but the rows of t.csv are 0 to 1"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "0\n\n0.5\n", CRD_EDATA, "ROWS:3: '0.5' is not a row number"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "first", CRD_EDATA, "ROWS:1: 'first' is not a row number"},
    {"a,y\n1,2\n2,3\n", {.target = "y"}, "1\n0\n1\n", CRD_EDATA, "ROWS:3: row 1 is listed twice"},
    {"a,y\n1,2\n2,3\n", {.target = "y", .rows = "absent.txt"}, NULL, CRD_EMISSING, "absent.txt: no such file"},
};

static void bad_tables_are_refused_in_one_line(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(bad_ones); i++) {
        const struct bad *b = &bad_ones[i];
        crd_table *table = table_of(ctx, b->text);
        crd_dataset_options options = b->options;
        crd_dataset *d = NULL;
        char expected[512];
        bool in_rows = strncmp(b->message, "ROWS", 4) == 0;
        snprintf(expected, sizeof expected, "%s%s", in_rows ? rows_path : "", b->message + 4 * in_rows);
        if (b->rows)
            options.rows = rows_file(b->rows);
        assert_int_equal(crd_dataset_make(ctx, table, &options, &d), b->status);
        assert_string_equal(crd_error_message(ctx), expected);
        assert_null(d);
        crd_error_clear(ctx);
        crd_table_destroy(&table);
    }
    testing_context_destroy(&ctx);
}

/* ---- recipes --------------------------------------------------------------------------------------------------- */

static void applied_to_its_own_table_a_recipe_gives_the_same_bits(void **state)
{
    (void)state;
    static const char *const targets[] = {"y", "kind"};
    crd_context *ctx = testing_context();
    for (int i = 0; i < 2; i++) {
        crd_dataset *d = trained(ctx, targets[i]);
        crd_table *table = table_of(ctx, animals);
        crd_inputs *inputs;
        assert_ok(ctx,
                  crd_dataset_apply(ctx, d->recipe, table, &(crd_apply_options){.rows = rows_file("0 1 2")}, &inputs));
        assert_true(inputs->x.shape.dim[0] == 3 && inputs->x.shape.dim[1] == d->x.shape.dim[1]);
        assert_memory_equal(inputs->x.data, d->x.data, (size_t)crd_shape_size(d->x.shape) * sizeof(double));
        assert_memory_equal(inputs->y.data, d->y.data, 3 * sizeof(double));
        assert_int_equal(inputs->extra_count, 0);
        crd_inputs_destroy(&inputs);
        crd_table_destroy(&table);
        crd_dataset_destroy(&d);
    }
    testing_context_destroy(&ctx);
}

static void new_data_are_matched_by_name(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *d = trained(ctx, "y");
    crd_table *table =
        table_of(ctx, "legs,colour,kind,size,id,note\n6,red,ant,2.5,3,x\n4.0,blue,cat,,1,y\n4.0,blue,cat,0.5,1,\n");
    crd_inputs *inputs;
    assert_ok(ctx, crd_dataset_apply(ctx, d->recipe, table, &(crd_apply_options){.na = CRD_NA_DROP}, &inputs));
    assert_int_equal(inputs->extra_count, 2);
    assert_string_equal(inputs->extra[0], "colour");
    assert_string_equal(inputs->extra[1], "note");
    assert_null(inputs->y.data);
    assert_int_equal(inputs->left_out, 1);
    assert_int_equal(inputs->x.shape.dim[0], 2);
    assert_int_equal(inputs->row[1], 2);
    int64_t k = d->recipe->feature_count;
    assert_memory_equal(inputs->x.data, d->x.data + 2 * k, (size_t)k * sizeof(double));
    assert_memory_equal(inputs->x.data + k, d->x.data, (size_t)k * sizeof(double));
    crd_inputs_destroy(&inputs);
    crd_table_destroy(&table);

    table = table_of(ctx, "id,size,kind,legs,y\n3,2.5,ant,6,?\n1,0.5,cat,4,10\n"); /* a target that is not whole */
    assert_ok(ctx, crd_dataset_apply(ctx, d->recipe, table, NULL, &inputs));
    assert_null(inputs->y.data);
    crd_inputs_destroy(&inputs);
    crd_table_destroy(&table);
    crd_dataset_destroy(&d);
    testing_context_destroy(&ctx);
}

static void new_data_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *target, *text;
        crd_status status;
        const char *message;
    } rows[] = {
        {"y", "id,kind\n1,cat\n", CRD_EMISSING, "t.csv: the fit used columns that are not there: 'size', 'legs'"},
        {"y", "id,size,legs\n1,2,3\n", CRD_EMISSING, "t.csv: the fit used a column that is not there: 'kind'"},
        {"y", "id,size,kind,legs\n1,2,cat,4\n\n1,2,cow,4\n", CRD_EDATA,
         "t.csv:4: column 'kind' holds 'cow', a level that the fit did not see; it saw: ant, cat, dog"},
        {"kind", "id,size,legs,y,kind\n1,2,4,1,cow\n", CRD_EDATA,
         "t.csv:2: column 'kind' holds 'cow', a class that the fit did not see; it saw: ant, cat, dog"},
        {"y", "id,size,kind,legs\n1,,cat,4\n", CRD_EDATA,
         "t.csv: 1 missing cell in the columns used, the first on line 2 in column 'size'; --na drop leaves such rows "
         "out"},
        {"y", "id,size,kind,legs\n1,big,cat,4\n", CRD_EDATA,
         "t.csv:2: column 'size' holds 'big', which is not a finite number"},
        {"y", "id,size,kind,legs,y\n1,2,cat,4,big\n", CRD_EDATA,
         "t.csv:2: the target 'y' holds 'big', which is not a finite number"},
    };
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        crd_dataset *d = trained(ctx, rows[i].target);
        crd_table *table = table_of(ctx, rows[i].text);
        crd_inputs *inputs = NULL;
        assert_int_equal(crd_dataset_apply(ctx, d->recipe, table, NULL, &inputs), rows[i].status);
        assert_string_equal(crd_error_message(ctx), rows[i].message);
        assert_null(inputs);
        crd_error_clear(ctx);
        crd_table_destroy(&table);
        crd_dataset_destroy(&d);
    }
    testing_context_destroy(&ctx);
}

static void assert_same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a)
        assert_string_equal(a, b);
}

static void recipes_survive_being_json(void **state)
{
    (void)state;
    static const char *const targets[] = {"y", "kind"};
    crd_context *ctx = testing_context();
    for (int i = 0; i < 2; i++) {
        crd_dataset *d = trained(ctx, targets[i]);
        crd_recipe *r = d->recipe, *back;
        crdi_string text, again;
        r->feature[0].mean = -0.0;
        r->feature[1].mean = 1e22;
        r->feature[1].sd = 5e-324;
        crdi_free(ctx, r->feature[0].name);
        r->feature[0].name = crdi_strdup(ctx, "\"\\\t\x7f\xe2\x82\xac");
        crdi_string_init(&text, ctx);
        crdi_string_init(&again, ctx);
        assert_ok(ctx, crdi_recipe_write(r, &text));
        assert_ok(ctx, crdi_recipe_read(ctx, crdi_string_text(&text), &back));
        assert_int_equal(back->feature_count, r->feature_count);
        for (int64_t j = 0; j < r->feature_count; j++) {
            assert_same_text(back->feature[j].name, r->feature[j].name);
            assert_same_text(back->feature[j].column, r->feature[j].column);
            assert_same_text(back->feature[j].level, r->feature[j].level);
            assert_memory_equal(&back->feature[j].mean, &r->feature[j].mean, sizeof(double));
            assert_memory_equal(&back->feature[j].sd, &r->feature[j].sd, sizeof(double));
        }
        assert_memory_equal(&back->target_mean, &r->target_mean, sizeof(double));
        assert_memory_equal(&back->target_sd, &r->target_sd, sizeof(double));
        assert_true(back->scale == r->scale && back->target_kind == r->target_kind);
        assert_int_equal(back->class_count, i ? 3 : 0);
        assert_int_equal(back->constant_count, 1);
        assert_ok(ctx, crdi_recipe_write(back, &again));
        assert_string_equal(crdi_string_text(&again), crdi_string_text(&text));
        crdi_string_clear(&text);
        crdi_string_clear(&again);
        crd_recipe_destroy(&back);
        crd_dataset_destroy(&d);
    }
    testing_context_destroy(&ctx);
}

/* ---- several targets ----------------------------------------------------------------------------------------- */

static crd_dataset *of_two(crd_context *ctx)
{
    crd_table *t = table_of(ctx, "b,x,a,w\n10,1,-1,7\n30,2,0,7\n20,4,1,7\n40,8,4,7\n");
    crd_dataset *d;
    assert_ok(ctx, crd_dataset_make(ctx, t,
                                    &(crd_dataset_options){
                                        .targets = NAMES("a", "b"), .target_count = 2, .scale = CRD_SCALE_STANDARD},
                                    &d));
    crd_table_destroy(&t);
    return d;
}

static void targets_are_columns_of_y(void **state)
{
    (void)state;
    static const double a[] = {-1, 0, 1, 4}, b[] = {10, 30, 20, 40};
    crd_context *ctx = testing_context();
    crd_dataset *d = of_two(ctx);
    const crd_recipe *r = d->recipe;
    assert_true(d->y.shape.ndim == 2 && d->y.shape.dim[0] == 4 && d->y.shape.dim[1] == 2);
    assert_int_equal(r->feature_count, 1);
    assert_int_equal(r->target_count, 2);
    assert_string_equal(r->targets[0].name, "a");
    assert_string_equal(r->targets[1].name, "b");
    assert_close(r->targets[0].mean, 1, 1e-15, 0);
    assert_close(r->targets[0].sd, sqrt(3.5), 1e-15, 0);
    assert_close(r->targets[1].mean, 25, 1e-15, 0);
    assert_close(r->targets[1].sd, sqrt(125), 1e-15, 0);
    assert_true(r->target == r->targets[0].name && r->target_mean == r->targets[0].mean);
    for (int i = 0; i < 4; i++) {
        assert_close(crdi_recipe_own_units(r, 2 * i, d->y.data[2 * i]), a[i], 1e-14, 1e-14);
        assert_close(crdi_recipe_own_units(r, 2 * i + 1, d->y.data[2 * i + 1]), b[i], 1e-14, 0);
    }
    crdi_string text;
    crd_recipe *back;
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_recipe_write(r, &text));
    assert_ok(ctx, crdi_recipe_read(ctx, crdi_string_text(&text), &back));
    assert_int_equal(back->target_count, 2);
    assert_string_equal(back->targets[1].name, "b");
    assert_memory_equal(&back->targets[1].sd, &r->targets[1].sd, sizeof(double));
    crd_recipe_destroy(&back);
    char *more = strstr(text.text, "\"more_targets\":[{");
    assert_non_null(more);
    memcpy(strstr(text.text, "\"number\""), "\"count\" ", 8); /* counts are alone */
    assert_int_equal(crdi_recipe_read(ctx, text.text, &back), CRD_EDAMAGED);
    crd_error_clear(ctx);
    crdi_string_clear(&text);
    crd_dataset_destroy(&d);
    testing_context_destroy(&ctx);
}

/* Of new data all are read or none. */
static void targets_are_applied_together(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *d = of_two(ctx);
    crd_inputs *in;
    crd_table *both = table_of(ctx, "x,b,a\n3,25,1\n5,50,2\n"), *one = table_of(ctx, "x,a\n3,1\n");
    assert_ok(ctx, crd_dataset_apply(ctx, d->recipe, both, NULL, &in));
    assert_true(in->y.shape.ndim == 2 && in->y.shape.dim[1] == 2 && in->extra_count == 0);
    assert_close(in->y.data[0], 0, 0, 1e-14);
    assert_close(in->y.data[1], 0, 0, 1e-14);
    assert_close(in->y.data[2], 1 / sqrt(3.5), 1e-14, 0);
    assert_close(in->y.data[3], 25 / sqrt(125), 1e-14, 0);
    crd_inputs_destroy(&in);
    assert_ok(ctx, crd_dataset_apply(ctx, d->recipe, one, NULL, &in));
    assert_null(in->y.data);
    crd_inputs_destroy(&in);
    crd_table_destroy(&both);
    crd_table_destroy(&one);
    crd_dataset_destroy(&d);
    testing_context_destroy(&ctx);
}

/* Cuts the text of a recipe short, and takes each of its members away in turn. */
static void damaged_recipes_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"scale", "features", "name",   "column", "level",  "mean",
                                       "sd",    "constant", "target", "kind",   "classes"};
    crd_context *ctx = testing_context();
    crd_dataset *d = trained(ctx, "kind");
    crd_recipe *back = NULL;
    crdi_string text;
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_recipe_write(d->recipe, &text));
    for (int i = 0; i < CRDI_COUNT(keys); i++) {
        char key[32];
        snprintf(key, sizeof key, "\"%s\":", keys[i]);
        for (char *at = text.text; (at = strstr(at, key)); at++) {
            char kept = at[1];
            at[1] = '_';
            assert_int_equal(crdi_recipe_read(ctx, text.text, &back), CRD_EDAMAGED);
            assert_non_null(strstr(crd_error_message(ctx), "recipe of the data"));
            crd_error_clear(ctx);
            at[1] = kept;
        }
    }
    for (size_t length = 0; length < text.length; length += 7) {
        char kept = text.text[length];
        text.text[length] = 0;
        assert_int_equal(crdi_recipe_read(ctx, text.text, &back), CRD_EDAMAGED);
        crd_error_clear(ctx);
        text.text[length] = kept;
    }
    assert_null(back);
    assert_ok(ctx, crdi_recipe_read(ctx, text.text, &back));
    crd_recipe_destroy(&back);
    char *sd = strstr(text.text, "\"sd\":");
    memcpy(sd + 5, "0e0,", 3);
    assert_int_equal(crdi_recipe_read(ctx, text.text, &back), CRD_EDAMAGED);
    crdi_string_clear(&text);
    crd_dataset_destroy(&d);
    testing_context_destroy(&ctx);
}

/* ---- hashes ---------------------------------------------------------------------------------------------------- */

static void hashes_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    crdi_sha256 hash;
    char hex[CRDI_SHA256_HEX];
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        crdi_sha256_begin(&hash);
        crdi_sha256_add(&hash, rows[i].text, strlen(rows[i].text));
        crdi_sha256_end(&hash, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    crdi_sha256_begin(&hash);
    for (int i = 0; i < 1000000; i += 100)
        crdi_sha256_add(
            &hash,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            100);
    crdi_sha256_end(&hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hash_of(crd_context *ctx, const char *text, crd_scale scale, char *out)
{
    crd_table *table = table_of(ctx, text);
    crd_dataset *d;
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .scale = scale}, &d));
    memcpy(out, d->sha256, sizeof d->sha256);
    crd_table_destroy(&table);
    crd_dataset_destroy(&d);
}

static void the_hash_is_of_the_values_not_of_their_spelling(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    char plain[65], spelt[65], scaled[65], other[65], name[65];
    hash_of(ctx, "a,y\n1,2\n3,4\n", CRD_SCALE_NONE, plain);
    hash_of(ctx, "y;a\r\n2.0;\"1e0\"\r\n4;3\r\n", CRD_SCALE_NONE, spelt);
    hash_of(ctx, "a,y\n1,2\n3,4\n", CRD_SCALE_STANDARD, scaled);
    hash_of(ctx, "a,y\n1,2\n3,5\n", CRD_SCALE_NONE, other);
    hash_of(ctx, "b,y\n1,2\n3,4\n", CRD_SCALE_NONE, name);
    assert_string_equal(plain, spelt);
    assert_string_equal(plain, scaled);
    assert_string_not_equal(plain, other);
    assert_string_not_equal(plain, name);
    testing_context_destroy(&ctx);
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static crd_status whole_way(crd_context *ctx, const crd_table *table, crd_dataset **d, crd_inputs **inputs)
{
    crd_dataset_options options = {.target = "y", .categorical = NAMES("kind"), .categorical_count = 1};
    crdi_string text;
    crd_recipe *back = NULL;
    options.na = CRD_NA_DROP;
    options.scale = CRD_SCALE_STANDARD;
    options.rows = rows_path;
    CRD_TRY(crd_dataset_make(ctx, table, &options, d));
    CRD_TRY(crd_dataset_apply(ctx, (*d)->recipe, table, &(crd_apply_options){.na = CRD_NA_DROP}, inputs));
    crdi_string_init(&text, ctx);
    crd_status status = crdi_recipe_write((*d)->recipe, &text);
    if (status == CRD_OK)
        status = crdi_recipe_read(ctx, crdi_string_text(&text), &back);
    crd_recipe_destroy(&back);
    crdi_string_clear(&text);
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    rows_file("0 1 2 3");
    for (int64_t k = 1;; k++) {
        assert_true(k < 1000);
        crd_context *ctx = testing_context();
        crd_table *table = table_of(ctx, "size,kind,eyes,y\n1,cat,2,10\n2,dog,2,20\n3,ant,2,40\n4,cat,2,30\n");
        crd_dataset *d = NULL;
        crd_inputs *inputs = NULL;
        testing_fail_allocation(k);
        crd_status status = whole_way(ctx, table, &d, &inputs);
        testing_fail_allocation(0);
        if (status < 0) {
            assert_int_equal(status, CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
        }
        crd_inputs_destroy(&inputs);
        crd_dataset_destroy(&d);
        crd_table_destroy(&table);
        testing_context_destroy(&ctx);
        if (status == CRD_OK) {
            assert_true(k > 50);
            break;
        }
    }
}

/* ---- the sets that the literature uses --------------------------------------------------------------------------- */

struct set {
    const char *path;
    int64_t rows, columns;
    char separator;
};

static const struct set sets[] = {
    {"data/uci/bostonHousing/data.txt", 506, 14, ' '}, {"data/uci/concrete/data.txt", 1030, 9, '\t'},
    {"data/uci/energy/data.txt", 768, 9, '\t'},        {"data/uci/kin8nm/data.txt", 8192, 9, ' '},
    {"data/uci/power-plant/data.txt", 9568, 5, '\t'},  {"data/uci/wine-quality-red/data.txt", 1599, 12, ' '},
    {"data/uci/yacht/data.txt", 308, 7, ' '},          {"data/classification/breast_cancer.txt", 569, 31, ' '},
    {"data/classification/digits.txt", 1797, 65, ' '}, {"data/classification/iris.txt", 150, 5, ' '},
    {"data/classification/wine.txt", 178, 14, ' '},
};

/* The sum of a column, read by strtod from the file word by word: knows nothing of lines or separators. */
static double sum_of_last(const char *path, int64_t columns, int64_t *words)
{
    char word[64];
    double sum = 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (*words = 0; fscanf(file, "%63s", word) == 1; ++*words)
        if (*words % columns == columns - 1)
            sum += strtod(word, NULL);
    fclose(file);
    return sum;
}

static void fit_split(crd_context *ctx, const crd_table *table, const struct set *set)
{
    char train[600], test[600], target[32];
    const char *slash = strrchr(table->name, '/');
    snprintf(train, sizeof train, "%.*s/index_train_0.txt", (int)(slash - table->name), table->name);
    snprintf(test, sizeof test, "%.*s/index_test_0.txt", (int)(slash - table->name), table->name);
    snprintf(target, sizeof target, "%lld", (long long)set->columns - 1);
    bool split = strstr(set->path, "/uci/") != NULL;
    crd_dataset *d;
    crd_inputs *inputs;
    crd_dataset_options options = {.target = target, .rows = split ? train : NULL};
    options.scale = CRD_SCALE_STANDARD;
    options.target_kind = split ? CRD_TARGET_NUMBER : CRD_TARGET_CLASS;
    assert_ok(ctx, crd_dataset_make(ctx, table, &options, &d));
    assert_ok(ctx,
              crd_dataset_apply(ctx, d->recipe, table, &(crd_apply_options){.rows = split ? test : NULL}, &inputs));
    int64_t n = d->x.shape.dim[0], k = d->x.shape.dim[1];
    assert_int_equal(k + d->recipe->constant_count, set->columns - 1);
    assert_int_equal(split ? n + inputs->x.shape.dim[0] : n, set->rows);
    for (int64_t j = 0; j < k; j++) {
        double mean = 0, square = 0;
        for (int64_t i = 0; i < n; i++) {
            mean += d->x.data[i * k + j] / (double)n;
            square += d->x.data[i * k + j] * d->x.data[i * k + j] / (double)n;
        }
        assert_close(mean, 0, 0, 1e-11);
        assert_close(square, 1, 1e-11, 0);
    }
    crd_inputs_destroy(&inputs);
    crd_dataset_destroy(&d);
}

static void the_usual_sets_are_read(void **state)
{
    (void)state;
    if (!testing_shared(sets[0].path))
        testing_skip("%s is not there: skipped\n", sets[0].path);
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(sets); i++) {
        char path[512];
        crd_table *table;
        int64_t words;
        const char *shared = testing_shared(sets[i].path);
        assert_non_null(shared);
        snprintf(path, sizeof path, "%s", shared);
        assert_ok(ctx, crd_csv_read(ctx, path, &(crd_csv_options){.no_header = true}, &table));
        assert_int_equal(table->row_count, sets[i].rows);
        assert_int_equal(table->column_count, sets[i].columns);
        assert_int_equal(table->separator, sets[i].separator);
        double sum = 0, expected = sum_of_last(path, sets[i].columns, &words);
        assert_int_equal(words, sets[i].rows * sets[i].columns);
        for (int64_t row = 0; row < table->row_count; row++)
            sum += table->column[table->column_count - 1].number[row];
        assert_true(sum == expected);
        for (int64_t c = 0; c < table->column_count; c++)
            assert_true(table->column[c].missing == 0 && table->column[c].first_text == -1);
        fit_split(ctx, table, &sets[i]);
        crd_table_destroy(&table);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_become_inputs_and_target),
        cmocka_unit_test(the_recipe_says_what_was_done),
        cmocka_unit_test(what_is_left_out_is_named),
        cmocka_unit_test(a_data_set_is_described),
        cmocka_unit_test(scaled_as_scikit_learn_does),
        cmocka_unit_test(bad_tables_are_refused_in_one_line),
        cmocka_unit_test(applied_to_its_own_table_a_recipe_gives_the_same_bits),
        cmocka_unit_test(new_data_are_matched_by_name),
        cmocka_unit_test(new_data_that_do_not_fit_are_refused),
        cmocka_unit_test(recipes_survive_being_json),
        cmocka_unit_test(targets_are_columns_of_y),
        cmocka_unit_test(targets_are_applied_together),
        cmocka_unit_test(damaged_recipes_are_refused),
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(the_hash_is_of_the_values_not_of_their_spelling),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(the_usual_sets_are_read),
    };
    return cmocka_run_group_tests(tests, make_rows, remove_rows);
}
