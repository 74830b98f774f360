/* run_watch_text.c - a moment of a run, in words. */
#include "report/run_watch.h"
#include "report/text.h"
#include "store/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORST_SITES = 4, LEAST_WIDTH = 40, MOST_TRACE = 100 };

/* ---- pieces -------------------------------------------------------------------------------------------------- */

static int64_t all_draws(const crdi_run_watch *w)
{
    int64_t sum = 0;
    for (int c = 0; c < w->chains; c++)
        sum += w->draws[c];
    return sum;
}

static int64_t all_divergences(const crdi_run_watch *w)
{
    int64_t sum = 0;
    for (int c = 0; c < w->chains; c++)
        sum += w->chain[c].divergences;
    return sum;
}

static const char *state_of(const crdi_run_watch *w)
{
    if (w->state == CRDI_WATCH_RUNNING)
        return "running";
    return w->state == CRDI_WATCH_KILLED ? "killed" : w->status;
}

static void put_head(crdi_string *out, const crdi_run_watch *w)
{
    char time[24];
    crdi_text_printable(out, w->path);
    crdi_string_append(out, ": ");
    crdi_text_printable(out, w->method);
    if (*w->network) {
        crdi_string_append(out, ", network ");
        crdi_text_printable(out, w->network);
    }
    if (*w->rule) {
        crdi_string_append(out, ", until ");
        crdi_text_printable(out, w->rule);
    }
    crdi_string_append(out, "; ");
    crdi_text_printable(out, state_of(w));
    crdi_string_append(out, ", %s so far", crdi_progress_time(time, w->seconds));
    if (w->seconds_left >= 0)
        crdi_string_append(out, ", %s left", crdi_progress_time(time, w->seconds_left));
    crdi_string_append(out, "\n");
}

static void put_speed(crdi_string *out, const crdi_run_watch *w)
{
    if (w->state == CRDI_WATCH_RUNNING && w->speed > 0 && isfinite(w->speed))
        crdi_string_append(out, ", %.3g %s a second", w->speed, w->fit ? "steps" : "iterations");
}

static void put_draws(crdi_string *out, const crdi_run_watch *w)
{
    int64_t least = w->draws[0], most = w->draws[0];
    for (int c = 1; c < w->chains; c++) {
        least = w->draws[c] < least ? w->draws[c] : least;
        most = w->draws[c] > most ? w->draws[c] : most;
    }
    crdi_string_append(out, all_draws(w) > 0 ? "draws:       %lld" : "draws:       none yet", (long long)all_draws(w));
    if (w->fit || all_draws(w) == 0) {
        put_speed(out, w);
        crdi_string_append(out, "\n");
        return;
    }
    if (least == most)
        crdi_string_append(out, ", %lld", (long long)least);
    else
        crdi_string_append(out, ", %lld to %lld", (long long)least, (long long)most);
    if (w->asked > 0)
        crdi_string_append(out, " of %lld", (long long)w->asked);
    crdi_string_append(out, " a chain");
    put_speed(out, w);
    crdi_string_append(out, "\ndivergences: %lld\n", (long long)all_divergences(w));
}

/* ---- the summary --------------------------------------------------------------------------------------------- */

static bool has_diagnostics(const crdi_run_watch *w)
{
    const crdi_run_summary *s = w->summary;
    return s && !s->independent && s->worst_r_hat && s->smallest_n_eff;
}

static void put_worst(crdi_string *out, const crdi_run_summary *s)
{
    if (crdi_run_too_short(s)) {
        crdi_string_append(out, "too few draws to judge\n");
        return;
    }
    crdi_string_append(out, "worst r_hat: %.3f (", s->worst_r_hat->r_hat);
    crdi_text_printable(out, s->worst_r_hat->label);
    crdi_string_append(out, ")\nsmallest n_eff: %.1f (", s->smallest_n_eff->n_eff);
    crdi_text_printable(out, s->smallest_n_eff->label);
    crdi_string_append(out, ")\n");
}

/* What is not a number comes first. */
static int by_n_eff(const void *a, const void *b)
{
    double x = (*(const crdi_summary_row *const *)a)->n_eff, y = (*(const crdi_summary_row *const *)b)->n_eff;
    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return (x > y) - (x < y);
}

