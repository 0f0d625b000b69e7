"""Medians of two asked in turn, whether their rows are equal, and what the machine is."""

import datetime
import decimal
import json
import os
import platform
import statistics
import sys
import time


def timed(ask):
    began = time.perf_counter()
    rows = ask()
    return time.perf_counter() - began, rows


def in_turn(asks, runs, warm=1):
    """Asks each in turn, `runs` times after `warm` that do not count; median milliseconds and the last rows of each."""
    times, rows = {name: [] for name in asks}, {}
    for run in range(warm + runs):
        for name, ask in asks.items():
            seconds, rows[name] = timed(ask)
            if run >= warm:
                times[name].append(seconds * 1e3)
    return {name: round(statistics.median(of), 3) for name, of in times.items()}, rows


def difference(ours, theirs):
    """`None` if two results are equal, otherwise the first difference; rows that ORDER BY leaves tied may come in any order.

    A mean or a quotient of decimals is a decimal for one and a double for the other: numbers are equal if they are so to
    nine digits or in all the decimals that the shorter one has."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    for place, (a, b) in enumerate(zip(sorted(ours, key=order), sorted(theirs, key=order))):
        if len(a) != len(b):
            return f"{len(a)} columns, expected {len(b)}"
        for column, (x, y) in enumerate(zip(a, b)):
            if not same(x, y):
                return f"row {place}, column {column}: {x!r}, expected {y!r}"
    return None


def order(row):
    """Text and dates first, so that numbers that differ in the last digit do not change the order."""
    return ([str(plain(v)) for v in row if not is_number(v)], [float(plain(v)) for v in row if is_number(v)])


def is_number(value):
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool)


def plain(value):
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date()
    return value


def same(x, y):
    x, y = plain(x), plain(y)
    if is_number(x) and is_number(y):
        if x == y:
            return True
        least = [-v.as_tuple().exponent for v in (x, y) if isinstance(v, decimal.Decimal)]
        step = 10.0 ** -min(least) if least and not all(isinstance(v, (int, decimal.Decimal)) for v in (x, y)) or len(set(least)) > 1 else 0
        return abs(float(x) - float(y)) <= max(1e-9 * max(abs(float(x)), abs(float(y))), 0.500001 * step)
    return x == y


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


class Report:
    """What a run measured, written anew after every figure."""

    def __init__(self, out, **about):
        self.out = out
        self.content = {"machine": machine(), "command": " ".join(os.path.basename(word) for word in sys.argv), "date": time.strftime("%Y-%m-%d"), "load_before": os.getloadavg(), **about}

    def put(self, **figures):
        self.content.update(figures)
        self.content["load_after"] = os.getloadavg()
        if self.out:
            with open(self.out, "w", encoding="utf-8") as file:
                json.dump(self.content, file, indent=1)
                file.write("\n")
