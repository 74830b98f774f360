/* progress.c - see progress.h.
 *
 * A line is built of fields in the order of their importance; those that do not fit the terminal are left out, because
 * a line that wraps would break the redrawing of all that stand above it. */
#include "report/progress.h"
#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_BAR = 8, MOST_BAR = 30, FIELD = 64, FIELDS = 8, MOST_PLAIN = 16 };

static const char *phase_name(crdi_phase phase)
{
    static const char *const names[] = {"waiting", "warmup", "sampling", "fitting", "done", "stopped"};
    return names[phase];
}

const char *crdi_progress_time(char *buffer, double seconds)
{
    if (!(seconds >= 0) || seconds > 1e9)
        return strcpy(buffer, "?");
    long long s = (long long)seconds;
    if (s >= 86400)
        crdi_format(buffer, 24, "%lldd %02lldh", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        crdi_format(buffer, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        crdi_format(buffer, 24, "%lld:%02lld", s / 60, s % 60);
    return buffer;
}

static double share(const crdi_chain_progress *c)
{
    return c->total > 0 ? fmin(1, fmax(0, (double)c->iteration / (double)c->total)) : c->phase == CRDI_PHASE_DONE;
}

static bool known(double value)
{
    return value > 0 && isfinite(value);
}

/* The fields of a chain, the most important first; empty ones are skipped. The bar is not among them. `align` fills the
 * first ones up to the same width for all chains. */
static void fields(const crdi_chain_progress *c, bool align, char out[FIELDS][FIELD])
{
    char spent[24], left[24];
    int digits = align ? crdi_format(NULL, 0, "%lld", (long long)c->total) : 0;
    crdi_format(out[0], FIELD, "%*d%%", align ? 3 : 0, (int)(100 * share(c)));
    crdi_format(out[1], FIELD, "%*lld/%lld", digits, (long long)c->iteration, (long long)c->total);
    crdi_format(out[2], FIELD, "%-*s", align ? 8 : 0, phase_name(c->phase));
    crdi_progress_time(spent, c->seconds);
    crdi_progress_time(left, c->seconds_left);
    if (c->phase == CRDI_PHASE_DONE || c->phase == CRDI_PHASE_STOPPED)
        crdi_format(out[3], FIELD, "%s", spent);
    else if (c->phase != CRDI_PHASE_WAITING)
        crdi_format(out[3], FIELD, "%s<%s", spent, left);
    if (c->divergences > 0)
        crdi_format(out[4], FIELD, "%lld divergent", (long long)c->divergences);
    if (c->skipped > 0)
        crdi_format(out[4], FIELD, "%lld skipped", (long long)c->skipped);
    if (c->fit && isfinite(c->loss) && isfinite(c->held_out))
        crdi_format(out[7], FIELD, "loss %.6g, held out %.4g", c->loss, c->held_out);
    else if (c->fit && isfinite(c->loss))
        crdi_format(out[7], FIELD, "loss %.6g", c->loss);
    if (known(c->step_size))
        crdi_format(out[5], FIELD, "step %.3g", c->step_size);
    if (known(c->gradients))
        crdi_format(out[6], FIELD, "%.1f grad/draw", c->gradients);
}

/* [::::====>     ]: warm-up is drawn with colons, so that its end can be seen. */
static void add_bar(crdi_string *out, const crdi_chain_progress *c, int width)
{
    int done = (int)floor(share(c) * width);
    int warm = c->total > 0 ? (int)floor(fmin(1, (double)c->warmup / (double)c->total) * width) : 0;
    crdi_string_append(out, "[");
    for (int i = 0; i < width; i++)
        crdi_string_append(out, "%s", i < done ? (i < warm ? ":" : "=") : i == done && done > 0 ? ">" : " ");
    crdi_string_append(out, "]");
}

static int length_of(const char *field)
{
    return *field ? 1 + (int)strlen(field) : 0;
}

/* How many of the first fields go into a line of `width` columns beside the name, and what they leave for the bar (0: no
 * bar). The bar comes before all but the first four fields. */
static int fit(const char field[FIELDS][FIELD], int name, int width, int *bar)
{
    int used = name, count = 0;
    while (count < FIELDS && used + length_of(field[count]) <= width)
        used += length_of(field[count++]);
    while (count > 4 && width - used - 3 < LEAST_BAR)
        used -= length_of(field[--count]);
    int left = width - used - 3;
    *bar = left < LEAST_BAR ? 0 : left < MOST_BAR ? left : MOST_BAR;
    return count;
}

static void name_line(char name[FIELD], const crdi_chain_progress *chains, int line, int alone, int count)
{
    int digits = crdi_format(NULL, 0, "%d", count - 1); /* chains are numbered from 0, as everywhere */
    if (line < alone)
        crdi_format(name, FIELD, "%s %*d", chains[line].fit ? "fit" : "chain", digits, line);
    else
        crdi_format(name, FIELD, "%-*s", 6 + digits, "others");
}

/* One line of at most `width` columns without its end, with a bar of `bar` columns unless that is 0. */
static void add_line(crdi_string *out, const char *name, const crdi_chain_progress *c, int width, int bar)
{
    char field[FIELDS][FIELD] = {{0}};
    int own;
    fields(c, true, field);
    int count = fit((const char(*)[FIELD])field, (int)strlen(name), width, &own);
    crdi_string_append(out, "%.*s", width, name);
    if (bar) {
        crdi_string_append(out, " ");
        add_bar(out, c, bar);
    }
    for (int i = 0; i < count; i++)
        if (*field[i])
            crdi_string_append(out, " %s", field[i]);
}

/* The phase of several chains: the one that all are in, else the earliest that any of them is running in. */
static crdi_phase phase_of(const crdi_chain_progress *chains, int count)
{
    bool same = true, warm = false;
    crdi_phase running = chains[0].fit ? CRDI_PHASE_FITTING : CRDI_PHASE_SAMPLING;
    for (int i = 0; i < count; i++) {
        if (chains[i].phase == CRDI_PHASE_STOPPED) /* the run is over, and this chain was not at its end */
            return CRDI_PHASE_STOPPED;
        same = same && chains[i].phase == chains[0].phase;
        warm = warm || chains[i].phase == CRDI_PHASE_WARMUP;
    }
    return same ? chains[0].phase : warm ? CRDI_PHASE_WARMUP : running;
}

/* Where some have not begun: as if what is left were done by as many at a time as are running, each at the mean pace so far. */
static double left_in_turns(const crdi_chain_progress *chains, int count, int64_t left)
{
    double seconds = 0, done = 0;
    int running = 0;
    for (int i = 0; i < count; i++) {
        seconds += chains[i].seconds;
        done += (double)chains[i].iteration;
        running += chains[i].phase >= CRDI_PHASE_WARMUP && chains[i].phase <= CRDI_PHASE_FITTING;
    }
    return running && done > 0 ? seconds / done * (double)left / running : NAN;
}

/* Chains that share a line: sums, means, the longest times, the least loss. */
static crdi_chain_progress together(const crdi_chain_progress *chains, int count)
{
    crdi_chain_progress all = chains[0];
    double steps = 0, gradients = 0;
    all.iteration = all.warmup = all.total = all.divergences = all.skipped = 0;
    all.held_out = NAN; /* of one fit */
    for (int i = 0; i < count; i++) {
        const crdi_chain_progress *c = &chains[i];
        all.iteration += c->iteration;
        all.warmup += c->warmup;
        all.total += c->total;
        all.divergences += c->divergences;
        all.skipped += c->skipped;
        all.loss = fmin(all.loss, c->loss); /* of a number and NaN it is the number */
        all.seconds = fmax(all.seconds, c->seconds);
        bool unknown = !(all.seconds_left >= 0 && c->seconds_left >= 0);
        all.seconds_left = unknown ? NAN : fmax(all.seconds_left, c->seconds_left);
        steps += c->step_size / count;
        gradients += c->gradients / count;
    }
    all.phase = phase_of(chains, count);
    if (all.fit && !(all.seconds_left >= 0))
        all.seconds_left = left_in_turns(chains, count, all.total - all.iteration);
    all.step_size = steps;
    all.gradients = gradients;
    return all;
}

int crdi_progress_block(crdi_string *out, const crdi_chain_progress *chains, int count, int width, int height,
                        int before)
{
    int alone = height > 0 && count > height ? height - 1 : count, lines = alone + (alone < count), bar = MOST_BAR;
    crdi_chain_progress rest = alone < count ? together(chains + alone, count - alone) : (crdi_chain_progress){0};
    char name[FIELD];
    width = width > 1 ? width - 1 : 1; /* some terminals wrap when the last column is written */
    for (int i = 0; i < lines; i++) { /* all bars are as long as the shortest */
        char field[FIELDS][FIELD] = {{0}};
        int own;
        fields(i < alone ? &chains[i] : &rest, true, field);
        name_line(name, chains, i, alone, count);
        fit((const char(*)[FIELD])field, (int)strlen(name), width, &own);
        bar = own < bar ? own : bar;
    }
    if (before > 0)
        crdi_string_append(out, "\x1b[%dA", before);
    for (int i = 0; i < lines; i++) {
        name_line(name, chains, i, alone, count);
        crdi_string_append(out, "\r");
        add_line(out, name, i < alone ? &chains[i] : &rest, width, bar);
        crdi_string_append(out, "\x1b[K\n");
    }
    if (before > lines)
        crdi_string_append(out, "\x1b[J"); /* what is left of a longer block */
    return out->status < 0 ? (int)out->status : lines;
}

int crdi_progress_rows(const char *block, int width)
{
    int rows = 0, columns = 0;
    for (const char *at = block; *at; at++) {
        if (*at == '\x1b') {
            at += strcspn(at, "AJK"); /* the sequences of a block end so */
        } else if (*at == '\n') {
            rows += columns > width ? (columns + width - 1) / width : 1;
            columns = 0;
        } else if (*at != '\r') {
            columns++;
        }
    }
    return rows;
}

static void plain_line(crdi_string *out, const crdi_chain_progress *c)
{
    char field[FIELDS][FIELD] = {{0}};
    fields(c, false, field);
    for (int k = 0; k < FIELDS; k++)
        if (*field[k])
            crdi_string_append(out, "%s%s", k == 0 || k == 1 ? " " : ", ", field[k]);
    crdi_string_append(out, "\n");
}

crd_status crdi_progress_lines(crdi_string *out, const crdi_chain_progress *chains, const crdi_chain_progress *before,
                               int count)
{
    bool any = false;
    for (int i = 0; i < count; i++) {
        if (chains[i].iteration == before[i].iteration && chains[i].phase == before[i].phase)
            continue;
        any = true;
        if (count > MOST_PLAIN)
            continue;
        crdi_string_append(out, "%s %d:", chains[i].fit ? "fit" : "chain", i);
        plain_line(out, &chains[i]);
    }
    if (any && count > MOST_PLAIN) {
        crdi_chain_progress all = together(chains, count);
        crdi_string_append(out, "%d %s:", count, all.fit ? "fits" : "chains");
        plain_line(out, &all);
    }
    return out->status;
}
