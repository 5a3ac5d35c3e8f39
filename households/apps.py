"""App configuration."""

from django.apps import AppConfig


class HouseholdsConfig(AppConfig):
    name = "households"
    label = "households"
    verbose_name = "居民与家庭"

    def ready(self):
        from fpadmin.audit.log import register_types
        from households import (
            as_at_lists,
            event_batch,
            event_list,
            invariants,
            lists,
            menu,
            reports,
            request_list,
            resources,
            runs,
            services,
        )
        from households.special import (
            archive_list,
            candidates,
            care,
            care_lists,
            care_sections,
            contact_log,
            contact_section,
            dates_ahead,
            doctor_contracts,
            document_section,
            due,
            family_section,
            need_list,
            pack,
            people,
            review_list,
            round_section,
        )
        from households.special import invariants as special_invariants
        from households.special import menu as special_menu
        from households.special import returns as special_returns

        resources.load()
        invariants.load()
        reports.load()
        special_returns.load()
        lists.load()
        as_at_lists.load()
        event_list.load()
        event_batch.load()
        request_list.load()
        menu.load()
        runs.load()
        special_menu.load()
        special_invariants.load()
        review_list.load()
        archive_list.load()
        candidates.load()
        family_section.load()
        contact_section.load()
        contact_log.load()
        need_list.load()
        due.load()
        people.load()
        document_section.load()
        pack.load()
        round_section.load()
        care.load()
        doctor_contracts.load()
        care_lists.load()
        care_sections.load()
        dates_ahead.load()
        register_types(services.EVENT_TYPES, services.CHANGE_LABELS)
