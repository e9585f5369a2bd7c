"""A chart of outcome measures as SVG or PNG: equal input gives equal bytes.

matplotlib's objects are used one figure at a time and without ``pyplot``, which keeps figures of its own
(https://matplotlib.org/stable/gallery/user_interfaces/web_application_server_sgskip.html). Bands are told apart by
their names and shades of one grey, events by numbers: nothing depends on colours alone.
"""

import io
from typing import Any
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from services.careplans.domain.measures.chart import TITLE, Chart, Row, described
from services.careplans.domain.measures.measure import Direction

_FIXED: dict[Any, Any] = {
    "svg.hashsalt": "consilium",  # ids of elements would be random
    "svg.fonttype": "none",  # text stays text, to be read aloud and searched
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "timezone": "UTC",
}
_NO_MARKS = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
"""What says when, and by which version, is left out."""
_WIDTH, _HEIGHT, _FOOT, _DPI = 9.0, 2.3, 1.0, 110.0
"""Inches: of the figure, of each row, of what stands below; dots to an inch."""
_MOST_EVENTS = 40
_LINE, _TARGET, _EVENT = "#1b4f72", "#7b241c", "#555555"


def draw(chart: Chart, form: str) -> bytes:
    """``chart`` as ``svg`` or ``png``. Not for two threads at a time: matplotlib's settings belong to the process."""
    with matplotlib.rc_context(_FIXED):
        figure = _figure(chart)
        out = io.BytesIO()
        if form == "svg":
            FigureCanvasSVG(figure).print_svg(out, metadata=_NO_MARKS["svg"])
            return _readable(out.getvalue().decode(), described(chart)).encode()
        about = {"Title": TITLE, "Description": described(chart).encode("ascii", "replace").decode()}
        FigureCanvasAgg(figure).print_png(out, metadata=_NO_MARKS["png"] | about)
        return out.getvalue()


def _figure(chart: Chart) -> Figure:
    rows = chart.rows or (None,)
    events = chart.events[:_MOST_EVENTS]
    foot = _FOOT + 0.16 * ((len(events) + 1) // 2)
    height = _HEIGHT * len(rows) + foot
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    figure.subplots_adjust(left=0.07, right=0.82, top=1 - 0.35 / height, bottom=foot / height, hspace=0.35)
    for place, (axis, row) in enumerate(zip(axes, rows, strict=True)):
        if row is None:
            axis.text(0.5, 0.5, "No scores in this time.", ha="center", va="center", transform=axis.transAxes)
            axis.set_yticks([])
        else:
            _row(axis, row)
        _events(axis, chart, numbered=place == 0)
    _time(axes[-1], chart)
    half = (len(events) + 1) // 2
    for column, part in enumerate((events[:half], events[half:])):
        text = "\n".join(f"{number}  {event}" for number, event in enumerate(part, start=1 + column * half))
        figure.text(0.07 + 0.45 * column, 0.08 / height, text, va="bottom", color=_EVENT, fontsize=8)
    return figure


def _row(axis: Axes, row: Row) -> None:
    measure = row.measure
    low, high = float(measure.low), float(measure.high)
    axis.set_title(measure.title, loc="left", fontsize=9, pad=12)
    axis.set_ylim(low, high)
    starts = [float(band.start) for band in measure.bands]
    for place, (band, start) in enumerate(zip(measure.bands, starts, strict=True)):
        end = starts[place + 1] if place + 1 < len(starts) else high
        worse = place if measure.direction is Direction.LOWER else len(starts) - 1 - place
        axis.axhspan(start, end, facecolor=str(0.97 - 0.05 * worse), zorder=0)
        name = band.code.replace("-", " ")
        axis.text(1.01, (start + end) / 2, name, transform=_beside(axis), va="center", fontsize=7)
    if row.target is not None:
        axis.axhline(row.target, color=_TARGET, linestyle="--", linewidth=1)
        end_of_line = {"xycoords": _beside(axis), "ha": "right", "va": "bottom"}
        axis.annotate("target", (1, row.target), color=_TARGET, fontsize=7, **end_of_line)
    at = [float(date2num(point.at)) for point in row.points]
    axis.plot(at, [float(point.value) for point in row.points], color=_LINE, marker="o", markersize=4, linewidth=1.5)


def _beside(axis: Axes) -> Any:
    """x along the row's width, y on its scale."""
    return axis.get_yaxis_transform()


def _events(axis: Axes, chart: Chart, *, numbered: bool) -> None:
    for number, event in enumerate(chart.events[:_MOST_EVENTS], start=1):
        at = float(date2num(event.at))
        axis.axvline(at, color=_EVENT, linestyle=":", linewidth=1)
        if numbered:
            axis.annotate(
                str(number),
                (at, 1.0),
                xycoords=axis.get_xaxis_transform(),
                xytext=(0, 1),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=7,
                color=_EVENT,
            )


def _time(axis: Axes, chart: Chart) -> None:
    moments = [point.at for row in chart.rows for point in row.points] + [event.at for event in chart.events]
    start, end = chart.start or min(moments, default=None), chart.end or max(moments, default=None)
    if start is None or end is None:
        axis.set_xticks([])
        return
    first, last = float(date2num(start)), float(date2num(end))
    room = max((last - first) * 0.03, 1.0)
    axis.set_xlim(first - room, last + room)
    locator = AutoDateLocator(minticks=3, maxticks=8)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _readable(svg: str, description: str) -> str:
    """``svg`` with a title and a description (https://www.w3.org/TR/SVG11/struct.html#DescriptionAndTitleElements)."""
    begin = svg.index("<svg")
    end = svg.index(">", begin)
    named = ' role="img" aria-labelledby="chart-title chart-desc"'
    told = f'<title id="chart-title">{escape(TITLE)}</title><desc id="chart-desc">{escape(description)}</desc>'
    return f"{svg[:end]}{named}>\n {told}{svg[end + 1 :]}"
