/* test_call.c - words of a command line to options and arguments; help pages; what every command of the table keeps to. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "testing.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct first {
    int64_t chains;
    const char *out;
    bool progress;
    bool no_header;
} first;
typedef struct second {
    double target_accept;
    crdi_text_list drop;
} second;
static const crdi_option first_rows[] = {
    CRDI_OPTION_ROW(first, integer, chains, 4, 1, 100, "number of chains", "")
        CRDI_OPTION_ROW(first, text, out, NULL, FILE, , "run file to write", "")
            CRDI_OPTION_ROW(first, flag, progress, true, , , "show progress", "")
                CRDI_OPTION_ROW(first, flag, no_header, false, , , "the file has no line of names", "")};
static const crdi_option second_rows[] = {
    CRDI_OPTION_ROW(second, real, target_accept, 0.8, > 0, < 1, "wanted acceptance", "")
        CRDI_OPTION_ROW(second, list, drop, NULL, COL, ,
                        "leave out a column; and here follow many more words, enough for "
                        "the text to need a second line in a help page of a hundred columns",
                        "")};
static const crdi_option_table first_table = CRDI_OPTION_TABLE("first", first, first_rows);
static const crdi_option_table second_table = CRDI_OPTION_TABLE("second", second, second_rows);

static crd_status nothing(crdi_cli *cli, crdi_cli_call *call)
{
    (void)cli;
    (void)call;
    return CRD_OK;
}

static const crdi_command_body body = {
    .positional = {{"RUN", "a run file", CRDI_ONE}, {"NEW", "new inputs", CRDI_OPTIONAL}},
    .table = {&first_table, &second_table},
    .more = "Example: credence try RUN\n",
    .run = nothing,
};
static const crdi_command command = {"try", "try the options", &body};

/* Splits `line` at blanks and reads it as what stands behind the name. The words live in a static buffer. */
static crd_status read_line(crdi_cli_call *out, crd_context *ctx, const char *line)
{
    static char copy[1000];
    char *words[50], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest))
        words[count++] = w;
    return crdi_cli_read(out, ctx, &command, count, words);
}

static void options_and_arguments_may_be_mixed(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_cli_call call;
    assert_ok(ctx, read_line(&call, ctx,
                             "--chains 2 run.crd --target-accept=0.9 --drop a --no-progress --drop=-3 --no-header "
                             "--out -1 -- --new"));
    const first *f = crdi_cli_values(&call, &first_table);
    const second *s = crdi_cli_values(&call, &second_table);
    assert_true(f->chains == 2 && !f->progress && f->no_header && s->target_accept == 0.9 && s->drop.count == 2);
    assert_string_equal(f->out, "-1");
    assert_string_equal(s->drop.item[1], "-3");
    assert_string_equal(crdi_cli_argument(&call, 0), "run.crd");
    assert_string_equal(crdi_cli_argument(&call, 1), "--new");
    assert_null(crdi_cli_argument(&call, 2));
    assert_true(crdi_options_given(crdi_cli_options(&call, &first_table), "chains"));
    assert_false(crdi_options_given(crdi_cli_options(&call, &second_table), "target_accept") &&
                 crdi_cli_wants_help(&call));
    crdi_cli_clear(&call, ctx);
    testing_context_destroy(&ctx);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        crd_status status;
        const char *message;
    } cases[] = {
        {"", CRD_EMISSING, "try needs RUN (a run file); 'credence help try' explains it"},
        {"a b c", CRD_EINVAL, "try: unexpected argument 'c'; 'credence help try' explains it"},
        {"a --chain 3", CRD_ENAME, "unknown option '--chain'; did you mean '--chains'?"},
        {"a --target-acept=3", CRD_ENAME, "unknown option '--target-acept'; did you mean '--target-accept'?"},
        {"a --no-chains", CRD_ENAME, "unknown option '--no-chains'; did you mean '--chains'?"},
        {"a --chains", CRD_EINVAL, "option --chains needs a value (one that begins with -- is written --chains=VALUE)"},
        {"a --out --chains 3", CRD_EINVAL,
         "option --out needs a value (one that begins with -- is written --out=VALUE)"},
        {"a --chains 0", CRD_EINVAL, "option --chains: 0 is out of range, at least 1 is needed"},
        {"a --chains=", CRD_EINVAL, "option --chains: '' is not a whole number"},
        {"a --progress=maybe", CRD_EINVAL, "option --progress: 'maybe' is neither yes nor no"},
        {"a -q", CRD_ENAME, "unknown option '-q'; options begin with two dashes, and 'credence help try' lists them"},
    };
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crdi_cli_call call;
        assert_int_equal(read_line(&call, ctx, cases[i].line), cases[i].status);
        assert_string_equal(crd_error_message(ctx), cases[i].message);
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

