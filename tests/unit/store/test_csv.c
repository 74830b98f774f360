/* test_csv.c - CSV as it is found in the wild, CSV that cannot be used, and files that appear whole or not at all. */
#include "store/csv.h"
#include "store/output.h"
#include "testing.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what can be read ------------------------------------------------------------------------------------------ */

struct good {
    const char *what, *text;
    crd_csv_options options;
    const char *expected; /* names and cells with | between and ; at line ends; ~ missing, 'text', numbers as %g */
    char separator;
};

static const struct good good_ones[] = {
    {"plain", "a,b\n1,2\n3,4\n", {0}, "a|b;1|2;3|4;", ','},
    {"no last line end", "a,b\n1,2\n3,4", {0}, "a|b;1|2;3|4;", ','},
    {"CRLF", "a,b\r\n1,2\r\n3,4\r\n", {0}, "a|b;1|2;3|4;", ','},
    {"CR alone", "a,b\r1,2\r3,4\r", {0}, "a|b;1|2;3|4;", ','},
    {"byte-order mark",
     "\xef\xbb\xbf"
     "a,b\n1,2\n",
     {0},
     "a|b;1|2;",
     ','},
    {"blank lines", "\n\na,b\n\n1,2\n  \n\t\n3,4\n\n\n", {0}, "a|b;1|2;3|4;", ','},
    {"blanks around cells", " a , b \n 1 ,\t2 \n", {0}, "a|b;1|2;", ','},
    {"semicolons", "a;b;c\n1;2;3\n", {0}, "a|b|c;1|2|3;", ';'},
    {"tabs", "a\tb\n1\t2\n", {0}, "a|b;1|2;", '\t'},
    {"an empty first cell between tabs", "a\tb\n\t2\n", {0}, "a|b;~|2;", '\t'},
    {"white space", "  a   b\tc  \n 1  2 \t 3\n", {0}, "a|b|c;1|2|3;", ' '},
    {"fixed columns without header", "  0.1  20\n -3.5   4\n", {.no_header = true}, "0|1;0.1|20;-3.5|4;", ' '},
    {"one column", "y\n1\n2\n", {0}, "y;1;2;", ','},
    {"quotes", "\"a\",\"b,c\"\n\"1\",\"x \"\"y\"\"\"\n", {0}, "a|b,c;1|'x \"y\"';", ','},
    {"a line end in quotes", "a,b\n\"p\nq\",2\n\"r\r\ns\",3\n", {0}, "a|b;'p\nq'|2;'r\r\ns'|3;", ','},
    {"blanks around quotes", "a,b\n \"1\" , \"z\" \n", {0}, "a|b;1|'z';", ','},
    {"quotes between blanks", "name x\n\"Ann Lee\" 2\nBob 3\n", {0}, "name|x;'Ann Lee'|2;'Bob'|3;", ' '},
    {"a line end in a name", "\"price\r\n(EUR)\",b\n1,2\n", {0}, "price (EUR)|b;1|2;", ','},
    {"a quote inside a cell", "a,b\n5\" pipe,2\n", {0}, "a|b;'5\" pipe'|2;", ','},
    {"words between commas",
     "name,city\nAnn Lee,New York\nBob Ray,Old Town\n",
     {0},
     "name|city;'Ann Lee'|'New York';'Bob Ray'|'Old Town';",
     ','},
    {"commas in semicolon cells", "a;b\nx, y;1\nz;2\n", {0}, "a|b;'x, y'|1;'z'|2;", ';'},
    {"a separator given", "a b,c\n1,2\n", {.separator = ','}, "a b|c;1|2;", ','},
    {"missing cells",
     "a,b,c,d,e,f,g\n,NA,NaN,nan,null,?,NULL\n1,2,3,4,5,6,7\n",
     {0},
     "a|b|c|d|e|f|g;~|~|~|~|~|~|~;1|2|3|4|5|6|7;",
     ','},
    {"a quoted empty cell", "a,b\n1,\"\"\n", {0}, "a|b;1|~;", ','},
    {"a missing last cell", "1,2\n3,\n", {.no_header = true}, "0|1;1|2;3|~;", ','},
    {"separators at line ends", "1,2,\n3,4,\n", {.no_header = true}, "0|1;1|2;3|4;", ','},
    {"two of them, under a header without", "a,b\n1,2,,\n3,4,,\n", {0}, "a|b;1|2;3|4;", ','},
    {"at the header's end only", "a,b,\n1,2\n", {0}, "a|b;1|2;", ','},
    {"a column without a name", ",b\n7,2\n", {0}, "0|b;7|2;", ','},
    {"a named column without cells", "a,b\n1,\n2,\n", {0}, "a|b;1|~;2|~;", ','},
    {"notations", "a\n+1\n-2.\n.5\n1e3\n1E-3\n007\n", {0}, "a;1;-2;0.5;1000;0.001;7;", ','},
    {"what is no number", "a\n0x10\n1,5\n", {.separator = ';'}, "a;'0x10';'1,5';", ';'},
    {"infinity is not a number", "a\ninf\n-Infinity\n1e999\n", {0}, "a;'inf';'-Infinity';'1e999';", ','},
    {"UTF-8",
     "gr\xc3\xb6\xc3\x9f"
     "e,b\n1,\xe2\x82\xac\n",
     {0},
     "gr\xc3\xb6\xc3\x9f"
     "e|b;1|'\xe2\x82\xac';",
     ','},
};

