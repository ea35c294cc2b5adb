"""Small changes of Swift text, one at a time: what a slip of the hand could have written instead."""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    path: str
    start: int
    end: int
    replacement: str
    kind: str

    def apply(self, text):
        return text[: self.start] + self.replacement + text[self.end :]

    def lines(self, text):
        """Number of the first line that it touches, what stands there, and what would."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        old = text[first:last]
        new = text[first : self.start] + self.replacement + text[self.end : last]
        return text.count("\n", 0, first) + 1, old, new


SWAPS = {
    "comparison": {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " == ": " != ", " != ": " == "},
    "arithmetic": {" + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " += ": " -= ", " -= ": " += "},
    "logic": {" && ": " || ", " || ": " && "},
    "range": {"..<": "...", "...": "..<"},
    "bound": {"min(": "max(", "max(": "min("},
    "truth": {"true": "false", "false": "true"},
}
TERM = re.compile(r" [-+*/] [\w.!]+(\([^()\n]*\)|\[[^\[\]\n]*\])?(?= *[-+,)\n])")
WHOLE = re.compile(r"(?<![\w.$])\d+(?![\w.])|(?<=\.\.<)\d+(?![\w.])")
DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
CONDITION = re.compile(r"\b(if|guard|while) ([^{},\n]+?)(?= (\{|else \{))")
STATEMENT = re.compile(r"^ +(?!return|let|var|case|default|throw|try|init|super|func|static|private|package|public|for|if|guard|while|else|self|\.)"
                       r"[\w.!\[\]]+( [-+*/]?= |\()", re.MULTILINE)
# What only catches errors of the program itself, says something to people, or only makes it faster.
SKIPPED = re.compile(r"\b(precondition|fatalError|assert|preconditionFailure|description|reason:|import|@available|#if|reserveCapacity|"
                     r"keepingCapacity|concurrentPerform)\b")


def masked(text):
    """The text with blanks for every comment and string, so that positions stay."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|""".*?"""|"(\\\(([^()"]|\([^()]*\)|"[^"\n]*")*\)|\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def statement_end(code, start):
    """End of the line on which every bracket that was opened since `start` is closed again."""
    depth = 0
    for index in range(start, len(code)):
        if code[index] in "([{":
            depth += 1
        elif code[index] in ")]}":
            depth -= 1
        elif code[index] == "\n" and depth == 0:
            # A trailing closure or a chained call goes on.
            return None if re.match(r"\s*[.?&|+*/-]", code[index + 1 :]) else index
        if depth < 0:
            return None
    return None


def mutants(path, text):
    """Every mutant of a file, in the order of the text."""
    code = masked(text)
    found = []

    def add(start, end, replacement, kind):
        line = code[code.rfind("\n", 0, start) + 1 : code.find("\n", start)]
        if not SKIPPED.search(line) and text[start:end] != replacement:
            found.append(Mutant(path, start, end, replacement, kind))

    for kind, table in SWAPS.items():
        for old, new in table.items():
            word = r"\b" if old[0].isalpha() else ""
            after = r"\b" if old[-1].isalpha() else ""
            for match in re.finditer(word + re.escape(old) + after, code):
                if kind != "range" or is_infix(code, match):
                    add(match.start(), match.end(), new, kind)
    for match in TERM.finditer(code):
        add(match.start(), match.end(), "", "term")
    for match in WHOLE.finditer(code):
        value = int(match.group())
        add(match.start(), match.end(), str(value + 1), "constant")
        if value == 1:
            add(match.start(), match.end(), "0", "constant")
    for match in DECIMAL.finditer(code):
        add(match.start(), match.end(), str(2 * float(match.group()) or 1.0), "constant")
    for match in CONDITION.finditer(code):
        if not re.match(r"(let|var|case|try|#)\b", match.group(2)):
            add(match.start(2), match.end(2), f"!({match.group(2)})", "negation")
    for match in STATEMENT.finditer(code):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        end = statement_end(code, start)
        before = code[: match.start()].rstrip()
        if end and before[-1:] in "{};)\"'" + "abcdefghijklmnopqrstuvwxyz0123456789]":
            add(start, end, "", "statement")
    return sorted(set(found), key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


def is_infix(code, match):
    """Whether a range has both its ends; `0...` cannot be half-open, nor can a list of arguments."""
    before, after = code[match.start() - 1], code[match.end() : match.end() + 1]
    return bool(re.match(r"[\w)\]]", before) and re.match(r"[\w(.]", after))
