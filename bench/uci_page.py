"""docs/uci.md from bench/uci.md.in and the results of bench/uci. A line @NAME@ becomes a table."""
import math
import re
import shlex

from page import table

# Negative log density and RMSE as published: probabilistic backpropagation, MC dropout and deep ensembles (Lakshminarayanan et al. 2017,
# table 1; dropout: Gal's repository, 2018), and Neal's FBM on the same splits with its seconds a split.
PUBLISHED = {"PBP": {"boston": (2.57, 3.01), "concrete": (3.16, 5.67), "energy": (2.04, 1.80), "yacht": (1.63, 1.02),
                     "kin8nm": (-0.90, 0.10), "power": (2.84, 4.12), "wine": (0.97, 0.64)},
             "MC dropout": {"boston": (2.40, 2.90), "concrete": (2.94, 4.83), "energy": (1.21, 0.54), "yacht": (1.25, 0.67),
                            "kin8nm": (-1.14, 0.079), "power": (2.81, 4.01), "wine": (0.93, 0.62)},
             "deep ensembles": {"boston": (2.41, 3.28), "concrete": (3.06, 6.03), "energy": (1.38, 2.09), "yacht": (1.18, 1.58),
                                "kin8nm": (-1.20, 0.09), "power": (2.79, 4.11), "wine": (0.94, 0.64)},
             "FBM": {"boston": (2.22, 2.47), "concrete": (2.81, 4.17), "energy": (0.40, 0.368), "yacht": (0.02, 0.293)}}
SECONDS = {"boston": 8.4, "concrete": 14.5, "energy": 10.9, "yacht": 3.9}
ELSEWHERE = 15
NAMES = {"mclmc": "MCLMC", "svi": "SVI", "laplace": "Laplace", "ensemble": "ensemble", "twin": "twin"}


def mean(values):
    """Mean and standard error; an error of NaN where one value says nothing of it."""
    m = sum(values) / len(values)
    if len(values) < 2:
        return m, math.nan
    return m, math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1) / len(values))


def digits(x):
    return f"{x:.4f}" if abs(x) < 0.2 else f"{x:.3f}" if abs(x) < 10 else f"{x:.2f}"


def pair(values, form="{:.3f}"):
    m, error = mean(values)
    return form.format(m) + ("" if math.isnan(error) else " ± " + form.format(error))


def of(results, name, method):
    return [r for r in results if r["set"] == name and r["method"] == method]


def score(rows, which):
    return [(-1 if which == "log_density" else 1) * r["scores"][which] for r in rows]


def rmse(rows):
    values = score(rows, "rmse")
    return pair(values, "{:.4f}" if mean(values)[0] < 0.2 else "{:.3f}")


def few(rows):
    return "" if len(rows) == 20 else f" ({len(rows)})"


def scores(results, sets, methods):
    """What a run of bench/uci prints at its end."""
    lines = []
    for name in sets:
        for method in methods:
            rows = of(results, name, method)
            if rows:
                lines.append([name, NAMES.get(method, method), len(rows), pair(score(rows, "log_density")), rmse(rows),
                              f"{mean(score(rows, 'coverage_90'))[0]:.3f}", f"{mean([r['cpu'] / r['threads'] for r in rows])[0]:.1f}"])
    return table(["set", "method", "splits", "negative log density", "RMSE", "in the 90 % interval", "processor s / threads"], lines)


FOR_ALL = "*"


def cells(line):
    return [c.strip() for c in line.strip().strip("|").split(" | ")]


