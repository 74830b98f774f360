/* text.c - texts and numbers of a page, escaped. */
#include "report/html.h"
#include "report/text.h"

#include <math.h>
#include <string.h>

void crdi_html_init(crdi_html *html, crd_context *ctx)
{
    *html = (crdi_html){.ctx = ctx};
    crdi_string_init(&html->body, ctx);
    crdi_string_init(&html->figures, ctx);
    crdi_string_init(&html->tables, ctx);
}

void crdi_html_clear(crdi_html *html)
{
    crdi_string_clear(&html->body);
    crdi_string_clear(&html->figures);
    crdi_string_clear(&html->tables);
}

crd_status crdi_html_status(const crdi_html *html)
{
    return html->body.status < 0      ? html->body.status
           : html->figures.status < 0 ? html->figures.status
                                      : html->tables.status;
}

/* Replaces single characters of a text that is made printable first. */
static void escape(crdi_string *out, const char *text, const char *(*instead)(char c))
{
    crdi_string plain;
    crdi_string_init(&plain, out->ctx);
    crdi_text_printable(&plain, text);
    const char *from = crdi_string_text(&plain);
    for (const char *c = from; *c; c++) {
        const char *other = instead(*c);
        if (!other)
            continue;
        crdi_string_add(out, from, (size_t)(c - from));
        crdi_string_add(out, other, strlen(other));
        from = c + 1;
    }
    crdi_string_add(out, from, strlen(from));
    if (plain.status < 0 && out->status == CRD_OK)
        out->status = plain.status;
    crdi_string_clear(&plain);
}

static const char *in_html(char c)
{
    return c == '<'    ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '&'  ? "&amp;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : NULL;
}

/* "</script>" and "<!--" cannot come about without '<'. */
static const char *in_json(char c)
{
    return c == '<'    ? "\\u003c"
           : c == '>'  ? "\\u003e"
           : c == '&'  ? "\\u0026"
           : c == '"'  ? "\\\""
           : c == '\\' ? "\\\\"
                       : NULL;
}

void crdi_html_text(crdi_string *out, const char *text)
{
    escape(out, text, in_html);
}

void crdi_html_add(crdi_string *out, const char *format, ...)
{
    va_list texts;
    va_start(texts, format);
    for (const char *at = format; *at;) {
        size_t length = strcspn(at, "$");
        crdi_string_add(out, at, length);
        at += length;
        if (!*at)
            break;
        const char *text = va_arg(texts, const char *);
        CRDI_ASSERT(text);
        crdi_html_text(out, text);
        at++;
    }
    const char *end = va_arg(texts, const char *);
    CRDI_ASSERT(!end);
    (void)end;
    va_end(texts);
}

void crdi_html_json_text(crdi_string *out, const char *text)
{
    crdi_string_add(out, "\"", 1);
    escape(out, text, in_json);
    crdi_string_add(out, "\"", 1);
}

void crdi_html_json_number(crdi_string *out, double value, int digits)
{
    char text[40];
    if (!isfinite(value)) {
        crdi_string_add(out, "null", 4);
        return;
    }
    int length = crdi_format(text, sizeof text, "%.*g", digits, value == 0 ? 0.0 : value);
    crdi_string_add(out, text, (size_t)length);
}

/* Digits that tell a ten-thousandth of the range. */
static int digits_of(const double *v, int64_t count)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(v[i])) {
            low = fmin(low, v[i]);
            high = fmax(high, v[i]);
        }
    double size = fmax(fabs(low), fabs(high)), range = high - low;
    if (!(range > 0) || !isfinite(range))
        return 6;
    return (int)fmin(15, 4 + ceil(fmax(0, log10(size / range))));
}

static bool evenly_spaced(const double *v, int64_t count)
{
    if (count < 4 || !isfinite(v[0]) || !isfinite(v[count - 1]))
        return false;
    double step = (v[count - 1] - v[0]) / (double)(count - 1);
    for (int64_t i = 1; i < count; i++)
        if (!(fabs(v[i] - (v[0] + (double)i * step)) <= 1e-9 * fabs(v[count - 1] - v[0])))
            return false;
    return step != 0;
}

void crdi_html_json_numbers(crdi_string *out, const double *values, int64_t count)
{
    int digits = digits_of(values, count);
    if (evenly_spaced(values, count)) {
        crdi_string_append(out, "{\"from\":%.12g,\"step\":%.12g,\"count\":%lld}", values[0],
                           (values[count - 1] - values[0]) / (double)(count - 1), (long long)count);
        return;
    }
    crdi_string_add(out, "[", 1);
    for (int64_t i = 0; i < count; i++) {
        if (i)
            crdi_string_add(out, ",", 1);
        crdi_html_json_number(out, values[i], digits);
    }
    crdi_string_add(out, "]", 1);
}
