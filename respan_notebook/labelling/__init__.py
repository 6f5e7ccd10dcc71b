"""Label logs in the notebook."""
