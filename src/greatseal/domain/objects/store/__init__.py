"""The tables of the objects room: buckets, and the versions of objects."""
