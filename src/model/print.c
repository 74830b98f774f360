/* print.c - a trace as a table of sites. */
#include "model/model.h"

#include <stdio.h>
#include <string.h>

enum { NAME, KIND, DIST, BATCH, EVENT, SUPPORT, PLATES, COLUMNS, CELL = 160 };

static const char *const headings[COLUMNS] = {"site", "kind", "distribution", "batch", "event", "support", "plates"};

static const char *kind_of(const crd_message *m)
{
    switch (m->kind) {
    case CRD_MESSAGE_SAMPLE:
        return m->observed ? "observed" : "sample";
    case CRD_MESSAGE_DETERMINISTIC:
        return "deterministic";
    case CRD_MESSAGE_FACTOR:
        return "factor";
    case CRD_MESSAGE_PARAM:
        return "param";
    case CRD_MESSAGE_PLATE:
        break;
    }
    return "plate";
}

/* The axes of one draw; a value that is not drawn has them all in its batch. */
static crd_shape event_of(const crd_message *m)
{
    crd_shape event = {0};
    for (int d = m->batch.ndim; d < m->shape.ndim; d++)
        event.dim[event.ndim++] = m->shape.dim[d];
    return event;
}

static void plates_text(const crd_message *m, char *out)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < m->plate_count && used < CELL; i++)
        used += (size_t)snprintf(out + used, CELL - used, "%s%s", i ? " " : "", m->plate[i]->name);
}

static void cell(const crd_message *m, int column, char *out)
{
    bool drawn = m->kind == CRD_MESSAGE_SAMPLE;
    out[0] = 0;
    if (column == NAME)
        snprintf(out, CELL, "%s", m->name);
    else if (column == KIND)
        snprintf(out, CELL, "%s", kind_of(m));
    else if (column == DIST && drawn)
        snprintf(out, CELL, "%s", m->dist.type->name);
    else if (column == BATCH)
        crdi_shape_text(drawn ? m->batch : m->shape, out, CELL);
    else if (column == EVENT && drawn)
        crdi_shape_text(event_of(m), out, CELL);
    else if (column == SUPPORT && drawn)
        snprintf(out, CELL, "%s", crd_constraint_text(m->dist.type->support(&m->dist).kind));
    else if (column == SUPPORT && m->kind == CRD_MESSAGE_PARAM)
        snprintf(out, CELL, "%s", crd_constraint_text(m->constraint));
    else if (column == PLATES)
        plates_text(m, out);
}

/* One line: a site's cells, or (NULL) the headings, each as wide as its column. */
static void print_line(const crd_message *m, const int *width, crd_log_fn print, void *user)
{
    char line[COLUMNS * (CELL + 2)], text[CELL];
    size_t used = 0;
    for (int c = 0; c < COLUMNS; c++) {
        if (m)
            cell(m, c, text);
        used += (size_t)snprintf(line + used, sizeof line - used, "%-*s  ", width[c], m ? text : headings[c]);
    }
    while (used > 0 && line[used - 1] == ' ')
        line[--used] = 0;
    print(user, line);
}

void crd_trace_print_shapes(const crd_trace *t, crd_log_fn print, void *user)
{
    int width[COLUMNS];
    char text[2 * CELL];
    for (int64_t i = 0; i < t->known_plate_count; i++) {
        const crd_plate_info *plate = t->known_plate[i];
        if (plate->rows < plate->size)
            snprintf(text, sizeof text, "plate %.160s: %lld of %lld rows", plate->name, (long long)plate->rows,
                     (long long)plate->size);
        else
            snprintf(text, sizeof text, "plate %.160s: %lld rows", plate->name, (long long)plate->size);
        print(user, text);
    }
    for (int c = 0; c < COLUMNS; c++) {
        width[c] = (int)strlen(headings[c]);
        for (int64_t i = 0; i < t->site_count; i++) {
            cell(t->site[i], c, text);
            if ((int)strlen(text) > width[c])
                width[c] = (int)strlen(text);
        }
    }
    print_line(NULL, width, print, user);
    for (int64_t i = 0; i < t->site_count; i++)
        print_line(t->site[i], width, print, user);
}
