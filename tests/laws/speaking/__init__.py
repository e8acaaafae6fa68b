"""Conversations in which an agent speaks and is cut off, and what must hold in all of them."""
