"""The tables of the queues room."""
