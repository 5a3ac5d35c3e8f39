"""How a problem's place is written."""

from django import template

from fpadmin.imports import tables

register = template.Library()
register.filter("place", tables.place)
