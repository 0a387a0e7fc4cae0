"""The tables of the sharing room."""
