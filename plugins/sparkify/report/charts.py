"""Describes each chart in Vega-Lite, with named axes."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

import altair as alt

from sparkify.report.palette import light
from sparkify.report.questions import Question
from sparkify.report.wording import printable

Rows = Sequence[Mapping[str, Any]]
# Charts and layers of charts, whose common type in Altair lacks what they have in common.
Drawing = Any
# What is legible on a phone, and not huge on a desk.
WIDTH, HEIGHT, BAR_STEP = 380, 210, 22
# More columns than this are a curve to the eye.
MOST_COLUMNS = 70
MOST_DAYS_NAMED = 6
# More bars than these nobody reads; more days, or longer texts, take the renderer minutes.
MOST_BARS = 100
MOST_DAYS = 10_000
MOST_CHARACTERS = 500
SHORTENED_FROM = 10_000
UNKNOWN = "unknown"
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": light("line"),
        "gridColor": light("line"),
        "tickColor": light("line"),
        "labelColor": light("muted"),
        "titleColor": light("muted"),
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    # Above its labels, to be read without turning one's head.
    "axisY": {"titleAngle": 0, "titleAlign": "left", "titleBaseline": "bottom", "titleX": -34, "titleY": -8},
    "axisYDiscrete": {"titleAlign": "right", "titleX": -5},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": light("ink"),
        "labelFontSize": 12,
        "symbolType": "square",
        "columnPadding": 28,
        "offset": 26,
    },
    "text": {"color": light("ink"), "fontSize": 12},
    # The page says in words what a chart shows, and has its numbers in a table.
    "aria": False,
}


def chart_of(question: Question, rows: Rows) -> dict[str, Any]:
    """The chart of an answer of at least one row. What it draws is bounded, whatever the rows hold."""
    draw = CHARTS.get(question.name)
    chart = draw(rows) if draw else in_order(rows, next(iter(rows[0])), question.bar)
    chart = chart.properties(width=WIDTH, autosize=alt.AutoSizeParams(type="fit", contains="padding"), config=CONFIG)
    drawn: dict[str, Any] = chart.to_dict()
    return drawn


def by_day(rows: Rows) -> Drawing:
    near = _near(rows, ("plays",))
    days = _every_day(near, {"plays": 0})
    x = _days(days, "Day (UTC)" + _left_out(rows, near))
    chart = alt.Chart(_data(days, "plays"), height=HEIGHT).encode(x=x, y=_amount("plays", "Plays", days))
    if len(days) > MOST_COLUMNS:
        return chart.mark_area(line={"color": light("bar"), "strokeWidth": 1.5}, color=light("soft"))
    return chart.mark_bar().encode(color=_highlight())


def by_hour(rows: Rows) -> Drawing:
    plays = dict.fromkeys(range(24), 0) | {row["hour"]: row["plays"] for row in rows}
    hours = [{"hour": hour, "plays": count} for hour, count in plays.items()]
    axis = alt.Axis(labelAngle=0, values=list(range(0, 24, 3)), title="Hour of the day (UTC)")
    return _columns(hours, alt.X("hour:O", axis=axis), "plays", "Plays")


def by_weekday(rows: Rows) -> Drawing:
    plays = dict.fromkeys(calendar.day_name, 0) | {row["weekday"]: row["plays"] for row in rows}
    days = [{"weekday": name[:3], "plays": count} for name, count in plays.items()]
    axis = alt.Axis(labelAngle=0, title="Day of the week (UTC)")
    return _columns(days, alt.X("weekday:N", sort=None, axis=axis), "plays", "Plays")


def busiest_hours(rows: Rows) -> Drawing:
    named = [{"hour": f"{row['starts_at']:%a %-d %b, %H:%M}", "plays": row["plays"]} for row in rows]
    return _bars(named, "hour", "plays", "Hour (UTC)", "Plays")


def level_and_gender(rows: Rows) -> Drawing:
    genders = {"F": "women", "M": "men"}
    named = [
        {
            "level": row["level"] or UNKNOWN,
            "gender": genders.get(row["gender"], UNKNOWN),
            "plays": row["plays"],
        }
        for row in rows
    ]
    y = alt.Y("level:N", sort=None, axis=alt.Axis(title="Level", labelColor=light("ink"), ticks=False, domain=False))
    x = alt.X(
        "plays:Q",
        axis=alt.Axis(title="Plays", format=_format(row["plays"] for row in rows), tickCount=5, tickMinStep=1),
    )
    colour = _told_apart("gender", {"women": "bar", "men": "other", UNKNOWN: "rest"}, named)
    chart = alt.Chart(_data(named), height=alt.Step(54)).mark_bar()
    return chart.encode(x=x, y=y, color=colour, order=alt.Order("gender:N", sort="descending"))


def level_changes(rows: Rows) -> Drawing:
    near = _near(rows, ("upgrades", "downgrades"))
    days = _every_day(near, {"upgrades": 0, "downgrades": 0})
    without = _left_out(rows, near)
    by_month = len(days) > MOST_COLUMNS
    turned = [
        {"day": row["day"], "change": change, "users": sign * row[column]}
        for row in (near if by_month else days)
        for change, column, sign in (("to paid", "upgrades", 1), ("to free", "downgrades", -1))
    ]
    title = "Users: to paid above the line, to free below"
    axis = alt.Axis(title=title, tickCount=5, tickMinStep=1, labelExpr="abs(datum.value)")
    y = alt.Y("sum(users):Q" if by_month else "users:Q", axis=axis)
    month, day = f"Month (UTC){without}", f"Day (UTC){without}"
    x = _dates("utcyearmonth", month, "%b %Y") if by_month else _days(days, day)
    colour = _told_apart("change", {"to paid": "bar", "to free": "other"}, turned)
    return alt.Chart(_data(turned), height=HEIGHT).mark_bar().encode(x=x, y=y, color=colour)


def session_length(rows: Rows) -> Drawing:
    named = [{"level": row["level"] or UNKNOWN, "minutes": round(row["median_minutes"] or 0, 1)} for row in rows]
    return _bars(named, "level", "minutes", "Level", "Median length (minutes)", step=54)


def match_rate(rows: Rows) -> Drawing:
    parted = [
        {"month": row["month"], "catalogue": catalogue, "plays": plays}
        for row in rows[-MOST_BARS:]
        for catalogue, plays in (("in the catalogue", row["matched"]), ("not in it", row["plays"] - row["matched"]))
    ]
    month = alt.X("month:O", axis=alt.Axis(labelAngle=0, labelOverlap=True, title="Month (UTC)"))
    colour = _told_apart("catalogue", {"in the catalogue": "bar", "not in it": "rest"}, parted)
    chart = alt.Chart(_data(parted), height=HEIGHT).mark_bar(size=max(2, min(60, 300 // len(rows))))
    return chart.encode(x=month, y=_amount("plays", "Plays", rows), color=colour, order=alt.Order("catalogue:N"))


def browsers(rows: Rows) -> Drawing:
    named = [{"browser": f"{row['browser']}, {row['platform']}", "users": row["users"]} for row in rows[:12]]
    return _bars(named, "browser", "users", "Browser and platform", "Listeners")


def top_artists(rows: Rows) -> Drawing:
    return _bars(rows, "artist", "plays", "Artist", "Plays")


def top_locations(rows: Rows) -> Drawing:
    return _bars(rows, "location", "plays", "Place", "Plays")


def most_played_songs(rows: Rows) -> Drawing:
    named = [{"song": f"{row['title']} · {row['artist']}", "plays": row["plays"]} for row in rows]
    return _bars(named, "song", "plays", "Song and artist", "Plays")


def in_order(rows: Rows, name: str, value: str) -> Drawing:
    """Bars of a column, named by another, for a question that nobody drew a chart for."""
    words = {column: column.replace("_", " ").capitalize() for column in (name, value)}
    return _bars([{name: str(row[name]), value: row[value]} for row in rows], name, value, words[name], words[value])


CHARTS: dict[str, Callable[[Rows], Drawing]] = {
    "browsers": browsers,
    "busiest_hours": busiest_hours,
    "level_changes": level_changes,
    "match_rate": match_rate,
    "most_played_songs": most_played_songs,
    "plays_by_day": by_day,
    "plays_by_hour": by_hour,
    "plays_by_level_and_gender": level_and_gender,
    "plays_by_weekday": by_weekday,
    "session_length": session_length,
    "top_artists": top_artists,
    "top_locations": top_locations,
}


def _columns(rows: Rows, x: alt.X, value: str, value_title: str) -> Drawing:
    chart = alt.Chart(_data(rows, value), height=HEIGHT).mark_bar()
    return chart.encode(x=x, y=_amount(value, value_title, rows), color=_highlight())


def _bars(rows: Rows, name: str, value: str, name_title: str, value_title: str, step: int = BAR_STEP) -> Drawing:
    """One bar a row, in the rows' order, each with its number."""
    rows = rows[:MOST_BARS]
    named = [{**row, name: UNKNOWN if row[name] is None else row[name]} for row in rows]
    names = alt.Axis(title=name_title, labelLimit=165, labelColor=light("ink"), ticks=False, domain=False)
    numbers = alt.Axis(title=value_title, format=_format(row[value] for row in rows), tickCount=5, tickMinStep=1)
    # The numbers stand behind the bars, and need room there.
    room = alt.Scale(domainMax=max(float(row[value]) for row in rows) * 1.15 or 1)
    base = alt.Chart(_data(named, value)).encode(
        x=alt.X(f"{value}:Q", scale=room, axis=numbers), y=alt.Y(f"{name}:N", sort=None, axis=names)
    )
    bars = base.mark_bar().encode(color=_highlight())
    labels = base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{value}:Q", format=","))
    return alt.layer(bars, labels).properties(height=alt.Step(step))