static void describe(const crd_table *t, crdi_string *s)
{
    for (int64_t c = 0; c < t->column_count; c++)
        crdi_string_append(s, "%s%s", c ? "|" : "", t->column[c].name);
    crdi_string_append(s, ";");
    for (int64_t i = 0; i < t->row_count; i++) {
        for (int64_t c = 0; c < t->column_count; c++) {
            const crd_table_column *column = &t->column[c];
            crdi_string_append(s, "%s", c ? "|" : "");
            if (!isnan(column->number[i]))
                crdi_string_append(s, "%g", column->number[i]);
            else if (column->text && column->text[i])
                crdi_string_append(s, "'%s'", column->text[i]);
            else
                crdi_string_append(s, "~");
        }
        crdi_string_append(s, ";");
    }
}

/* Parses a copy that ends where the text ends, so that a sanitizer sees a read beyond it. */
static crd_status parse(crd_context *ctx, const char *name, const char *text, size_t length,
                        const crd_csv_options *options, crd_table **out)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    crd_status status = crd_csv_parse(ctx, name, copy, length, options, out);
    free(copy);
    return status;
}

static void wild_files_are_read(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(good_ones); i++) {
        const struct good *g = &good_ones[i];
        crd_table *table;
        crdi_string s;
        crdi_string_init(&s, ctx);
        assert_ok(ctx, parse(ctx, g->what, g->text, strlen(g->text), &g->options, &table));
        describe(table, &s);
        if (strcmp(crdi_string_text(&s), g->expected) != 0 || table->separator != g->separator)
            fail_msg("%s: read as %s with '%c', expected %s with '%c'", g->what, crdi_string_text(&s), table->separator,
                     g->expected, g->separator);
        crdi_string_clear(&s);
        crd_table_destroy(&table);
    }
    testing_context_destroy(&ctx);
}

static void lines_missing_cells_and_texts_are_counted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *t;
    const char text[] = "a,b\r\n\r\n\"1\r\n\",\r\n2,NA\r\n?,x\r\n";
    assert_ok(ctx, parse(ctx, "t", text, strlen(text), NULL, &t));
    assert_int_equal(t->row_count, 3);
    assert_int_equal(t->line[0], 3);
    assert_int_equal(t->line[1], 5);
    assert_int_equal(t->line[2], 6);
    assert_int_equal(t->column[0].missing, 1);
    assert_int_equal(t->column[1].missing, 2);
    assert_int_equal(t->column[1].first_text, 2);
    assert_int_equal(crd_table_find(t, "b"), 1);
    assert_int_equal(crd_table_find(t, "B"), -1);
    crd_table_destroy(&t);
    testing_context_destroy(&ctx);
}

