"""Policies: the shipped catalogue, and what a county changed of it."""