static void help_needs_no_arguments(void **state)
{
    (void)state;
    static const char *const lines[] = {"--help", "-h", "a b --help --nonsense"};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(lines); i++) {
        crdi_cli_call call;
        assert_ok(ctx, read_line(&call, ctx, lines[i]));
        assert_true(crdi_cli_wants_help(&call));
        crdi_cli_clear(&call, ctx);
    }
    testing_context_destroy(&ctx);
}

static void a_help_page_is_aligned_and_wrapped(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string page;
    crdi_string_init(&page, ctx);
    crdi_usage_command(&page, &command, 100);
    assert_string_equal(
        crdi_string_text(&page),
        "Usage: credence try RUN [NEW] [options]\n\n  try the options\n\nArguments:\n"
        "  RUN                         a run file\n"
        "  NEW                         new inputs\n\nOptions:\n"
        "  --chains N                  number of chains [4; 1 to 100]\n"
        "  --out FILE                  run file to write\n"
        "  --[no-]progress             show progress [on]\n"
        "  --no-header                 the file has no line of names\n"
        "  --target-accept X           wanted acceptance [0.8; above 0, below 1]\n"
        "  --drop COL                  leave out a column; and here follow many more words, enough for the\n"
        "                              text to need a second line in a help page of a hundred columns\n"
        "                              [repeatable]\n"
        "  --help                      print this page and stop (-h for short)\n\n"
        "Example: credence try RUN\n");
    crdi_string_clear(&page);
    testing_context_destroy(&ctx);
}

/* Every command of the program: defaults within their ranges, no option twice, a page of at most 100 columns. */
static void every_command_is_sound(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    assert_true(crdi_commands_count() >= 2);
    for (int c = 0; c < crdi_commands_count(); c++) {
        const crdi_command *each = crdi_commands_get(c);
        assert_ptr_equal(crdi_commands_find(ctx, each->name), each);
        crdi_cli_call call;
        char word[] = "--help", *help[] = {word};
        assert_ok(ctx, crdi_cli_read(&call, ctx, each, 1, help));
        for (int s = 0; s < call.set_count; s++) {
            for (int i = 0; i < call.set[s].table->count; i++) {
                const char *name = call.set[s].table->option[i].name;
                for (int other = s + 1; other < call.set_count; other++)
                    if (crdi_option_find(call.set[other].table, name))
                        fail_msg("%s: two tables have --%s", each->name, name);
                assert_ptr_equal(crdi_option_find(call.set[s].table, name), &call.set[s].table->option[i]);
            }
        }
        crdi_string page;
        crdi_string_init(&page, ctx);
        crdi_usage_command(&page, each, CRDI_HELP_WIDTH);
        for (const char *line = crdi_string_text(&page); *line; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > CRDI_HELP_WIDTH)
                fail_msg("%s: a line of the help is too wide: %s", each->name, line);
        crdi_string_clear(&page);
        crdi_cli_clear(&call, ctx);
    }
    testing_context_destroy(&ctx);
}

static void reading_without_memory_fails_in_good_order(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_status status = CRD_ENOMEM;
    int k = 0;
    while (status < 0) {
        crdi_cli_call call;
        testing_fail_allocation(++k);
        status = read_line(&call, ctx, "a --drop x --out y");
        if (status >= 0)
            crdi_cli_clear(&call, ctx);
        else
            assert_int_equal(status, CRD_ENOMEM);
        crd_error_clear(ctx);
        assert_true(k < 200);
    }
    testing_fail_allocation(0);
    assert_true(k > 5);
    testing_context_destroy(&ctx);
}

static void the_second_interrupt_ends_at_once(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        crdi_interrupt_watch();
        if (atomic_load(crdi_interrupt_flag()) != 0)
            _exit(1);
        raise(SIGINT);
        if (atomic_load(crdi_interrupt_flag()) != SIGINT)
            _exit(2);
        close(STDERR_FILENO);
        raise(SIGINT);
        _exit(3);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), crd_status_exit_code(CRD_INTERRUPTED));
}

static void the_width_comes_from_the_environment(void **state)
{
    (void)state;
    setenv("COLUMNS", "72", 1);
    assert_int_equal(crdi_terminal_width(-1, 100), 72);
    setenv("COLUMNS", "3", 1);
    assert_int_equal(crdi_terminal_width(-1, 100), 40);
    setenv("COLUMNS", "wide", 1);
    assert_int_equal(crdi_terminal_width(-1, 100), 100);
    unsetenv("COLUMNS");
    assert_int_equal(crdi_terminal_width(-1, 90), 90);
    assert_false(crdi_terminal_is(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_may_be_mixed),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(a_help_page_is_aligned_and_wrapped),
        cmocka_unit_test(every_command_is_sound),
        cmocka_unit_test(reading_without_memory_fails_in_good_order),
        cmocka_unit_test(the_second_interrupt_ends_at_once),
        cmocka_unit_test(the_width_comes_from_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
