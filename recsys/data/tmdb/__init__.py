"""Facts about movies from The Movie Database, through version 3 of its interface."""
