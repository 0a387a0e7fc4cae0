"""The SQL of the organizations room, one module a noun."""
