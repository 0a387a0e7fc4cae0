"""The paths of tiles (c2sp.org/static-ct-api): `tile/<level>/<number>[.p/<width>]`, numbers in threes. Pure."""

import re

from greatseal.crypto.tiles import TILE_WIDTH

_TILE = re.compile(r"tile/(data|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def tile_number(number: int) -> str:
    """1234067 is `x001/x234/067`."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.append(f"x{number % 1000:03d}")
    return "/".join(reversed(groups))


def read_tile_path(path: str) -> tuple[int | None, int, int] | None:
    """Level (None for entries), number and width of a tile; None for what is not the path of one."""
    found = _TILE.fullmatch(path)
    if found is None:
        return None
    number = int(found[2].replace("/", "").replace("x", ""))
    width = int(found[3]) if found[3] else TILE_WIDTH
    if tile_number(number) != found[2] or (found[3] and width >= TILE_WIDTH):
        return None
    return None if found[1] == "data" else int(found[1]), number, width
