"""Invented people: the township of lubiao-2018, and townships of any size."""
