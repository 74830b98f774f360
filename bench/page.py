"""docs/performance.md from bench/performance.md.in and the results of bench/compare. A line @NAME@ becomes a table."""
import re


def median(values):
    v = sorted(values)
    return v[len(v) // 2] if len(v) % 2 else (v[len(v) // 2 - 1] + v[len(v) // 2]) / 2


def number(x):
    """Three digits, and no exponent where a person would write none."""
    return f"{x:.0f}" if x >= 100 else f"{x:.3g}"


def spread(values):
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows])


class Page:
    def __init__(self, results, names):
        self.r, self.names = results, names

    def who(self, key):
        return self.names.get(key, key)

    def foot(self, part):
        p = self.r[part]
        turns = "one turn" if p["turns"] == 1 else f"medians and ranges of {p['turns']} turns"
        return f"\n\n*{p['date']}, {turns}; other processes that wanted a core: {p['load']}.*"

    def ours(self, rows):
        return [k for k in rows if k.startswith("credence")]

    # ---- tables

    def machine(self):
        m = self.r["machine"]
        return table(["machine", ""], [["processor", m["cpu"]], ["cores", m["cores"]], ["instruction sets", m["sets"]],
                                       ["memory", m["memory"]]])

    def busy(self):
        """A warning where other programs ran beside."""
        load = max(p["load"] for p in self.r.values() if isinstance(p, dict) and "load" in p)
        cores = self.r["machine"]["cores"]
        if load <= 0.3:
            return "Nothing else ran beside."
        return (f"**The machine was busy**: {load:.0f} other processes wanted its {cores} cores. Processor times hold; wall\n"
                "times are too long, for all programs alike but not by the same factor in each, and what a second\n"
                "thread is worth cannot be seen.")

    def versions(self):
        return table(["program", "version"], list(self.r["versions"].items()))

    def limit(self):
        rows = [[x["kernels"], x["units"], x["what"], number(x["hand_ns"]), number(x["credence_ns"]), number(x["ratio"]),
                 number(x["to_hand_gradient"])] for x in self.r["limit"]["rows"]]
        return table(["kernels", "units", "", "by hand, ns", "credence, ns", "ratio", "to the gradient by hand"],
                     rows) + self.foot("limit")

    def nuts(self):
        warm = self.r["nuts"]["warm"]
        ours = self.ours(warm)
        head = ["", "seconds", "leapfrog steps", "us a step and core", "effective draws of f (least, median)",
                "ms an effective draw (median)", "peak MB"] + ["times " + k for k in ours]
        rows = []
        for who, runs in warm.items():
            seconds = [x["seconds"] for x in runs]
            each = [1e3 * x["seconds"] / x["ess_median"] for x in runs]
            rows.append([self.who(who), spread(seconds), f"{median([x['steps'] for x in runs]):.0f}",
                         number(median([2e6 * x["seconds"] / x["steps"] for x in runs])),
                         f"{median([x['ess_least'] for x in runs]):.0f}, {median([x['ess_median'] for x in runs]):.0f}",
                         number(median(each)), number(max(x["peak"] for x in runs))] +
                        [number(median(seconds) / median([x["seconds"] for x in warm[k]])) for k in ours])
        return table(head, rows) + f"\n\n{self.r['nuts']['draws']} draws a chain." + self.foot("nuts")

    def samplers(self):
        rows, found = [], self.r["samplers"]["rows"]
        rate = {who: [x["ess_least"] / x["seconds"] for x in runs] for who, runs in found.items()}
        for who, runs in found.items():
            rows.append([self.who(who), number(median([x["seconds"] for x in runs])),
                         f"{median([x['ess_least'] for x in runs]):.0f}", spread(rate[who])] +
                        [number(median(rate[who]) / median(rate[p])) for p in found if not p.startswith("credence")])
        head = ["", "seconds", "effective draws of f (least)", "of them a second"]
        return table(head + ["times " + self.who(p) for p in found if not p.startswith("credence")], rows
                     ) + self.foot("samplers")

    def cold(self):
        cold = self.r["cold"]["rows"]
        ours = self.ours(cold)
        rows = [[self.who(who), spread([x["seconds"] for x in runs]), number(max(x["peak"] for x in runs))] +
                [number(median([x["seconds"] for x in runs]) / median([x["seconds"] for x in cold[k]])) for k in ours]
                for who, runs in cold.items()]
        return table(["", "seconds", "peak MB"] + ["times " + k for k in ours], rows) + (
            f"\n\n{self.r['cold']['draws']} draws a chain." + self.foot("cold"))

    def first(self):
        first = self.r["first"]
        rows = [["credence: " + x["what"], f"{number(x['median'])} {x['unit']}" +
                 (f" ({number(x['least'])} to {number(x['most'])})" if "least" in x else "")] for x in first["credence"]]
        rows += [[self.who(k) + ": process start to a first draw", spread(v) + " s"] for k, v in first["peers"].items()]
        return table(["", ""], rows) + self.foot("first")

    def svi(self):
        rows = []
        work = {"regression": "SVI, regression 1-10-1, 10 particles", "spiral": "SVI, spiral 2-100-3, 10 particles",
                "twin": "training step of the twin, 2-100-3"}
        found = self.r["svi"]["rows"]
        for name, what in work.items():
            here = {k.split(", ")[1]: v for k, v in found.items() if k.startswith(name)}
            base = here.get("credence double")
            for who, us in here.items():
                label = {"numpyro": "NumPyro, step by step" if name != "twin" else "flax and optax, step by step",
                         "numpyro scan": "NumPyro, one compiled loop" if name != "twin" else
                         "flax and optax, one compiled loop"}.get(who, who)
                rows.append([what, label, spread(us), number(median(us) / median(base)) if base else "no figure"])
                what = ""
        return table(["", "", "us a step", "times credence double"], rows) + self.foot("svi")

    def bench(self, name):
        rows = self.r["bench"]["rows"].get(name)
        if not rows:
            return "*Not measured yet.*"
        return table(["", ""], [[x["what"], f"{number(x['median'])} {x['unit']}" +
                                 (f" ({number(x['least'])} to {number(x['most'])})" if "least" in x else "")]
                                for x in rows]) + self.foot("bench")

    def scaling(self):
        rows = self.r["bench"]["rows"].get("scaling")
        if not rows:
            return "*Not measured yet.*"
        return table(["axis", "size", "us a gradient", "ns a unit and row", "workspace, KB"],
                     [[x["what"], x["size"], number(x["median"]), number(x["ns_a_unit_and_row"]),
                       number(x.get("workspace_kb", 0))] for x in rows]
                     ) + self.foot("bench")

    # ---- the demands

    def demands(self):
        """Each figure that was asked for beside what was measured; what was not measured says so."""
        rows = []

        def demand(what, wanted, part, value, below=True):
            try:
                x = value(self.r[part])
                met = x <= wanted if below else x >= wanted
                rows.append([what, f"{'at most' if below else 'at least'} {number(wanted)}", number(x),
                             "yes" if met else "no"])
            except (KeyError, IndexError, StopIteration, TypeError):
                rows.append([what, f"{'at most' if below else 'at least'} {number(wanted)}", "not measured", ""])

        def limit(units, what, key):
            return lambda p: next(x[key] for x in p["rows"] if x["units"] == units and x["what"] == what)

        def nuts(peer, ours, key=lambda x: x["seconds"]):
            return lambda p: (median([key(x) for x in p["warm"][peer]]) /
                              median([key(x) for x in p["warm"]["credence " + ours]]))

        def cold(peer):
            return lambda p: (median([x["seconds"] for x in p["rows"][peer]]) /
                              median([x["seconds"] for x in p["rows"]["credence double"]]))

        def step(name):
            return lambda p: median(p["rows"][name])

        def row(name, what, index=0):
            return lambda p: [x["median"] for x in p["rows"][name] if x["what"] == what][index]

        def start(what, index=0):
            return lambda p: [x["median"] for x in p["credence"] if x["what"] == what][index]

        def rate(p, who):
            return median([x["ess_least"] / x["seconds"] for x in p["rows"][who]])

        draw = lambda x: x["seconds"] / x["ess_median"]  # noqa: E731
        demand("gradient, 1-10-1, to the hand-written loop", 2, "limit", limit(10, "gradient", "ratio"))
        demand("leapfrog step of NUTS to that loop's gradient", 2.3, "limit",
               limit(10, "leapfrog step", "to_hand_gradient"))
        demand("gradient, 1-100-1, to the hand-written loop", 1.5, "limit", limit(100, "gradient", "ratio"))
        demand("leapfrog step of NUTS, single, to the double loop's gradient", 1.3, "limit",
               limit(10, "leapfrog step, single", "to_hand_gradient"))
        for peer, name, ours, wanted in (("numpyro", "NumPyro", "double", 7), ("numpyro", "NumPyro", "single", 11),
                                         ("stan", "Stan", "double", 18)):
            demand(f"NUTS, warm: {name} / credence {ours}", wanted, "nuts", nuts(peer, ours), below=False)
            demand(f"NUTS, an effective draw of f: {name} / credence {ours}", wanted, "nuts", nuts(peer, ours, draw),
                   below=False)
        for ours in ("double", "single"):
            demand(f"effective draws of f a second: mclmc, credence {ours} / NUTS, NumPyro", 30, "samplers",
                   lambda p, who=f"credence {ours}, mclmc": rate(p, who) / rate(p, "numpyro"), below=False)
        demand("NUTS, cold: NumPyro / credence", 9, "cold", cold("numpyro"), below=False)
        demand("NUTS, cold: Stan / credence", 40, "cold", cold("stan"), below=False)
        for name, wanted in (("regression, credence double", 10), ("spiral, credence double", 300),
                             ("spiral, credence single", 160), ("twin, credence double", 30),
                             ("twin, credence single", 18)):
            demand(f"step of {name}, us", wanted, "svi", step(name))
        demand("process start to the first kept draw, ms", 50, "first", start("process start to the first kept draw"))
        demand("peak memory of the tutorial's run, MB", 40, "first", start("the tutorial's run: peak memory"))
        demand("two chains, two threads beside one, times", 1.85, "bench", row("threads", "... times as fast"),
               below=False)
        demand("a gradient over 100 000 rows, two threads beside one, times", 1.8, "bench",
               row("threads", "... times as fast", 1), below=False)
        demand("prediction of f, % of what the vector tanh allows", 80, "bench", row("predict", "... of the limit"),
               below=False)
        demand("784-512-512-10, batch 1024, % of the rate of BLAS", 75, "bench", row("wide", "... of its rate"),
               below=False)
        demand("784-512-512-10, batch 1024, single, % of the rate of BLAS", 75, "bench",
               row("wide, single", "... of its rate"), below=False)
        return table(["what", "wanted", "measured", "met"], rows)


def fill(text, results, names):
    page = Page(results, names)

    def one(match):
        name, _, argument = match.group(1).partition(":")
        try:
            return getattr(page, name)(*([argument] if argument else []))
        except KeyError as missing:
            return f"*Not measured yet ({missing.args[0]}).*"
    return re.sub(r"^@([a-z:]+)@$", one, text, flags=re.M)
