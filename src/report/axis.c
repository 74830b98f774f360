/* axis.c - where the ticks of an axis stand and what is written at them. */
#include "report/figure.h"
#include "report/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not under `least`; `digits` tells the place of its last
 * digit: -1 for 0.5, -2 for 0.25. */
static double round_step(double least, int *digits)
{
    static const struct {
        double factor;
        int extra;
    } steps[] = {{1, 0}, {2, 0}, {2.5, -1}, {5, 0}, {10, 1}};
    int power = (int)floor(log10(least));
    double unit = pow(10, power);
    int i = 0;
    while (i < CRDI_COUNT(steps) - 1 && steps[i].factor * unit < least * (1 - 1e-9))
        i++;
    *digits = power + steps[i].extra;
    return steps[i].factor * unit;
}

/* 1.5e+06 as 1.5e6. */
static void tidy_exponent(char *label)
{
    char *e = strchr(label, 'e');
    if (!e)
        return;
    char *to = e + 1, *from = e + 1;
    if (*from == '-')
        to++;
    from++;
    while (*from == '0' && from[1])
        from++;
    memmove(to, from, strlen(from) + 1);
}

static void add(crdi_ticks *t, double value, const char *format, int digits)
{
    if (t->count == CRDI_TICKS)
        return;
    t->at[t->count] = value;
    crdi_format(t->label[t->count], CRDI_TICK_LABEL, format, digits, value);
    tidy_exponent(t->label[t->count]);
    t->count++;
}

static void every_step(crdi_ticks *t, double low, double high, int wanted)
{
    int last; /* place of the last digit that the labels need */
    double step = round_step((high - low) / wanted, &last);
    double size = fmax(fabs(low), fabs(high));
    int first = (int)floor(log10(size) + 1e-9);
    bool scientific = first >= 6 || last < -6;
    for (double k = ceil(low / step - 1e-9); k <= floor(high / step + 1e-9) && t->count < CRDI_TICKS; k++) {
        double value = k == 0 ? 0 : k * step;
        if (value == 0)
            add(t, 0, "%.*f", scientific || last >= 0 ? 0 : -last);
        else if (scientific)
            add(t, value, "%.*e", (int)fmax(0, fmin(15, floor(log10(fabs(value)) + 1e-9) - last)));
        else
            add(t, value, "%.*f", last < 0 ? -last : 0);
    }
}

/* As many as wanted, but at least three where that can be: two say little. */
static void linear(crdi_ticks *t, double low, double high, int wanted)
{
    enum { MORE = 4 };
    for (int w = wanted; t->count < 3 && w < wanted + MORE; w++) {
        t->count = 0;
        every_step(t, low, high, w);
    }
}

/* Decades, thinned to what is wanted; 1, 2, 5 when there are few of them. */
static void logarithmic(crdi_ticks *t, double low, double high, int wanted)
{
    int from = (int)ceil(log10(low) - 1e-9), to = (int)floor(log10(high) + 1e-9);
    int every = (to - from) / wanted + 1;
    if (to - from >= 2) {
        for (int k = (int)ceil((double)from / every) * every; k <= to; k += every) /* 10^0 is among them */
            add(t, pow(10, k), k < -4 || k > 5 ? "%.*e" : "%.*f", k < -4 || k > 5 || k > 0 ? 0 : -k);
        return;
    }
    for (int k = from - 1; k <= to; k++)
        for (int digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
            double value = digit * pow(10, k);
            if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
                add(t, value, k < -4 || k > 5 ? "%.*e" : "%.*f", k < -4 || k > 5 || k > 0 ? 0 : -k);
        }
    if (t->count < 2)
        linear(t, low, high, wanted);
}

crdi_ticks crdi_ticks_make(double low, double high, bool log_axis, int wanted)
{
    crdi_ticks t = {0};
    CRDI_ASSERT(low < high && (!log_axis || low > 0));
    if (log_axis)
        logarithmic(&t, low, high, wanted < 2 ? 2 : wanted);
    else
        linear(&t, low, high, wanted < 2 ? 2 : wanted);
    return t;
}
