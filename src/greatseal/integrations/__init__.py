"""Outward adapters of the rooms' ports: what talks to files, devices and networks outside of the database."""
