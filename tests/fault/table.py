# SPDX-License-Identifier: MIT
"""The outcome of a sweep, for people."""

import dataclasses

from fault.case import DONE, KILLED, MISSED, REFUSED
from fault.inject import ERRORS

KINDS = (*ERRORS, "short", "kill", "power cut")
HEAD = """\
Each cell counts injections: those after which the operation went on + those after which it refused,
with its reason; at a kill or a power cut it does neither. "same key" is what a restart with nothing in
the way came to: the key that the node had, or where there was none to have, the refusal to make another.
"lost" is everything else.
"""


def kind_of(fault):
    if fault.what in ("cut", "commit"):
        return "power cut"
    return "kill" if fault.ends_process else fault.what


@dataclasses.dataclass
class Cell:
    """Injections of one kind into one scenario; those that missed are none."""

    ended: dict = dataclasses.field(default_factory=lambda: {DONE: 0, REFUSED: 0, KILLED: 0})
    lost: int = 0

    count = property(lambda self: sum(self.ended.values()))

    def add(self, outcome):
        if outcome.ended == MISSED:
            return
        self.ended[outcome.ended] += 1
        self.lost += bool(outcome.problem)

    def text(self):
        if not self.count:
            return "-"
        if self.ended[DONE] + self.ended[REFUSED] == 0 or self.ended[KILLED]:
            return str(self.count)
        return f"{self.ended[DONE]}+{self.ended[REFUSED]}"


class Table:
    """What came of every injection so far."""

    def __init__(self):
        self.cells = {}

    def add(self, scenario, fault, outcome):
        row = self.cells.setdefault(scenario.name, {kind: Cell() for kind in KINDS})
        row[kind_of(fault)].add(outcome)

    count = property(lambda self: sum(cell.count for cell in self._all()))
    lost = property(lambda self: sum(cell.lost for cell in self._all()))

    def _all(self):
        return [cell for row in self.cells.values() for cell in row.values()]

    def _rows(self):
        yield ["scenario", *KINDS, "injections", "same key", "lost"]
        for name, row in self.cells.items():
            yield [name, *(row[kind].text() for kind in KINDS), *_sums(row.values())]
        columns = [sum(row[kind].count for row in self.cells.values()) for kind in KINDS]
        yield ["all", *map(str, columns), *_sums(self._all())]

    def text(self):
        rows = list(self._rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths))) for row in rows]
        return "\n".join([HEAD, *lines])


def _sums(cells):
    cells = list(cells)
    count, lost = sum(cell.count for cell in cells), sum(cell.lost for cell in cells)
    return [str(count), str(count - lost), str(lost)]
