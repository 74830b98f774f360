"""check_report.py PROGRAM BROWSER - pages of `credence report` in a headless Chromium: that they are quiet, fetch nothing, can be used by
mouse and keyboard, show hostile names as text, and open quickly. In an empty folder."""

import csv
import http.server
import io
import os
import random
import socketserver
import subprocess
import sys
import threading
import time
import unittest

from browser import Browser

PROGRAM, BROWSER = sys.argv[1:3]
PICTURES = os.environ.get("PICTURES")
HOSTILE = ["<b>x</b>", "a\"b'&amp;c", "</script><script>bad=1</script>", "<img src=x onerror=bad=2>", "<!-- -->", "\u202ex"]
TARGET = "y<svg onload=bad=3>\"'"


def credence(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def cell(text):
    return '"' + text.replace('"', '""') + '"'


def write_table(path, names, rows, seed):
    """A target that is a sum of the inputs, which have the names given."""
    draw = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(cell(name) for name in [*names, TARGET]) + "\n")
        for _ in range(rows):
            x = [draw.gauss(0, 1) for _ in names]
            file.write(",".join(f"{value:.4f}" for value in [*x, sum(x) + draw.gauss(0, 0.3)]) + "\n")


def fit(data, out, *options):
    credence("fit", data, "--target", TARGET, "--seed", "1", "--quiet", "--out", out, *options)


def setUpModule():
    global browser
    write_table("one.csv", ["x"], 40, 1)
    write_table("hostile.csv", HOSTILE, 40, 2)
    fit("one.csv", "one.crd", "--hidden", "10", "--chains", "2", "--warmup", "150", "--draws", "150")
    fit("hostile.csv", "hostile.crd", "--hidden", "3", "--chains", "2", "--warmup", "50", "--draws", "60")
    os.rename("hostile.crd", "<i>run&\"'.crd")
    credence("report", "one.crd", "--quiet")
    credence("report", "<i>run&\"'.crd", "--quiet", "--out", "hostile.html")
    browser = Browser(BROWSER)


def tearDownModule():
    browser.close()


