"""The tables of the room: our logs, and what is known of others."""
