/* fit_display.c - see fit_display.h. */
#include "cli/fit_display.h"
#include "cli/terminal.h"

#include <string.h>
#include <unistd.h>

enum { MOST_LINES = 20 }; /* of the block: a terminal of 24 lines keeps some of what stands above */
static const double REDRAW_SECONDS = 0.2, PLAIN_SECONDS = 5;

crd_status crdi_fit_display_begin(crdi_fit_display *d, crdi_cli *cli, int chains)
{
    *d = (crdi_fit_display){.cli = cli, .count = chains, .drawn = crdi_seconds()};
    crdi_string_init(&d->block, cli->ctx);
    d->last = crdi_alloc_array(cli->ctx, chains, sizeof *d->last);
    d->printed = crdi_alloc_array(cli->ctx, chains, sizeof *d->printed);
    if (d->last && d->printed)
        return CRD_OK;
    crdi_free(cli->ctx, d->last);
    crdi_free(cli->ctx, d->printed);
    *d = (crdi_fit_display){0};
    return CRD_ENOMEM;
}

/* Over the block before, which a narrower window has broken into more rows. All is asked anew: windows change. */
static void draw_live(crdi_fit_display *d, const crdi_chain_progress *chains)
{
    int width = d->cli->width, height = MOST_LINES + 2;
    crdi_string out;
    crdi_terminal_size(STDERR_FILENO, &width, &height);
    int most = height - 2 < 1 ? 1 : height - 2 < MOST_LINES ? height - 2 : MOST_LINES;
    crdi_string_init(&out, d->cli->ctx);
    int before = crdi_progress_rows(crdi_string_text(&d->block), width);
    if (crdi_progress_block(&out, chains, d->count, width, most, before) > 0) {
        fputs(crdi_string_text(&out), stderr);
        fflush(stderr);
    }
    crdi_string_clear(&d->block);
    d->block = out;
}

static void draw_plain(crdi_fit_display *d, const crdi_chain_progress *chains)
{
    crdi_string out;
    crdi_string_init(&out, d->cli->ctx);
    if (crdi_progress_lines(&out, chains, d->printed, d->count) == CRD_OK)
        fputs(crdi_string_text(&out), stderr);
    fflush(stderr);
    memcpy(d->printed, chains, (size_t)d->count * sizeof *chains);
    crdi_string_clear(&out);
}

/* Whether anything has been told yet: a pilot run says nothing. */
static bool is_told(const crdi_fit_display *d)
{
    for (int c = 0; c < d->count; c++)
        if (d->last[c].total > 0)
            return true;
    return false;
}

static void draw(crdi_fit_display *d, bool ended, bool held)
{
    crdi_chain_progress *chains = crdi_alloc_array(d->cli->ctx, d->count, sizeof *chains);
    if (!chains)
        return;
    for (int c = 0; c < d->count; c++) {
        chains[c] = d->last[c];
        if (held)
            chains[c].total = chains[c].iteration; /* no more are needed */
        if (ended && chains[c].phase != CRDI_PHASE_DONE)
            chains[c].phase = chains[c].iteration >= chains[c].total ? CRDI_PHASE_DONE : CRDI_PHASE_STOPPED;
    }
    if (d->cli->terminal)
        draw_live(d, chains);
    else
        draw_plain(d, chains);
    crdi_free(d->cli->ctx, chains);
}

/* The clock of the sampler goes on when a chain is done; what is shown stays. */
static void take(crdi_fit_display *d, int c, crdi_chain_progress now)
{
    bool was_done = d->last[c].phase == CRDI_PHASE_DONE;
    double seconds = d->last[c].seconds;
    d->last[c] = now;
    if (was_done)
        d->last[c].seconds = seconds;
}

static void draw_when_due(crdi_fit_display *d)
{
    double now = crdi_seconds();
    if (now - d->drawn < (d->cli->terminal ? REDRAW_SECONDS : PLAIN_SECONDS))
        return;
    d->drawn = now;
    draw(d, false, false);
}

void crdi_fit_display_update(void *user, const crd_chain_progress *chains, int count)
{
    crdi_fit_display *d = user;
    for (int c = 0; c < count; c++)
        take(d, c, crdi_progress_of(&chains[c], false));
    draw_when_due(d);
}

void crdi_fit_display_update_fit(void *user, const crd_svi_progress *restarts, int count)
{
    crdi_fit_display *d = user;
    for (int c = 0; c < count; c++)
        take(d, c, crdi_progress_of_fit(&restarts[c]));
    draw_when_due(d);
}

void crdi_fit_display_line(void *user, const char *line)
{
    crdi_fit_display *d = user;
    draw(d, true, false);
    crdi_string_clear(&d->block); /* what stands stays */
    memset(d->last, 0, (size_t)d->count * sizeof *d->last);
    memset(d->printed, 0, (size_t)d->count * sizeof *d->printed);
    fputs("auto:   ", stderr);
    crdi_terminal_print(stderr, line, false);
    fputs("\n", stderr);
}

void crdi_fit_display_end(crdi_fit_display *d, bool held)
{
    if (!d->last)
        return;
    if (is_told(d))
        draw(d, true, held);
    crdi_string_clear(&d->block);
    crdi_free(d->cli->ctx, d->last);
    crdi_free(d->cli->ctx, d->printed);
    *d = (crdi_fit_display){0};
}