class Page(unittest.TestCase):
    page = "one.html"

    def setUp(self):
        browser.errors.clear()
        browser.media(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
        browser.size(1280, 900)
        browser.open(self.page)

    def tearDown(self):
        self.assertEqual(browser.errors, [])
        self.assertEqual([url for url in browser.requests if url != "file://" + os.path.abspath(self.page)], [])

    def read(self, script):
        return browser.run(script)

    # Values of a column of the table with this caption, as they stand there.
    def column(self, caption, name):
        return self.read(f"""(() => {{
            const table = [...document.querySelectorAll('table')].find(t => t.caption.textContent === {caption!r});
            const c = [...table.tHead.rows[0].cells].findIndex(th => th.textContent === {name!r});
            return [...table.tBodies[0].rows].map(tr => tr.cells[c].textContent);
        }})()""")

    def table(self, caption):
        return f"[...document.querySelectorAll('table')].find(t => t.caption.textContent === {caption!r})"

    def heading(self, caption, name):
        return f"[...({self.table(caption)}).querySelectorAll('thead button')].find(b => b.textContent === {name!r})"

    def plot(self, figure):
        return f"[...document.querySelectorAll('figure')].find(f => f.querySelector('h3').textContent.startsWith({figure!r})).querySelector('.plot')"

    def bring(self, figure):
        """Figures are drawn when they come near."""
        self.read(f"""(async () => {{
            const place = [...document.querySelectorAll('figure')].find(f => f.querySelector('h3').textContent.startsWith({figure!r}));
            place.scrollIntoView({{behavior: 'instant'}});
            for (let i = 0; i < 100 && !place.querySelector('.plot svg'); i++) await new Promise(done => setTimeout(done, 20));
        }})()""")


def numbers(texts):
    return [float(text.replace("\u2212", "-") or "nan") for text in texts]


def summary(run):
    return list(csv.DictReader(io.StringIO(credence("summary", run, "--diagnostics", "--format", "csv"))))


ROWS = "Rows of the fit"
PARAMETERS = "Summary of the parameters"


class Tables(Page):
    def test_sorted_by_mouse_and_back(self):
        as_given = self.column(ROWS, "k_hat")
        browser.click(self.heading(ROWS, "k_hat"))
        down = numbers(self.column(ROWS, "k_hat"))
        self.assertEqual(down, sorted(down, reverse=True))
        self.assertEqual(self.read(f"({self.heading(ROWS, 'k_hat')}).parentNode.getAttribute('aria-sort')"), "descending")
        browser.click(self.heading(ROWS, "k_hat"))
        up = numbers(self.column(ROWS, "k_hat"))
        self.assertEqual(up, sorted(up))
        self.assertLess(up[0], down[-1] + 1e-9)
        self.assertEqual(self.read(f"({self.heading(ROWS, 'k_hat')}).parentNode.getAttribute('aria-sort')"), "ascending")
        browser.click(self.heading(ROWS, "k_hat"))
        self.assertEqual(self.column(ROWS, "k_hat"), as_given)
        self.assertEqual(self.read(f"({self.heading(ROWS, 'k_hat')}).parentNode.getAttribute('aria-sort')"), "none")

    def test_sorted_by_keyboard(self):
        self.read(f"({self.heading(ROWS, 'mean')}).focus()")
        browser.key("Enter")
        down = numbers(self.column(ROWS, "mean"))
        self.assertEqual(down, sorted(down, reverse=True))
        browser.key(" ")
        up = numbers(self.column(ROWS, "mean"))
        self.assertEqual(up, sorted(up))
        self.assertTrue(self.read(f"document.activeElement === {self.heading(ROWS, 'mean')}"))

    def test_turned(self):
        first = self.column(ROWS, "row")
        pager = f"({self.table(ROWS)}).closest('.table').querySelector('.pager')"
        self.assertEqual(len(first), 25)
        browser.click(f"{pager}.querySelectorAll('button')[1]")
        self.assertEqual(self.column(ROWS, "row"), [str(i) for i in range(25, 40)])
        self.assertTrue(self.read(f"{pager}.querySelectorAll('button')[1].disabled"))
        browser.click(f"{pager}.querySelectorAll('button')[0]")
        self.assertEqual(self.column(ROWS, "row"), first)

    def test_folded_by_mouse_and_keyboard(self):
        folded = self.column(PARAMETERS, "parameter")
        self.assertNotIn("net/Dense_0.bias[0]", folded)
        group = f"[...({self.table(PARAMETERS)}).querySelectorAll('tr.group button')].find(b => b.textContent === 'net/Dense_0.bias')"
        self.assertEqual(self.read(f"({group}).getAttribute('aria-expanded')"), "false")
        browser.click(group)
        self.assertEqual(self.read(f"({group}).getAttribute('aria-expanded')"), "true")
        self.assertIn("net/Dense_0.bias[0]", self.column(PARAMETERS, "parameter"))
        self.assertTrue(self.read(f"document.activeElement === {group}"))
        browser.key(" ")
        self.assertEqual(self.column(PARAMETERS, "parameter"), folded)

    def test_folded_rows_show_their_worst(self):
        bias = [float(row["r_hat"]) for row in summary("one.crd") if row["name"].startswith("net/Dense_0.bias")]
        at = self.column(PARAMETERS, "parameter").index("net/Dense_0.bias 10")
        self.assertAlmostEqual(numbers(self.column(PARAMETERS, "r_hat"))[at], max(bias), places=3)

    def test_searched(self):
        self.read(f"({self.table(PARAMETERS)}).closest('.table').querySelector('input').focus()")
        for letter in "dense_1.k":
            browser.key(letter)
        browser.click(f"({self.table(PARAMETERS)}).closest('.table').querySelector('.tools button')")
        self.assertEqual(self.column(PARAMETERS, "parameter"),
                         ["net/Dense_1.kernel 10"] + [f"net/Dense_1.kernel[{i},0]" for i in range(10)])

    def test_numbers_are_those_of_summary(self):
        s = [row for row in summary("one.crd") if row["name"] == "s"][0]
        mean, r_hat = float(s["mean"]), float(s["r_hat"])
        at = self.column(PARAMETERS, "parameter").index("s")
        self.assertAlmostEqual(numbers(self.column(PARAMETERS, "mean"))[at] / mean, 1, places=3)
        self.assertAlmostEqual(numbers(self.column(PARAMETERS, "r_hat"))[at], r_hat, places=3)


class Figures(Page):
    FIGURE = "Predictions over x"

    def axis(self):
        return self.read(f"[...({self.plot(self.FIGURE)}).querySelectorAll('text')].map(t => t.textContent).join(' ')")

    def test_all_are_drawn(self):
        count = self.read("document.querySelectorAll('figure').length")
        self.assertGreaterEqual(count, 7)
        empty = self.read("""(async () => {
            for (const f of document.querySelectorAll('figure')) { f.scrollIntoView({behavior: 'instant'}); await new Promise(d => setTimeout(d, 60)); }
            return [...document.querySelectorAll('figure')].filter(f => !f.querySelector('.plot svg svg *')).map(f => f.querySelector('h3').textContent);
        })()""")
        self.assertEqual(empty, [])

    def test_values_under_the_pointer(self):
        self.bring(self.FIGURE)
        x, y, width, height = browser.box(self.plot(self.FIGURE))
        browser.mouse("mouseMoved", x + width / 2, y + height / 2)
        tip = self.read(f"(e => e.hidden ? '' : e.textContent)(({self.plot(self.FIGURE)}).parentNode.querySelector('.tip'))")
        self.assertIn("Median", tip)
        self.assertIn("95% CI", tip)
        browser.mouse("mouseMoved", 2, 2)
        self.assertTrue(self.read(f"({self.plot(self.FIGURE)}).parentNode.querySelector('.tip').hidden"))

    def test_values_by_keyboard(self):
        self.bring(self.FIGURE)
        self.read(f"({self.plot(self.FIGURE)}).focus()")
        live = f"({self.plot(self.FIGURE)}).parentNode.querySelector('[aria-live]').textContent"
        browser.key("ArrowRight")
        first = self.read(live)
        self.assertTrue(first.startswith("x "), first)
        browser.key("ArrowRight")
        second = self.read(live)
        self.assertNotEqual(first, second)
        browser.key("Home")
        self.assertEqual(self.read(live), first)
        browser.key("ArrowDown")
        self.assertNotEqual(self.read(live), first)

    def test_zoom_by_keyboard_and_buttons(self):
        self.bring(self.FIGURE)
        whole = self.axis()
        self.read(f"({self.plot(self.FIGURE)}).focus()")
        browser.key("+")
        closer = self.axis()
        self.assertNotEqual(closer, whole)
        browser.key("0")
        self.assertEqual(self.axis(), whole)
        buttons = f"({self.plot(self.FIGURE)}).closest('figure').querySelectorAll('.zoom button')"
        self.assertTrue(self.read(f"{buttons}[2].disabled"))
        browser.click(f"{buttons}[0]")
        self.assertEqual(self.axis(), closer)
        browser.click(f"{buttons}[2]")
        self.assertEqual(self.axis(), whole)

    def test_zoom_by_dragging(self):
        self.bring(self.FIGURE)
        whole = self.axis()
        x, y, width, height = browser.box(self.plot(self.FIGURE))
        browser.mouse("mouseMoved", x + width * 0.4, y + height * 0.4)
        browser.mouse("mousePressed", x + width * 0.4, y + height * 0.4)
        browser.mouse("mouseMoved", x + width * 0.6, y + height * 0.6)
        browser.mouse("mouseReleased", x + width * 0.6, y + height * 0.6)
        self.assertNotEqual(self.axis(), whole)
        for clicks in (1, 2):
            browser.mouse("mousePressed", x + width / 2, y + height / 2, clicks)
            browser.mouse("mouseReleased", x + width / 2, y + height / 2, clicks)
        self.assertEqual(self.axis(), whole)

    def test_values_as_a_table(self):
        self.bring(self.FIGURE)
        browser.click(f"({self.plot(self.FIGURE)}).closest('figure').querySelector('details summary')")
        self.read("new Promise(done => setTimeout(done, 50))")
        folds = self.column("Values of: Predictions over x", "curve")
        self.assertIn("Median 200", folds)
        self.assertIn("Train data 40", folds)

    def test_paper(self):
        browser.pdf("one.pdf")
        self.assertGreater(os.path.getsize("one.pdf"), 50000)
        self.assertEqual(self.read("[...document.querySelectorAll('figure')].filter(f => !f.querySelector('svg')).length"), 0)
        self.assertFalse(self.read("document.querySelector('details.findings').open"))


class Access(Page):
    def test_landmarks_and_headings(self):
        self.assertEqual(self.read("['header', 'nav[aria-label]', 'main', 'footer', 'h1'].map(s => document.querySelectorAll(s).length)"), [1, 1, 1, 1, 1])
        levels = self.read("[...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))")
        self.assertTrue(all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels)
        self.assertEqual(self.read("document.documentElement.lang"), "en")
        self.assertEqual(self.read("[...document.querySelectorAll('main > section')][0].id"), "verdict")
        self.assertTrue(self.read("[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')].every(e => document.getElementById(e.getAttribute('aria-labelledby') || e.getAttribute('aria-describedby')))"))

    def test_tables_and_figures_are_named(self):
        self.assertTrue(self.read("[...document.querySelectorAll('table')].every(t => t.caption && t.caption.textContent)"))
        self.assertTrue(self.read("[...document.querySelectorAll('th')].every(th => th.scope === 'col' || th.scope === 'row')"))
        self.bring("Predictions")
        about = self.read(f"document.getElementById(({self.plot('Predictions')}).getAttribute('aria-describedby')).textContent")
        self.assertIn("Median: line, 200 values", about)

    def test_tree_of_the_screen_reader(self):
        nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
        roles = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")}
        for role in ("main", "navigation", "banner", "contentinfo"):
            self.assertTrue(any(r == role for r, _ in roles), role)
        self.assertIn(("table", ROWS), roles)
        self.assertIn(("radio", "Dark"), roles)
        self.assertFalse([name for role, name in roles if role in ("button", "link", "radio", "searchbox") and not name])

    def test_tab_goes_to_the_skip_link_first_and_is_seen(self):
        browser.key("Tab")
        self.assertEqual(self.read("document.activeElement.className"), "skip")
        self.assertNotEqual(self.read("getComputedStyle(document.activeElement).outlineStyle"), "none")
        browser.key("Enter")
        self.assertEqual(self.read("document.activeElement.id"), "main")

    def test_motion(self):
        self.assertEqual(self.read("getComputedStyle(document.documentElement).scrollBehavior"), "smooth")
        browser.media(prefers_reduced_motion="reduce")
        self.assertEqual(self.read("getComputedStyle(document.documentElement).scrollBehavior"), "auto")

    def test_contrast(self):
        """WCAG 2.1, 1.4.3: 4.5 to 1 for text in both schemes."""
        for scheme in ("light", "dark"):
            browser.media(prefers_color_scheme=scheme)
            for name, ground in (("ink", "paper"), ("soft", "paper"), ("soft", "raised"), ("accent", "paper"), ("holds", "holds-soft"),
                                 ("care", "care-soft"), ("fails", "fails-soft"), ("ink", "care-soft")):
                pair = self.read(f"['{name}', '{ground}'].map(n => getComputedStyle(document.documentElement).getPropertyValue('--' + n).trim())")
                light = sorted((luminance(colour) for colour in pair), reverse=True)
                self.assertGreaterEqual((light[0] + 0.05) / (light[1] + 0.05), 4.5, (scheme, name, ground, pair))


def luminance(colour):
    part = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in part]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class Colours(Page):
    def ground(self):
        return self.read("getComputedStyle(document.documentElement).backgroundColor")

    def test_scheme_and_toggle(self):
        light = self.ground()
        browser.media(prefers_color_scheme="dark")
        dark = self.ground()
        self.assertNotEqual(light, dark)
        browser.click("document.querySelector('.theme input[value=light]')")
        self.assertEqual(self.ground(), light)
        browser.key("ArrowRight")
        self.assertTrue(self.read("document.querySelector('.theme input[value=dark]').checked"))
        self.assertEqual(self.ground(), dark)
        browser.media(prefers_color_scheme="light")
        self.assertEqual(self.ground(), dark)
        browser.click("document.querySelector('.theme input[value=auto]')")
        self.assertEqual(self.ground(), light)

    def test_narrow(self):
        browser.size(360, 740, True)
        browser.open(self.page)
        self.read("""(async () => { for (const f of document.querySelectorAll('figure')) { f.scrollIntoView({behavior: 'instant'}); await new Promise(d => setTimeout(d, 50)); } })()""")
        self.assertLessEqual(self.read("document.documentElement.scrollWidth"), 360)

    def test_pictures(self):
        if not PICTURES:
            self.skipTest("PICTURES is not set")
        for page in ("one.html", "hostile.html"):
            for scheme in ("light", "dark"):
                browser.media(prefers_color_scheme=scheme)
                browser.open(page)
                self.read("""(async () => { for (const f of document.querySelectorAll('figure')) { f.scrollIntoView({behavior: 'instant'}); await new Promise(d => setTimeout(d, 50)); }
                    scrollTo({top: 0, behavior: 'instant'}); })()""")
                browser.picture(os.path.join(PICTURES, f"{page[:-5]}-{scheme}.png"), True)
        browser.open(self.page)