static void put_row(crdi_string *out, const crdi_summary_row *row, int name)
{
    crdi_string label;
    crdi_string_init(&label, out->ctx);
    crdi_text_printable(&label, row->label);
    const char *text = crdi_string_text(&label);
    int length = (int)crdi_text_fit(text, name);
    crdi_string_append(out, "%.*s%*s %10.3g %10.3g %8.1f %6.3f\n", length, text,
                       name - crdi_text_width(text) > 0 ? name - crdi_text_width(text) : 0, "", row->mean, row->sd,
                       row->n_eff, row->r_hat);
    crdi_string_clear(&label);
}

/* s, and the sites that are known worst. */
static crd_status put_rows(crdi_string *out, const crdi_run_summary *s, int width)
{
    int name = width > 78 ? 30 : width - 48 > 8 ? width - 48 : 8;
    const crdi_summary_row **row = crdi_alloc_array(out->ctx, s->count, sizeof *row);
    if (!row)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < s->count; i++)
        row[i] = &s->row[i];
    qsort(row, (size_t)s->count, sizeof *row, by_n_eff);
    crdi_string_append(out, "%*s %10s %10s %8s %6s\n", name, "", "mean", "std", "n_eff", "r_hat");
    for (int64_t i = 0; i < s->count; i++)
        if (strcmp(row[i]->site, "s") == 0)
            put_row(out, row[i], name);
    for (int64_t i = 0, shown = 0; i < s->count && shown < WORST_SITES; i++)
        if (strcmp(row[i]->site, "s") != 0) {
            put_row(out, row[i], name);
            shown++;
        }
    crdi_free(out->ctx, row);
    return CRD_OK;
}

/* ---- traces -------------------------------------------------------------------------------------------------- */

static void put_mark(crdi_string *out, double value, double low, double high, bool blocks)
{
    static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (!isfinite(value)) {
        crdi_string_append(out, "?");
        return;
    }
    int level = high > low ? (int)(8 * (value - low) / (high - low)) : 4;
    level = level < 0 ? 0 : level > 7 ? 7 : level;
    if (blocks)
        crdi_string_append(out, "%s", block[level]);
    else
        crdi_string_append(out, "%d", level);
}

void crdi_sparkline(crdi_string *out, const double *value, int64_t points, int width, double low, double high,
                    bool blocks)
{
    int64_t parts = points < width ? points : width;
    for (int64_t p = 0; p < parts; p++) {
        double sum = 0;
        int64_t first = p * points / parts, end = (p + 1) * points / parts;
        for (int64_t i = first; i < end; i++)
            sum += value[i];
        put_mark(out, sum / (double)(end - first), low, high, blocks);
    }
}

/* Least and greatest of all chains, and the most draws that one has. */
static int64_t find_range(const crdi_watch_trace *t, int chains, double *low, double *high)
{
    int64_t most = 0;
    *low = INFINITY;
    *high = -INFINITY;
    for (int c = 0; c < chains; c++) {
        most = t->count[c] > most ? t->count[c] : most;
        for (int64_t i = 0; i < t->count[c]; i++) {
            double x = t->value[c * t->points + i];
            *low = isfinite(x) ? fmin(*low, x) : *low;
            *high = isfinite(x) ? fmax(*high, x) : *high;
        }
    }
    return most;
}

/* Each part is of as many draws as a part of the longest chain. */
static void put_trace(crdi_string *out, const crdi_watch_trace *t, int chains, int most, int width)
{
    double low, high;
    int64_t longest = find_range(t, chains, &low, &high);
    crdi_text_printable(out, t->label);
    crdi_string_append(out, ", the last %lld draws, %.4g to %.4g\n", (long long)longest, low, high);
    for (int c = 0; c < chains && c < most; c++) {
        int columns = longest > width ? (int)((t->count[c] * width + longest - 1) / longest) : width;
        crdi_string_append(out, "%3d ", c);
        crdi_sparkline(out, t->value + c * t->points, t->count[c], columns, low, high, true);
        crdi_string_append(out, "\n");
    }
}