/* The fast way of reading numbers must give strtod's bits, on both sides of where it ends. */
static void numbers_have_the_bits_of_strtod(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u; /* Marsaglia 2003, xorshift64 */
    for (int i = 0; i < 50000; i++) {
        char text[64];
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        int digits = 1 + (int)(x >> 8) % 19, power = (int)(x >> 20) % 60 - 30;
        uint64_t mantissa = x >> 3;
        for (int d = 19; d > digits; d--)
            mantissa /= 10;
        switch (i % 3) {
        case 0:
            snprintf(text, sizeof text, "%s%llue%d", i % 2 ? "-" : "", (unsigned long long)mantissa, power);
            break;
        case 1:
            snprintf(text, sizeof text, "%llu.%06llu", (unsigned long long)(mantissa / 1000000),
                     (unsigned long long)(mantissa % 1000000));
            break;
        default:
            snprintf(text, sizeof text, "-0.000%llu", (unsigned long long)mantissa);
        }
        crdi_csv_cell cell = {.start = text, .length = strlen(text)};
        double value, expected = strtod(text, NULL);
        assert_int_equal(crdi_csv_classify(&cell, &value), CRDI_CELL_NUMBER);
        if (memcmp(&value, &expected, sizeof value) != 0)
            fail_msg("%s is read as %.17g, strtod gives %.17g", text, value, expected);
    }
}

/* ---- what cannot be read --------------------------------------------------------------------------------------- */

struct bad {
    const char *text;
    size_t length; /* 0: up to the zero byte */
    crd_csv_options options;
    crd_status status;
    const char *message;
};

static const struct bad bad_ones[] = {
    {"", 0, {0}, CRD_EDATA, "f.csv: the file is empty"},
    {"\n \r\n\t\n", 0, {0}, CRD_EDATA, "f.csv: the file is empty"},
    {"\xef\xbb\xbf", 0, {0}, CRD_EDATA, "f.csv: the file is empty"},
    {"", 0, {.no_header = true}, CRD_EDATA, "f.csv: the file is empty"},
    {"a,b\n", 0, {0}, CRD_EDATA, "f.csv: no rows under the header"},
    {"a,b\n1,2\n\n3\n", 0, {0}, CRD_EDATA, "f.csv:4: 1 cell, but line 1 has 2 (separator: ',')"},
    {"a,b\n1,2,3\n4,5\n", 0, {0}, CRD_EDATA, "f.csv:2: 3 cells, but line 1 has 2 (separator: ',')"},
    {"1 2\n3 4 5\n", 0, {.no_header = true}, CRD_EDATA, "f.csv:2: 3 cells, but line 1 has 2 (separator: space)"},
    {"a,b\n\"1\n2\",3,4\n", 0, {.separator = ','}, CRD_EDATA, "f.csv:2: 3 cells, but line 1 has 2 (separator: ',')"},
    {"a,b,a\n1,2,3\n", 0, {0}, CRD_EDATA, "f.csv: two columns are called 'a': numbers 0 and 2, counted from 0"},
    {"1,\n2,3\n", 0, {0}, CRD_EDATA, "f.csv: two columns are called '1': numbers 0 and 1, counted from 0"},
    {"a,b\n1,\"2\n3,4\n", 0, {0}, CRD_EDATA, "f.csv:2: a quote is opened and never closed"},
    {"a,b\n1,\"2\"x\n", 0, {0}, CRD_EDATA, "f.csv:2: there is text after a closing quote"},
    {"a,b\n1,\0002\n", 9, {0}, CRD_EDATA, "f.csv:2: a zero byte; the file is not text"},
    {"\xff\xfe"
     "a\0,\0",
     6,
     {0},
     CRD_EDATA,
     "f.csv: the file is in UTF-16; save it as UTF-8"},
    {"a,b\n1,caf\xe9\n", 0, {0}, CRD_EDATA, "f.csv:2: byte 0xe9 is not UTF-8; save the file as UTF-8"},
    {"a\n\xed\xa0\x80\n", 0, {0}, CRD_EDATA, "f.csv:2: byte 0xed is not UTF-8; save the file as UTF-8"},
    {"a\n\xe2\x82", 0, {0}, CRD_EDATA, "f.csv:2: byte 0xe2 is not UTF-8; save the file as UTF-8"},
    {"a\n1\n", 0, {.separator = ':'}, CRD_EINVAL, "separator 0x3a: it can be , ; tab or space"},
};

