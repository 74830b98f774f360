/* report.js - what a report does: figures that zoom and tell values, tables that sort, fold and are searched. Its data stand beside
 * it as JSON. Texts become text nodes only (textContent), never markup, and nothing is fetched. */
"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const PAGE = 25; /* rows of a table that are shown at a time */
const LONG = 28; /* characters of a cell that is not broken into lines */
const FEW = 12; /* rows that need no search */

/* ---- small parts ------------------------------------------------------------------------------------------------- */

function put(node, attributes, children) {
  for (const name in attributes || {}) {
    const value = attributes[name];
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children || []) if (child) node.append(child);
  return node;
}
const make = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);
const cut = (text, most) => text.length > most ? `${text.slice(0, Math.max(1, most - 1))}\u2026` : text;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const finite = Number.isFinite;

/* Minus signs, and exponents without zeros. */
const tidy = (text) => text.replace(/-/g, "\u2212").replace(/e\+?(\u2212?)0*(\d)/, "e$1$2");

function number(value, decimals) {
  if (!finite(value)) return "\u2013";
  if (decimals >= 0) return tidy(value.toFixed(decimals));
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e6) return tidy(value.toExponential(3));
  return tidy(String(Number(value.toPrecision(4))));
}

function spread(values) { /* evenly spaced numbers come as {from, step, count} */
  if (!values || Array.isArray(values)) return values;
  return Array.from({length: values.count}, (_, i) => values.from + values.step * i);
}

/* ---- light and dark ---------------------------------------------------------------------------------------------- */

const redraws = [];

function remembered(value) { /* pages opened from a file may have no storage */
  try {
    if (value === undefined) return localStorage.getItem("credence-report-theme");
    localStorage.setItem("credence-report-theme", value);
  } catch (error) { /* then the choice is of this visit */ }
  return value;
}

function setTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const redraw of redraws) redraw();
}

function addTheme(place) {
  const known = ["auto", "light", "dark"];
  const chosen = known.includes(remembered()) ? remembered() : "auto";
  const set = make("fieldset", {}, make("legend", {class: "hidden", text: "Colours of the page"}));
  for (const theme of known) {
    const input = make("input", {type: "radio", name: "theme", value: theme, change: () => { remembered(theme); setTheme(theme); }});
    input.checked = theme === chosen;
    set.append(make("label", {}, input, make("span", {text: theme[0].toUpperCase() + theme.slice(1)})));
  }
  place.append(set);
  setTheme(chosen);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

const collator = new Intl.Collator("en", {numeric: true});

class Table {
  constructor(place, source) {
    this.place = place;
    this.source = source;
    this.columns = source.columns;
    this.count = source.rows;
    this.sortBy = -1;
    this.down = false;
    this.page = 0;
    this.find = "";
    this.order = Array.from({length: this.count}, (_, i) => i);
    this.classes = this.columns.map((column) => !column.text ? "number" : column.text.some((text) => text.length > LONG) ? "text long" : "text");
    this.group = null;
    if (source.groups && source.groups.length > 0 && (source.groups.length > 1 || this.count > FEW)) {
      this.group = new Array(this.count);
      let at = 0;
      source.groups.forEach(([, rows], g) => { for (let i = 0; i < rows; i++) this.group[at++] = g; });
      this.open = source.groups.map(([, rows]) => this.count <= PAGE || rows === 1);
    }
    this.build();
    this.show();
  }

  build() {
    const big = this.count > FEW || this.group;
    this.said = make("span", {role: "status"});
    this.head = make("tr");
    this.columns.forEach((column, c) => {
      const whole = column.name.length <= 40, title = [whole ? "" : column.name, column.about].filter(Boolean).join(": ");
      const button = make("button", {type: "button", title: title || null, "aria-label": whole ? null : column.name,
        "aria-description": column.about, text: cut(column.name, 40), click: () => this.sort(c)});
      this.head.append(make("th", {scope: "col", class: column.text ? "text" : null, "aria-sort": "none"}, button));
    });
    this.body = make("tbody");
    const caption = make("caption", {class: "hidden", text: this.source.caption}); /* the heading shows it */
    this.place.append(make("h3", {text: this.source.caption}));
    const scroll = make("div", {class: "scroll", role: "region", "aria-label": this.source.caption, tabindex: "0"},
      make("table", {}, caption, make("thead", {}, this.head), this.body));
    if (big) {
      const search = make("input", {type: "search", autocomplete: "off", spellcheck: "false",
        input: () => { this.find = search.value.toLowerCase(); this.page = 0; this.show(); }});
      this.tools = make("div", {class: "tools"}, make("label", {}, make("span", {text: "Search"}), search));
      if (this.group) {
        this.all = make("button", {type: "button", click: () => { const open = !this.open.every(Boolean);
          this.open = this.open.map(() => open); this.page = 0; this.show(); }});
        this.tools.append(this.all);
      }
      this.tools.append(this.said);
      this.place.append(this.tools);
    }
    this.place.append(scroll);
    this.before = make("button", {type: "button", text: "Previous", click: () => this.turn(-1)});
    this.after = make("button", {type: "button", text: "Next", click: () => this.turn(1)});
    this.where = make("span", {"aria-live": "polite"});
    this.pager = make("div", {class: "pager"}, this.before, this.after, this.where);
    this.place.append(this.pager);
  }

  turn(by) {
    this.page += by;
    this.show();
    this.place.querySelector("table").scrollIntoView({block: "nearest"});
  }

  /* Down, up, and back to the order of the file. Numbers begin with the largest: that is what is looked for. */
  sort(c) {
    const first = !this.columns[c].text;
    if (this.sortBy !== c) { this.sortBy = c; this.down = first; }
    else if (this.down === first) this.down = !first;
    else { this.sortBy = -1; this.down = false; }
    const column = this.sortBy < 0 ? null : this.columns[c];
    const sign = this.down ? -1 : 1;
    this.order.sort((a, b) => {
      if (!column) return a - b;
      if (column.text) return sign * collator.compare(column.text[a], column.text[b]) || a - b;
      const x = column.value[a], y = column.value[b];
      if (x === null || y === null) return (x === null) - (y === null) || a - b; /* what is no number comes last */
      return sign * (x - y) || a - b;
    });
    [...this.head.children].forEach((th, i) =>
      th.setAttribute("aria-sort", i !== this.sortBy ? "none" : this.down ? "descending" : "ascending"));
    this.page = 0;
    this.show();
  }

  matches(i) {
    if (!this.find) return true;
    if (this.group && this.source.groups[this.group[i]][0].toLowerCase().includes(this.find)) return true;
    return this.columns.some((column) => column.text && column.text[i].toLowerCase().includes(this.find));
  }

  /* What stands one below the other: numbers of rows, and {group, rows} above those that fold. */
  lines() {
    const rows = this.order.filter((i) => this.matches(i));
    if (!this.group) return [rows, rows.length];
    const groups = new Map(); /* by the first of their rows in this order */
    for (const i of rows) {
      if (!groups.has(this.group[i])) groups.set(this.group[i], []);
      groups.get(this.group[i]).push(i);
    }
    const lines = [];
    for (const [group, inner] of groups) {
      const single = this.source.groups[group][1] === 1;
      if (!single) lines.push({group, rows: inner});
      if (single || this.open[group]) lines.push(...inner);
    }
    return [lines, rows.length];
  }

  show() {
    const [lines, found] = this.lines();
    const pages = Math.max(1, Math.ceil(lines.length / PAGE));
    this.page = clamp(this.page, 0, pages - 1);
    const from = this.page * PAGE, shown = lines.slice(from, from + PAGE);
    this.body.replaceChildren(...shown.map((line) => typeof line === "number" ? this.row(line) : this.heading(line)));
    this.pager.hidden = pages === 1;
    this.before.disabled = this.page === 0;
    this.after.disabled = this.page === pages - 1;
    this.where.textContent = `lines ${from + 1} to ${from + shown.length} of ${lines.length}`;
    this.said.textContent = this.find ? `${found} of ${this.count} rows` : `${this.count} rows`;
    if (this.all) this.all.textContent = this.open.every(Boolean) ? "Fold all" : "Unfold all";
  }

  cell(column, i) {
    return column.text ? column.text[i] : number(column.value[i], column.decimals);
  }

  row(i) {
    const inner = this.group && this.source.groups[this.group[i]][1] > 1;
    const tr = make("tr", {class: inner ? "inner" : null});
    this.columns.forEach((column, c) => {
      if (c === 0) tr.append(make("th", {scope: "row", class: this.classes[c], text: this.cell(column, i)}));
      else tr.append(make("td", {class: this.classes[c], text: this.cell(column, i)}));
    });
    return tr;
  }

  heading({group, rows}) {
    const [name, all] = this.source.groups[group];
    const open = this.open[group];
    const button = make("button", {type: "button", "aria-expanded": String(open), text: name, click: () => {
      this.open[group] = !open;
      this.show();
      const again = [...this.body.querySelectorAll("tr.group button")].find((other) => other.textContent === name);
      if (again) again.focus();
    }});
    const tr = make("tr", {class: "group"}, make("th", {scope: "row", class: name.length > LONG ? "long" : null}, button,
      make("span", {text: rows.length < all ? ` ${rows.length} of ${all}` : ` ${all}`})));
    this.columns.slice(1).forEach((column) => {
      let worst = null;
      if (column.worst) for (const i of rows) {
        const value = column.value[i];
        if (value !== null && (worst === null || (column.worst === "least" ? value < worst : value > worst))) worst = value;
      }
      tr.append(make("td", worst === null ? {} : {title: `${column.worst} of these rows`, text: number(worst, column.decimals)}));
    });
    return tr;
  }
}

/* ---- figures: axes ------------------------------------------------------------------------------------------------ */

function roundStep(least) {
  const unit = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 2.5, 5]) if (factor * unit >= least * (1 - 1e-9)) return factor * unit;
  return 10 * unit;
}

