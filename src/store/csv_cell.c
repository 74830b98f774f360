/* csv_cell.c - what one cell is: a number, missing, or text.
 *
 * Most numbers in data files have at most 15 digits and a small power of ten: then mantissa and power are exact doubles
 * and one multiplication or division rounds once, so the result has strtod's bits (Clinger 1990, "How to read floating
 * point numbers accurately", the fast case) at a tenth of its time. All others go through strtod. */
#include "store/csv.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum { EXACT_DIGITS = 15, EXACT_POWER = 22, LONGEST_NUMBER = 1200 };

static const double powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The parts of a decimal number: mantissa * 10^exponent. `digits` counts from the first that is not 0. */
struct decimal {
    uint64_t mantissa;
    int digits, exponent;
    bool negative;
};

/* Reads [+-]digits[.digits][e[+-]digits] to the end of the text; false if it is something else. */
static bool read_decimal(const char *s, const char *end, struct decimal *out)
{
    struct decimal d = {0};
    bool any = false;
    if (s < end && (*s == '-' || *s == '+'))
        d.negative = *s++ == '-';
    for (bool fraction = false; s < end && (is_digit(*s) || (*s == '.' && !fraction)); s++) {
        if (*s == '.') {
            fraction = true;
            continue;
        }
        any = true;
        if (d.digits <= EXACT_DIGITS) { /* one more is enough to know that there are too many */
            d.mantissa = 10 * d.mantissa + (uint64_t)(*s - '0');
            d.exponent -= fraction;
        }
        d.digits += d.mantissa > 0;
    }
    if (any && s < end && (*s == 'e' || *s == 'E')) {
        int power = 0;
        bool negative = false;
        s++;
        if (s < end && (*s == '-' || *s == '+'))
            negative = *s++ == '-';
        any = s < end;
        for (; s < end && is_digit(*s); s++)
            power = power < 10000 ? 10 * power + (*s - '0') : power;
        d.exponent += negative ? -power : power;
    }
    *out = d;
    return any && s == end;
}

static bool read_number(const char *s, size_t length, double *out)
{
    struct decimal d;
    if (length >= LONGEST_NUMBER || !read_decimal(s, s + length, &d))
        return false;
#if FLT_EVAL_METHOD == 0 /* elsewhere the product would be rounded twice */
    if (d.digits <= EXACT_DIGITS && d.exponent >= -EXACT_POWER && d.exponent <= EXACT_POWER) {
        double m = (double)d.mantissa, value = d.exponent < 0 ? m / powers[-d.exponent] : m * powers[d.exponent];
        *out = d.negative ? -value : value;
        return true;
    }
#endif
    char copy[LONGEST_NUMBER];
    memcpy(copy, s, length);
    copy[length] = 0;
    return crdi_parse_double(copy, out) && isfinite(*out);
}

bool crdi_csv_has_decimal_comma(const char *text, size_t length)
{
    char copy[64];
    struct decimal d;
    const char *comma = memchr(text, ',', length);
    if (!comma || length >= sizeof copy || memchr(text, '.', length))
        return false;
    memcpy(copy, text, length);
    copy[comma - text] = '.';
    return read_decimal(copy, copy + length, &d);
}

static bool is_missing(const char *s, size_t length)
{
    static const char *const words[] = {"?", "na", "nan", "null", "-nan", "+nan", "n/a", "#n/a"};
    if (length == 0)
        return true;
    for (int i = 0; i < CRDI_COUNT(words); i++)
        if (strlen(words[i]) == length && strncasecmp(words[i], s, length) == 0)
            return true;
    return length == 4 && memcmp(s, "None", 4) == 0; /* Python's; in small letters it is a level like others */
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

crdi_csv_kind crdi_csv_classify(const crdi_csv_cell *cell, double *out)
{
    const char *s = cell->start;
    size_t length = cell->length;
    while (length && is_blank(*s)) /* blanks inside quotes; others are gone already */
        s++, length--;
    while (length && is_blank(s[length - 1]))
        length--;
    if (length && read_number(s, length, out))
        return CRDI_CELL_NUMBER;
    *out = NAN;
    return is_missing(s, length) ? CRDI_CELL_MISSING : CRDI_CELL_TEXT;
}

size_t crdi_csv_cell_copy(const crdi_csv_cell *cell, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < cell->length; i++) {
        out[length++] = cell->start[i];
        i += cell->quoted && cell->start[i] == '"'; /* the second of two quotes */
    }
    out[length] = 0;
    return length;
}

const char *crdi_csv_show(char buffer[CRDI_SHOWN], const char *text)
{
    enum { KEPT = CRDI_SHOWN - 4 };
    size_t length = 0;
    for (; text[length] && length < KEPT; length++)
        buffer[length] = (unsigned char)text[length] < ' ' ? ' ' : text[length];
    if (text[length]) {
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80) /* do not cut a UTF-8 character in two */
            length--;
        memcpy(buffer + length, "...", 3);
        length += 3;
    }
    buffer[length] = 0;
    return buffer;
}
