"""Texts with wildcards, and a matcher that cannot be made to backtrack.

A pattern is a sequence of tokens: literal text, `STAR` (any characters) or `ANY` (one character). The
text between two stars is placed at its leftmost fit, and the piece after the last star at the end; that is
complete for this language, and the cost is at most (length of pattern) x (length of text). A regular
expression made of `.*` would take time exponential in the number of stars (an attacker writes the pattern).
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum


class Wild(Enum):
    """A wildcard of a pattern."""

    STAR = "*"
    ANY = "?"


Token = str | Wild
Tokens = tuple[Token, ...]
Matcher = Callable[[str], bool]

_WILD: dict[str, Wild] = {"*": Wild.STAR, "?": Wild.ANY}


def tokens_of(text: str) -> Tokens:
    """The tokens of a text in which every `*` and `?` is a wildcard."""
    tokens: list[Token] = []
    literal = ""
    for character in text:
        wild = _WILD.get(character)
        if wild is None:
            literal += character
            continue
        if literal:
            tokens.append(literal)
            literal = ""
        tokens.append(wild)
    if literal:
        tokens.append(literal)
    return tuple(tokens)


def text_of(tokens: Iterable[Token]) -> str:
    """The tokens as text, for operators to which a star is a star."""
    return "".join(token if isinstance(token, str) else token.value for token in tokens)


def matcher(tokens: Sequence[Token]) -> Matcher:
    """A function that says whether a whole text fits the pattern. Case matters."""
    pieces = _pieces(tokens)
    if not any(_has_any(piece) for piece in pieces):
        return _literal_matcher([text_of(piece) for piece in pieces])
    return _general_matcher([_Piece(piece) for piece in pieces])


def _pieces(tokens: Sequence[Token]) -> list[list[Token]]:
    """What stands between the stars; one piece when there is no star."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token is Wild.STAR:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def _has_any(piece: Sequence[Token]) -> bool:
    return Wild.ANY in piece


def _literal_matcher(pieces: list[str]) -> Matcher:
    head, *middle, tail = pieces if len(pieces) > 1 else [pieces[0], ""]
    if len(pieces) == 1:
        return head.__eq__
    middle = [piece for piece in middle if piece]
    if not middle and not tail:
        # `*` and `prefix*` are nearly all patterns that people write.
        return (lambda text: text.startswith(head)) if head else (lambda _text: True)
    shortest = sum(map(len, pieces))

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(head) or not text.endswith(tail):
            return False
        at, end = len(head), len(text) - len(tail)
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return matches


class _Piece:
    """Literal runs at fixed offsets, with single characters of any kind between them."""

    __slots__ = ("length", "runs")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.runs: list[tuple[int, str]] = []
        self.length = 0
        for token in tokens:
            if isinstance(token, str):
                self.runs.append((self.length, token))
            self.length += len(token) if isinstance(token, str) else 1

    def fits(self, text: str, at: int) -> bool:
        """Whether the piece fits at this position; the caller has checked that the text is long enough."""
        return all(text.startswith(literal, at + offset) for offset, literal in self.runs)

    def find(self, text: str, at: int, end: int) -> int:
        """The leftmost fit between `at` and `end`, or -1."""
        return next((start for start in range(at, end - self.length + 1) if self.fits(text, start)), -1)


def _general_matcher(pieces: list[_Piece]) -> Matcher:
    head, *rest = pieces
    shortest = sum(piece.length for piece in pieces)
    if not rest:
        return lambda text: len(text) == shortest and head.fits(text, 0)
    *middle, tail = rest

    def matches(text: str) -> bool:
        if len(text) < shortest or not head.fits(text, 0):
            return False
        at, end = head.length, len(text) - tail.length
        for piece in middle:
            found = piece.find(text, at, end)
            if found < 0:
                return False
            at = found + piece.length
        return tail.fits(text, end)

    return matches
