/* network_rows.c - the rows of a data set that a fit holds out. */
#include "store/dataset.h"
#include "store/network_fit.h"

#include <credence/random.h>
#include <math.h>
#include <string.h>

static crd_status allocate(crdi_network_fit *fit, int64_t held, int64_t rows, int64_t features)
{
    crdi_network_rows *r = fit->rows = crdi_alloc(fit->ctx, sizeof *r);
    if (!r)
        return CRD_ENOMEM;
    *r = (crdi_network_rows){0};
    CRD_TRY(crd_array_init(fit->ctx, &r->x, crd_shape_2(rows - held, features)));
    CRD_TRY(crd_array_init(fit->ctx, &r->y, crdi_recipe_shape(fit->dataset->recipe, rows - held)));
    CRD_TRY(crd_array_init(fit->ctx, &r->held_x, crd_shape_2(held, features)));
    CRD_TRY(crd_array_init(fit->ctx, &r->held_y, crdi_recipe_shape(fit->dataset->recipe, held)));
    return crd_array_init(fit->ctx, &r->held_row, crd_shape_1(held));
}

/* Both parts keep the order of the table. */
static void copy(crdi_network_fit *fit, const bool *is_held, int64_t rows, int64_t features)
{
    crdi_network_rows *r = fit->rows;
    int64_t kept = 0, held = 0, targets = crd_shape_size(fit->dataset->y.shape) / rows;
    for (int64_t i = 0; i < rows; i++) {
        int64_t at = is_held[i] ? held++ : kept++;
        crd_array *x = is_held[i] ? &r->held_x : &r->x, *y = is_held[i] ? &r->held_y : &r->y;
        memcpy(x->data + at * features, fit->dataset->x.data + i * features, sizeof *x->data * (size_t)features);
        memcpy(y->data + at * targets, fit->dataset->y.data + i * targets, sizeof *y->data * (size_t)targets);
        if (is_held[i])
            r->held_row.data[at] = (double)fit->dataset->row[i];
    }
}

static crd_status check_classes(const crdi_network_fit *fit)
{
    const crd_recipe *recipe = fit->dataset->recipe;
    const crd_array *y = &fit->rows->y;
    for (int64_t k = 0; k < recipe->class_count; k++) {
        bool seen = false;
        for (int64_t i = 0; i < y->shape.dim[0] && !seen; i++)
            seen = y->data[i] == (double)k;
        if (!seen)
            return crdi_raise(fit->ctx, CRD_EDATA,
                              "validation: all rows of class '%s' are held out; another --seed or a smaller share",
                              recipe->class_name[k]);
    }
    return CRD_OK;
}

static crd_status split(crdi_network_fit *fit, int64_t *order, bool *is_held)
{
    int64_t rows = fit->dataset->x.shape.dim[0], features = fit->dataset->x.shape.dim[1];
    int64_t held = (int64_t)round(fit->train.validation * (double)rows);
    held = held < 1 ? 1 : held > rows - 1 ? rows - 1 : held;
    if (rows < 2)
        return crdi_raise(fit->ctx, CRD_EDATA, "validation: one row cannot be divided");
    CRD_TRY(allocate(fit, held, rows, features));
    CRD_TRY(crd_random_permutation(fit->ctx, crdi_network_key(fit, CRDI_KEY_ROWS), rows, order));
    memset(is_held, 0, sizeof *is_held * (size_t)rows);
    for (int64_t i = 0; i < held; i++)
        is_held[order[i]] = true;
    copy(fit, is_held, rows, features);
    fit->network.x = crd_array_borrow(fit->rows->x.data, fit->rows->x.shape);
    fit->network.y = &fit->rows->y;
    return check_classes(fit);
}

crd_status crdi_network_rows_split(crdi_network_fit *fit)
{
    int64_t rows = fit->dataset->x.shape.dim[0];
    int64_t *order = crdi_alloc_array(fit->ctx, rows, sizeof *order);
    bool *is_held = crdi_alloc_array(fit->ctx, rows, sizeof *is_held);
    crd_status status = order && is_held ? split(fit, order, is_held) : CRD_ENOMEM;
    crdi_free(fit->ctx, order);
    crdi_free(fit->ctx, is_held);
    return status;
}

void crdi_network_rows_clear(crdi_network_fit *fit)
{
    crdi_network_rows *r = fit->rows;
    if (!r)
        return;
    crd_array *const array[] = {&r->x, &r->y, &r->held_x, &r->held_y, &r->held_row};
    for (int i = 0; i < CRDI_COUNT(array); i++)
        crd_array_clear(array[i]);
    crdi_free(fit->ctx, r);
    fit->rows = NULL;
}
