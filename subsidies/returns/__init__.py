"""Figures of the rolls and the returns made of them."""
