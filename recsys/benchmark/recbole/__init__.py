"""RecBole's models, each fitted in a process of its own, behind our interface of a recommender."""