class Hostile(Page):
    page = "hostile.html"

    def test_names_are_text(self):
        text = self.read("document.body.innerText")
        for name in HOSTILE[:-1] + [TARGET, "<i>run&\"'.crd"]:
            self.assertIn(name, text)
        self.assertIn("\\u202ex", text)
        self.assertNotIn("\u202e", text)
        self.assertEqual(self.read("document.title"), "<i>run&\"'.crd - credence report")

    def test_nothing_of_them_became_markup(self):
        for figure in range(self.read("document.querySelectorAll('figure').length")):
            self.read(f"(async () => {{ document.querySelectorAll('figure')[{figure}].scrollIntoView({{behavior: 'instant'}}); await new Promise(d => setTimeout(d, 60)); }})()")
        self.assertEqual(self.read("document.querySelectorAll('img, script[src], link, iframe, object, [onload], [onerror], [style*=url], main b:not(.numbers b), i').length"), 0)
        self.assertEqual(self.read("document.scripts.length"), 2)
        self.assertEqual(self.read("typeof bad"), "undefined")
        inputs = self.read("[...document.querySelectorAll('figure')].find(f => f.querySelector('h3').textContent === 'Predictions over each input').textContent")
        for name in HOSTILE[:3]:
            self.assertIn(name[:8], inputs)