static void bad_files_are_refused_in_one_line(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(bad_ones); i++) {
        const struct bad *b = &bad_ones[i];
        crd_table *table = NULL;
        size_t length = b->length ? b->length : strlen(b->text);
        assert_int_equal(parse(ctx, "f.csv", b->text, length, &b->options, &table), b->status);
        assert_string_equal(crd_error_message(ctx), b->message);
        assert_null(table);
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

struct heard {
    int lines;
    char last[256];
};

static void hear(void *user, const char *line)
{
    struct heard *heard = user;
    heard->lines++;
    snprintf(heard->last, sizeof heard->last, "%s", line);
}

static void a_header_of_numbers_is_pointed_out(void **state)
{
    (void)state;
    struct heard heard = {0};
    crd_context *ctx;
    crd_table *table;
    assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.log = hear, .log_user = &heard}), CRD_OK);
    assert_ok(ctx, parse(ctx, "f.csv", "1 2\n3 4\n", 8, NULL, &table));
    assert_int_equal(heard.lines, 1);
    assert_string_equal(heard.last, "f.csv: the first line holds numbers only; if it is data, say --no-header");
    crd_table_destroy(&table);
    assert_ok(ctx, parse(ctx, "f.csv", "a 2\n3 4\n", 8, NULL, &table));
    crd_table_destroy(&table);
    assert_ok(ctx, parse(ctx, "f.csv", "1 2\n3 4\n", 8, &(crd_csv_options){.no_header = true}, &table));
    crd_table_destroy(&table);
    assert_int_equal(heard.lines, 1);
    crd_context_destroy(&ctx);
}

static void separators_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        char separator;
    } rows[] = {{"auto", 0}, {",", ','}, {";", ';'}, {"tab", '\t'}, {"space", ' '}};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        char separator = 'x';
        assert_ok(ctx, crd_csv_separator(ctx, rows[i].name, &separator));
        assert_int_equal(separator, rows[i].separator);
    }
    char separator;
    assert_int_equal(crd_csv_separator(ctx, "comma", &separator), CRD_EINVAL);
    assert_string_equal(crd_error_message(ctx), "separator 'comma': it can be auto , ; tab or space");
    testing_context_destroy(&ctx);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    static const char text[] = "a,b,c\n1,x,3\n\"4\",,\"6\"\"\"\n7,8,9\n";
    for (int64_t k = 1;; k++) {
        assert_true(k < 200);
        crd_context *ctx = testing_context();
        crd_table *table = NULL;
        testing_fail_allocation(k);
        crd_status status = parse(ctx, "f.csv", text, strlen(text), NULL, &table);
        testing_fail_allocation(0);
        bool done = status == CRD_OK;
        if (!done) {
            assert_int_equal(status, CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
            assert_null(table);
        }
        crd_table_destroy(&table);
        testing_context_destroy(&ctx);
        if (done) {
            assert_true(k > 10);
            break;
        }
    }
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[2][400];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_csv.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *directory = opendir(folder);
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlink(in_folder(entry->d_name));
    closedir(directory);
    return rmdir(folder);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *path, const char *expected)
{
    char text[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    assert_string_equal(text, expected);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_table *table = NULL;
    char expected[600];
    assert_int_equal(crd_csv_read(ctx, in_folder("absent.csv"), NULL, &table), CRD_EMISSING);
    snprintf(expected, sizeof expected, "%s/absent.csv: no such file", folder);
    assert_string_equal(crd_error_message(ctx), expected);
    crd_error_clear(ctx);
    assert_int_equal(crd_csv_read(ctx, folder, NULL, &table), CRD_EIO);
    snprintf(expected, sizeof expected, "%s: is a directory, not a file", folder);
    assert_string_equal(crd_error_message(ctx), expected);
    crd_error_clear(ctx);
    put(in_folder("empty.csv"), "");
    assert_int_equal(crd_csv_read(ctx, in_folder("empty.csv"), NULL, &table), CRD_EDATA);
    assert_null(table);
    unlink(in_folder("empty.csv"));
    testing_context_destroy(&ctx);
}

static void what_is_written_reads_back_bit_for_bit(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b,c", "d \"e\"", " f", ""};
    static const double values[] = {0.1, -0.0, 5e-324, 1.7976931348623157e308, 1.0 / 3.0};
    crd_context *ctx = testing_context();
    crdi_csv_writer *writer;
    crd_table *table;
    assert_ok(ctx, crdi_csv_writer_open(&writer, ctx, in_folder("out.csv"), false, names, 5));
    assert_ok(ctx, crdi_csv_writer_row(writer, values));
    crdi_csv_writer_integer(writer, INT64_MIN);
    crdi_csv_writer_text(writer, "x;\n\"y\"");
    crdi_csv_writer_number(writer, NAN);
    crdi_csv_writer_text(writer, "");
    crdi_csv_writer_number(writer, 1);
    assert_ok(ctx, crdi_csv_writer_end_row(writer));
    assert_ok(ctx, crdi_csv_writer_commit(&writer));
    assert_null(writer);
    assert_file(in_folder("out.csv"), "a,\"b,c\",\"d \"\"e\"\"\",\" f\",\"\"\n"
                                      "0.1,-0,4.94065645841247e-324,1.7976931348623157e+308,0.3333333333333333\n"
                                      "-9223372036854775808,\"x;\n\"\"y\"\"\",nan,\"\",1\n");
    assert_ok(ctx, crd_csv_read(ctx, in_folder("out.csv"), NULL, &table));
    assert_int_equal(table->column_count, 5);
    for (int c = 0; c < 5; c++) {
        assert_string_equal(table->column[c].name, c < 4 ? names[c] : "4");
        assert_memory_equal(&table->column[c].number[0], &values[c], sizeof values[c]);
    }
    assert_string_equal(table->column[1].text[1], "x;\n\"y\"");
    assert_int_equal(table->column[2].missing + table->column[3].missing, 2);
    crd_table_destroy(&table);
    unlink(in_folder("out.csv"));
    testing_context_destroy(&ctx);
}

