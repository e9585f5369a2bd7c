"""A proposal that people decide on: what is stored of it, what an accepted action becomes, and the order that another
discipline gets. Pure.

A stored proposal is a RequestGroup of the shared plan that it is for; it changes by decisions alone.
"""
