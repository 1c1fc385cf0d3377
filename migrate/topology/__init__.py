"""What the new bus will have, what it has, and whether it routes as the legacy bus did."""