/* About as many as wanted, but at least three where that can be: two say little. */
function ticks(low, high, log, wanted) {
  for (let more = 0, last; ; more++) {
    last = someTicks(low, high, log, wanted + more);
    if (last.length >= 3 || more === 4) return last;
  }
}

function someTicks(low, high, log, wanted) {
  const out = [];
  if (log) {
    const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9);
    if (to - from >= 1) {
      const every = Math.floor((to - from) / wanted) + 1;
      for (let k = Math.ceil(from / every) * every; k <= to; k += every)
        out.push({at: 10 ** k, text: tidy(k < -4 || k > 5 ? `1e${k}` : String(Number((10 ** k).toPrecision(3))))});
      return out;
    }
  }
  const step = roundStep((high - low) / Math.max(1, wanted));
  const places = clamp(-Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / 10 ** Math.floor(Math.log10(step) + 1e-9) - 2.5) < 1e-6 ? 1 : 0), 0, 15);
  const large = Math.max(Math.abs(low), Math.abs(high)) >= 1e6, small = step < 1e-4;
  for (let k = Math.ceil(low / step - 1e-9); k <= Math.floor(high / step + 1e-9) && out.length < 24; k++) {
    const at = k * step;
    out.push({at, text: tidy(k === 0 ? "0" : large || small ? short(at, small) : at.toFixed(places))});
  }
  return out;
}

/* With an exponent where that is shorter, or asked for. */
function short(value, exponent) {
  const plain = Number(value.toPrecision(6)), text = plain.toExponential();
  return exponent || text.length < String(plain).length ? text : String(plain);
}

const named = (names, low, high) => names.map((text, at) => ({at, text})).filter((t) => t.at >= low && t.at <= high);

/* ---- figures: colours --------------------------------------------------------------------------------------------- */

const palettes = {
  amount: [[255, 255, 255], [203, 221, 240], [122, 178, 217], [42, 112, 178], [8, 40, 95]],
  value: [[255, 250, 205], [178, 221, 162], [74, 178, 162], [38, 112, 150], [30, 42, 102]],
};

function shade(panel, value) {
  const stops = palettes[panel.palette];
  const u = (stops.length - 1) * clamp((value - panel.scale[0]) / (panel.scale[1] - panel.scale[0]), 0, 1);
  if (!finite(u)) return [176, 176, 176];
  const from = Math.min(Math.floor(u), stops.length - 2);
  return stops[from].map((a, k) => Math.round(a + (u - from) * (stops[from + 1][k] - a)));
}

