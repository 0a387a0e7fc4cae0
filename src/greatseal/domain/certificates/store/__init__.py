"""The tables of the inventory, and searching them."""
