/* figure.c - a figure of a page: its panels and layers as JSON, and the place where the script draws them. */
#include "report/html.h"

#include <math.h>
#include <string.h>

static const char *const kind_name[] = {
    [CRDI_POINTS] = "points",     [CRDI_LINE] = "line",           [CRDI_BAND] = "band",     [CRDI_AREA] = "area",
    [CRDI_BARS] = "bars",         [CRDI_INTERVALS] = "intervals", [CRDI_RULE_X] = "rule_x", [CRDI_RULE_Y] = "rule_y",
    [CRDI_DIAGONAL] = "diagonal", [CRDI_NOTE] = "note",           [CRDI_TEXT] = "text",     [CRDI_IMAGE] = "image"};
static const char *const role_name[] = {
    [CRDI_ROLE_DATA] = "data",     [CRDI_ROLE_MODEL] = "model", [CRDI_ROLE_CHAIN] = "chain",
    [CRDI_ROLE_ACCENT] = "accent", [CRDI_ROLE_CLASS] = "class", [CRDI_ROLE_GUIDE] = "guide"};
static const char *const legend_name[] = {
    [CRDI_LEGEND_AUTO] = "auto",       [CRDI_LEGEND_NONE] = "none",        [CRDI_LEGEND_BOTTOM_RIGHT] = "inside",
    [CRDI_LEGEND_TOP_LEFT] = "inside", [CRDI_LEGEND_TOP_RIGHT] = "inside", [CRDI_LEGEND_BOTTOM_LEFT] = "inside",
    [CRDI_LEGEND_OUTSIDE] = "outside"};

static void put_text(crdi_string *out, const char *key, const char *text)
{
    if (!text)
        return;
    crdi_string_append(out, ",\"%s\":", key);
    crdi_html_json_text(out, text);
}

static void put_numbers(crdi_string *out, const char *key, const double *values, int64_t count)
{
    if (!values)
        return;
    crdi_string_append(out, ",\"%s\":", key);
    crdi_html_json_numbers(out, values, count);
}

static void put_names(crdi_string *out, const char *key, const char *const *names, int count)
{
    if (count < 1)
        return;
    crdi_string_append(out, ",\"%s\":[", key);
    for (int i = 0; i < count; i++) {
        if (i)
            crdi_string_add(out, ",", 1);
        crdi_html_json_text(out, names[i]);
    }
    crdi_string_append(out, "]");
}

/* ---- layers ---------------------------------------------------------------------------------------------------- */

/* Which elements of a long layer are kept: of a line the least and the greatest of each stretch, in their order, so that no
 * peak is lost; of others one a stretch. Returns how many. */
static int64_t choose(const crdi_layer *l, int64_t *keep)
{
    bool line = l->kind == CRDI_LINE;
    int64_t stretches = line ? CRDI_HTML_POINTS / 2 : CRDI_HTML_POINTS, n = 0;
    for (int64_t s = 0; s < stretches; s++) {
        int64_t from = s * l->count / stretches, to = (s + 1) * l->count / stretches, low = from, high = from;
        for (int64_t i = from; line && i < to; i++) {
            low = l->y[i] < l->y[low] || isnan(l->y[low]) ? i : low;
            high = l->y[i] > l->y[high] || isnan(l->y[high]) ? i : high;
        }
        keep[n++] = low < high ? low : high;
        if (low != high)
            keep[n++] = low < high ? high : low;
    }
    return n;
}

static bool can_be_thinned(const crdi_layer *l)
{
    return l->count > CRDI_HTML_POINTS && (l->kind == CRDI_POINTS || l->kind == CRDI_LINE ||
                                           l->kind == CRDI_INTERVALS || l->kind == CRDI_BAND || l->kind == CRDI_AREA);
}

static void put_kept(crdi_string *out, const char *key, const double *values, const int64_t *keep, int64_t count,
                     double *work)
{
    if (!values)
        return;
    for (int64_t i = 0; i < count; i++)
        work[i] = values[keep[i]];
    put_numbers(out, key, work, count);
}

static void put_thinned(crdi_html *html, const crdi_layer *l)
{
    crdi_string *out = &html->figures;
    int64_t *keep = crdi_alloc_array(html->ctx, CRDI_HTML_POINTS, sizeof *keep);
    double *work = crdi_alloc_array(html->ctx, CRDI_HTML_POINTS, sizeof *work);
    if (keep && work) {
        int64_t count = choose(l, keep);
        html->points_left_out += l->count - count;
        crdi_string_append(out, ",\"of\":%lld", (long long)l->count);
        put_kept(out, "x", l->x, keep, count, work);
        put_kept(out, "y", l->y, keep, count, work);
        put_kept(out, "high", l->high, keep, count, work);
        put_kept(out, "value", l->value, keep, count, work);
    } else if (out->status == CRD_OK) {
        out->status = CRD_ENOMEM;
    }
    crdi_free(html->ctx, keep);
    crdi_free(html->ctx, work);
}

