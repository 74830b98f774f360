/* run.h - run files: one SQLite database that holds a run's model, data, options, draws and timings. A run of a program's own model
 * into one, and reading it. */
#ifndef CREDENCE_RUN_H
#define CREDENCE_RUN_H

#include <credence/mcmc.h>
#include <credence/posterior.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a run is kept in a file. All 0 means the defaults. */
typedef struct crd_run_how {
    const char *name; /**< of the model, for those who read the file; NULL: "model" */
    int force; /**< not 0: a file that exists is replaced, once there are draws */
    int resume; /**< not 0: a run that stands at the path goes on, or is given more draws; without one it begins */
    double save_every; /**< seconds between two savings of draws and states; 0: 0.5 */
} crd_run_how;

/** crd_nuts_run into a run file: draws go to disk as they are drawn, together with the complete state of every chain, so that a
 *  run that was stopped, killed or came to a full disk goes on from there. Called again with how->resume, the same
 *  model, data, options and key, it ends with the draws, bit for bit, of the run that was never stopped; with a greater
 *  options->draws it makes more. Memory does not grow with the draws.
 *  @param model    borrowed. The file does not hold it: it must be the same when a run goes on, which is checked by sites,
 *                  options, key, and the log density at the chains' last points.
 *  @param options  borrowed; NULL means the defaults. options->stop ends the run in good order.
 *  @param key      as crd_nuts_run. @param path  borrowed. @param how  borrowed; NULL means the defaults.
 *  @return CRD_OK; CRD_INTERRUPTED: stopped, the file has what was drawn; CRD_EEXISTS: there is a file and neither force
 *          nor resume was asked for, or another process writes it; CRD_EINVAL: it goes on with other options, key or model;
 *          CRD_EDAMAGED; CRD_EIO; and as crd_nuts_run.
 *  Cost: as crd_nuts_run. Parallel: one chain a thread, and one that writes. */
CRD_API CRD_MUST_CHECK crd_status crd_run_nuts(const crd_model *model, const crd_nuts_options *options, crd_key key,
                                               const char *path, const crd_run_how *how);

/** A run file that is open for reading. */
typedef struct crd_run crd_run;

/** Opens a run file for reading.
 *  The file may be one that another process is writing: each call sees the draws that are complete at that moment. A
 *  file of up to 16 MiB is checked as a whole (crd_run_check does it for others); the entries that describe the run are
 *  verified against their checksums now, draws and data when they are read.
 *  @param ctx  borrowed: it must outlive the run.
 *  @param path  borrowed.
 *  @param out   returns owned; written only on success.
 *  @return CRD_OK; CRD_EMISSING if there is no file; CRD_EDAMAGED if it is no run file or a damaged one; CRD_EVERSION
 *          if a newer version of credence wrote it; CRD_EIO if it cannot be read; CRD_ENOMEM.
 *  Parallel: a crd_run serves one thread at a time; open several for several threads. */
CRD_API CRD_MUST_CHECK crd_status crd_run_open(crd_context *ctx, const char *path, crd_run **out);

/** Closes a run file and nulls the pointer; NULL and a pointer to NULL are accepted.
 *  @param run  the pointer to set to NULL. */
CRD_API void crd_run_close(crd_run **run);

/** Checks the whole file: the database's structure, every checksum, and that no draw is missing between two others.
 *  @param run  borrowed.
 *  @return CRD_OK; CRD_EDAMAGED; CRD_EIO; CRD_ENOMEM. Cost: reads every byte once or twice. */
CRD_API CRD_MUST_CHECK crd_status crd_run_check(crd_run *run);

/** Returns the number of chains.
 *  @param run  borrowed. */
CRD_API int crd_run_chains(const crd_run *run);

/** Returns the number of columns: sites in alphabetical order, then the sampler's statistics.
 *  @param run  borrowed. */
CRD_API int crd_run_column_count(const crd_run *run);

/** Returns a column without its draws (`draws` is NULL); i from 0. Borrowed from the run.
 *  @param run  borrowed. @param i  below crd_run_column_count. */
CRD_API const crd_column *crd_run_column(const crd_run *run, int i);

/** Finds a column by name.
 *  @param run  borrowed. @param name  of a site or a statistic.
 *  @param out  borrowed from the run.
 *  @return CRD_OK; CRD_ENAME, with the nearest name that exists. */
CRD_API CRD_MUST_CHECK crd_status crd_run_find(const crd_run *run, const char *name, const crd_column **out);

/** Counts the draws of a chain that are complete in every column; chain -1 means those that all chains have.
 *  @param run  borrowed. @param chain  from 0; -1: of all. @param out  returns the number.
 *  @return CRD_OK; CRD_EINVAL for a chain that does not exist; CRD_EDAMAGED; CRD_EIO. Cost: reads no draws. */
CRD_API CRD_MUST_CHECK crd_status crd_run_draws(crd_run *run, int chain, int64_t *out);

/** Reads all draws of all columns. Chains are cut to the shortest.
 *  @param run  borrowed.
 *  @param out  returns owned; written only on success.
 *  @return CRD_OK; CRD_EDAMAGED; CRD_EIO; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_run_posterior(crd_run *run, crd_posterior **out);

/** Reads all draws of some columns, in the order given.
 *  @param run  borrowed. @param count  of names.
 *  @param names  [count], borrowed.
 *  @param out    returns owned; written only on success.
 *  @return as crd_run_posterior; CRD_ENAME for a column that does not exist. */
CRD_API CRD_MUST_CHECK crd_status crd_run_posterior_of(crd_run *run, const char *const *names, int count,
                                                       crd_posterior **out);

#ifdef __cplusplus
}
#endif
#endif
