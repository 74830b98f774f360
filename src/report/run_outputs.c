/* run_outputs.c - see run_outputs.h. */
#include "report/run_outputs.h"
#include "nn/likelihood.h"
#include "report/by_row.h"

struct work {
    const crdi_network_run *net;
    const crd_array *x;
    crdi_output_row_fn row;
    void *user;
};

static crd_status compile(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f"};
    const struct work *w = user;
    crd_shape shape;
    int64_t features = w->x->shape.dim[1];
    crd_network network = w->net->network;
    network.x = crd_array_borrow(w->x->data + first * features, crd_shape_2(rows, features));
    network.y = NULL;
    return crd_model_compile_predictive(model, &network, names, 1, &shape, out);
}

static crd_status hand_over(void *user, int64_t row, int64_t draws, double *const *values)
{
    const struct work *w = user;
    return w->row(w->user, row, draws, values[0]);
}

crd_status crdi_run_outputs(const crdi_network_run *net, const crd_array *x, int threads, crdi_output_row_fn row,
                            void *user)
{
    struct work w = {net, x, row, user};
    return crdi_by_row_run(&(crdi_by_row){.net = net,
                                          .what = "outputs",
                                          .rows = x->shape.dim[0],
                                          .outputs = 1,
                                          .width = {crdi_network_width(&net->network)},
                                          .keyed = true, /* predictions have a key, though f does not use it */
                                          .threads = threads,
                                          .compile = compile,
                                          .row = hand_over,
                                          .user = &w});
}
