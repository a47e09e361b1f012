# SPDX-License-Identifier: MIT
"""What a person sees: a terminal's screen, kept up to date from what is written to it."""

import re

# What our programs may use: cursor home, clear to the end of the line or screen, colours.
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Screen:
    """Rows of characters and a cursor; refuses every sequence that it does not know."""

    def __init__(self, rows, columns):
        self.size = (rows, columns)
        self._rest = ""
        self._row = self._column = 0
        self._cells = [[" "] * columns for _ in range(rows)]
        self.scrolled = 0

    def lines(self):
        """The rows without the blanks at their ends, down to the last that has anything."""
        shown = ["".join(row).rstrip() for row in self._cells]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def text(self):
        return "\n".join(self.lines())

    @property
    def cursor(self):
        return self._row, self._column

    def write(self, text):
        """Take what was written to the terminal; a sequence may come in two halves."""
        text = self._rest + text
        self._rest = ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = SEQUENCE.match(text, at)
                if not match and len(text) - at < 24:
                    self._rest = text[at:]
                    return
                assert match, repr(text[at:at + 10])
                self._obey(match[1], match[2])
                at = match.end()
            else:
                self._put(text[at])
                at += 1

    def _obey(self, numbers, letter):
        if letter == "m":
            return
        assert letter in "HJK" and numbers == "", f"ESC[{numbers}{letter}"
        if letter == "H":
            self._row = self._column = 0
            return
        columns = self.size[1]
        self._cells[self._row][self._column:] = [" "] * (columns - min(self._column, columns))
        if letter == "J":
            for row in range(self._row + 1, self.size[0]):
                self._cells[row] = [" "] * columns

    def _put(self, character):
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._feed()
        else:
            assert character.isprintable(), repr(character)
            # The line wraps only when there is more to show, as on real terminals.
            if self._column == self.size[1]:
                self._column = 0
                self._feed()
            self._cells[self._row][self._column] = character
            self._column += 1

    def _feed(self):
        if self._row + 1 < self.size[0]:
            self._row += 1
            return
        self.scrolled += 1
        self._cells.pop(0)
        self._cells.append([" "] * self.size[1])
