"""Every page of the console."""

from gateway.console.page import pages_in
from gateway.console.pages import today
from gateway.console.pages.campaigns import campaigns, planner
from gateway.console.pages.contacts import people, person
from gateway.console.pages.desk import desk
from gateway.console.pages.imports import files, progress
from gateway.console.pages.inbox import inbox
from gateway.console.pages.keys import keys
from gateway.console.pages.money import invoices, payments
from gateway.console.pages.operations import operations
from gateway.console.pages.orders import order, orders
from gateway.console.pages.programmes import editing as programme_editing
from gateway.console.pages.programmes import programmes
from gateway.console.pages.quality import duplicates
from gateway.console.pages.reports import company, funnels, reports, saved
from gateway.console.pages.segments import segments
from gateway.console.pages.templates import editing as template_editing
from gateway.console.pages.templates import templates
from gateway.console.pages.users import users
from gateway.console.pages.warehouse import packing, waves

PAGES = pages_in(
    today, people, person, duplicates, files, progress, segments, campaigns, planner, programme_editing, programmes, desk, orders,
    order, waves, packing, invoices, payments, inbox, template_editing, templates, reports, company, funnels, saved, keys, users, operations,
)  # fmt: skip
