/* fit_display.c - see fit_display.h. */
#include "cli/fit_display.h"
#include "report/progress.h"

enum { MOST_LINES = 20 }; /* of the block: a terminal of 24 lines keeps some of what stands above */
static const double REDRAW_SECONDS = 0.2, PLAIN_SECONDS = 5;

crd_status crdi_fit_display_begin(crdi_fit_display *d, crdi_cli *cli, int chains)
{
    *d = (crdi_fit_display){.cli = cli, .count = chains, .drawn = crdi_seconds()};
    d->last = crdi_alloc_array(cli->ctx, chains, sizeof *d->last);
    return d->last ? CRD_OK : CRD_ENOMEM;
}

static void draw(crdi_fit_display *d, bool ended)
{
    crdi_string out;
    crdi_string_init(&out, d->cli->ctx);
    crdi_chain_progress *chains = crdi_alloc_array(d->cli->ctx, d->count, sizeof *chains);
    if (chains) {
        for (int c = 0; c < d->count; c++)
            chains[c] = crdi_progress_of(&d->last[c], ended);
        if (d->cli->terminal) {
            int lines = crdi_progress_block(&out, chains, d->count, d->cli->width, MOST_LINES, d->lines);
            d->lines = lines > 0 ? lines : d->lines;
        } else {
            (void)!crdi_progress_lines(&out, chains, d->count);
        }
        fputs(crdi_string_text(&out), stderr);
        fflush(stderr);
    }
    crdi_free(d->cli->ctx, chains);
    crdi_string_clear(&out);
}

void crdi_fit_display_update(void *user, const crd_chain_progress *chains, int count)
{
    crdi_fit_display *d = user;
    double now = crdi_seconds();
    for (int c = 0; c < count; c++) {
        bool was_done = d->last[c].total > 0 && d->last[c].iteration >= d->last[c].total;
        double seconds = d->last[c].seconds; /* the sampler's clock goes on when a chain is done */
        d->last[c] = chains[c];
        if (was_done)
            d->last[c].seconds = seconds;
    }
    if (now - d->drawn < (d->cli->terminal ? REDRAW_SECONDS : PLAIN_SECONDS))
        return;
    d->drawn = now;
    draw(d, false);
}

void crdi_fit_display_end(crdi_fit_display *d)
{
    if (!d->last)
        return;
    draw(d, true);
    crdi_free(d->cli->ctx, d->last);
    d->last = NULL;
}
