"""Writes of the benefits: each one transaction that ends in an audit event."""
