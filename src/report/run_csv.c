/* run_csv.c - see run_csv.h. */
#include "report/run_csv.h"
#include "store/csv.h"
#include "store/dataset.h"
#include "store/run.h"

#include <string.h>

static crd_status open_writer(crd_context *ctx, const crdi_csv_place *place, const char *const *names, int64_t count,
                              crdi_csv_writer **out)
{
    if (place->path)
        return crdi_csv_writer_open(out, ctx, place->path, place->force, names, count);
    return crdi_csv_writer_open_to(out, ctx, place->file, place->name, names, count);
}

/* ---- predictions ---------------------------------------------------------------------------------------------- */

int crdi_probabilities_read(crd_context *ctx, const char *text, double *out, int most)
{
    int count = 0;
    for (const char *at = text;; at++) {
        char number[32];
        double value;
        size_t length = strcspn(at, ",");
        memcpy(number, at, length < sizeof number ? length : 0);
        number[length < sizeof number ? length : 0] = 0;
        if (count == most || !crdi_parse_double(number, &value) || !(value >= 0 && value <= 1)) {
            crdi_raise(ctx, CRD_EINVAL, "quantiles '%.60s': up to %d numbers from 0 to 1 are needed, as in 0.025,0.5",
                       text, most);
            return -1;
        }
        for (int k = 0; k < count; k++)
            if (out[k] == value) {
                crdi_raise(ctx, CRD_EINVAL, "quantiles '%.60s': %g is there twice", text, value);
                return -1;
            }
        out[count++] = value;
        at += length;
        if (!*at)
            return count;
    }
}

/* Names of columns, collected; a failed allocation shows in names_end. */
struct column_names {
    crdi_arena *arena;
    const char **name;
    int64_t count;
    bool failed;
};

static void add_column(struct column_names *n, const char *name)
{
    n->failed = n->failed || !name;
    n->name[n->count++] = name;
}

static void add_quantiles(struct column_names *n, const char *of, const crdi_prediction_columns *c)
{
    char text[32];
    for (int k = 0; k < c->prob_count; k++)
        add_column(n, crdi_arena_printf(n->arena, "%s_q%s", of, crdi_format_double(text, c->prob[k])));
}

static void add_class_columns(struct column_names *n, const crd_recipe *r, const crdi_prediction_columns *c)
{
    add_column(n, "mode");
    for (int64_t k = 0; k < r->class_count; k++)
        add_column(n, crdi_arena_printf(n->arena, "p_%s", r->class_name[k]));
    add_column(n, "entropy");
    add_column(n, "expected_entropy");
    add_column(n, "mutual_information");
    for (int64_t k = 0; k < r->class_count; k++) {
        const char *of = crdi_arena_printf(n->arena, "p_%s", r->class_name[k]);
        add_quantiles(n, of ? of : "", c);
    }
    if (c->conformal)
        add_column(n, "set");
}

/* What stands between "f" and "_mean": nothing, or _NAME where there are several targets. */
static const char *target_infix(struct column_names *n, const crd_recipe *r, int64_t target)
{
    const char *infix = r->target_count > 1 ? crdi_arena_printf(n->arena, "_%s", r->targets[target].name) : "";
    n->failed = n->failed || !infix;
    return infix ? infix : "";
}

static void add_number_columns(struct column_names *n, const crd_recipe *r, int64_t target,
                               const crdi_prediction_columns *c)
{
    const char *infix = target_infix(n, r, target);
    const char *f = crdi_arena_printf(n->arena, "%s%s", c->outcome == CRDI_OUTCOME_COUNT ? "rate" : "f", infix);
    const char *y = crdi_arena_printf(n->arena, "y%s", infix);
    add_column(n, crdi_arena_printf(n->arena, "%s_mean", f ? f : ""));
    add_column(n, crdi_arena_printf(n->arena, "%s_sd", f ? f : ""));
    add_quantiles(n, f ? f : "", c);
    add_quantiles(n, y ? y : "", c);
    add_column(n, crdi_arena_printf(n->arena, "y%s_variance", infix));
    add_column(n, crdi_arena_printf(n->arena, "aleatoric%s", infix));
    add_column(n, crdi_arena_printf(n->arena, "epistemic%s", infix));
    if (c->conformal) {
        add_column(n, crdi_arena_printf(n->arena, "conformal%s_low", infix));
        add_column(n, crdi_arena_printf(n->arena, "conformal%s_high", infix));
    }
    n->failed = n->failed || !f || !y;
}