class Before:
    """What the page says already: cells of sets and methods that have not been run anew stay as they are."""
    TABLES = ("densities", "errors", "times", "coverage", "calibration", "widths", "crps")

    def __init__(self, text):
        found = [[cells(line) for line in block.splitlines()] for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.M)]
        by_method = [t for t in found if t[0][0] == "set" and not set(t[0][1:]) - set(NAMES.values())]
        self.cell = {}
        for name, lines in zip(self.TABLES, by_method):
            for line in lines[2:]:
                for method, cell in zip(lines[0][1:], line[1:]):
                    self.cell[name, line[0], method] = cell.strip()
        self.row = {line[0]: line for t in found if t[0][:2] == ["set", "splits"] for line in t[2:]}
        self.published = {line[0]: line[1] for t in found if t[0][:3] == ["set", "MCLMC", "PBP"] for line in t[2:]}
        self.recipe = {line[0]: line[1] for t in found if len(t[0]) == 2 and "options" in t[0][1] for line in t[2:]}
        measured = re.search(r"^Measured on (.*)\.$", text, flags=re.M)
        self.date = measured.group(1) if measured else ""
        self.dates = {}
        for line in re.findall(r"^- of an earlier run, on (.*)\.$", text, flags=re.M):
            date, _, rest = line.partition(": ")
            for part in rest.split("; "):
                method, _, sets = part.partition(" of ")
                self.dates.update({(s, method): date for s in (FOR_ALL if sets == "all sets" else sets).split(", ")})

    def date_of(self, name, method):
        return self.dates.get((name, method)) or self.dates.get((FOR_ALL, method)) or self.date

    def splits(self, name, method):
        cell = self.cell.get(("densities", name, method), "")
        few = re.search(r"\((\d+)\)$", cell)
        return int(few.group(1)) if few else 20 if cell else 0


