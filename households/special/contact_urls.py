"""URLs of contacts: who they are, whose they are, and what the office asks of them."""

from django.urls import path

from households.views import special_contacts, special_people, special_rules

urlpatterns = [
    path("special/people/", special_people.special_person_list, name="special-person-list"),
    path("special/people/new/", special_people.special_person_create, name="special-person-create"),
    path(
        "special/people/<int:pk>/",
        special_people.special_person_detail,
        name="special-person-detail",
    ),
    path(
        "special/people/<int:pk>/edit/",
        special_people.special_person_edit,
        name="special-person-edit",
    ),
    path(
        "special/people/<int:pk>/leave/",
        special_people.special_person_leave,
        name="special-person-leave",
    ),
    path(
        "special/<int:pk>/contacts/new/",
        special_contacts.special_contact_name,
        name="special-contact-name",
    ),
    path(
        "special/<int:pk>/contacts/card/",
        special_contacts.special_contact_card,
        name="special-contact-card",
    ),
    path(
        "special/contacts/cards/",
        special_contacts.special_contact_cards,
        name="special-contact-cards",
    ),
    path(
        "special/contacts/<int:pk>/hand-over/",
        special_contacts.special_contact_hand_over,
        name="special-contact-hand-over",
    ),
    path(
        "special/contacts/<int:pk>/end/",
        special_contacts.special_contact_end,
        name="special-contact-end",
    ),
    path("special/rules/", special_rules.special_rule_list, name="special-rule-list"),
    path("special/rules/new/", special_rules.special_rule_create, name="special-rule-create"),
]
