"""Doors that are not the AWS wire: for now health."""