function classColour(k) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(`--class-${k % 8}`).trim();
  const bits = parseInt(text.slice(1), 16);
  return [bits >> 16 & 255, bits >> 8 & 255, bits & 255];
}

function colourClass(layer) {
  if (layer.role === "chain") return `chain-${(layer.shade || 0) % 6}`;
  if (layer.role === "class") return `class-${(layer.shade || 0) % 8}`;
  return layer.role;
}

/* ---- figures: one panel -------------------------------------------------------------------------------------------- */

/* Shapes of points that lines with ends cannot make, about 0, 0; one unit is half the size. */
const shapes = ["round", "square", "M0,-1.2L1.1,0.8H-1.1Z", "M0,-1.3L1.3,0L0,1.3L-1.3,0Z", "M0,1.2L1.1,-0.8H-1.1Z", "M-1,-1L1,1M-1,1L1,-1"];

function pointPath(x, y, shape, size) {
  if (shape.length < 8) return `M${x},${y}h0`;
  const move = shape.replace(/([MLH])(-?[\d.]+)(?:,(-?[\d.]+))?/g, (_, op, a, b) => {
    const px = (x + size / 2 * a).toFixed(2);
    return b === undefined ? `H${px}` : `${op}${px},${(y + size / 2 * b).toFixed(2)}`;
  });
  return move;
}

let panels = 0;
const RIM = 6;

class Panel {
  constructor(place, panel, title, spoken, figure) {
    this.panel = panel;
    this.title = spoken;
    this.figure = figure;
    this.id = `panel-${panels++}`;
    for (const layer of panel.layers) for (const key of ["x", "y", "high", "value"]) layer[key] = spread(layer[key]);
    this.x = [...panel.x_range];
    this.y = [...panel.y_range];
    this.bare = panel.y_names && panel.y_names.every((name) => name === "") ? panel.y_names : null;
    this.layer = 0;
    this.at = -1;
    this.tip = make("div", {class: "tip", hidden: true});
    this.live = make("div", {class: "hidden", "aria-live": "polite"});
    this.about = make("div", {class: "hidden", id: `${this.id}-about`, text: this.describe()});
    this.plot = make("div", {class: "plot", tabindex: "0", role: "application", "aria-roledescription": "chart",
      "aria-label": spoken || figure.source.caption,
      "aria-describedby": `${this.id}-about`, keydown: (event) => this.key(event), blur: () => this.hide(),
      pointermove: (event) => this.move(event), pointerleave: () => this.hide(), pointerdown: (event) => this.press(event),
      pointerup: (event) => this.release(event), pointercancel: () => this.cancel(), dblclick: () => figure.reset()});
    this.place = make("div", {class: panel.scale ? "panel on-image" : "panel"}, make("p", {text: title || ""}), this.plot, this.tip, this.live, this.about);
    this.place.firstChild.hidden = !title && !figure.titled;
    place.append(this.place);
  }

  /* For who cannot see it. */
  describe() {
    const p = this.panel, range = (values) => {
      const good = values.filter(finite);
      return good.length ? `${number(Math.min(...good), -1)} to ${number(Math.max(...good), -1)}` : "none";
    };
    const what = {points: "points", line: "line", band: "band", area: "area", bars: "bars", intervals: "intervals"};
    const drawn = p.layers.filter((l) => what[l.kind] && l.x && l.x.length), labelled = drawn.filter((l) => l.label);
    const parts = (labelled.length ? labelled : drawn).slice(0, 8).map((l) =>
      `${this.nameOf(l) ? `${this.nameOf(l)}: ` : ""}${what[l.kind]}, ${l.of || l.x.length} values, ${p.x_label || "x"} ${range(l.x)}, ` +
      `${p.y_label || "y"} ${range(l.high && l.kind !== "bars" ? l.y.concat(l.high) : l.y)}`);
    for (const l of p.layers) {
      if (l.kind === "image") parts.push(`a map of ${l.value.length} cells, ${p.x_label || "x"} ${range(l.x)}, ${p.y_label || "y"} ${range(l.y)}`);
      if (l.kind === "note") parts.push(l.label);
    }
    return `${parts.join(". ")}. Arrow keys read values, plus and minus zoom, zero shows all.`;
  }

  /* ---- places ---- */

  fraction(value, range, log) {
    return log ? Math.log(value / range[0]) / Math.log(range[1] / range[0]) : (value - range[0]) / (range[1] - range[0]);
  }
  px(value) { return this.width * this.fraction(value, this.x, this.panel.log_x); }
  py(value) { return this.height * (1 - this.fraction(value, this.y, this.panel.log_y)); }
  back(u, range, log) { return log ? range[0] * (range[1] / range[0]) ** u : range[0] + u * (range[1] - range[0]); }
  xAt(px) { return this.back(px / this.width, this.x, this.panel.log_x); }
  yAt(py) { return this.back(1 - py / this.height, this.y, this.panel.log_y); }
  good(l, i) {
    return l.x[i] !== null && l.y[i] !== null && (!l.high || l.high[i] !== null) &&
      !(this.panel.log_x && l.x[i] <= 0) && !(this.panel.log_y && l.y[i] <= 0);
  }

  /* ---- drawing ---- */

