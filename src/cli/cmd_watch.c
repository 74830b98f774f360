/* cmd_watch.c - credence watch RUN.crd: follows a run that another process writes, read-only. */
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "report/run_watch.h"
#include "report/text.h"
#include "store/run_resumable.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct watch_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/watch.def"
#undef OPT
} watch_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(watch_options, __VA_ARGS__)
#include "cli/watch.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("watch", watch_options, rows);

static const double SUMMARY_SHARE = 10; /* a summary of many draws takes its time: at most a tenth of it */

struct watch {
    crdi_cli *cli;
    const watch_options *o;
    const char *path;
    bool live, json;
    crdi_run_watch *now;
    double summary_due;
    crdi_string block; /* that stands on the terminal */
};

static bool stopped(void)
{
    return atomic_load(crdi_interrupt_flag()) != 0;
}

/* ---- looking ------------------------------------------------------------------------------------------------- */

static crd_status look(struct watch *w)
{
    enum { POINTS = 400 };
    crdi_run_watch *next;
    double start = crdi_seconds();
    bool summary = start >= w->summary_due;
    CRD_TRY(crdi_run_watch_make(w->cli->ctx,
                                &(crdi_watch_request){.path = w->path,
                                                      .site = w->o->site.item,
                                                      .sites = w->o->site.count,
                                                      .points = w->json ? 0 : POINTS,
                                                      .summary = summary,
                                                      .before = w->now},
                                &next));
    double end = crdi_seconds();
    if (summary)
        w->summary_due = end + SUMMARY_SHARE * (end - start);
    crdi_run_watch_destroy(&w->now);
    w->now = next;
    return CRD_OK;
}

/* ---- showing ------------------------------------------------------------------------------------------------- */

/* Lines cut at the terminal's width, over those that stand there. */
static void draw_over(struct watch *w, const char *text, int width)
{
    crdi_string out;
    crdi_string_init(&out, w->cli->ctx);
    int before = 0;
    for (const char *at = crdi_string_text(&w->block); *at; at++)
        before += *at == '\n';
    if (before > 0)
        crdi_string_append(&out, "\x1b[%dA", before);
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        crdi_string line;
        crdi_string_init(&line, w->cli->ctx);
        crdi_string_add(&line, at, length);
        const char *shown = crdi_string_text(&line);
        crdi_string_append(&out, "\r");
        if (strchr(shown, '\x1b')) /* of crdi_progress_block, which has cut it */
            crdi_string_append(&out, "%s", shown);
        else
            crdi_string_add(&out, shown, crdi_text_fit(shown, width - 1));
        crdi_string_append(&out, "\x1b[K\n");
        crdi_string_clear(&line);
        at += length + (at[length] == '\n');
    }
    crdi_string_append(&out, "\x1b[J");
    fputs(crdi_string_text(&out), stdout);
    crdi_string_clear(&out);
}

static crd_status show_live(struct watch *w)
{
    int width = 80, height = 24;
    crdi_string text;
    crdi_terminal_size(STDOUT_FILENO, &width, &height);
    crdi_string_init(&text, w->cli->ctx);
    crd_status status = crdi_run_watch_block(&text, w->now, width, height, true);
    if (status == CRD_OK) {
        draw_over(w, crdi_string_text(&text), width);
        crdi_string_clear(&w->block);
        w->block = text;
    } else {
        crdi_string_clear(&text);
    }
    return status;
}

static crd_status show_plain(struct watch *w)
{
    crdi_string out;
    crdi_string_init(&out, w->cli->ctx);
    crd_status status = w->json      ? crdi_run_watch_json(&out, w->now)
                        : w->o->once ? crdi_run_watch_block(&out, w->now, w->cli->width, 0, false)
                                     : crdi_run_watch_line(&out, w->now);
    return crdi_terminal_put(stdout, &out, status);
}

static crd_status show(struct watch *w)
{
    crd_status status = w->live ? show_live(w) : show_plain(w);
    if (status == CRD_OK && fflush(stdout) != 0)
        return crdi_raise(w->cli->ctx, errno == ENOSPC ? CRD_EFULL : CRD_EIO, "standard output cannot be written: %s",
                          strerror(errno));
    return status;
}

static crd_status show_end(struct watch *w)
{
    crdi_string out;
    if (w->json)
        return CRD_OK;
    crdi_string_init(&out, w->cli->ctx);
    crd_status status = crdi_run_watch_end(&out, w->now);
    return crdi_terminal_put(stdout, &out, status);
}

/* ---- again and again ----------------------------------------------------------------------------------------- */

/* A signal ends the sleep. */
static void wait_for_next(const struct watch *w, double start)
{
    double left = start + w->o->every - crdi_seconds();
    if (left < 0.05) /* a look takes longer than the pause: it is not to take all of the time */
        left = 0.05;
    struct timespec pause = {.tv_sec = (time_t)left, .tv_nsec = (long)(1e9 * (left - (double)(time_t)left))};
    if (!stopped())
        nanosleep(&pause, NULL);
}

/* A file that is put in the place of another, or cut, just while it is read is whole a moment later. */
static crd_status look_again(struct watch *w)
{
    enum { TRIES = 5 };
    const struct timespec pause = {.tv_nsec = 50000000};
    crd_status status = look(w);
    for (int i = 0; i < TRIES && (status == CRD_EIO || status == CRD_EDAMAGED || status == CRD_EMISSING); i++) {
        if (!crdi_run_is_written(w->path) && status != CRD_EIO)
            break;
        crd_error_clear(w->cli->ctx);
        nanosleep(&pause, NULL);
        status = look(w);
    }
    return status;
}

static crd_status follow(struct watch *w)
{
    for (;;) {
        double start = crdi_seconds();
        CRD_TRY(look_again(w));
        CRD_TRY(show(w));
        if (w->now->state != CRDI_WATCH_RUNNING)
            return show_end(w);
        if (w->o->once || stopped())
            return CRD_OK;
        wait_for_next(w, start);
        if (stopped())
            return CRD_OK;
    }
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    struct watch w = {.cli = cli, .o = crdi_cli_values(call, &table), .path = crdi_cli_argument(call, 0)};
    w.json = strcmp(w.o->format, "json") == 0;
    w.live = !w.json && !w.o->once && crdi_terminal_is(STDOUT_FILENO);
    crdi_string_init(&w.block, cli->ctx);
    crdi_interrupt_watch();
    crd_status status = follow(&w);
    crdi_interrupt_unwatch();
    crdi_run_watch_destroy(&w.now);
    crdi_string_clear(&w.block);
    return status;
}

const crdi_command_body crdi_command_watch = {
    .positional = {{"RUN.crd", "a run that is being written, perhaps by another user", CRDI_ONE}},
    .table = {&table},
    .more = "Shows how far each chain is, the worst r_hat, the smallest n_eff, divergences, s and the sites that\n"
            "are known worst, and the last draws of s (--site) as a line a chain. On a terminal in place, else a\n"
            "line a look. It reads only, and asks nothing of the run. It ends with the run, or with Ctrl-C.\n\n"
            "Example: credence watch run.crd --site 's' --site 'net/Dense_1.bias'\n",
    .run = run,
};