static bool has_points(const crdi_run_watch *w, const crdi_watch_trace *t)
{
    for (int c = 0; c < w->chains; c++)
        if (t->count[c] > 1)
            return true;
    return false;
}

/* ---- the block ----------------------------------------------------------------------------------------------- */

static int lines_of(const char *text)
{
    int lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static crd_status put_chains(crdi_string *out, const crdi_run_watch *w, int width, int height, bool live)
{
    if (live) {
        int lines = crdi_progress_block(out, w->chain, w->chains, width, height, 0);
        return lines < 0 ? (crd_status)lines : CRD_OK;
    }
    crdi_chain_progress *before = crdi_alloc_array(out->ctx, w->chains, sizeof *before);
    if (!before)
        return CRD_ENOMEM;
    for (int c = 0; c < w->chains; c++)
        before[c].iteration = -1; /* all are news */
    crd_status status = crdi_progress_lines(out, w->chain, before, w->chains);
    crdi_free(out->ctx, before);
    return status;
}

crd_status crdi_run_watch_block(crdi_string *out, const crdi_run_watch *w, int width, int height, bool live)
{
    enum { MOST_CHAINS = 12, MOST_OF_A_TRACE = 4 };
    int chains = height > 0 && height / 3 < MOST_CHAINS ? height / 3 : MOST_CHAINS;
    width = width < LEAST_WIDTH ? LEAST_WIDTH : width;
    put_head(out, w);
    CRD_TRY(put_chains(out, w, width, chains < 2 ? 2 : chains, live));
    put_draws(out, w);
    if (has_diagnostics(w)) {
        put_worst(out, w->summary);
        if (!crdi_run_too_short(w->summary))
            CRD_TRY(put_rows(out, w->summary, width));
    }
    for (int i = 0; i < w->traces; i++) {
        int shown = w->chains < MOST_OF_A_TRACE ? w->chains : MOST_OF_A_TRACE;
        if (!has_points(w, &w->trace[i]) || (height > 0 && lines_of(crdi_string_text(out)) + shown + 1 > height - 2))
            break;
        int columns = width - 6 < MOST_TRACE ? width - 6 : MOST_TRACE;
        put_trace(out, &w->trace[i], w->chains, MOST_OF_A_TRACE, columns);
    }
    return out->status;
}

/* ---- a line -------------------------------------------------------------------------------------------------- */

static void put_fit_line(crdi_string *out, const crdi_run_watch *w)
{
    int64_t done = 0, total = 0;
    double least = NAN;
    for (int c = 0; c < w->chains; c++) {
        done += w->chain[c].iteration;
        total += w->chain[c].total;
        least = fmin(least, w->chain[c].loss); /* of a number and NaN it is the number */
    }
    crdi_string_append(out, "%lld of %lld steps", (long long)done, (long long)total);
    if (isfinite(least))
        crdi_string_append(out, ", least loss %.6g", least);
}

crd_status crdi_run_watch_line(crdi_string *out, const crdi_run_watch *w)
{
    char spent[24], left[24];
    int64_t warm = 0, warmup = 0;
    for (int c = 0; c < w->chains; c++) {
        warm += w->chain[c].iteration < w->chain[c].warmup ? w->chain[c].iteration : w->chain[c].warmup;
        warmup += w->chain[c].warmup;
    }
    crdi_string_append(out, "%s: ", state_of(w));
    if (w->fit)
        put_fit_line(out, w);
    else if (all_draws(w) == 0)
        crdi_string_append(out, "%lld of %lld iterations of warm-up", (long long)warm, (long long)warmup);
    else
        crdi_string_append(out, "%lld of %lld draws, %lld divergent", (long long)all_draws(w),
                           (long long)(w->asked * w->chains), (long long)all_divergences(w));
    if (has_diagnostics(w) && !crdi_run_too_short(w->summary)) {
        crdi_string_append(out, ", r_hat up to %.3f (", w->summary->worst_r_hat->r_hat);
        crdi_text_printable(out, w->summary->worst_r_hat->label);
        crdi_string_append(out, "), n_eff from %.1f (", w->summary->smallest_n_eff->n_eff);
        crdi_text_printable(out, w->summary->smallest_n_eff->label);
        crdi_string_append(out, ")");
    }
    crdi_string_append(out, ", %s", crdi_progress_time(spent, w->seconds));
    if (w->state == CRDI_WATCH_RUNNING)
        crdi_string_append(out, "<%s", crdi_progress_time(left, w->seconds_left));
    crdi_string_append(out, "\n");
    return out->status;
}

crd_status crdi_run_watch_end(crdi_string *out, const crdi_run_watch *w)
{
    if (w->state == CRDI_WATCH_RUNNING)
        return CRD_OK;
    crdi_text_printable(out, w->path);
    if (w->state == CRDI_WATCH_KILLED) {
        crdi_string_append(out, ": killed: it says that it runs, and nobody writes it");
    } else {
        crdi_string_append(out, ": ");
        crdi_text_printable(out, w->status);
        if (*w->ending) {
            crdi_string_append(out, ": ");
            crdi_text_printable(out, w->ending);
        }
    }
    if (w->resumable && strcmp(w->status, "complete") != 0) {
        crdi_string_append(out, "; credence resume ");
        crdi_text_printable(out, w->path);
        crdi_string_append(out, " goes on");
    }
    crdi_string_append(out, "\n");
    return out->status;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static void put_chain(crdi_json_writer *j, const crdi_run_watch *w, int c)
{
    static const char *const phase[] = {"waiting", "warmup", "sampling", "fitting", "done", "stopped"};
    const crdi_chain_progress *p = &w->chain[c];
    crdi_json_open(j, NULL, '{');
    crdi_json_put_text(j, "phase", phase[p->phase]);
    crdi_json_put_integer(j, "iteration", p->iteration);
    crdi_json_put_integer(j, "total", p->total);
    crdi_json_put_number_or_null(j, "seconds_left", p->seconds_left);
    if (w->fit) {
        crdi_json_put_number_or_null(j, "loss", p->loss);
    } else {
        crdi_json_put_integer(j, "warmup", p->warmup);
        crdi_json_put_integer(j, "draws", w->draws[c]);
        crdi_json_put_integer(j, "divergences", p->divergences);
    }
    crdi_json_close(j, '}');
}

static void put_summary(crdi_json_writer *j, const crdi_run_watch *w)
{
    const crdi_run_summary *s = w->summary;
    bool known = has_diagnostics(w) && !crdi_run_too_short(s);
    crdi_json_put_number_or_null(j, "worst_r_hat", known ? s->worst_r_hat->r_hat : NAN);
    crdi_json_put_text(j, "worst_r_hat_site", known ? s->worst_r_hat->label : NULL);
    crdi_json_put_number_or_null(j, "smallest_n_eff", known ? s->smallest_n_eff->n_eff : NAN);
    crdi_json_put_text(j, "smallest_n_eff_site", known ? s->smallest_n_eff->label : NULL);
}

crd_status crdi_run_watch_json(crdi_string *out, const crdi_run_watch *w)
{
    crdi_json_writer j = {.out = out};
    crdi_json_open(&j, NULL, '{');
    crdi_json_put_text(&j, "run", w->path);
    crdi_json_put_text(&j, "state", state_of(w));
    crdi_json_put_text(&j, "method", w->method);
    crdi_json_put_text(&j, "started", w->started);
    if (*w->rule)
        crdi_json_put_text(&j, "stop_rule", w->rule);
    if (*w->ending)
        crdi_json_put_text(&j, "ended", w->ending);
    crdi_json_put_number_or_null(&j, "seconds", w->seconds);
    crdi_json_put_number_or_null(&j, w->fit ? "steps_a_second" : "iterations_a_second", w->speed);
    crdi_json_put_number_or_null(&j, "seconds_left", w->seconds_left);
    crdi_json_put_integer(&j, "draws", all_draws(w));
    if (!w->fit) {
        crdi_json_put_integer(&j, "divergences", all_divergences(w));
        put_summary(&j, w);
    }
    crdi_json_open(&j, "by_chain", '[');
    for (int c = 0; c < w->chains; c++)
        put_chain(&j, w, c);
    crdi_json_close(&j, ']');
    crdi_json_close(&j, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
