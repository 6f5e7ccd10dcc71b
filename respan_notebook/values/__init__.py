"""Validate raw cells and turn them into score values and back."""

from respan_notebook.values.encoding import decode, encoder

__all__ = ["decode", "encoder"]
