"""Small SVG plots that are readable on a light and on a dark page."""

import math
from xml.sax.saxutils import escape

COLOURS = ("#2f6fdb", "#d9662b", "#2a9d6a", "#a45bd0", "#b58900", "#888888")
STYLE = """<style>
text{font:12px system-ui,sans-serif;fill:#333}.t{font-size:14px;font-weight:600}.g{stroke:#ccc}
@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}}
</style>"""
WIDTH = 720


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Drawing:
    def __init__(self, title, height):
        self.height = height
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
                      f"<title>{escape(title)}</title>", STYLE, f'<text class="t" x="8" y="20">{escape(title)}</text>']

    def text(self, x, y, text, anchor="start"):
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{escape(text)}</text>')

    def grid(self, x1, y1, x2, y2):
        self.parts.append(f'<path class="g" stroke="#ccc" d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"/>')

    def bar(self, x, y, width, height, colour=0):
        self.parts.append(f'<rect fill="{COLOURS[colour]}" x="{number(x)}" y="{number(y)}" width="{number(max(width, 1))}" '
                          f'height="{number(height)}"/>')

    def dot(self, x, y, colour=0, radius=4):
        self.parts.append(f'<circle fill="{COLOURS[colour]}" cx="{number(x)}" cy="{number(y)}" r="{radius}"/>')

    def line(self, points, colour=0):
        path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        self.parts.append(f'<path fill="none" stroke="{COLOURS[colour]}" stroke-width="2" d="M{path}"/>')

    def save(self, path):
        path.write_text("\n".join([*self.parts, "</svg>"]) + "\n")


def ticks_up_to(most, count=5):
    raw = most / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= raw)
    return [i * step for i in range(int(most / step + 1e-9) + 1)]


def bars(path, title, rows, unit, most=None, log=False):
    """Horizontal bars of (name, value)."""
    left, top, row = 250, 36, 22
    right, bottom = WIDTH - 60, top + row * len(rows)
    drawing = Drawing(title, bottom + 40)
    high = most or max(value for _, value in rows)
    if log:
        low = 10 ** math.floor(math.log10(min(value for _, value in rows if value > 0)))
        high = 10 ** math.ceil(math.log10(high))
        place = lambda value: left + (right - left) * math.log(max(value, low) / low) / math.log(high / low)
        ticks = [low * 10 ** i for i in range(round(math.log10(high / low)) + 1)]
    else:
        place = lambda value: left + (right - left) * value / high
        ticks = ticks_up_to(high)
    for tick in ticks:
        drawing.grid(place(tick), top, place(tick), bottom)
        drawing.text(place(tick), bottom + 16, f"{tick:g}", "middle")
    drawing.text((left + right) / 2, bottom + 32, unit, "middle")
    for i, (name, value) in enumerate(rows):
        drawing.text(left - 8, top + row * i + 15, name, "end")
        drawing.bar(left, top + row * i + 4, place(value) - left, row - 8)
        drawing.text(place(value) + 5, top + row * i + 15, f"{value:.3g}")
    drawing.save(path)


def dots(path, title, rows, most):
    """A line of (name, median, 90 %) each; what is over `most` stands beyond its end."""
    left, top, row = 250, 36, 22
    right, bottom = WIDTH - 60, top + row * len(rows)
    drawing = Drawing(title, bottom + 24)
    place = lambda value: left + (right - left) * min(value, most * 1.05) / (most * 1.05)
    for tick in ticks_up_to(most, 6):
        drawing.grid(place(tick), top, place(tick), bottom)
        drawing.text(place(tick), bottom + 16, f"{tick:g}", "middle")
    drawing.text(right + 6, bottom + 16, "never")
    for i, (name, middle, late) in enumerate(rows):
        y = top + row * i + 11
        drawing.text(left - 8, y + 4, name, "end")
        drawing.line([(place(middle), y), (place(late), y)])
        drawing.dot(place(middle), y)
        drawing.dot(place(late), y, radius=2.5)
    drawing.save(path)


def lines(path, title, across, up, series, most=None):
    """Lines of (name, [(x, y)])."""
    left, top, right, bottom = 60, 56, WIDTH - 20, 296
    drawing = Drawing(title, bottom + 44 + 18 * ((len(series) + 1) // 2))
    xs = sorted({x for _, points in series for x, _ in points})
    high = most or max(y for _, points in series for _, y in points) * 1.05
    place_x = lambda x: left + (right - left) * (x - xs[0]) / (xs[-1] - xs[0])
    place_y = lambda y: bottom - (bottom - top) * y / high
    for tick in ticks_up_to(high):
        drawing.grid(left, place_y(tick), right, place_y(tick))
        drawing.text(left - 6, place_y(tick) + 4, f"{tick:g}", "end")
    for x in xs:
        drawing.text(place_x(x), bottom + 16, f"{x:g}", "middle")
    drawing.text((left + right) / 2, bottom + 32, across, "middle")
    drawing.text(left, top - 12, up)
    for i, (name, points) in enumerate(series):
        drawing.line([(place_x(x), place_y(y)) for x, y in points], i)
        for x, y in points:
            drawing.dot(place_x(x), place_y(y), i, 3)
        x, y = left + 330 * (i % 2), bottom + 52 + 18 * (i // 2)
        drawing.bar(x, y - 9, 14, 10, i)
        drawing.text(x + 20, y, name)
    drawing.save(path)
