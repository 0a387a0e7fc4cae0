"""The tables of the room and the statements on them."""
