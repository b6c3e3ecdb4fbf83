"""Reading real answers, to find where a server's schema is wrong about them."""
