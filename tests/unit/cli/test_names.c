/* test_names.c - run files whose names are commands of a terminal, of gnuplot, of SQL or of a shell: through every command
 * that shows or writes names nothing of it comes true. */
#include "command.h"
#include "store/network_run.h"
#include "store/run_format.h"
#include "store/sqlite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Two quotes, which gnuplot misread at the begin of a string; a title for the window, colours, C1 controls, text from right to left; then commands. */
#define TERMINAL                                                                                                       \
    "''\033]0;owned\007\033[31m\xc2\x9b"                                                                               \
    "2J\xe2\x80\xae\r\x08"
#define COMMANDS                                                                                                       \
    "\"; system(\"touch owned\"); print '`touch owned`' $(touch owned) '); DROP TABLE block; -- @x %s%n {/*9 a}"

static char site[] = TERMINAL COMMANDS;
static char energy[] = "energy\n" TERMINAL;

/* A run of a model that nobody knows. */
static void write_run(crd_context *ctx, const char *path)
{
    static const crd_column columns[] = {
        {.name = site, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 1, .dim = {2}}, .size = 2},
        {.name = energy, .kind = CRD_COLUMN_STATISTIC, .shape = {.ndim = 0}, .size = 1}};
    crdi_run *run;
    double data[] = {1, 2};
    crd_array array = crd_array_borrow(data, crd_shape_1(2));
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    static const char *const keys[] = {"model", "method", "data_name", "data_sha256", TERMINAL COMMANDS};
    for (int i = 0; i < CRDI_COUNT(keys); i++)
        assert_ok(ctx, crdi_run_set_text(run, keys[i], TERMINAL COMMANDS));
    assert_ok(ctx, crdi_run_set_text(run, "options", "{\"\\u001b[31m\": 1}"));
    assert_ok(ctx, crdi_run_put_array(run, TERMINAL, &array));
    assert_ok(ctx, crdi_run_begin(run, columns, 2, 2));
    crdi_sink sink = crdi_run_sink(run);
    for (int chain = 0; chain < 2; chain++)
        for (int64_t draw = 0; draw < 40; draw++) {
            double values[] = {sin(3.0 * (double)draw + chain), cos(7.0 * (double)draw)}, e = values[0];
            const double *const of_draw[] = {values, &e};
            assert_ok(ctx, sink.draws(sink.user, chain, draw, 1, of_draw));
        }
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
}

/* JSON needs its own spelling of the same. */
#define JSON_EVIL                                                                                                      \
    "''\\u001b]0;owned\\u0007\\u001b[31m\\u009b2J\\u202e\\\"; system(\\\"touch owned\\\") `touch owned` $(touch "      \
    "owned) "                                                                                                          \
    "@x %s {/*9 a}"

/* A network's run whose columns of data have such names. */
static void doctor(crd_context *ctx, const char *path)
{
    static const char *const entry[][2] = {
        {"recipe",
         "{\"scale\":\"standard\",\"features\":[{\"name\":\"" JSON_EVIL "\",\"column\":\"" JSON_EVIL
         "\",\"level\":null,\"mean\":1.75,\"sd\":1.1}],\"constant\":[\"" JSON_EVIL
         "\"],\"target\":{\"column\":\"y" JSON_EVIL "\",\"kind\":\"number\",\"classes\":[],\"mean\":0.3,\"sd\":0.5}}"},
        {"data_name", TERMINAL COMMANDS},
        {"method", "nuts"},
        {"version", TERMINAL},
        {"started", TERMINAL},
        {"status", TERMINAL},
    };
    struct testing_bytes good = testing_slurp(TEST_DATA "/run_format_1.crd");
    crdi_db *db;
    testing_spit(path, good.start, good.size);
    free(good.start);
    assert_ok(ctx, crdi_db_open(ctx, path, NULL, CRDI_DB_WRITE, &db));
    for (int i = 0; i < CRDI_COUNT(entry); i++) {
        crdi_query query = {0};
        const char *text = entry[i][1];
        assert_ok(ctx, crdi_query_open(db, "INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", &query));
        crdi_bind_text(&query, 1, entry[i][0]);
        crdi_bind_text(&query, 2, text);
        crdi_bind_integer(&query, 3, (int64_t)crdi_check_meta(entry[i][0], CRDI_VALUE_TEXT, text, strlen(text)));
        assert_ok(ctx, crdi_query_run(&query));
        crdi_query_close(&query);
    }
    crdi_db_close(&db);
}

