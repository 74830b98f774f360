/* status.h - what every fallible call of credence returns.
 *
 * One list says it all: the enum, the texts, the exit codes of the command and the table in docs/ come from it.
 * 0 is success, negative is an error, positive is news (the call worked, and there is something to know). */
#ifndef CREDENCE_STATUS_H
#define CREDENCE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* CRD_API: visible to those who link. CRD_MUST_CHECK: ignoring the status is a warning. CRD_PRINTF: arguments are checked. */
#if defined(__GNUC__)
#define CRD_API __attribute__((visibility("default")))
#define CRD_MUST_CHECK __attribute__((warn_unused_result))
#define CRD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CRD_API
#define CRD_MUST_CHECK
#define CRD_PRINTF(text, first)
#endif

/* X(name, value, exit code of the command, explanation) */
#define CRD_STATUS_LIST(X)                                                                                             \
    X(INTERRUPTED, 1, 40, "stopped by the user; what was drawn so far is kept")                                        \
    X(OK, 0, 0, "success")                                                                                             \
    X(ENOMEM, -1, 10, "out of memory")                                                                                 \
    X(EINVAL, -2, 2, "an argument or option has a value that it cannot have")                                          \
    X(ENAME, -3, 3, "a name that does not exist: option, column, site, prior path, distribution, activation")          \
    X(ESHAPE, -4, 11, "shapes that do not fit together")                                                               \
    X(EDOMAIN, -5, 12, "a parameter outside its domain or an observed value outside the support")                      \
    X(EMISSING, -6, 4, "a file, argument or column that is needed is not there")                                       \
    X(EIO, -7, 5, "reading or writing failed")                                                                         \
    X(EDATA, -8, 6, "the data cannot be used: ragged rows, text among numbers, missing cells, a constant target")      \
    X(EEXISTS, -9, 7, "the output exists and --force was not given")                                                   \
    X(EDAMAGED, -10, 8, "the file is damaged or is not a run file")                                                    \
    X(EVERSION, -11, 9, "the file was written by a newer version of credence")                                         \
    X(ETOOL, -12, 13, "a program or library that is needed is not installed")                                          \
    X(ESTART, -13, 14, "no start point with a finite density was found")                                               \
    X(EUNSUPPORTED, -14, 15, "not available for this model, site or method")                                           \
    X(EPRIOR, -15, 16, "a parameter without a prior, with two, or a prior rule without a parameter")                   \
    X(EINTERNAL, -16, 20, "a defect in credence; please report it")                                                    \
    X(EDOUBT, -17, 17, "diagnose --strict: the draws should not be believed")                                          \
    X(EDIFFERENT, -18, 18, "diff: the runs are not equal")                                                             \
    X(EFULL, -19, 19, "the file system is full, or a limit on the size of files is reached")

/** 0 is success, negative an error, positive news. Texts and exit codes: CRD_STATUS_LIST in status.h. */
typedef enum crd_status {
#define CRD_STATUS_ENUM(name, value, exit_code, text) CRD_##name = (value),
    CRD_STATUS_LIST(CRD_STATUS_ENUM)
#undef CRD_STATUS_ENUM
} crd_status;

/** Returns the name of a status without its prefix ("ESHAPE"), or "unknown". Static storage.
 *  @param status  any number. */
CRD_API const char *crd_status_name(crd_status status);

/** Returns one line that explains a status. Static storage.
 *  @param status  any number. */
CRD_API const char *crd_status_text(crd_status status);

/** Returns the exit code (0 to 63) with which the command ends on a status.
 *  @param status  any number. */
CRD_API int crd_status_exit_code(crd_status status);

/** Passes an error on to the caller; success and news go on. */
#define CRD_TRY(expression)                                                                                            \
    do {                                                                                                               \
        crd_status crd_try_status_ = (expression);                                                                     \
        if (crd_try_status_ < 0)                                                                                       \
            return crd_try_status_;                                                                                    \
    } while (0)

#ifdef __cplusplus
}
#endif
#endif
