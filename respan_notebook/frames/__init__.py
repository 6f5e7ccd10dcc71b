"""Read log ids, context and cells out of a frame."""