  draw(outer, height) {
    const p = this.panel, text = 6.3;
    this.outer = outer;
    if (height) this.whole = height;
    const inner = this.whole - 8 - 20 - (p.x_label ? 17 : 0);
    const yTicks = p.hide_y ? [] : p.y_names ? named(p.y_names, this.y[0], this.y[1]) : ticks(this.y[0], this.y[1], p.log_y, clamp(inner / 36, 2, 7));
    const most = Math.max(60, outer * 0.4);
    const longest = Math.min(most, Math.max(0, ...yTicks.map((t) => t.text.length)) * text);
    this.left = 6 + (yTicks.length ? longest + 8 : 0) + (p.y_label ? 17 : 0);
    const scaleTicks = p.scale ? ticks(p.scale[0], p.scale[1], false, clamp(inner / 40, 2, 6)) : [];
    const right = p.scale ? 10 + 12 + 8 + Math.max(0, ...scaleTicks.map((t) => t.text.length)) * text + (p.scale_label ? 16 : 0) : 16;
    this.top = 8;
    this.width = Math.max(40, outer - this.left - right);
    this.height = Math.max(40, inner);
    let xTicks = p.x_names ? named(p.x_names, this.x[0], this.x[1]) : ticks(this.x[0], this.x[1], p.log_x, clamp(this.width / 70, 2, 9));
    const widest = Math.max(0, ...xTicks.map((t) => t.text.length)) * text + 8;
    if (!p.x_names && xTicks.length * widest > this.width) xTicks = xTicks.filter((_, i) => i % 2 === 0);
    const svg = draw("svg", {viewBox: `0 0 ${outer} ${this.whole}`, width: outer, height: this.whole, "aria-hidden": "true", focusable: "false"});
    this.axes(svg, xTicks, yTicks, longest);
    this.canvas = null;
    const frame = draw("svg", {x: this.left, y: this.top, width: this.width, height: this.height});
    /* Points on the frame are seen whole. */
    const dots = draw("svg", {x: this.left - RIM, y: this.top - RIM, width: this.width + 2 * RIM, height: this.height + 2 * RIM});
    const inner_dots = dots.appendChild(draw("g", {transform: `translate(${RIM} ${RIM})`}));
    for (const layer of p.layers) this.add(layer.kind === "points" || layer.kind === "text" ? inner_dots : frame, layer);
    svg.append(frame, dots);
    this.over = draw("g");
    svg.append(draw("svg", {x: this.left, y: this.top, width: this.width, height: this.height}, this.over));
    if (p.scale) this.bar(svg, scaleTicks);
    this.plot.replaceChildren(...(this.canvas ? [this.canvas, svg] : [svg]));
  }

  axes(svg, xTicks, yTicks, longest) {
    const p = this.panel, bottom = this.top + this.height;
    const image = p.layers.some((l) => l.kind === "image");
    const room = p.x_names ? Math.max(3, Math.floor(this.width / Math.max(1, xTicks.length) / 6.3)) : 99;
    for (const t of xTicks) {
      const x = this.left + this.px(t.at);
      if (!image && !p.x_names) svg.append(draw("line", {class: "gridline", x1: x, x2: x, y1: this.top, y2: bottom}));
      svg.append(draw("line", {class: "tick", x1: x, x2: x, y1: bottom, y2: bottom + 4}),
        draw("text", {x, y: bottom + 16, "text-anchor": "middle", text: cut(t.text, room)}));
    }
    for (const t of yTicks) {
      const y = this.top + this.py(t.at);
      if (!image && !p.y_names) svg.append(draw("line", {class: "gridline", x1: this.left, x2: this.left + this.width, y1: y, y2: y}));
      svg.append(draw("line", {class: "tick", x1: this.left - 4, x2: this.left, y1: y, y2: y}),
        draw("text", {x: this.left - 7, y: y + 4, "text-anchor": "end", text: cut(t.text, Math.ceil(longest / 6.3))}));
    }
    svg.append(draw("rect", {class: "frame", x: this.left, y: this.top, width: this.width, height: this.height}));
    if (p.x_label) svg.append(draw("text", {class: "label", x: this.left + this.width / 2, y: this.whole - 4, "text-anchor": "middle", text: cut(p.x_label, Math.floor(this.width / 6.3))}));
    if (p.y_label) svg.append(draw("text", {class: "label", transform: `translate(12 ${this.top + this.height / 2}) rotate(-90)`, "text-anchor": "middle", text: cut(p.y_label, Math.floor(this.height / 6.3))}));
  }

  bar(svg, scaleTicks) {
    const p = this.panel, x = this.left + this.width + 10, id = `${this.id}-scale`;
    const fill = draw("linearGradient", {id, x1: 0, x2: 0, y1: 1, y2: 0});
    palettes[p.palette].forEach((c, i, all) => fill.append(draw("stop", {offset: i / (all.length - 1), "stop-color": `rgb(${c})`})));
    svg.append(draw("defs", {}, fill), draw("rect", {x, y: this.top, width: 12, height: this.height, fill: `url(#${id})`}),
      draw("rect", {class: "frame", x, y: this.top, width: 12, height: this.height}));
    for (const t of scaleTicks) {
      const y = this.top + this.height * (1 - (t.at - p.scale[0]) / (p.scale[1] - p.scale[0]));
      svg.append(draw("text", {x: x + 17, y: y + 4, text: t.text}));
    }
    if (p.scale_label) svg.append(draw("text", {class: "label", transform: `translate(${this.outer - 3} ${this.top + this.height / 2}) rotate(-90)`, "text-anchor": "middle", text: cut(p.scale_label, Math.floor(this.height / 6.3))}));
  }

  /* The path of a curve, broken where a value is missing. */
  curve(l, values) {
    let d = "", pen = "M";
    for (let i = 0; i < l.x.length; i++) {
      if (!this.good(l, i)) { pen = "M"; continue; }
      d += `${pen}${this.px(l.x[i]).toFixed(2)},${this.py(values[i]).toFixed(2)}`;
      pen = "L";
    }
    return d;
  }

  /* Between `low` and `high`, stretch by stretch. */
  between(l, low, high) {
    let d = "";
    for (let from = 0, to; from < l.x.length; from = to + 1) {
      for (to = from; to < l.x.length && this.good(l, to); to++);
      if (to - from < 2) continue;
      const at = (i, value) => `${this.px(l.x[i]).toFixed(2)},${this.py(value).toFixed(2)}`;
      const there = [], back = [];
      for (let i = from; i < to; i++) { there.push(at(i, high(i))); back.unshift(at(i, low(i))); }
      d += `M${there.concat(back).join("L")}Z`;
    }
    return d;
  }

