/* dataset.h - a table turned into the numbers that a network is fitted to, and the recipe that does it again. */
#ifndef CREDENCE_DATASET_H
#define CREDENCE_DATASET_H

#include <credence/array.h>
#include <credence/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to do about missing cells in the columns used. */
typedef enum crd_na {
    CRD_NA_ERROR = 0, /**< an error that counts them and names the first */
    CRD_NA_DROP = 1 /**< their rows are left out */
} crd_na;

/** How numbers are scaled. */
typedef enum crd_scale {
    CRD_SCALE_NONE = 0, /**< as they are */
    CRD_SCALE_STANDARD = 1 /**< (value - mean) / sd, of every input and of a target that is a number */
} crd_scale;

/** How the target is read. */
typedef enum crd_target_kind {
    CRD_TARGET_AUTO = 0, /**< classes if none of its cells is a number, else numbers */
    CRD_TARGET_NUMBER = 1, /**< a number, scaled as inputs are */
    CRD_TARGET_CLASS = 2, /**< y is the class's place, from 0, in the sorted list of those that occur */
    CRD_TARGET_COUNT = 3 /**< whole numbers from 0; never scaled */
} crd_target_kind;

/** What of a table goes into a data set. Zero means the default everywhere; only `target` or `targets` must be given. */
typedef struct crd_dataset_options {
    const char *target; /**< the column to learn */
    const char *const *targets; /**< instead of it, several in this order, which must all be numbers */
    int64_t target_count; /**< of them */
    const char *const *features; /**< in this order; NULL: every column but the target and the dropped ones */
    int64_t feature_count; /**< of features */
    const char *const *drop; /**< columns that are not features */
    int64_t drop_count; /**< of drop */
    const char *const *categorical; /**< columns read as levels; the target may be one (then it is CRD_TARGET_CLASS) */
    int64_t categorical_count; /**< of categorical */
    const char *rows; /**< file of row numbers, from 0, in the order wanted; NULL: all rows */
    crd_na na; /**< missing cells */
    crd_scale scale; /**< of inputs and target */
    crd_target_kind target_kind; /**< how the target is read */
} crd_dataset_options;

/** One column of x. x = (value - mean) / sd; for a level the value is 1 where the cell is that level, else 0. */
typedef struct crd_feature {
    char *name; /**< "age"; "colour=red" for a level */
    char *column; /**< the table's column that it comes from */
    char *level; /**< NULL: the number itself */
    double mean; /**< 0 unless scaled */
    double sd; /**< 0 and 1 unless scaled */
} crd_feature;

/** One column of y. value = mean + sd * y. */
typedef struct crd_target {
    char *name; /**< the table's column */
    double mean; /**< 0 unless scaled */
    double sd; /**< 0 and 1 unless scaled */
} crd_target;

/** How columns become inputs and target. Enough to prepare new data as the data of the fit were. Open for reading. */
typedef struct crd_recipe {
    crd_context *ctx; /**< that it was made in */
    int64_t feature_count; /**< of feature: the columns of x */
    crd_feature *feature; /**< the levels of one column stand together, sorted */
    int64_t constant_count; /**< of constant */
    char **constant; /**< columns left out because they were constant */
    int64_t target_count; /**< at least 1; more than 1 are numbers */
    crd_target *targets; /**< [target_count] */
    const char *target; /**< the first one's name, mean and sd, for what knows one target only */
    double target_mean; /**< of the first target */
    double target_sd; /**< of the first target */
    crd_target_kind target_kind; /**< not CRD_TARGET_AUTO */
    int64_t class_count; /**< of class_name; 0 unless the target is a class */
    char **class_name; /**< [class_count], in the order of their numbers */
    crd_scale scale; /**< what was asked for */
} crd_recipe;

