"""One process of one service: its API, its worker, its migrations; what every image runs."""