  add(frame, l) {
    const colour = colourClass(l), crowd = l.kind === "points" && l.x.length > 1500 && l.role === "data" ? 0.35 : null;
    const opacity = l.alpha === undefined ? crowd : l.alpha;
    const path = (attributes) => frame.append(draw("path", {"stroke-linejoin": "round", opacity, ...attributes, class: `${colour} ${attributes.class}`}));
    const width = l.size ? l.size * 1.25 : 1.8, dash = l.dashed ? "6 4" : null;
    switch (l.kind) {
    case "line":
      path({class: "stroke", d: this.curve(l, l.y), "stroke-width": width, "stroke-dasharray": dash});
      break;
    case "band":
      path({class: "fill", d: this.between(l, (i) => l.y[i], (i) => l.high[i])});
      break;
    case "area":
      path({class: "fill", d: this.between(l, () => Math.max(0, this.panel.log_y ? this.y[0] : 0), (i) => l.y[i])});
      break;
    case "bars": {
      let d = "";
      for (let i = 0; i < l.x.length; i++) if (this.good(l, i)) {
        const x = this.px(l.x[i]), y = this.py(l.y[i]), gap = this.px(l.high[i]) - x > 4 ? 0.5 : 0;
        d += `M${(x + gap).toFixed(2)},${this.py(0).toFixed(2)}V${y.toFixed(2)}H${(this.px(l.high[i]) - gap).toFixed(2)}V${this.py(0).toFixed(2)}Z`;
      }
      path({class: "fill", d});
      break;
    }
    case "intervals": {
      let d = "";
      for (let i = 0; i < l.x.length; i++) if (this.good(l, i)) d += `M${this.px(l.x[i]).toFixed(2)},${this.py(l.y[i]).toFixed(2)}V${this.py(l.high[i]).toFixed(2)}`;
      path({class: "stroke", d, "stroke-width": l.size ? width : 1.4});
      break;
    }
    case "points": this.points(frame, l, colour, opacity); break;
    case "rule_x": case "rule_y": case "diagonal": {
      let d;
      if (l.kind === "rule_x") d = `M${this.px(l.x[0])},0V${this.height}`;
      else if (l.kind === "rule_y") d = `M0,${this.py(l.y[0])}H${this.width}`;
      else { const a = Math.max(this.x[0], this.y[0]), b = Math.min(this.x[1], this.y[1]); d = `M${this.px(a)},${this.py(a)}L${this.px(b)},${this.py(b)}`; }
      path({class: "stroke", d, "stroke-width": l.size ? width : 1.2, "stroke-dasharray": dash || "4 4"});
      break;
    }
    case "note":
      frame.append(draw("text", {class: "note", x: this.width / 2, y: this.height / 2, "text-anchor": "middle", text: l.label}));
      break;
    case "text":
      frame.append(draw("text", {class: "label", x: this.px(l.x[0]) + (l.before ? -7 : 7), y: this.py(l.y[0]) + 4, "text-anchor": l.before ? "end" : "start", text: cut(l.label, 24)}));
      break;
    case "image": this.image(l); break;
    }
  }

  points(frame, l, colour, opacity) {
    const size = (l.size || (l.x.length > 1000 ? 3 : l.x.length > 200 ? 4 : 5)) * 1.15;
    const shape = l.role === "class" ? shapes[(l.shade || 0) % shapes.length] : "round";
    const inside = (i) => this.good(l, i) && this.px(l.x[i]) > -9 && this.px(l.x[i]) < this.width + 9 && this.py(l.y[i]) > -9 && this.py(l.y[i]) < this.height + 9;
    if (l.value) {
      for (let i = 0; i < l.x.length; i++) if (inside(i))
        frame.append(draw("circle", {class: l.outlined ? "rim" : null, cx: this.px(l.x[i]).toFixed(1), cy: this.py(l.y[i]).toFixed(1), r: size / 2, fill: `rgb(${shade(this.panel, l.value[i])})`}));
      return;
    }
    let d = "";
    for (let i = 0; i < l.x.length; i++) if (inside(i)) d += pointPath(Number(this.px(l.x[i]).toFixed(2)), Number(this.py(l.y[i]).toFixed(2)), shape, size);
    const capped = shape.length < 8, crossed = !capped && !shape.endsWith("Z");
    const cap = shape === "square" ? "square" : "round", thick = capped ? (shape === "square" ? size * 0.85 : size) : 1.6;
    if (l.outlined) frame.append(draw("path", {d, fill: "none", stroke: "#101418", "stroke-width": thick + 2, "stroke-linecap": cap}));
    frame.append(draw("path", {class: `${colour} ${capped || crossed ? "stroke" : "fill"}`, d, opacity, "stroke-linecap": cap, "stroke-width": capped || crossed ? thick : null}));
  }

  /* Cells are painted once, and the part that is seen is scaled. */
  image(l) {
    const rows = l.value.length / l.columns, ratio = window.devicePixelRatio || 1;
    const cells = make("canvas", {width: l.columns, height: rows}), paint = cells.getContext("2d"), bits = paint.createImageData(l.columns, rows);
    for (let i = 0; i < l.value.length; i++) {
      const colour = l.role === "class" ? classColour(l.value[i]) : shade(this.panel, l.value[i]);
      const to = 4 * ((rows - 1 - Math.floor(i / l.columns)) * l.columns + i % l.columns);
      bits.data[to] = colour[0]; bits.data[to + 1] = colour[1]; bits.data[to + 2] = colour[2];
      bits.data[to + 3] = 255 * (l.alpha === undefined ? 1 : l.alpha);
    }
    paint.putImageData(bits, 0, 0);
    if (!this.canvas) this.canvas = make("canvas", {width: Math.round(this.width * ratio), height: Math.round(this.height * ratio), "aria-hidden": "true"});
    const share = (value, whole) => `${100 * value / whole}%`; /* so that it keeps its place when the page is printed narrower */
    Object.assign(this.canvas.style, {left: share(this.left, this.outer), top: share(this.top, this.whole), width: share(this.width, this.outer), height: share(this.height, this.whole)});
    const to = this.canvas.getContext("2d");
    to.imageSmoothingEnabled = false;
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.drawImage(cells, this.px(l.x[0]), this.py(l.y[1]), this.px(l.x[1]) - this.px(l.x[0]), this.py(l.y[0]) - this.py(l.y[1]));
  }

  /* ---- values ---- */

  place_of(event) {
    const box = this.plot.getBoundingClientRect(), scale = this.outer / box.width;
    return [(event.clientX - box.left) * scale - this.left, (event.clientY - box.top) * scale - this.top];
  }

  name(axis, value) {
    const names = axis === "x" ? this.panel.x_names : this.panel.y_names;
    return names && names[value] !== undefined ? names[value] : number(value, -1);
  }

