/* text.c - see text.h.
 *
 * wcwidth() would do for the widths, but it answers by the locale that the program happens to have chosen; a table must
 * look the same in all of them. The ranges are those of Unicode's East Asian Width W and F and of its combining marks,
 * merged where nothing but unassigned code points lies between. */
#include "report/text.h"

#include <math.h>

struct range {
    uint32_t first, last;
};

static const struct range combining[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2}, {0x05c4, 0x05c5},
    {0x0610, 0x061a}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x0900, 0x0902},
    {0x093a, 0x093a}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x2060, 0x2060}, {0x20d0, 0x20ff},
    {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static bool within(const struct range *ranges, int count, uint32_t code)
{
    for (int i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

void crdi_text_printable(crdi_string *out, const char *text)
{
    if (!text)
        return;
    while (*text) {
        uint32_t c = 0;
        int length = crdi_utf8_decode(text, NULL, &c);
        if (length == 0 || c < 0x20 || c == 0x7f) {
            if (*text == '\n' || *text == '\t')
                crdi_string_append(out, *text == '\n' ? "\\n" : "\\t");
            else
                crdi_string_append(out, "\\x%02x", (unsigned char)*text);
            length = 1;
        } else if (crdi_is_control(c)) {
            crdi_string_append(out, "\\u%04x", (unsigned)c);
        } else {
            crdi_string_add(out, text, (size_t)length);
        }
        text += length;
    }
}

/* Columns of the code point at text; `*length` gets its bytes. */
static int step(const char *text, int *length)
{
    uint32_t c = 0;
    *length = crdi_utf8_decode(text, NULL, &c);
    if (*length == 0)
        *length = 1;
    return within(combining, CRDI_COUNT(combining), c) ? 0 : 1 + within(wide, CRDI_COUNT(wide), c);
}

int crdi_text_width(const char *text)
{
    int width = 0, length;
    for (; text && *text; text += length)
        width += step(text, &length);
    return width;
}

size_t crdi_text_fit(const char *text, int columns)
{
    int width = 0, length;
    const char *end = text;
    for (; *end; end += length) {
        width += step(end, &length);
        if (width > columns)
            break;
    }
    return (size_t)(end - text);
}

int crdi_text_digits(double value, double limit)
{
    int digits = 2;
    for (double scale = 100; digits < 15 && value != limit && round(value * scale) == round(limit * scale); digits++)
        scale *= 10;
    return digits;
}