static crd_status prediction_names(const crd_recipe *r, const crdi_prediction_columns *c, struct column_names *n)
{
    int64_t most = r->feature_count + (r->class_count + 1) * (1 + c->prob_count) + 8 +
                   r->target_count * (7 + 2 * c->prob_count + c->samples);
    n->name = crdi_arena_alloc(n->arena, (size_t)most * sizeof *n->name);
    if (!n->name)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < r->feature_count; j = crdi_recipe_group(r, j))
        add_column(n, r->feature[j].column);
    if (c->outcome == CRDI_OUTCOME_CLASS)
        add_class_columns(n, r, c);
    for (int64_t j = 0; j < r->target_count && c->outcome != CRDI_OUTCOME_CLASS; j++)
        add_number_columns(n, r, j, c);
    for (int64_t j = 0; j < r->target_count; j++)
        for (int64_t i = 0; i < c->samples; i++)
            add_column(n, crdi_arena_printf(n->arena, "sample%s_%lld", target_infix(n, r, j), (long long)i));
    return n->failed ? CRD_ENOMEM : CRD_OK;
}

crd_status crdi_prediction_rows_open(crd_context *ctx, const crd_recipe *recipe, const crdi_prediction_columns *columns,
                                     const crdi_csv_place *place, crdi_rows_out **out)
{
    struct column_names names = {0};
    CRD_TRY(crdi_arena_create(&names.arena, ctx));
    crd_status status = prediction_names(recipe, columns, &names);
    if (status == CRD_OK)
        status = crdi_rows_out_open(out, ctx, place, names.name, names.count);
    crdi_arena_destroy(&names.arena);
    return status;
}

static void write_inputs(crdi_rows_out *w, const crd_recipe *r, const crd_table *table, int64_t row)
{
    for (int64_t j = 0; j < r->feature_count; j = crdi_recipe_group(r, j)) {
        const crd_table_column *column = &table->column[crd_table_find(table, r->feature[j].column)];
        if (column->text && column->text[row])
            crdi_rows_out_text(w, column->text[row]);
        else
            crdi_rows_out_number(w, column->number[row]);
    }
}

static void write_numbers(crdi_rows_out *w, const double *values, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        crdi_rows_out_number(w, values[k]);
}

/* "elm|oak" */
static crd_status write_set(crdi_rows_out *w, const crd_recipe *r, const crdi_prediction *p, int64_t i)
{
    crdi_string names;
    crdi_string_init(&names, p->ctx);
    for (int64_t k = 0; k < p->classes; k++)
        if (p->in_set[i * p->classes + k])
            crdi_string_append(&names, "%s%s", names.length ? "|" : "", r->class_name[k]);
    crd_status status = names.status;
    crdi_rows_out_text(w, crdi_string_text(&names));
    crdi_string_clear(&names);
    return status;
}

static void write_classes(crdi_rows_out *w, const crd_recipe *r, const crdi_prediction *p, int64_t i)
{
    crdi_rows_out_text(w, r->class_name[crdi_prediction_mode(p, i)]);
    write_numbers(w, p->mean + i * p->classes, p->classes);
    crdi_rows_out_number(w, p->entropy[i]);
    crdi_rows_out_number(w, p->expected_entropy[i]);
    crdi_rows_out_number(w, p->entropy[i] - p->expected_entropy[i]);
    write_numbers(w, p->f + i * p->classes * p->prob_count, p->classes * p->prob_count);
}

/* part: of (rows, targets). */
static void write_target(crdi_rows_out *w, const crdi_prediction *p, int64_t part)
{
    crdi_rows_out_number(w, p->mean[part]);
    crdi_rows_out_number(w, p->sd[part]);
    write_numbers(w, p->f + part * p->prob_count, p->prob_count);
    write_numbers(w, p->y + part * p->prob_count, p->prob_count);
    crdi_rows_out_number(w, p->aleatoric[part] + p->epistemic[part]);
    crdi_rows_out_number(w, p->aleatoric[part]);
    crdi_rows_out_number(w, p->epistemic[part]);
    if (p->low) {
        crdi_rows_out_number(w, p->low[part]);
        crdi_rows_out_number(w, p->high[part]);
    }
}

