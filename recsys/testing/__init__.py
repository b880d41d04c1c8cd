"""Contracts for recommenders, rating predictors and indexes, and the toy worlds they use.

Inherit a contract in a test module and say how to make the thing under test::

    class TestMine(RecommenderContract, ColdItemContract):
        def make(self):
            return Mine(MyConfig(epochs=5))

The contracts know nothing of how a recommender works, and need no test framework to be imported.
"""
