# SPDX-License-Identifier: MIT
"""The tables of a run, for people: as text and as Markdown."""

import dataclasses

from measure import NO_INIT

INTRODUCTION = """\
# wgmesh-init beside other inits

Made by `make bench-init`, in one run on one machine; run it on yours, since all numbers depend on the
machine. Values are medians unless they say otherwise, of every run that was made: none is dropped. All
candidates have the same conditions: PID 1 of a new PID namespace, the same static program, standard
descriptors on /dev/null, and their turn in every round, in an order that changes from round to round.

`wgmesh-init` is `wgmesh-init --state-dir=none -- PROGRAM`: a supervisor with a restart policy, without
state. `wgmesh-init once` is the same with `--restart=never`: a plain wrapper, as the others are. `no init`
is the program as PID 1 itself. The last column is the value of these two, each divided by that of the
best other init, and says who is ahead; a tie is within 2 %.
"""

PHASES = """\
## What the checks cost

With all its checks on, wgmesh-init looks at the state directory before it starts anything. Medians of
starts with a clean state directory on a volume of its own, from the `duration_ms` of its log lines, with
`wgmesh-init --log-format=json -- PROGRAM`.
"""


@dataclasses.dataclass
class Result:
    """facts: name and value; ours: names of our candidates; rows: measure.Row; costs: phases.measure()"""

    facts: list
    names: list
    ours: tuple
    rows: list
    costs: list

    def _heading(self):
        return ["", NO_INIT, *self.names, "against the best"]

    def _cells(self, row):
        values = [row.values.get(name) for name in (NO_INIT, *self.names)]
        unit = f" ({row.unit})" if row.unit else ""
        return [row.name + unit, *map(_number, values), self._verdict(row)]

    def _verdict(self, row):
        """Both of ours against the best of the others."""
        others = [row.values[name] for name in self.names if name not in self.ours]
        own = [row.values[name] for name in self.names if name in self.ours]
        if not others or not own:
            return ""
        best = max(others) if row.more_is_better else min(others)
        return ", ".join(_compare(value, best, row.more_is_better) for value in own)

    def text(self):
        heads = [f"{name}: {value}" for name, value in self.facts]
        table = _aligned([self._heading(), *map(self._cells, self.rows)])
        costs = _aligned([["phase", "ms", ""], *([name, f"{ms:.3f}", how] for name, ms, how in self.costs)])
        return "\n".join([*heads, "", *table, "", *costs])

    def markdown(self):
        lines = [INTRODUCTION, *(f"- {name}: {value}" for name, value in self.facts), ""]
        lines += markdown([self._heading(), *map(self._cells, self.rows)])
        lines += ["", "How each line is measured:", ""]
        lines += [f"- **{row.name}**: {row.how}." for row in self.rows]
        lines += ["", PHASES]
        lines += markdown([["", "ms", ""], *([name, f"{ms:.3f}", how] for name, ms, how in self.costs)])
        return "\n".join(lines) + "\n"


def _number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.1f}"


def _compare(value, best, more_is_better):
    if value == best:
        return "tie"
    if best <= 0:
        return "behind" if value > best else "ahead"
    ratio = value / best
    if abs(ratio - 1) < 0.02:
        word = "tie"
    else:
        word = "ahead" if (ratio > 1) == more_is_better else "behind"
    return f"{ratio:.2f} {word}"


def _aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) if i in (0, len(row) - 1) else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def markdown(rows):
    """Lines of a table, the first row being its heading."""
    rule = ["---"] + ["---:"] * (len(rows[0]) - 2) + ["---"]
    return [f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]]]
