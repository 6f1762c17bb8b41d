"""The pictures of the report: SVG by Matplotlib, small enough to stand in the page itself.

Only dates, numbers and our own names of models are written into them; names from data stand in the page. Each is drawn
for a desktop's width and for a phone's, so that its text has a readable size on both. Not here: the page (page.py).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from heap_assets.report.words import count, model_name

WIDTHS = {"wide": 1040, "narrow": 360}
COLOURS = (
    *("#3b6fd4", "#e08a3c", "#4ba26b", "#c9577b", "#8a6fc0", "#c8a82d"),
    *("#3aa3ad", "#9a7055", "#7d8796", "#d46a5f", "#5f8f3d", "#b7bcc6"),
)
SESSIONS_COLOUR, USERS_COLOUR = COLOURS[0], COLOURS[1]
_INK, _GRID = "#5b6472", "#e4e7ec"
_DOTS = 72  # points and pixels are the same
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "heap_assets",  # the same figures make the same page
    "font.family": "sans-serif",
    "font.size": 12,
    "text.parse_math": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.edgecolor": _GRID,
}
_NOTHING = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def days_picture(days: Sequence[date], sessions: Sequence[int], users: Sequence[int], *, width: int) -> str:
    """Return sessions and users per day as lines over time."""
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(width, 240)
        numbers = date2num(days)
        for values, colour in ((sessions, SESSIONS_COLOUR), (users, USERS_COLOUR)):
            axes.plot(numbers, values, color=colour, linewidth=2, marker="o" if len(days) == 1 else None)
        axes.fill_between(numbers, sessions, color=SESSIONS_COLOUR, alpha=0.10, linewidth=0)
        locator = AutoDateLocator(minticks=3, maxticks=8 if width > WIDTHS["narrow"] else 4)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(DateFormatter("%d %b"))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        axes.grid(axis="y", color=_GRID, linewidth=1)
        return _svg(figure)


def attribution_picture(channels: Mapping[str, Mapping[str, float]], models: Sequence[str], *, width: int) -> str:
    """Return one bar per model, cut into the shares of the channels in their order."""
    with mpl.rc_context(_STYLE):
        figure, axes = _canvas(width, 40 + 34 * len(models))
        places = range(len(models))
        totals = [sum(by_model[model] for by_model in channels.values()) or 1.0 for model in models]
        left = [0.0] * len(models)
        for by_model, colour in zip(channels.values(), COLOURS, strict=False):
            shares = [by_model[model] / total for model, total in zip(models, totals, strict=True)]
            axes.barh(places, shares, left=left, color=colour, height=0.7, edgecolor="white", linewidth=1)
            left = [start + part for start, part in zip(left, shares, strict=True)]
        axes.set_yticks(list(places), [model_name(model) for model in models])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.tick_params(axis="both", length=0)
        return _svg(figure)


def _canvas(width: int, height: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width / _DOTS, height / _DOTS), dpi=_DOTS, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """Return the picture alone: without prolog, metadata and fixed size, so that it fits the column it stands in."""
    written = StringIO()
    figure.savefig(written, format="svg", metadata=_NOTHING)
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    opened, rest = text.split(">", 1)
    return re.sub(r' (width|height)="[^"]*"', "", opened) + ">" + rest
