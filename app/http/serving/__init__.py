"""The server itself: sockets, connections, who is let in, and a stop that loses nothing."""
