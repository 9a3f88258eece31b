"""Sections of pages that are too long for one file: one package a page, one module a section.

A section may import what a page may: ui, figures, science. It never loads, locks or caches.
"""