  nameOf(l) { return l.label || (l.role === "chain" && l.kind === "line" ? `chain ${l.shade || 0}` : ""); }

  /* What layer l says at its element i. */
  say(l, i) {
    const label = this.nameOf(l);
    if (l.kind === "bars") return [label, `${number(l.x[i], -1)} to ${number(l.high[i], -1)}: ${number(l.y[i], -1)}`];
    if (l.kind === "band" || l.kind === "intervals") return [label, `${number(l.y[i], -1)} to ${number(l.high[i], -1)}`];
    if (l.kind === "image") return [this.panel.scale_label || label, l.role === "class" ? this.className(l.value[i]) : number(l.value[i], -1)];
    return [label, this.name("y", l.y[i])];
  }

  className(k) {
    const of = this.panel.layers.find((l) => l.role === "class" && l.label && (l.shade || 0) === k);
    return of ? of.label : `class ${k}`;
  }

  nearest(l, px, py) {
    let best = -1, least = Infinity;
    for (let i = 0; i < l.x.length; i++) {
      if (!this.good(l, i)) continue;
      const dx = this.px(l.x[i]) - px, dy = py === null ? 0 : this.py(l.y[i]) - py;
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = i; }
    }
    return [best, Math.sqrt(least)];
  }

  move(event) {
    const [px, py] = this.place_of(event);
    if (this.from) { this.select(px, py); return; }
    if (px < 0 || py < 0 || px > this.width || py > this.height) { this.hide(); return; }
    const lines = [];
    let at = px, close = 26;
    for (const l of this.panel.layers) { /* the nearest point goes before all else */
      if (l.kind !== "points" && l.kind !== "intervals") continue;
      const [i, far] = this.nearest(l, px, py);
      if (i >= 0 && far < close) { close = far; at = this.px(l.x[i]); lines[0] = [l, i]; }
    }
    for (const l of this.panel.layers) {
      if (lines[0] && l === lines[0][0]) continue;
      if (l.kind === "line" || l.kind === "band" || l.kind === "area") {
        const [i, far] = this.nearest(l, at, null);
        if (i >= 0 && far < Math.max(12, 2 * this.width / l.x.length)) lines.push([l, i]);
      } else if (l.kind === "bars") {
        const x = this.xAt(px), i = l.x.findIndex((low, k) => x >= low && x <= l.high[k]);
        if (i >= 0) lines.push([l, i]);
      } else if (l.kind === "image") {
        const rows = l.value.length / l.columns;
        const c = Math.floor(l.columns * (this.xAt(px) - l.x[0]) / (l.x[1] - l.x[0])), r = Math.floor(rows * (this.yAt(py) - l.y[0]) / (l.y[1] - l.y[0]));
        if (c >= 0 && c < l.columns && r >= 0 && r < rows) lines.push([l, r * l.columns + c]);
      }
    }
    if (!lines.length) { this.hide(); return; }
    const image = lines.some(([l]) => l.kind === "image");
    const head = [[this.panel.x_label || "x", this.name("x", this.panel.x_names ? Math.round(this.xAt(at)) : this.xAt(at))]];
    if (image) head.push([this.panel.y_label || "y", this.name("y", this.yAt(py))]);
    this.tell(head.concat(lines.filter(([l]) => l.label || l.role !== "guide").slice(0, 9).map(([l, i]) => this.say(l, i))), at, lines[0][0].kind === "points" ? this.py(lines[0][0].y[lines[0][1]]) : null, py);
  }

  tell(lines, px, mark, py) {
    this.tip.replaceChildren(...lines.map(([label, value]) => make("div", {}, label ? make("span", {text: `${label}  `}) : null, document.createTextNode(value))));
    this.tip.hidden = false;
    this.over.replaceChildren(draw("path", {class: "cursor", d: `M${px},0V${this.height}`}));
    if (mark !== null) this.over.append(draw("circle", {class: "cursor", cx: px, cy: mark, r: 7}));
    const box = this.plot.getBoundingClientRect(), scale = box.width / this.outer, own = this.tip.getBoundingClientRect();
    const x = (this.left + px) * scale, y = this.plot.offsetTop + (this.top + (py === null || py === undefined ? 12 : py)) * scale;
    this.tip.style.left = `${clamp(x + 14 + own.width > box.width ? x - 14 - own.width : x + 14, 0, Math.max(0, box.width - own.width))}px`;
    this.tip.style.top = `${Math.max(0, y - own.height / 2)}px`;
  }

  hide() {
    this.tip.hidden = true;
    if (this.over && !this.from) this.over.replaceChildren();
  }

  /* ---- zoom ---- */

  press(event) {
    if (event.pointerType === "touch") { this.move(event); return; } /* a finger reads, and leaves scrolling to the page */
    if (event.button !== 0) return;
    this.from = this.place_of(event);
    this.plot.setPointerCapture(event.pointerId);
    this.hide();
  }

  box(px, py) {
    const a = [clamp(Math.min(px, this.from[0]), 0, this.width), clamp(Math.max(px, this.from[0]), 0, this.width)];
    let b = [clamp(Math.min(py, this.from[1]), 0, this.height), clamp(Math.max(py, this.from[1]), 0, this.height)];
    if (b[1] - b[0] < 14) b = [0, this.height]; /* along x alone */
    return [a, b];
  }

  select(px, py) {
    const [a, b] = this.box(px, py);
    this.over.replaceChildren(draw("rect", {class: "selection", x: a[0], y: b[0], width: a[1] - a[0], height: b[1] - b[0]}));
  }

  release(event) {
    if (!this.from) return;
    const [a, b] = this.box(...this.place_of(event));
    this.from = null;
    this.over.replaceChildren();
    if (a[1] - a[0] < 8) return;
    const x = [this.xAt(a[0]), this.xAt(a[1])], y = [this.yAt(b[1]), this.yAt(b[0])];
    this.show(x, y);
  }

  cancel() { this.from = null; this.hide(); }

  show(x, y) {
    const least = (range, whole) => Math.abs(range[1] - range[0]) > 1e-9 * Math.abs(whole[1] - whole[0]);
    if (least(x, this.panel.x_range)) this.x = x;
    if (least(y, this.panel.y_range)) this.y = y;
    this.hide();
    this.draw(this.outer);
    this.figure.zoomed();
  }

  /* About the middle of what is seen; never wider than all. */
  zoom(factor) {
    const about = (range, whole, log) => {
      const [a, b] = log ? range.map(Math.log) : range, [low, high] = log ? whole.map(Math.log) : whole;
      const half = Math.min((b - a) / 2 * factor, (high - low) / 2), middle = clamp((a + b) / 2, low + half, high - half);
      return log ? [Math.exp(middle - half), Math.exp(middle + half)] : [middle - half, middle + half];
    };
    this.show(about(this.x, this.panel.x_range, this.panel.log_x), about(this.y, this.panel.y_range, this.panel.log_y));
  }

  reset() { this.show([...this.panel.x_range], [...this.panel.y_range]); }

  whole_shown() {
    return this.x.every((v, i) => v === this.panel.x_range[i]) && this.y.every((v, i) => v === this.panel.y_range[i]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 10 : 1;
    switch (event.key) {
    case "+": case "=": this.zoom(0.6); break;
    case "-": this.zoom(1 / 0.6); break;
    case "0": this.reset(); break;
    case "Escape": this.hide(); return;
    case "ArrowRight": this.step(step); break;
    case "ArrowLeft": this.step(-step); break;
    case "Home": this.at = -1; this.step(1); break;
    case "End": this.at = Infinity; this.step(-1); break;
    case "ArrowDown": this.other(1); break;
    case "ArrowUp": this.other(-1); break;
    default: return;
    }
    event.preventDefault();
  }

  readable() { return this.panel.layers.filter((l) => ["line", "points", "bars", "area", "band", "intervals"].includes(l.kind) && l.x.length > 0); }

  other(by) {
    const all = this.readable();
    if (!all.length) return;
    this.layer = (this.layer + by + all.length) % all.length;
    this.at = clamp(this.at, 0, all[this.layer].x.length - 1);
    this.step(0);
  }

  /* To the next value of the layer that is being read, in the order of x. */
  step(by) {
    const all = this.readable(), l = all[this.layer % Math.max(1, all.length)];
    if (!l) { this.live.textContent = this.about.textContent; return; }
    const order = l.x.map((_, i) => i).filter((i) => this.good(l, i)).sort((a, b) => l.x[a] - l.x[b]);
    if (!order.length) return;
    this.at = clamp((finite(this.at) ? this.at : order.length) + by, 0, order.length - 1);
    const i = order[this.at], said = this.say(l, i), x = [this.panel.x_label || "x", this.name("x", l.x[i])];
    const lines = l.kind === "bars" ? [said] : [x, said];
    this.tell(lines, this.px(l.x[i]), this.py(l.y[i]), this.py(l.y[i]));
    this.live.textContent = lines.map(([label, value]) => `${label} ${value}`.trim()).join(", ");
  }
}