class Page:
    def __init__(self, results, timing, sets, methods, before=""):
        current = {m: shlex.join(o) for m, o in methods.items()}
        newest = {(r["set"], r["split"], r["method"]): r for r in results if r["recipe"] == current.get(r["method"])}
        self.results = list(newest.values())
        self.timing = {(r["set"], r["method"]): r for r in timing if r["recipe"] == current.get(r["method"])}
        self.sets, self.options = sets, methods
        self.before = Before(before)

    def kept(self, name, method):
        """Whether what the page said before stays: it is of more splits, and of the same recipe."""
        said = self.before.recipe.get(NAMES[method]) == f"`{self.recipe(method)}`"
        return said and self.before.splits(name, NAMES[method]) > len(of(self.results, name, method))

    def best(self, name, which):
        return min(rows[name][which] for rows in PUBLISHED.values() if name in rows)

    def demand(self, name):
        """The seconds that a split may take."""
        return SECONDS.get(name, ELSEWHERE)

    def seconds(self, name, method="mclmc"):
        """Of a split: on a machine at rest where that was measured, else processor time over threads."""
        if (name, method) in self.timing:
            return self.timing[name, method]["wall"]
        rows = of(self.results, name, method)
        return mean([r["cpu"] / r["threads"] for r in rows])[0] if rows else math.nan

    def met(self, rows, which, best):
        m, error = mean(score(rows, which))
        return "yes" if m - (0 if math.isnan(error) else error) <= best else "no"

    # ---- tables

    def posterior(self):
        lines = []
        for name in self.sets:
            rows = of(self.results, name, "mclmc")
            if self.kept(name, "mclmc") and name in self.before.row:
                lines.append(self.before.row[name])
                continue
            if not rows:
                continue
            least = self.best(name, 0), self.best(name, 1)
            ours = [pair(score(rows, "log_density")), rmse(rows)]
            lines.append([name, len(rows), ours[0], f"{least[0]:g}", self.met(rows, "log_density", least[0]), ours[1],
                          f"{least[1]:g}", self.met(rows, "rmse", least[1]), f"{self.seconds(name):.1f}",
                          f"{self.demand(name):g}", "yes" if self.seconds(name) <= self.demand(name) else "no"])
        return table(["set", "splits", "negative log density", "best published", "met", "RMSE", "best published", "met", "seconds a split",
                      "at most", "met"], lines)

    def published(self):
        heads = ["set", "MCLMC"] + list(PUBLISHED)
        lines = []
        for name in self.sets:
            rows = of(self.results, name, "mclmc")
            line = [name, f"{mean(score(rows, 'log_density'))[0]:.3f} / {digits(mean(score(rows, 'rmse'))[0])}" if rows else ""]
            if self.kept(name, "mclmc"):
                line[1] = self.before.published.get(name, "")
            for figures in PUBLISHED.values():
                line.append(f"{figures[name][0]:g} / {figures[name][1]:g}" if name in figures else "")
            lines.append(line)
        return table(heads, lines)

    def methods(self):
        return [m for m in self.options if any(of(self.results, s, m) or self.kept(s, m) for s in self.sets)]

    def by_method(self, table_name, cell):
        lines, methods = [], self.methods()
        for name in self.sets:
            line = []
            for m in methods:
                rows = of(self.results, name, m)
                line.append(self.before.cell.get((table_name, name, NAMES[m]), "") if self.kept(name, m)
                            else cell(name, m, rows) if rows else "")
            if any(line):
                lines.append([name] + line)
        return table(["set"] + [NAMES[m] for m in methods], lines)

    def densities(self):
        return self.by_method("densities", lambda name, m, rows: pair(score(rows, "log_density")) + few(rows))

    def errors(self):
        return self.by_method("errors", lambda name, m, rows: rmse(rows) + few(rows))

    def times(self):
        return self.by_method("times", lambda name, m, rows: f"{self.seconds(name, m):.2g}")

    def crps(self):
        return self.by_method("crps", lambda name, m, rows: digits(mean(score(rows, "crps"))[0]))

    def calibration(self):
        return self.by_method("calibration", lambda name, m, rows: pair(score(rows, "ece")))

    def coverage(self):
        return self.by_method("coverage", lambda name, m, rows: ", ".join(f"{100 * mean(score(rows, f'coverage_{p}'))[0]:.0f}"
                                                                          for p in (50, 80, 90, 95)))

    def widths(self):
        return self.by_method("widths", lambda name, m, rows: digits(mean(score(rows, "width_90"))[0]))

    def recipe(self, method):
        return shlex.join(self.options[method]).replace("'{two_thirds}'", "W").replace("'{third}'", "D")

    def recipes(self):
        return table(["", "options of `credence fit`"], [[NAMES[m], f"`{self.recipe(m)}`"] for m in self.methods()])

    def measured(self):
        days = sorted({r["date"][:10] for r in self.results if not self.kept(r["set"], r["method"])})
        lines = [f"Measured on {days[0]}" + (f" to {days[-1]}" if days[-1] != days[0] else "") + "."] if days else []
        kept = {}
        for m in self.methods():
            for name in self.sets:
                if self.kept(name, m):
                    kept.setdefault(self.before.date_of(name, NAMES[m]), {}).setdefault(NAMES[m], []).append(name)
        for date, parts in sorted(kept.items()):
            said = [f"{m} of " + ("all sets" if len(names) == len(self.sets) else ", ".join(names)) for m, names in parts.items()]
            lines.append(f"- of an earlier run, on {date}: " + "; ".join(said) + ".")
        return "\n".join(lines[:1] + [""] * (len(lines) > 1 and lines[0][0] != "-") + lines[1:])

    def clock(self):
        if self.timing:
            load = max(r["load"] for r in self.timing.values())
            return (f"Seconds are those of fit and evaluation of split 0, by the clock, on two threads; the load of the machine was at most {load:.1f}\n"
                    f"({min(r['date'] for r in self.timing.values())[:10]}). Without such a figure they are processor seconds over threads.")
        new = [r for r in self.results if not self.kept(r["set"], r["method"])]
        one = [NAMES[m] for m in self.methods() if any(r["threads"] == 1 for r in new if r["method"] == m)]
        load = f" (its mean load was {mean([r['load'] for r in new])[0]:.0f})" if new else ""
        return ("Seconds are processor seconds of fit and evaluation divided by the number of threads, two"
                + (f" (for {' and '.join(one)} one)" if one else "") + ", mean over splits:\n"
                f"the machine was busy{load}, so that the clock says nothing.")

    def fill(self, text):
        return re.sub(r"^@(\w+)@$", lambda m: getattr(self, m.group(1))(), text, flags=re.M)
