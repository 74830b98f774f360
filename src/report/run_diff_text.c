/* run_diff_text.c - what two runs differ in, as text and as JSON. */
#include "report/run_diff.h"
#include "report/text.h"
#include "store/json.h"

static void put_value(crdi_string *out, const char *value)
{
    if (*value)
        crdi_text_printable(out, value);
    else
        crdi_string_append(out, "nothing");
}

static void put_place(crdi_string *out, const crdi_run_difference *p)
{
    crdi_string_append(out, "%-8s", p->kind);
    crdi_text_printable(out, p->what);
    if (p->chain >= 0)
        crdi_string_append(out, ", chain %d, draw %lld", p->chain, (long long)p->draw);
    crdi_string_append(out, ": ");
    put_value(out, p->a);
    crdi_string_append(out, " and ");
    put_value(out, p->b);
    if (p->differing)
        crdi_string_append(out, "; %lld of %lld numbers differ", (long long)p->differing, (long long)p->compared);
    crdi_string_append(out, "\n");
}

static void put_ignored(crdi_string *out, bool options)
{
    for (int i = 0; crdi_run_diff_ignored(options, i); i++)
        crdi_string_append(out, "%s%s", i ? ", " : "", crdi_run_diff_ignored(options, i));
}

crd_status crdi_run_diff_text(crdi_string *out, const crdi_run_diff *d, int64_t most)
{
    int64_t shown = most > 0 && d->count > most ? most : d->count;
    crdi_text_printable(out, d->a);
    crdi_string_append(out, " and ");
    crdi_text_printable(out, d->b);
    if (d->count == 0)
        crdi_string_append(out, " are equal\n");
    else
        crdi_string_append(out, " differ in %lld place%s\n", (long long)d->count, d->count == 1 ? "" : "s");
    for (int64_t i = 0; i < shown; i++)
        put_place(out, &d->difference[i]);
    if (shown < d->count)
        crdi_string_append(out, "... and %lld more; --show 0 lists all\n", (long long)(d->count - shown));
    crdi_string_append(out,
                       "compared: %lld numbers bit for bit, %lld columns, %lld entries, %lld arrays, %lld states\n",
                       (long long)d->numbers, (long long)d->columns, (long long)d->entries, (long long)d->arrays,
                       (long long)d->states);
    crdi_string_append(out, "not compared: ");
    put_ignored(out, false);
    crdi_string_append(out, "; of the options ");
    put_ignored(out, true);
    crdi_string_append(out, "\n");
    return out->status;
}

static void put_place_json(crdi_json_writer *w, const crdi_run_difference *p)
{
    w->line = true;
    crdi_json_open(w, NULL, '{');
    crdi_json_put_text(w, "kind", p->kind);
    crdi_json_put_text(w, "what", p->what);
    if (p->chain >= 0) {
        crdi_json_put_integer(w, "chain", p->chain);
        crdi_json_put_integer(w, "draw", p->draw);
    }
    crdi_json_put_text(w, "a", *p->a ? p->a : NULL);
    crdi_json_put_text(w, "b", *p->b ? p->b : NULL);
    if (p->differing) {
        crdi_json_put_integer(w, "differing", p->differing);
        crdi_json_put_integer(w, "compared", p->compared);
    }
    crdi_json_close(w, '}');
}

static void put_names(crdi_json_writer *w, const char *key, bool options)
{
    crdi_json_open(w, key, '[');
    for (int i = 0; crdi_run_diff_ignored(options, i); i++)
        crdi_json_put_text(w, NULL, crdi_run_diff_ignored(options, i));
    crdi_json_close(w, ']');
}

crd_status crdi_run_diff_json(crdi_string *out, const crdi_run_diff *d, int64_t most)
{
    int64_t shown = most > 0 && d->count > most ? most : d->count;
    crdi_json_writer w = {.out = out};
    crdi_json_open(&w, NULL, '{');
    crdi_json_put_text(&w, "a", d->a);
    crdi_json_put_text(&w, "b", d->b);
    crdi_json_put_bool(&w, "equal", d->count == 0);
    crdi_json_open(&w, "compared", '{');
    crdi_json_put_integer(&w, "numbers", d->numbers);
    crdi_json_put_integer(&w, "columns", d->columns);
    crdi_json_put_integer(&w, "entries", d->entries);
    crdi_json_put_integer(&w, "arrays", d->arrays);
    crdi_json_put_integer(&w, "states", d->states);
    crdi_json_close(&w, '}');
    put_names(&w, "entries_not_compared", false);
    put_names(&w, "options_not_compared", true);
    crdi_json_put_integer(&w, "different_places", d->count);
    crdi_json_open(&w, "differences", '[');
    for (int64_t i = 0; i < shown; i++)
        put_place_json(&w, &d->difference[i]);
    crdi_json_close(&w, ']');
    crdi_json_close(&w, '}');
    crdi_string_append(out, "\n");
    return out->status;
}
