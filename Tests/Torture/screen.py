"""A terminal small enough to read: carriage return, newline, ESC [2K, [K and [J, wrapping at the right margin."""

import re
import unicodedata

ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


def width_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """What a person sees, row by row from the first; nothing scrolls away."""

    def __init__(self, columns):
        self.columns, self.rows, self.row, self.column = columns, [[]], 0, 0
        self.began = 0  # the row in which the line in progress began
        self.stale = []  # rows of a line that wrapped and was then written over
        self.unknown = []  # escapes and control characters that nobody expects here

    def feed(self, text):
        place = 0
        while place < len(text):
            match = ESCAPE.match(text, place)
            if match:
                self.escape(match)
                place = match.end()
            else:
                self.put(text[place])
                place += 1

    def escape(self, match):
        if match.group(2) == "J" and not match.group(1):
            del self.rows[self.row + 1:], self.rows[self.row][self.column:]
        elif match.group(2) != "K":
            self.unknown.append(match.group(0))
        elif match.group(1) == "2":
            self.rows[self.row] = []
        else:
            del self.rows[self.row][self.column:]

    def put(self, character):
        if character == "\n":
            self.row, self.column = self.row + 1, 0
            self.rows.append([])
            self.began = self.row
        elif character == "\r":
            if self.row > self.began:
                self.stale.append("".join(self.rows[self.began]))
            self.began, self.column = self.row, 0
        elif ord(character) < 32 or character == "\x7f":
            self.unknown.append(repr(character))
        else:
            self.write(character, width_of(character))

    def write(self, character, width):
        if self.column + width > self.columns:
            self.row, self.column = self.row + 1, 0
            self.rows.append([])
        row = self.rows[self.row]
        while len(row) <= self.column:
            row.append(" ")
        row[self.column] = character
        self.column += width

    def text(self):
        return ["".join(row).rstrip() for row in self.rows]
