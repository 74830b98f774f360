/* test_faults.c - commands whose k-th allocation or write fails, for every k until they succeed. */
#include "testing.h"

#include "fault_sweep.h"

int main(void)
{
    return testing_fault_sweep(0, true);
}
