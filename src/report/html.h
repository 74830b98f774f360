/* html.h - the parts of a page that is one file: text that stays text, tables and figures as data for the page's script.
 *
 * Names come from files that others wrote. All of them pass through crdi_html_text (into the page) or crdi_html_json_text (into the
 * data), so that none can end a tag, an attribute or the script, and control characters are seen. */
#ifndef CRDI_REPORT_HTML_H
#define CRDI_REPORT_HTML_H

#include "report/figure.h"

typedef struct crdi_html {
    crd_context *ctx;
    crdi_string body; /* what stands in the page */
    crdi_string figures, tables; /* JSON: elements of arrays, which placeholders in the body name by their number */
    int figure_count, table_count;
    int64_t points_left_out; /* of layers that were thinned, all figures together */
} crdi_html;

void crdi_html_init(crdi_html *html, crd_context *ctx);
void crdi_html_clear(crdi_html *html);
/* The first failure of anything appended so far, or CRD_OK. */
crd_status crdi_html_status(const crdi_html *html);

/* ---- text (html/text.c) --------------------------------------------------------------------------------------- */

/* Appends a text for the inside of an element or of an attribute in double quotes. NULL counts as "". */
void crdi_html_text(crdi_string *out, const char *text);
/* Appends a format in which each $ stands for a text, escaped as above; the texts end with NULL. */
void crdi_html_add(crdi_string *out, const char *format, ...);
/* Appends a JSON string that is safe inside <script>. */
void crdi_html_json_text(crdi_string *out, const char *text);
/* A number with so many digits; null if it is not finite. */
void crdi_html_json_number(crdi_string *out, double value, int digits);
/* An array with as many digits as 1/10000 of its range needs; {"from", "step", "count"} if the numbers are evenly spaced. */
void crdi_html_json_numbers(crdi_string *out, const double *values, int64_t count);

/* ---- tables (html/table.c) ------------------------------------------------------------------------------------ */

typedef struct crdi_html_column {
    const char *name;
    const char *about; /* what it is, a clause; NULL: nothing to say */
    const char *const *text; /* (rows); NULL: numbers */
    const double *value; /* (rows) */
    int decimals; /* of numbers; -1: four digits */
    char worst; /* for folded rows: '<' shows the least, '>' the greatest, 0 nothing */
} crdi_html_column;

typedef struct crdi_html_table {
    const char *caption;
    int columns;
    const crdi_html_column *column; /* the first names the row */
    int64_t rows;
    const char *const *group; /* (rows): neighbours of the same name fold; NULL: nothing folds */
} crdi_html_table;

/* A table that sorts, folds, is searched and is shown in pages. Empty ones are left out. */
void crdi_html_table_add(crdi_html *html, const crdi_html_table *table);

/* ---- figures (html/figure.c) ---------------------------------------------------------------------------------- */

enum { CRDI_HTML_POINTS = 4000 }; /* of a layer at most; more are thinned */

/* A figure that zooms and tells values. The caption says what is seen, `about` how to read it (NULL: nothing). */
void crdi_html_figure_add(crdi_html *html, const crdi_figure *figure, const char *caption, const char *about);

/* ---- the page (html/page.c) ----------------------------------------------------------------------------------- */

/* The whole page: head with a policy that lets nothing be fetched and no other script run, the body, the data, the script. */
crd_status crdi_html_page(const crdi_html *html, const char *title, crdi_string *out);

/* Style and script, from report.css and report.js of html/ (cmake/Embed.cmake). */
extern const char crdi_html_style[], crdi_html_script[];

#endif
