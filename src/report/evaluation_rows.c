/* evaluation_rows.c - the scores of every row as a table. */
#include "report/evaluation.h"
#include "store/csv.h"

static const struct row_column {
    const char *name;
    crdi_cell cell;
    bool classes, numbers; /* what has it */
} table[] = {{"mean", CRDI_CELL_MIDDLE, false, true},           {"right", CRDI_CELL_RIGHT, true, false},
             {"confidence", CRDI_CELL_CONFIDENCE, true, false}, {"log_density", CRDI_CELL_LOG_DENSITY, true, true},
             {"brier", CRDI_CELL_BRIER, true, false},           {"crps", CRDI_CELL_CRPS, false, true},
             {"cdf", CRDI_CELL_CONFIDENCE, false, true},        {"total", CRDI_CELL_TOTAL, true, true},
             {"aleatoric", CRDI_CELL_ALEATORIC, true, true},    {"epistemic", CRDI_CELL_EPISTEMIC, true, true}};

static bool applies(const crdi_evaluation *e, int column)
{
    return e->classes > 0 ? table[column].classes : table[column].numbers;
}

/* "crps", or "crps_NAME" for each of several targets. */
static const char *column_name(crdi_arena *arena, const crdi_evaluation *e, const char *name, int64_t target)
{
    return e->targets == 1 ? name : crdi_arena_printf(arena, "%s_%s", name, crdi_outlook_target_name(e->net, target));
}

static crd_status open_table(const crdi_evaluation *e, crdi_arena *arena, const char *path, bool force,
                             crdi_csv_writer **out)
{
    const char **name = crdi_arena_alloc(arena, (size_t)(e->targets * (CRDI_COUNT(table) + 1) + 2) * sizeof *name);
    int64_t count = 0;
    if (!name)
        return CRD_ENOMEM;
    name[count++] = "row";
    for (int64_t j = 0; j < e->targets; j++) {
        name[count++] = column_name(arena, e, "y", j);
        for (int c = 0; c < CRDI_COUNT(table); c++)
            if (applies(e, c))
                name[count++] = column_name(arena, e, table[c].name, j);
    }
    if (e->joint)
        name[count++] = "log_density";
    for (int64_t i = 0; i < count; i++)
        if (!name[i])
            return CRD_ENOMEM;
    return crdi_csv_writer_open(out, e->ctx, path, force, name, count);
}

static void write_target(crdi_csv_writer *w, const crdi_evaluation *e, int64_t target, int64_t i)
{
    double y = crdi_evaluation_cell(e, target, CRDI_CELL_Y)[i];
    if (e->classes > 0)
        crdi_csv_writer_text(w, e->net->recipe->class_name[(int64_t)y]);
    else
        crdi_csv_writer_number(w, y);
    for (int c = 0; c < CRDI_COUNT(table); c++)
        if (applies(e, c))
            crdi_csv_writer_number(w, crdi_evaluation_cell(e, target, table[c].cell)[i]);
}

static crd_status write_rows(crdi_csv_writer *w, const crdi_evaluation *e, const int64_t *row)
{
    for (int64_t i = 0; i < e->rows; i++) {
        crdi_csv_writer_integer(w, row[i]);
        for (int64_t j = 0; j < e->targets; j++)
            write_target(w, e, j, i);
        if (e->joint)
            crdi_csv_writer_number(w, e->joint[i]);
        CRD_TRY(crdi_csv_writer_end_row(w));
    }
    return CRD_OK;
}

crd_status crdi_evaluation_rows(const crdi_evaluation *e, const int64_t *row, const char *path, bool force)
{
    crdi_arena *arena;
    crdi_csv_writer *writer = NULL;
    CRD_TRY(crdi_arena_create(&arena, e->ctx));
    crd_status status = open_table(e, arena, path, force, &writer);
    if (status == CRD_OK)
        status = write_rows(writer, e, row);
    if (status == CRD_OK)
        status = crdi_csv_writer_commit(&writer);
    crdi_csv_writer_abort(&writer);
    crdi_arena_destroy(&arena);
    return status;
}
