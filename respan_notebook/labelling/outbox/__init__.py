"""Store labels on disk and deliver them to Respan."""
