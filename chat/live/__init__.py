"""The socket and the event stream: what a browser is told while it happens."""
