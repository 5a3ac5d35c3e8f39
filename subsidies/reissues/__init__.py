"""Payments that failed: why, what the village mends, and paying them again."""