class Sealed(unittest.TestCase):
    """Even a script that came in could neither run nor reach anybody."""

    def test_policy(self):
        asked = []

        class Server(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Threads(socketserver.ThreadingTCPServer):  # a browser may connect early and then say nothing
            daemon_threads = True
            block_on_close = False

        server = Threads(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_address[1]}/"
        browser.open("one.html")
        browser.run(f"""(async () => {{
            const into = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
            into('img', {{src: '{place}img'}});
            into('script', {{src: '{place}script'}});
            into('script', {{textContent: 'window.bad = 1'}});
            into('link', {{rel: 'stylesheet', href: '{place}style'}});
            into('iframe', {{src: '{place}frame'}});
            try {{ await fetch('{place}fetch'); }} catch (refused) {{ /* as it should be */ }}
            await new Promise(done => setTimeout(done, 300));
        }})()""")
        self.assertEqual(browser.run("typeof bad"), "undefined")
        self.assertEqual(asked, [])
        server.shutdown()
        server.server_close()


class Sizes(unittest.TestCase):
    def look(self, hidden, what):
        fit("one.csv", "size.crd", "--force", "--hidden", hidden, "--chains", "2", "--warmup", "20", "--draws", "50", "--max-depth", "3")
        start = time.monotonic()
        credence("report", "size.crd", "--force", "--quiet")
        made = time.monotonic() - start
        size = os.path.getsize("size.html")
        seconds = min(browser.open("size.html") for _ in range(3))
        rows = int(browser.run("[...document.querySelectorAll('.table')].find(t => t.querySelector('caption').textContent === 'Summary of the parameters').querySelector('[role=status]').textContent.split(' ')[0]"))
        print(f"{what}: {rows} rows, page of {size / 1e6:.2f} MB made in {made:.2f} s, open after {seconds:.2f} s", file=sys.stderr)
        self.assertLess(size, 10e6)
        self.assertLess(seconds, 20)
        return rows

    def test_100(self):
        self.assertEqual(self.look("33", "100 parameters"), 101)

    def test_10000(self):
        self.assertEqual(self.look("98,98", "10 000 parameters"), 98 + 98 + 98 * 98 + 98 + 98 + 1 + 1)


class Running(unittest.TestCase):
    def test_a_run_that_is_going(self):
        run = subprocess.Popen([PROGRAM, "fit", "one.csv", "--target", TARGET, "--seed", "1", "--quiet", "--out", "going.crd", "--hidden", "4",
                                "--chains", "2", "--warmup", "100", "--draws", "2000000"])
        try:
            for _ in range(300):
                time.sleep(0.1)
                self.assertIsNone(run.poll(), "the fit ended by itself")
                if os.path.exists("going.crd") and "net/" in subprocess.run([PROGRAM, "summary", "going.crd"], capture_output=True, text=True).stdout:
                    break
            credence("report", "going.crd", "--quiet")
        finally:
            run.kill()
            run.wait()
        browser.errors.clear()
        browser.open("going.html")
        self.assertEqual(browser.run("document.querySelector('.status').textContent"), "running")
        self.assertIn("This run is still going", browser.run("document.querySelector('.banner').textContent"))
        credence("report", "going.crd", "--quiet", "--force")
        browser.open("going.html")
        self.assertEqual(browser.run("document.querySelector('.status').textContent"), "killed")
        self.assertEqual(browser.errors, [])


class Result(unittest.TextTestResult):
    """Tells what took long."""

    def startTest(self, test):
        self.start = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        if time.monotonic() - self.start > 5:
            print(f"{test.id()}: {time.monotonic() - self.start:.1f} s", file=sys.stderr)
        super().stopTest(test)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], testRunner=unittest.TextTestRunner(resultclass=Result))
