/* fault_sweep.h - every command, with the k-th allocation or write failing, for every k until it succeeds. */
#ifndef CRD_TESTING_FAULT_SWEEP_H
#define CRD_TESTING_FAULT_SWEEP_H

/* The program of such a test: `every` k, or, for the tests that run each time, all up to `dense` and then growing
 * steps. Returns what main returns. */
int testing_fault_sweep(int dense, bool every);

#endif