/* ---- figures: several panels ---------------------------------------------------------------------------------------- */

class Figure {
  constructor(place, source) {
    this.place = place;
    this.source = source;
    this.drawn = false;
    this.titled = source.panels.some((p) => p.title);
    this.box = make("div", {class: "panels"});
    this.panels = [];
    const width = place.clientWidth || 760, columns = this.columnsFor(width), rows = this.rows(columns);
    this.box.style.minHeight = `${rows * (this.heightFor(width, columns) + (this.titled ? 22 : 0)) + 16 * (rows - 1)}px`;
    this.addBar();
    place.append(this.box);
    this.addValues();
    place.classList.toggle("long", source.rows > 2);
  }

  /* As many columns as leave each panel room to be read. */
  columnsFor(width) {
    const s = this.source;
    if (s.columns === 1) return 1;
    const sum = s.weights.reduce((a, b) => a + b, 0), least = Math.min(...s.weights) / sum * width;
    if (least >= 120 && width / s.columns >= 190) return s.columns;
    return s.weights.some((w) => w !== s.weights[0]) ? 1 : clamp(Math.floor(width / 190), 1, s.columns);
  }

  rows(columns) { return columns === this.source.columns ? this.source.rows : Math.ceil(this.source.panels.length / columns); }

  heightFor(width, columns) {
    const s = this.source, sum = columns === s.columns ? s.weights.reduce((a, b) => a + b, 0) : columns;
    const unit = clamp(width / (s.width * sum), 62, 92);
    return clamp(s.height * unit, 130, 640);
  }

