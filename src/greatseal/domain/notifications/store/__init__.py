"""The tables of the notifications room."""
