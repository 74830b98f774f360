/* outlook.h - what the draws of a run say of a row: the distribution that its target has under each of them. */
#ifndef CRDI_REPORT_OUTLOOK_H
#define CRDI_REPORT_OUTLOOK_H

#include "model/model.h"
#include "nn/likelihood.h"
#include "store/network_run.h"

/* Of one row; in the targets' own units, densities too: that of a scaled target is divided by its sd. Everything is borrowed for
 * the call. */
typedef struct crdi_outlook {
    int64_t row, draws;
    const double *weight; /* (draws), sum 1; NULL: all the same */
    /* classes */
    int64_t classes;
    const double *probability; /* (draws, classes) */
    const double *log_probability; /* (draws, classes), accurate also where the probability is 0 */
    /* numbers and counts */
    int64_t targets; /* 1 for classes */
    const double *mean,
        *variance; /* (targets, draws) of y under each draw; the variance of a heavy tail may be infinite */
    const double *cdf; /* (targets, draws) distribution function at y; NULL without y */
    int64_t
        samples; /* draws of y: as many for each draw of the run, one draw's after the other's; 0 for the normal, whose
                        mean and variance say all */
    const double *sample; /* (targets, samples) */
    const double *sample_weight; /* (samples); NULL: all the same */
    /* all */
    const double *log_density; /* (targets, draws) of y; NULL without y */
} crdi_outlook;

/* Called from several threads. */
typedef crd_status (*crdi_outlook_fn)(void *user, const crdi_outlook *outlook);

typedef struct crdi_outlook_request {
    const crdi_network_run *net;
    const char *what; /* for messages: "scores" */
    const crd_array *x, *y; /* prepared by the run's recipe; y NULL: not known */
    const double *weight; /* of all draws of crdi_run_part_find; NULL: all the same */
    crd_key key; /* of draws of y */
    int threads; /* 0: as many as processors */
    crdi_outlook_fn row;
    void *user;
} crdi_outlook_request;

/* Goes through the rows of x with all draws of the run, in bounded memory. Draws of y, where they are needed, are at least
 * CRDI_OUTLOOK_SAMPLES in all: a run of few draws, or of a single one, has as good a distribution as another.
 * CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C; what `row` returns. */
enum { CRDI_OUTLOOK_SAMPLES = 1000 };
int64_t crdi_outlook_targets(const crdi_network_run *net); /* 1 for classes */
const char *crdi_outlook_target_name(const crdi_network_run *net, int64_t target);
double crdi_outlook_y(const crdi_outlook_request *request, int64_t row, int64_t target); /* in its own units */
crd_status crdi_outlook_run(const crdi_outlook_request *request);

/* For a program of rows (crdi_model_compile_forwards): of y's site the variance (rows, targets), and behind it further draws (rows,
 * targets, repeats), all in the units of the model. CRD_EUNSUPPORTED: its distribution has no variance. */
crd_status crdi_outlook_noise(const crdi_network_run *net, const crd_message *y, crd_node key, int64_t rows,
                              int64_t repeats, crd_node *out);
/* How many draws of y for each of `draws` draws make a distribution of CRDI_OUTLOOK_SAMPLES; 0 for normal noise. */
int64_t crdi_outlook_repeats(const crdi_likelihood *likelihood, int64_t draws);

/* Logs of the probabilities [classes] of one draw's logits: of the second of two (width 1), or of each. */
void crdi_log_softmax(const double *logit, int64_t width, double *out);

/* Logs of the mean probabilities [classes] of a row: the draws pooled. */
crd_status crdi_outlook_pool(crd_context *ctx, const crdi_outlook *outlook, double *log_p);

/* Reads the weights of a run's draws: one for each draw, chains one after the other, or one for each chain, which its draws
 * share; numbers apart by commas, blanks or line ends, 0 or more. They are divided by their sum. Owned: (draws).
 * CRD_EDATA, CRD_EMISSING, CRD_EIO. */
crd_status crdi_draw_weights_read(const crdi_network_run *net, const char *path, double **out);

#endif
