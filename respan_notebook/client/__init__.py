"""Speak the Respan API over HTTP."""
