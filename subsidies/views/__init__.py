"""Pages of the benefits, one module a part."""
