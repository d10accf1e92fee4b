"""Durable storage of jobs and their queue: the only room that knows databases."""
