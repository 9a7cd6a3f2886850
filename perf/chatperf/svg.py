"""A plot of a few lines over a logarithmic axis, as an SVG file that stands alone."""

import math
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 36, 44, 52
COLOURS = ["#1f6feb", "#d1480f", "#1a7f37", "#8250df"]


def _nice_step(highest):
    rough = highest / 5
    power = 10 ** math.floor(math.log10(rough))
    return next(power * step for step in (1, 2, 5, 10) if rough <= power * step)


class _Axes:
    def __init__(self, lines):
        xs = [x for points in lines.values() for x, _ in points]
        ys = [y for points in lines.values() for _, y in points]
        self._low = math.floor(math.log10(min(xs)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(xs))))
        self.step = _nice_step(max(ys))
        self.top = self.step * math.ceil(max(ys) * 1.05 / self.step)

    def x(self, value):
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def decades(self):
        return [10**power for power in range(self._low, self._high + 1)]


def _text(x, y, words, anchor="middle", colour="#57606a"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(words)}</text>")


def _grid(axes, x_label, y_label):
    parts = []
    for decade in axes.decades():
        at = axes.x(decade)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#d8dee4"/>')
        parts.append(_text(at, HEIGHT - BOTTOM + 18, f"{decade:,}"))
    for i in range(round(axes.top / axes.step) + 1):
        at = axes.y(i * axes.step)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#d8dee4"/>')
        parts.append(_text(LEFT - 8, at + 4, f"{i * axes.step:g}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label))
    parts.append(_text(LEFT - 48, TOP - 12, y_label, "start"))
    return parts


def write(path, title, x_label, y_label, lines):
    """`lines` is {name: [(x, y), …]}; x is positive, y starts at 0."""
    axes = _Axes(lines)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="system-ui, sans-serif" font-size="12">',
             '<rect width="100%" height="100%" fill="white"/>',
             f'<text x="{LEFT - 48}" y="18" font-size="14" font-weight="600">{escape(title)}</text>',
             *_grid(axes, x_label, y_label)]
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dots = [(axes.x(x), axes.y(y)) for x, y in sorted(points)]
        path_text = "L".join(f"{x:.1f} {y:.1f}" for x, y in dots)
        parts.append(f'<path d="M{path_text}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in dots]
        parts.append(_text(WIDTH - RIGHT, TOP - 12 - 16 * (len(lines) - 1 - number), name, "end",
                           colour))
    parts.append("</svg>\n")
    Path(path).write_text("\n".join(parts), encoding="utf-8")
