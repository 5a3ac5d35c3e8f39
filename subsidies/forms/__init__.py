"""Forms of the benefits, one module a part."""