  /* Once it comes into view. */
  begin() {
    if (this.drawn) return;
    this.drawn = true;
    const s = this.source;
    const headed = s.columns > 1 && s.rows > 1 && s.panels.every((p, i) => Boolean(p.title) === (i < s.columns)) &&
      s.panels.every((p, i) => i % s.columns > 0 || p.y_label);
    this.panels = s.panels.map((panel, i) => {
      const column = i % s.columns, row = i - column;
      const head = s.panels[column].title;
      let title = panel.title, spoken = title;
      if (headed) { /* the first column says what a row is, the others what they are */
        const name = s.panels[row].name = s.panels[row].name || s.panels[row].y_label;
        title = column === 0 ? name : head;
        spoken = `${name}: ${head}`;
        panel.y_label = undefined;
      }
      return panel.layers.length ? new Panel(this.box, panel, title, spoken, this) : (this.box.append(make("div")), null);
    });
    this.resize();
    this.box.style.minHeight = "";
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  resize(paper) {
    const width = paper || this.place.clientWidth;
    if (!width || width === this.last) return;
    this.last = width;
    const s = this.source, columns = this.columnsFor(width), same = columns === s.columns;
    const weights = same ? s.weights : Array(columns).fill(1), sum = weights.reduce((a, b) => a + b, 0);
    this.box.style.gridTemplateColumns = weights.map((w) => `minmax(0, ${w}fr)`).join(" ");
    const height = this.heightFor(width, columns), room = width - 12 * (columns - 1);
    this.panels.forEach((panel, i) => { /* names that stand on the left of a row are needed by those below when it is broken */
      if (panel && panel.bare) panel.panel.y_names = same ? panel.bare : s.panels[i - i % s.columns].y_names;
    });
    this.panels.forEach((panel, i) => { if (panel) panel.draw(room * weights[i % columns] / sum, height); });
  }

  redraw() { if (this.drawn) for (const panel of this.panels) if (panel && panel.outer) panel.draw(panel.outer); }

  /* One legend for all panels: what means the same looks the same. */
  addBar() {
    const seen = new Map();
    for (const p of this.source.panels) if (p.legend !== "none") for (const l of p.layers)
      if (l.label && l.kind !== "note" && l.kind !== "text") {
        const name = `${l.role} ${l.shade || 0} ${l.label}`;
        if (!seen.has(name)) seen.set(name, l);
      }
    const legend = make("ul", {class: "legend"});
    for (const l of seen.values()) legend.append(make("li", {}, key(l), make("span", {text: l.label})));
    const button = (text, label, act) => make("button", {type: "button", "aria-label": label, title: label, text, click: act});
    const zoom = (factor) => () => { for (const p of this.panels) if (p) p.zoom(factor); };
    this.all = button("Reset", "Show all of it again", () => this.reset());
    this.all.disabled = true;
    const bar = make("div", {class: "bar"}, legend, make("div", {class: "zoom", role: "group", "aria-label": "Zoom"},
      button("+", "Zoom in", zoom(0.6)), button("\u2212", "Zoom out", zoom(1 / 0.6)), this.all));
    this.place.querySelector("figcaption").append(bar);
  }

  zoomed() { this.all.disabled = this.panels.every((p) => !p || p.whole_shown()); }
  reset() { for (const p of this.panels) if (p) p.reset(); }

  /* The same numbers as a table, for who reads rather than looks. */
  addValues() {
    const fold = make("details", {}, make("summary", {text: "Values as a table"}));
    fold.addEventListener("toggle", () => {
      if (!fold.open || fold.querySelector("table")) return;
      const table = this.values();
      if (table.rows) new Table(fold.appendChild(make("div", {class: "table"})), table);
      else fold.append(make("p", {text: "There are none."}));
    });
    this.place.append(fold);
  }

  values() {
    const x = [], y = [], high = [], names = [], groups = [];
    this.source.panels.forEach((p, n) => {
      for (const l of p.layers) {
        if (!l.x || !l.y || l.kind === "image" || l.kind === "text") continue;
        const title = this.panels[n].title || (this.source.panels.length > 1 ? `panel ${n + 1}` : "");
        const name = [title, l.label || (l.role === "chain" ? `chain ${l.shade || 0}` : l.kind)].filter(Boolean).join(": ");
        groups.push([name, l.x.length]);
        for (let i = 0; i < l.x.length; i++) {
          names.push(this.panels[n].name("x", l.x[i]));
          x.push(l.x[i]);
          y.push(l.y[i]);
          high.push(l.high ? l.high[i] : null);
        }
      }
    });
    return {caption: `Values of: ${this.source.caption}`, rows: x.length, groups, columns: [
      {name: "curve", text: names.map((name, i) => `x = ${name}`)}, {name: "x", value: x, decimals: -1},
      {name: "y or low", value: y, decimals: -1}, {name: "high", value: high, decimals: -1}]};
  }
}

/* A sample of a layer for the legend. */
function key(l) {
  const colour = colourClass(l), opacity = l.alpha === undefined ? null : l.alpha, svg = draw("svg", {width: 22, height: 12, viewBox: "0 0 22 12", "aria-hidden": "true"});
  const shape = l.role === "class" ? shapes[(l.shade || 0) % shapes.length] : "round";
  if (l.kind === "points" && shape.length < 8) svg.append(draw("path", {class: `${colour} stroke`, d: "M11,6h0", "stroke-width": shape === "square" ? 6 : 7, "stroke-linecap": shape}));
  else if (l.kind === "points") svg.append(draw("path", {class: `${colour} ${shape.endsWith("Z") ? "fill" : "stroke"}`, "stroke-width": 1.6, d: pointPath(11, 6, shape, 8)}));
  else if (l.kind === "band" || l.kind === "area" || l.kind === "bars") svg.append(draw("rect", {class: `${colour} fill`, x: 2, y: 1, width: 18, height: 10, opacity}));
  else if (l.kind === "intervals") svg.append(draw("path", {class: `${colour} stroke`, d: "M11,0V12", "stroke-width": 2, opacity}));
  else svg.append(draw("path", {class: `${colour} stroke`, d: "M1,6H21", opacity, "stroke-width": Math.min(4, l.size ? l.size * 1.25 : 2), "stroke-dasharray": l.dashed || l.kind === "diagonal" || l.kind.startsWith("rule") ? "4 3" : null}));
  return svg;
}

/* ---- the page ------------------------------------------------------------------------------------------------------- */

addTheme(document.getElementById("theme"));
for (const place of document.querySelectorAll("[data-table]")) new Table(place, data.tables[place.dataset.table]);
const figures = [...document.querySelectorAll("[data-figure]")].map((place) => new Figure(place, data.figures[place.dataset.figure]));
redraws.push(() => { for (const figure of figures) figure.redraw(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const redraw of redraws) redraw(); });

const coming = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) {
    coming.unobserve(entry.target);
    figures.find((figure) => figure.place === entry.target).begin();
  }
}, {rootMargin: "600px"});
for (const figure of figures) coming.observe(figure.place);

/* Paper has no later: everything is drawn, at the width of a page, and what holds is unfolded. */
const PAPER = 680;
let unfolded = [];
addEventListener("beforeprint", () => {
  for (const figure of figures) { figure.begin(); figure.resize(PAPER); }
  unfolded = [...document.querySelectorAll("details.findings:not([open])")];
  for (const fold of unfolded) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const figure of figures) figure.resize();
  for (const fold of unfolded) fold.open = false;
});

/* The section that is being read is marked in the navigation. */
const links = [...document.querySelectorAll("nav a")];
const sections = links.map((link) => document.querySelector(link.getAttribute("href")));
function mark() {
  let now = 0;
  sections.forEach((section, i) => { if (section && section.getBoundingClientRect().top < innerHeight * 0.35) now = i; });
  if (innerHeight + scrollY >= document.documentElement.scrollHeight - 4 && scrollY > 0) now = links.length - 1;
  links.forEach((link, i) => { if (i === now) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
}
addEventListener("scroll", mark, {passive: true});
addEventListener("resize", mark);
mark();
})();
