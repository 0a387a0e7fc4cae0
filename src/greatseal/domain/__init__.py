"""The rooms: one noun of the trade each, ordered (see ARCHITECTURE.md), without knowledge of any wire.

Verbs that take a `Tx` first join the caller's transaction; verbs that do not, open their own.
"""
