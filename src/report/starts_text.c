/* starts_text.c - see starts_text.h. */
#include "report/starts_text.h"

#include <math.h>

/* Least and largest of a number of each start. */
struct span {
    double low, high;
};

static void extend(struct span *span, double x, bool first)
{
    span->low = first ? x : fmin(span->low, x);
    span->high = first ? x : fmax(span->high, x);
}

static void put_span(crdi_string *out, const char *before, struct span span, int digits)
{
    crdi_string_append(out, "%s%.*g", before, digits, span.low);
    if (span.high > span.low)
        crdi_string_append(out, " to %.*g", digits, span.high);
}

void crdi_starts_lines(crdi_string *out, const crdi_run_starts *starts)
{
    enum { WHOLE = 15, LOSS = 4 }; /* digits */
    struct span steps = {0}, best = {0}, first = {0}, least = {0}, last = {0};
    if (starts->count < 1)
        return;
    for (int64_t c = 0; c < starts->count; c++) {
        const crd_trained_start *s = &starts->start[c];
        extend(&steps, (double)s->steps, c == 0);
        extend(&best, (double)s->best_step, c == 0);
        extend(&first, s->first_loss, c == 0);
        extend(&least, s->loss, c == 0);
        extend(&last, s->last_loss, c == 0);
    }
    crdi_string_append(out, "starts:      %lld trained, ", (long long)starts->count);
    put_span(out, "", steps, WHOLE);
    crdi_string_append(out, " steps");
    put_span(out, ", begun behind ", best, WHOLE);
    if (starts->start[0].held_out_rows > 0) {
        crdi_string_append(
            out, "; minus log likelihood a row of %lld held out: ", (long long)starts->start[0].held_out_rows);
        put_span(out, "", least, LOSS);
        put_span(out, " (at first ", first, LOSS);
        put_span(out, ", behind the last step ", last, LOSS);
        crdi_string_append(out, ")");
    } else {
        crdi_string_append(out, "; no rows held out");
    }
    crdi_string_append(out, "\n");
}

void crdi_starts_json(crdi_json_writer *w, const crdi_run_starts *starts)
{
    if (starts->count < 1)
        return;
    crdi_json_open(w, "starts", '[');
    for (int64_t c = 0; c < starts->count; c++) {
        const crd_trained_start *s = &starts->start[c];
        crdi_json_open(w, NULL, '{');
        crdi_json_put_integer(w, "held_out_rows", s->held_out_rows);
        crdi_json_put_integer(w, "steps", s->steps);
        crdi_json_put_integer(w, "best_step", s->best_step);
        crdi_json_put_number_or_null(w, "first_loss", s->first_loss);
        crdi_json_put_number_or_null(w, "loss", s->loss);
        crdi_json_put_number_or_null(w, "last_loss", s->last_loss);
        crdi_json_close(w, '}');
    }
    crdi_json_close(w, ']');
}
