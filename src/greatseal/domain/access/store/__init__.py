"""The SQL of the access room: `tables` for all of it, `reading` for what authorization loads, and one file a noun."""
