/* test_faults.c - commands whose k-th allocation or write fails, for many k. tests/slow/cli has every k. */
#include "testing.h"

#include "fault_sweep.h"

int main(void)
{
    return testing_fault_sweep(30, false);
}
