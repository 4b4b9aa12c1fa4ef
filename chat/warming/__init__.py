"""Asking in advance what is asked again and again, so that whoever asks next need not wait."""