static void put_layer(crdi_html *html, const crdi_layer *l)
{
    crdi_string *out = &html->figures;
    int64_t places = l->kind == CRDI_IMAGE ? 2 : l->count;
    crdi_string_append(out, "{\"kind\":\"%s\",\"role\":\"%s\"", kind_name[l->kind], role_name[l->role]);
    if (l->shade)
        crdi_string_append(out, ",\"shade\":%d", l->shade);
    if (l->alpha < 1)
        crdi_string_append(out, ",\"alpha\":%.3g", l->alpha);
    if (l->size > 0)
        crdi_string_append(out, ",\"size\":%.3g", l->size);
    if (l->dashed)
        crdi_string_append(out, ",\"dashed\":true");
    if (l->before)
        crdi_string_append(out, ",\"before\":true");
    if (l->outlined)
        crdi_string_append(out, ",\"outlined\":true");
    put_text(out, "label", l->label);
    if (can_be_thinned(l)) {
        put_thinned(html, l);
    } else {
        put_numbers(out, "x", l->x, places);
        put_numbers(out, "y", l->y, places);
        put_numbers(out, "high", l->high, l->count);
        put_numbers(out, "value", l->value, l->count);
    }
    if (l->kind == CRDI_IMAGE)
        crdi_string_append(out, ",\"columns\":%lld", (long long)l->columns);
    crdi_string_append(out, "}");
}

/* ---- panels ---------------------------------------------------------------------------------------------------- */

static void put_panel(crdi_html *html, const crdi_panel *p)
{
    crdi_string *out = &html->figures;
    double range[2][2];
    crdi_panel_ranges(p, range[0], range[1]);
    crdi_string_append(out, "{\"x_range\":[%.10g,%.10g],\"y_range\":[%.10g,%.10g],\"legend\":\"%s\"", range[0][0],
                       range[0][1], range[1][0], range[1][1], legend_name[p->legend]);
    put_text(out, "title", p->title);
    put_text(out, "x_label", p->x_label);
    put_text(out, "y_label", p->y_label);
    put_names(out, "x_names", p->x_name, p->x_name_count);
    put_names(out, "y_names", p->y_name, p->y_name_count);
    if (p->log_x)
        crdi_string_append(out, ",\"log_x\":true");
    if (p->log_y)
        crdi_string_append(out, ",\"log_y\":true");
    if (p->hide_y_ticks)
        crdi_string_append(out, ",\"hide_y\":true");
    if (p->has_scale) {
        crdi_string_append(out, ",\"scale\":[%.10g,%.10g],\"palette\":\"%s\"", p->scale[0], p->scale[1],
                           p->palette == CRDI_PALETTE_AMOUNT ? "amount" : "value");
        put_text(out, "scale_label", p->scale_label);
    }
    crdi_string_append(out, ",\"layers\":[");
    for (int64_t i = 0; i < p->layer_count; i++) {
        if (i)
            crdi_string_add(out, ",", 1);
        put_layer(html, &p->layer[i]);
    }
    crdi_string_append(out, "]}");
}

void crdi_html_figure_add(crdi_html *html, const crdi_figure *f, const char *caption, const char *about)
{
    crdi_string *out = &html->figures;
    char number[16];
    crdi_string_append(out, "%s{\"rows\":%d,\"columns\":%d,\"width\":%.4g,\"height\":%.4g,\"weights\":[",
                       html->figure_count ? ",\n" : "", f->rows, f->columns, f->panel_width, f->panel_height);
    for (int c = 0; c < f->columns; c++)
        crdi_string_append(out, "%s%.4g", c ? "," : "", f->column_weight[c]);
    crdi_string_append(out, "]");
    put_text(out, "caption", caption);
    crdi_string_append(out, ",\"panels\":[");
    for (int i = 0; i < f->rows * f->columns; i++) {
        if (i)
            crdi_string_add(out, ",\n", 2);
        put_panel(html, &f->panel[i]);
    }
    crdi_string_append(out, "]}");
    crdi_format(number, sizeof number, "%d", html->figure_count++);
    crdi_html_add(&html->body, "<figure data-figure=\"$\">\n<figcaption><h3>$</h3>", number, caption, NULL);
    if (about)
        crdi_html_add(&html->body, "<p>$</p>", about, NULL);
    if (f->footnote)
        crdi_html_add(&html->body, "<p>$</p>", f->footnote, NULL);
    crdi_string_append(&html->body, "</figcaption>\n</figure>\n");
}
