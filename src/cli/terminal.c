/* terminal.c - see terminal.h. */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool crdi_terminal_is(int fd)
{
    const char *kind = getenv("TERM");
    return isatty(fd) && !(kind && strcmp(kind, "dumb") == 0);
}

int crdi_terminal_width(int fd, int fallback)
{
    enum { NARROWEST = 40, WIDEST = 1000 };
    const char *columns = getenv("COLUMNS");
    struct winsize window = {0};
    int64_t width;
    if (!columns || !crdi_parse_int(columns, &width))
        width = isatty(fd) && ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col : fallback;
    return width < NARROWEST ? NARROWEST : width > WIDEST ? WIDEST : (int)width;
}

bool crdi_terminal_size(int fd, int *columns, int *rows)
{
    struct winsize window = {0};
    if (!isatty(fd) || ioctl(fd, TIOCGWINSZ, &window) != 0 || !window.ws_col || !window.ws_row)
        return false;
    *columns = window.ws_col;
    *rows = window.ws_row;
    return true;
}

void crdi_terminal_print(FILE *to, const char *text, bool line)
{
    for (int bytes; *text; text += bytes ? bytes : 1) {
        uint32_t c = 0;
        bytes = crdi_utf8_decode(text, NULL, &c);
        if (bytes == 0)
            fprintf(to, "\\x%02x", (unsigned char)*text);
        else if (!crdi_is_control(c) || (!line && (c == '\n' || c == '\t')))
            fwrite(text, 1, (size_t)bytes, to);
        else if (c == '\n' || c == '\t')
            fputs(c == '\n' ? "\\n" : "\\t", to);
        else
            fprintf(to, c < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)c);
    }
}

crd_status crdi_terminal_put(FILE *to, crdi_string *text, crd_status status)
{
    if (status == CRD_OK)
        crdi_terminal_print(to, crdi_string_text(text), false);
    crdi_string_clear(text);
    return status;
}
