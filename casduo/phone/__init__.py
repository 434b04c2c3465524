"""Cisco IP phones: what they can show, how they are told from each other, and what is kept about them."""
