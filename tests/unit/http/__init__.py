"""HTTP below the routes: connections, headers, keys."""