/** Inputs and target. Open for reading; crd_dataset_make and _destroy manage it. */
typedef struct crd_dataset {
    crd_context *ctx; /**< that it was made in */
    crd_recipe *recipe; /**< owned by the data set */
    crd_array x; /**< (n, features) */
    crd_array y; /**< (n,); (n, targets) if there are several */
    int64_t *row; /**< (n) numbers of the table's rows used, in order */
    int64_t left_out; /**< rows left out because of missing cells */
    char sha256[65]; /**< of names and unscaled values in order: equal for equal data, however stored */
} crd_dataset;

/** Makes a data set from a table.
 *
 *  Means and standard deviations are of the rows used, the latter divided by n (not n - 1), as scikit-learn's
 *  StandardScaler has them. Levels get one column each, also the first (the prior on the weights makes the choice of a
 *  reference level unnecessary, and all levels are treated alike), and are scaled as other inputs are. A level that is a number
 *  is named as that number however it is written. A constant feature is left out with a warning in the log.
 *  @param table  borrowed during the call.
 *  @param ctx      the table's.
 *  @param options  borrowed.
 *  @param out      returns owned; independent of the table; written only on success.
 *  @return CRD_OK; CRD_EMISSING: no target given, no file of rows; CRD_ENAME: no such column (the nearest is named);
 *          CRD_EINVAL: options that contradict each other; CRD_EDATA: text in a number column, missing cells, a
 *          constant target, no feature or row left, row numbers out of range or twice; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_dataset_make(crd_context *ctx, const crd_table *table,
                                                   const crd_dataset_options *options, crd_dataset **out);

/** Destroys a data set and nulls the pointer; NULL is accepted.
 *  @param dataset  the pointer to set to NULL. */
CRD_API void crd_dataset_destroy(crd_dataset **dataset);

/** What about the target in new data. */
typedef enum crd_apply_target {
    CRD_APPLY_TARGET_IF_THERE = 0, /**< read if the table has it and none of its cells in the rows used is missing */
    CRD_APPLY_TARGET_NEEDED = 1, /**< it must be there; missing cells of it are treated as those of features are */
    CRD_APPLY_TARGET_IGNORED = 2 /**< not read: it may hold anything, as classes that the fit did not see */
} crd_apply_target;

/** What of a table goes into inputs made by a recipe. Zero means the default everywhere. */
typedef struct crd_apply_options {
    const char *rows; /**< as in crd_dataset_options */
    crd_na na; /**< missing cells */
    crd_apply_target target; /**< what about the target */
} crd_apply_options;

/** New data prepared by a recipe. */
typedef struct crd_inputs {
    crd_context *ctx; /**< that they were made in */
    crd_array x; /**< (n, features) */
    crd_array y; /**< (n,) or (n, targets), scaled as in the fit; data NULL if a target is not there */
    int64_t *row; /**< (n) numbers of the table's rows used */
    int64_t left_out; /**< rows left out because of missing cells among the features */
    int64_t extra_count; /**< of extra */
    char **extra; /**< columns that the recipe does not know, ignored */
} crd_inputs;

/** Prepares a table as the recipe's data were prepared; columns are found by name.
 *
 *  Of several targets all are read, or none.
 *  @param recipe  borrowed during the call. @param table  the new data, borrowed during the call.
 *  @param ctx      the table's; the recipe's may be another.
 *  @param options  borrowed; NULL means the defaults.
 *  @param out      returns owned; written only on success.
 *  @return CRD_OK; CRD_EMISSING: columns that are not there (all are named), a target that is needed, no file of rows; CRD_EDATA: text in a
 *          number column, missing cells, a level or class that the fit did not see; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_dataset_apply(crd_context *ctx, const crd_recipe *recipe, const crd_table *table,
                                                    const crd_apply_options *options, crd_inputs **out);

/** Destroys inputs and nulls the pointer; NULL is accepted.
 *  @param inputs  the pointer to set to NULL. */
CRD_API void crd_inputs_destroy(crd_inputs **inputs);

/** Destroys a recipe that is not a data set's (crdi_recipe_read) and nulls the pointer; NULL is accepted.
 *  @param recipe  the pointer to set to NULL. */
CRD_API void crd_recipe_destroy(crd_recipe **recipe);

#ifdef __cplusplus
}
#endif
#endif
