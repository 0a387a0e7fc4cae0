"""The tables of the room: findings, and which accounts have a hub."""
