/* run_path.h - the names of what stands beside a run file. */
#ifndef CRDI_RUN_PATH_H
#define CRDI_RUN_PATH_H

#include "base/base.h"

#include <limits.h>
#include <stdbool.h>

/* The file that a path means: where links lead, whether it exists or not. What stands beside a run file stands beside this, so
 * that it is found by whatever link. false: the path is too long, or links go round; `out` is the path then, cut. */
bool crdi_run_path_follow(const char *path, char out[PATH_MAX]);

/* Of that file, the name with a suffix: "-lock", ".part". false: too long. */
bool crdi_run_path_beside(const char *path, const char *suffix, char out[PATH_MAX]);

/* Whether it is a name of what stands beside a run until that comes to its place, and not of the run. */
bool crdi_run_path_is_part(const char *path);
/* CRD_EINVAL if it is, with the name of the run. */
crd_status crdi_run_path_check(crd_context *ctx, const char *path);
/* The name of its run; of another path, that itself. Cut where it is too long. */
void crdi_run_path_of_part(const char *path, char out[PATH_MAX]);

/* Whether something stands at that name, which `out` returns. */
bool crdi_run_path_has(const char *path, const char *suffix, char out[PATH_MAX]);

void crdi_run_path_remove(const char *path); /* that file, not the link */

#endif
