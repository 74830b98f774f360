/* text.c - what text needs wherever it goes: UTF-8, JSON's strings, numbers that are the same in every locale. */
#include "base/base.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the C locale ------------------------------------------------------------------------------------------- */

/* Made once and never freed. Under a locale with a decimal comma strtod would read "1.5" as 1, and printf would write
 * "1,5". */
static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t locale_of_c;

static void locale_make(void)
{
    locale_of_c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Enters the C locale on this thread alone; returns what uselocale takes to leave it. */
static locale_t enter_c_locale(void)
{
    pthread_once(&locale_once, locale_make);
    return uselocale(locale_of_c); /* without memory for one this changes nothing */
}

int crdi_format_v(char *buffer, size_t size, const char *format, va_list arguments)
{
    locale_t before = enter_c_locale();
    int length = vsnprintf(buffer, size, format, arguments);
    uselocale(before);
    return length;
}

int crdi_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = crdi_format_v(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

double crdi_read_double(const char *text, char **end)
{
    locale_t before = enter_c_locale();
    double value = strtod(text, end);
    uselocale(before);
    return value;
}

/* ---- UTF-8 -------------------------------------------------------------------------------------------------- */

/* How many bytes a character has by its first one; 0 if none begins so. */
static int length_from(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if ((first & 0xf0) == 0xe0)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

int crdi_utf8_decode(const char *text, const char *end, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* a longer spelling than needed is not valid */
    const unsigned char *u = (const unsigned char *)text;
    int length = length_from(u[0]);
    if (length == 0 || u[0] == 0 || (end && end - text < length))
        return 0;
    uint32_t c = length == 1 ? u[0] : u[0] & (0xffu >> (length + 1));
    for (int i = 1; i < length; i++) { /* a zero byte continues nothing, so this stays within the text */
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3fu);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return length;
}

bool crdi_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

void crdi_json_text(crdi_string *out, const char *text)
{
    crdi_string_add(out, "\"", 1);
    while (*text) {
        uint32_t c = 0;
        int length = crdi_utf8_decode(text, NULL, &c);
        if (length == 0)
            crdi_string_append(out, "\ufffd");
        else if (c == '"' || c == '\\')
            crdi_string_append(out, "\\%c", (char)c);
        else if (crdi_is_control(c))
            crdi_string_append(out, "\\u%04x", (unsigned)c);
        else
            crdi_string_add(out, text, (size_t)length);
        text += length ? length : 1;
    }
    crdi_string_add(out, "\"", 1);
}