crd_status crdi_prediction_rows_write(crdi_rows_out *w, const crd_recipe *recipe, const crd_table *table,
                                      const int64_t *row, const crdi_prediction *p)
{
    for (int64_t i = 0; i < p->rows; i++) {
        const double *sample = p->sample + i * p->targets * p->samples;
        write_inputs(w, recipe, table, row[i]);
        if (p->outcome == CRDI_OUTCOME_CLASS) {
            write_classes(w, recipe, p, i);
            if (p->in_set)
                CRD_TRY(write_set(w, recipe, p, i));
            for (int64_t k = 0; k < p->samples; k++)
                crdi_rows_out_text(w, recipe->class_name[(int64_t)sample[k]]);
        } else {
            for (int64_t part = i * p->targets; part < (i + 1) * p->targets; part++)
                write_target(w, p, part);
            write_numbers(w, sample, p->targets * p->samples);
        }
        CRD_TRY(crdi_rows_out_end_row(w));
    }
    return CRD_OK;
}

/* ---- draws ---------------------------------------------------------------------------------------------------- */

static const int64_t PIECE = 4 << 20; /* doubles that are read at a time */

struct export
{
    crd_context *ctx;
    crd_run *run;
    crdi_csv_writer *writer;
    int64_t width; /* elements of all columns */
    int64_t at_once; /* draws of a piece */
    double *piece; /* column after column, each (at_once, size) */
};

static crd_status export_names(const struct export *e, crdi_arena *arena, const char **names)
{
    enum { LABEL = 512 };
    char label[LABEL];
    int64_t count = 0;
    names[count++] = "chain";
    names[count++] = "draw";
    for (int c = 0; c < crd_run_column_count(e->run); c++) {
        const crd_column *column = crd_run_column(e->run, c);
        for (int64_t k = 0; k < column->size; k++) {
            names[count] = crdi_arena_strdup(arena, crd_column_label(column, k, label, sizeof label));
            if (!names[count++])
                return CRD_ENOMEM;
        }
    }
    return CRD_OK;
}

static crd_status export_piece(const struct export *e, int chain, int64_t first, int64_t count)
{
    double *at = e->piece;
    for (int c = 0; c < crd_run_column_count(e->run); c++) {
        const crd_column *column = crd_run_column(e->run, c);
        CRD_TRY(crdi_run_read_range(e->run, column, chain, first, count, at));
        at += e->at_once * column->size;
    }
    for (int64_t d = 0; d < count; d++) {
        crdi_csv_writer_integer(e->writer, chain);
        crdi_csv_writer_integer(e->writer, first + d);
        const double *values = e->piece;
        for (int c = 0; c < crd_run_column_count(e->run); c++) {
            int64_t size = crd_run_column(e->run, c)->size;
            for (int64_t k = 0; k < size; k++)
                crdi_csv_writer_number(e->writer, values[d * size + k]);
            values += e->at_once * size;
        }
        CRD_TRY(crdi_csv_writer_end_row(e->writer));
    }
    return CRD_OK;
}

static crd_status export_draws(const struct export *e)
{
    for (int chain = 0; chain < crd_run_chains(e->run); chain++) {
        int64_t draws;
        CRD_TRY(crd_run_draws(e->run, chain, &draws));
        for (int64_t first = 0; first < draws; first += e->at_once)
            CRD_TRY(export_piece(e, chain, first, e->at_once < draws - first ? e->at_once : draws - first));
    }
    return CRD_OK;
}

static crd_status export_open(struct export *e, crdi_arena *arena, const crdi_csv_place *place)
{
    for (int c = 0; c < crd_run_column_count(e->run); c++)
        e->width += crd_run_column(e->run, c)->size;
    e->at_once = e->width > 0 && PIECE / e->width > 1 ? PIECE / e->width : 1;
    e->piece = crdi_alloc_array(e->ctx, e->at_once * e->width, sizeof *e->piece);
    const char **names = crdi_arena_alloc(arena, (size_t)(e->width + 2) * sizeof *names);
    if (!e->piece || !names)
        return CRD_ENOMEM;
    CRD_TRY(export_names(e, arena, names));
    return open_writer(e->ctx, place, names, e->width + 2, &e->writer);
}

crd_status crdi_run_csv(crd_context *ctx, crd_run *run, const crdi_csv_place *place)
{
    struct export e = {.ctx = ctx, .run = run};
    crdi_arena *arena;
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = export_open(&e, arena, place);
    if (status == CRD_OK)
        status = export_draws(&e);
    if (status == CRD_OK)
        status = crdi_csv_writer_commit(&e.writer);
    crdi_csv_writer_abort(&e.writer);
    crdi_free(ctx, e.piece);
    crdi_arena_destroy(&arena);
    return status;
}