static void many_rows_pass_through_the_buffer(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    static const char *const names[] = {"i", "v"};
    crd_context *ctx = testing_context();
    crdi_csv_writer *writer;
    crd_table *table;
    assert_ok(ctx, crdi_csv_writer_open(&writer, ctx, in_folder("many.csv"), false, names, 2));
    for (int i = 0; i < ROWS; i++)
        assert_ok(ctx, crdi_csv_writer_row(writer, (double[]){i, 1.0 / (1 + i)}));
    assert_ok(ctx, crdi_csv_writer_commit(&writer));
    assert_ok(ctx, crd_csv_read(ctx, in_folder("many.csv"), NULL, &table));
    assert_int_equal(table->row_count, ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_true(table->column[0].number[i] == i && table->column[1].number[i] == 1.0 / (1 + i));
    crd_table_destroy(&table);
    unlink(in_folder("many.csv"));
    testing_context_destroy(&ctx);
}

static void an_output_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_output *output;
    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("o"), false));
    crdi_output_printf(output, "%s %d", "one", 1);
    assert_int_not_equal(access(in_folder("o"), F_OK), 0);
    crdi_output_abort(&output);
    assert_null(output);
    assert_int_equal(files_in_folder(), 0);
    crdi_output_abort(&output);

    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("o"), false));
    assert_int_equal(files_in_folder(), 1);
    crdi_output_write(output, "whole\n", 6);
    assert_ok(ctx, crdi_output_commit(&output));
    assert_int_equal(files_in_folder(), 1);
    assert_file(in_folder("o"), "whole\n");
    unlink(in_folder("o"));
    testing_context_destroy(&ctx);
}

static void what_exists_is_kept_unless_forced(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_output *output = NULL;
    struct stat about;
    char expected[600];
    snprintf(expected, sizeof expected, "%s/o: exists; --force replaces it", folder);
    put(in_folder("o"), "old");
    assert_int_equal(chmod(in_folder("o"), 0640), 0);
    assert_int_equal(crdi_output_open(&output, ctx, in_folder("o"), false), CRD_EEXISTS);
    assert_string_equal(crd_error_message(ctx), expected);
    assert_null(output);
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("o"), true));
    crdi_output_write(output, "new", 3);
    assert_file(in_folder("o"), "old");
    assert_ok(ctx, crdi_output_commit(&output));
    assert_file(in_folder("o"), "new");
    assert_int_equal(stat(in_folder("o"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    unlink(in_folder("o"));

    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("o"), false));
    put(in_folder("o"), "came meanwhile");
    assert_int_equal(crdi_output_commit(&output), CRD_EEXISTS);
    assert_string_equal(crd_error_message(ctx), expected);
    assert_file(in_folder("o"), "came meanwhile");
    assert_int_equal(files_in_folder(), 1);
    unlink(in_folder("o"));
    testing_context_destroy(&ctx);
}

