"""The SQL of the room of events, one module a noun."""