def _amount(column: str, title: str, rows: Rows) -> alt.Y:
    axis = alt.Axis(title=title, format=_format(row[column] for row in rows), tickCount=5, tickMinStep=1)
    return alt.Y(f"{column}:Q", axis=axis)


def _format(values: Iterable[float]) -> str:
    return "~s" if max(values, default=0) >= SHORTENED_FROM else ",d"


def _every_day(rows: Rows, nothing: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """The rows by day, with one for each day between that has none."""
    by_day = {row["day"]: row for row in rows}
    first, last = min(by_day), max(by_day)
    days = (first + timedelta(number) for number in range((last - first).days + 1))
    return [by_day.get(day, {"day": day, **nothing}) for day in days]


def _near(rows: Rows, columns: Sequence[str]) -> Rows:
    """The rows of the days within a span of :data:`MOST_DAYS` that count the most."""
    ordered = sorted(rows, key=lambda row: row["day"])
    counted = [sum(row[column] for column in columns) for row in ordered]
    first = within = most = 0
    best = slice(0, 0)
    for last, row in enumerate(ordered):
        within += counted[last]
        while (row["day"] - ordered[first]["day"]).days >= MOST_DAYS:
            within -= counted[first]
            first += 1
        if within >= most:
            most, best = within, slice(first, last + 1)
    return ordered[best]


def _left_out(rows: Rows, near: Rows) -> str:
    """What an axis says besides, if days are too far from the others to be drawn."""
    return f", without {len(rows) - len(near)} far from these" if len(near) < len(rows) else ""


def _days(days: Rows, title: str) -> alt.X:
    if len(days) > MOST_COLUMNS:
        return _dates("utcyearmonthdate", title, "%-d %b %Y")
    step = -(-len(days) // MOST_DAYS_NAMED)
    named = [row["day"].isoformat() for row in days[::step]]
    label = "utcFormat(utcParse(datum.value, '%Y-%m-%d'), '%-d %b')"
    return alt.X("day:O", axis=alt.Axis(title=title, labelAngle=0, values=named, labelExpr=label))


def _dates(unit: Literal["utcyearmonth", "utcyearmonthdate"], title: str, form: str) -> alt.X:
    # In UTC, wherever the task runs: a date is drawn as its midnight.
    axis = alt.Axis(title=title, labelOverlap=True, labelSeparation=12, grid=False, format=form, tickCount=5)
    return alt.X("day:T", timeUnit=unit, scale=alt.Scale(type="utc"), axis=axis)


def _highlight() -> alt.Color:
    """The largest stand out: they are what the title is about."""
    colours = alt.Scale(domain=[True, False], range=[light("bar"), light("soft")])
    return alt.Color("top:N", scale=colours, legend=None)


def _told_apart(column: str, colours: Mapping[str, str], rows: Rows) -> alt.Color:
    """A colour for each of these values that a row has, and a legend of them."""
    there = [value for value in colours if any(row[column] == value for row in rows)]
    return alt.Color(f"{column}:N", scale=alt.Scale(domain=there, range=[light(colours[value]) for value in there]))


def _data(rows: Rows, value: str = "") -> alt.Data:
    """The rows as Vega-Lite takes them, each with whether it has the largest value."""
    most = max(row[value] for row in rows) if value else None
    plain = [
        {column: _plain(found) for column, found in row.items()} | ({"top": row[value] == most} if value else {})
        for row in rows
    ]
    return alt.Data(values=plain)  # type: ignore[no-untyped-call]


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return printable(value[:MOST_CHARACTERS])
    return float(value) if isinstance(value, Decimal) else value
