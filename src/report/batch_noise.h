/* batch_noise.h - how far draws of a kernel of batches are biased, from what their run says of the gradients' noise. */
#ifndef CRDI_REPORT_BATCH_NOISE_H
#define CRDI_REPORT_BATCH_NOISE_H

#include "infer/mcmc.h"
#include "store/json.h"
#include "store/network_run.h"

typedef struct crdi_batch_noise {
    bool is; /* the run is of such a kernel; the rest is 0 else */
    double ratio; /* mean over draws: variance of the noise of gradients to that of what is injected */
    double step_size; /* mean over draws */
    int64_t batches; /* an epoch; 0: the file does not say */
    crdi_mcmc_bias bias;
} crdi_batch_noise;

/* method: of the run. Reads two statistics of all draws of the part. */
crd_status crdi_batch_noise_read(const crdi_network_run *net, const char *method, const crdi_run_part *part,
                                 crdi_batch_noise *out);
/* A clause or two, without a full stop. */
void crdi_batch_noise_text(crdi_string *out, const crdi_batch_noise *noise);
/* A member "batch_noise" of an object; nothing for other kernels. */
void crdi_batch_noise_json(crdi_json_writer *w, const crdi_batch_noise *noise);

#endif