/* The first byte that a terminal would obey; NULL: there is none. */
static const char *control(const char *text)
{
    for (const char *c = text; *c; c++) {
        unsigned char u = (unsigned char)*c, next = (unsigned char)c[1];
        if ((u < 0x20 && u != '\n' && u != '\t') || u == 0x7f || (u == 0xc2 && next >= 0x80 && next < 0xa0) ||
            (u == 0xe2 && next == 0x80 && (unsigned char)c[2] >= 0xaa && (unsigned char)c[2] <= 0xae))
            return c;
    }
    return NULL;
}

static const char *const lines[] = {
    "summary mine.crd",
    "summary mine.crd --format csv",
    "summary mine.crd --format json",
    "summary mine.crd --diagnostics",
    "summary mine.crd --site x",
    "diagnose mine.crd",
    "diagnose mine.crd --format json",
    "diagnose mine.crd --format csv",
    "check mine.crd",
    "check mine.crd --format json",
    "diff mine.crd net.crd --show 0",
    "diff net.crd mine.crd --show 0 --format json",
    "export mine.crd",
    "export mine.crd --to csv --force --out out.csv",
    "export mine.crd --to npz --force --out out.npz",
    "export mine.crd --to netcdf --prior-draws 0 --force --out out.nc",
    "export mine.crd --to cmdstan --force --out stan.csv",
    "import out.nc --force --out back.crd",
    "plot mine.crd trace --force --out out.svg",
    "plot mine.crd forest --force --out out.svg",
    "plot mine.crd pairs --force --out out.svg",
    "predict mine.crd data.csv",
    "resume mine.crd",
    "continue mine.crd --out o.crd",
    "summary net.crd",
    "summary net.crd --format csv",
    "check net.crd",
    "check net.crd --format json",
    "diagnose net.crd",
    "predict net.crd data.csv",
    "evaluate net.crd data.csv",
    "loo net.crd",
    "resume net.crd",
    "plot net.crd data --force --out out.svg",
    "plot net.crd bands --force --out out.svg",
    "plot net.crd bands --data data.csv --force --out out.svg",
    "plot net.crd network --force --out out.svg",
    "export net.crd --to netcdf --prior-draws 2 --force --out out.nc",
};

static void names_are_names_and_nothing_else(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    write_run(ctx, "mine.crd");
    doctor(ctx, "net.crd");
    testing_context_destroy(&ctx);
    static const char table[] = "x\033[31m,y\n1,2\n";
    testing_spit("data.csv", table, sizeof table - 1);
    int wrong = 0, succeeded = 0;
    for (int i = 0; i < CRDI_COUNT(lines); i++) {
        ctx = testing_context();
        crd_status status = testing_command(ctx, lines[i]);
        struct testing_bytes printed = testing_slurp("printed");
        const char *bad = printed.start ? control(printed.start) : NULL;
        succeeded += status >= 0;
        if (getenv("NAMES_SHOW"))
            print_message("%s -> %s %s\n", lines[i], crd_status_name(status), crd_error_message(ctx));
        if (bad) {
            print_error("credence %s: byte 0x%02x in the output: %.60s\n", lines[i], (unsigned char)*bad, bad);
            wrong++;
        }
        if (access("owned", F_OK) == 0) {
            print_error("credence %s: a name was run\n", lines[i]);
            unlink("owned");
            wrong++;
        }
        if (status == CRD_EINTERNAL || status == CRD_EIO || (status < 0 && crd_error_status(ctx) != status))
            wrong++;
        free(printed.start);
        testing_context_destroy(&ctx);
    }
    assert_int_equal(wrong, 0);
    assert_true(succeeded > 20); /* most get far enough to show names */
}

/* What the table of columns says of a figure: text, no markup of ours and none of gnuplot's. */
static void figures_show_the_names(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    write_run(ctx, "mine.crd");
    crd_status status = testing_command(ctx, "plot mine.crd trace --force --out out.svg");
    if (status == CRD_ETOOL) {
        testing_context_destroy(&ctx);
        testing_skip("gnuplot is not installed\n");
    }
    assert_ok(ctx, status);
    struct testing_bytes svg = testing_slurp("out.svg");
    assert_non_null(svg.start);
    assert_null(control(svg.start));
    assert_non_null(strstr(svg.start, "''\\x1b]0;owned")); /* as text */
    assert_null(strstr(svg.start, "<script"));
    free(svg.start);
    doctor(ctx, "net.crd");
    assert_ok(ctx, testing_command(ctx, "plot net.crd forest --force --out out.svg"));
    svg = testing_slurp("out.svg");
    assert_non_null(svg.start);
    assert_non_null(strstr(svg.start, "net/Dense_0.kernel[0,0]")); /* signs with digits behind them */
    free(svg.start);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_folder, testing_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_names_and_nothing_else),
        TEST(figures_show_the_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
