"""Shared words of every stratum: errors, time, randomness, names of things.

The kernel imports nothing of Greatseal and does no I/O; it is the only place where
time and randomness are read (`clock`, `entropy`).
"""
