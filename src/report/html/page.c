/* page.c - the frame of a page. Its policy names style and script by their hashes, so that no other runs, and allows no address at
 * all: what is opened stays in the file. */
#include "report/html.h"
#include "store/sha256.h"

#include <string.h>

/* The hash of a text as policies write it: base64 (RFC 4648) of its 32 bytes. */
static void put_hash(crdi_string *out, const char *text)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    crdi_sha256 hash;
    char hex[CRDI_SHA256_HEX];
    crdi_sha256_begin(&hash);
    crdi_sha256_add(&hash, text, strlen(text));
    crdi_sha256_end(&hash, hex);
    unsigned bits = 0;
    int have = 0;
    for (const char *c = hex; *c; c++) {
        bits = bits << 4 | (unsigned)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
        have += 4;
        if (have >= 6) {
            have -= 6;
            crdi_string_add(out, &digit[bits >> have & 63], 1);
        }
    }
    crdi_string_add(out, &digit[bits << (6 - have) & 63], 1); /* 256 bits are 42 digits and 4 bits */
    crdi_string_add(out, "=", 1);
}

crd_status crdi_html_page(const crdi_html *html, const char *title, crdi_string *out)
{
    CRD_TRY(crdi_html_status(html));
    crdi_string_append(out,
                       "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
    put_hash(out, crdi_html_style);
    crdi_string_append(out, "'; script-src 'sha256-");
    put_hash(out, crdi_html_script);
    crdi_string_append(out,
                       "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"color-scheme\" content=\"light dark\">\n");
    crdi_html_add(out, "<title>$</title>\n<style>", title, NULL);
    crdi_string_add(out, crdi_html_style, strlen(crdi_html_style));
    crdi_string_append(out, "</style>\n</head>\n<body>\n");
    crdi_string_add(out, crdi_string_text(&html->body), html->body.length);
    crdi_string_append(out, "<script type=\"application/json\" id=\"data\">{\"figures\":[");
    crdi_string_add(out, crdi_string_text(&html->figures), html->figures.length);
    crdi_string_append(out, "],\n\"tables\":[");
    crdi_string_add(out, crdi_string_text(&html->tables), html->tables.length);
    crdi_string_append(out, "]}</script>\n<script>");
    crdi_string_add(out, crdi_html_script, strlen(crdi_html_script));
    crdi_string_append(out, "</script>\n</body>\n</html>\n");
    return out->status;
}
