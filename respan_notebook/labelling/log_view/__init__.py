"""Render a log as safe HTML."""