static void links_are_followed_and_devices_written_directly(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_output *output;
    struct stat about;
    put(in_folder("real"), "old");
    assert_int_equal(symlink("real", in_folder("link")), 0);
    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("link"), true));
    crdi_output_write(output, "new", 3);
    assert_ok(ctx, crdi_output_commit(&output));
    assert_file(in_folder("real"), "new");
    assert_int_equal(lstat(in_folder("link"), &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    unlink(in_folder("real"));
    unlink(in_folder("link"));
    assert_ok(ctx, crdi_output_open(&output, ctx, "/dev/null", false));
    crdi_output_write(output, "gone", 4);
    assert_ok(ctx, crdi_output_commit(&output));
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
    testing_context_destroy(&ctx);
}

static void outputs_that_cannot_be_written_say_why(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_output *output = NULL;
    char expected[600];
    assert_int_equal(crdi_output_open(&output, ctx, in_folder("no/o"), false), CRD_EMISSING);
    snprintf(expected, sizeof expected, "%s/no: no such folder", folder);
    assert_string_equal(crd_error_message(ctx), expected);
    crd_error_clear(ctx);
    assert_int_equal(crdi_output_open(&output, ctx, folder, true), CRD_EIO);
    snprintf(expected, sizeof expected, "%s: cannot be written: it is a directory", folder);
    assert_string_equal(crd_error_message(ctx), expected);
    crd_error_clear(ctx);
    assert_null(output);
    if (access("/dev/full", W_OK) == 0) {
        assert_ok(ctx, crdi_output_open(&output, ctx, "/dev/full", true));
        crdi_output_write(output, "x", 1);
        assert_int_equal(crdi_output_commit(&output), CRD_EFULL);
        assert_string_equal(crd_error_message(ctx), "/dev/full: cannot be written: No space left on device");
    }
    testing_context_destroy(&ctx);
}

static void a_library_may_write_the_file_itself(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_output *output;
    assert_ok(ctx, crdi_output_open(&output, ctx, in_folder("o"), false));
    unlink(crdi_output_temporary(output));
    put(crdi_output_temporary(output), "by another");
    assert_ok(ctx, crdi_output_commit(&output));
    assert_file(in_folder("o"), "by another");
    assert_int_equal(files_in_folder(), 1);
    unlink(in_folder("o"));
    testing_context_destroy(&ctx);
}

static void a_writer_without_memory_leaves_no_file(void **state)
{
    (void)state;
    static const char *const names[] = {"a"};
    for (int64_t k = 1;; k++) {
        assert_true(k < 50);
        crd_context *ctx = testing_context();
        crdi_csv_writer *writer = NULL;
        testing_fail_allocation(k);
        crd_status status = crdi_csv_writer_open(&writer, ctx, in_folder("o"), false, names, 1);
        testing_fail_allocation(0);
        if (status < 0)
            assert_int_equal(status, CRD_ENOMEM);
        crdi_csv_writer_abort(&writer);
        assert_int_equal(files_in_folder(), 0);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wild_files_are_read),
        cmocka_unit_test(lines_missing_cells_and_texts_are_counted),
        cmocka_unit_test(numbers_have_the_bits_of_strtod),
        cmocka_unit_test(bad_files_are_refused_in_one_line),
        cmocka_unit_test(a_header_of_numbers_is_pointed_out),
        cmocka_unit_test(separators_have_names),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(what_is_written_reads_back_bit_for_bit),
        cmocka_unit_test(many_rows_pass_through_the_buffer),
        cmocka_unit_test(an_output_is_there_whole_or_not_at_all),
        cmocka_unit_test(what_exists_is_kept_unless_forced),
        cmocka_unit_test(links_are_followed_and_devices_written_directly),
        cmocka_unit_test(outputs_that_cannot_be_written_say_why),
        cmocka_unit_test(a_library_may_write_the_file_itself),
        cmocka_unit_test(a_writer_without_memory_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
