"""Notifications: tells whoever must know, once each, and loses nothing.

Owns Subscription, Communication and CommunicationRequest, the delivery preferences of every receiver, the
deliveries with their log, and the in-app stream. Hears ``referral.*``, ``careplan.*``, ``safety.*``, ``outcome.*``,
``diagnosis.*`` and its own ``notification.failed``, and ``record.*``, whose resources it keeps copies of; says
``notification.delivered`` and ``notification.failed``. Rules say who hears of what; channels (e-mail, webhook,
stream) carry it. Texts name codes of ours and ids, never a person, nothing clinical.
"""
