"""Published weaknesses of CAS servers and clients, each with its public reference and the tests that watch over it.

A row without tests cannot apply; ``docs/security.md`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Weakness:
    """One report. ``tests`` are named ``module.test``, each without its ``test_``."""

    id: str
    where: str
    reference: str
    tests: tuple[str, ...] = ()


_APEREO = "https://apereo.github.io/"
_CVE = "https://www.cve.org/CVERecord?id="
_GITHUB = "https://github.com/"


def _row(identifier: str, where: str, reference: str, tests: str) -> Weakness:
    return Weakness(identifier, where, reference, tuple(tests.split()))


WEAKNESSES = (
    # Apereo CAS
    _row(
        "CVE-2026-59099",
        "Apereo CAS",
        f"{_APEREO}2026/06/18/vuln",
        """
        flow.the_key_of_a_form_hides_nothing_because_it_holds_nothing
        flow.the_key_of_a_flow_behind_the_password_holds_nothing_at_all
        """,
    ),
    _row(
        "CVE-2024-11209",
        "Apereo CAS",
        f"{_CVE}CVE-2024-11209",
        """
        flow.the_step_after_the_password_cannot_be_taken_twice_or_elsewhere
        flow.no_key_of_a_login_with_duo_signs_in_once_it_is_over
        flow.a_step_cannot_be_taken_as_another_one
        """,
    ),
    _row(
        "Apereo 2026-08-18",
        "Apereo CAS",
        f"{_APEREO}2026/08/18/vuln",
        """
        redirects.a_crafted_address_is_no_way_out_of_login_and_logout
        redirects.a_crafted_address_is_no_way_out_of_a_form
        redirects.the_news_of_a_sign_out_lead_nowhere
        redirects.pages_without_a_service_lead_to_the_sign_in
        """,
    ),
    _row(
        "Apereo 2025-09-25",
        "Apereo CAS",
        f"{_APEREO}2025/09/25/oauth-oidc-vuln",
        """
        redirects.the_servers_own_addresses_are_no_registered_service
        redirects.the_way_back_from_duo_is_no_way_out
        """,
    ),
    _row(
        "Apereo 2022-07-01",
        "Apereo CAS",
        f"{_APEREO}2022/07/01/oidc-vuln",
        """
        redirects.a_crafted_address_is_no_way_out_of_login_and_logout
        redirects.what_a_browser_is_told_to_call_at_sign_out_is_registered
        """,
    ),
    _row(
        "Apereo 2022-08-03",
        "Apereo CAS",
        f"{_APEREO}2022/08/03/oidc-vuln",
        "redirects.a_crafted_address_is_no_way_out_of_login_and_logout",
    ),
    _row(
        "Apereo 2022-06-23",
        "Apereo CAS",
        f"{_APEREO}2022/06/23/oidc-vuln",
        """
        redirects.no_ticket_is_made_for_an_application_nobody_registered
        rest.no_ticket_is_made_for_an_application_nobody_registered
        rest.a_program_gets_no_ticket_for_the_services_of_another
        """,
    ),
    _row(
        "Apereo 2026-05-27",
        "Apereo CAS",
        f"{_APEREO}2026/05/27/oidc-vuln",
        """
        redirects.what_a_flow_remembers_is_checked_again_when_it_goes_on
        redirects.what_a_confirmed_sign_out_goes_on_to_is_checked_again
        """,
    ),
    _row(
        "Apereo 2018-09-26",
        "Apereo CAS",
        f"{_APEREO}2018/09/26/mfavulndisc",
        """
        second_factor.no_way_to_a_service_that_demands_duo_leads_around_it
        second_factor.no_protocol_leads_around_duo
        second_factor.a_proxy_does_not_lead_around_duo
        second_factor.a_session_from_before_duo_was_demanded_owes_it
        second_factor.a_program_cannot_wash_the_count_of_wrong_passcodes
        """,
    ),
    _row(
        "Apereo 2021-02-13",
        "Apereo CAS",
        f"{_APEREO}2021/02/13/gauthvuln",
        """
        second_factor.a_name_in_other_letters_has_the_same_second_factor
        second_factor.a_directory_says_who_it_was_however_the_name_was_spelled
        effort.a_person_has_one_limit_however_the_name_is_spelled
        """,
    ),
    _row(
        "CVE-2023-4612",
        "Apereo CAS",
        f"{_CVE}CVE-2023-4612",
        """
        second_factor.an_address_is_no_second_factor
        second_factor.an_address_that_somebody_makes_up_opens_no_network
        """,
    ),
    _row(
        "Apereo 2019-11-24",
        "Apereo CAS",
        f"{_APEREO}2019/11/24/smfavuln",
        """
        second_factor.a_result_of_one_person_is_worth_nothing_to_another
        second_factor.a_passcode_of_one_person_is_worth_nothing_to_another
        rest.somebody_elses_password_renews_nothing
        """,
    ),
    _row(
        "Apereo 2025-08-19",
        "Apereo CAS",
        f"{_APEREO}2025/08/19/simplemfa-vuln",
        "second_factor.a_passcode_of_one_person_is_worth_nothing_to_another",
    ),
    _row(
        "Apereo 2025-04-11",
        "Apereo CAS",
        f"{_APEREO}2025/04/11/oidc-webauthn-vuln",
        """
        second_factor.who_came_back_from_duo_is_not_what_the_request_says
        effort.an_address_full_of_beginnings_of_tickets_keeps_nobody_waiting
        effort.nothing_that_comes_in_costs_the_square_of_its_length
        """,
    ),
    _row(
        "CVE-2019-10754",
        "Apereo CAS",
        f"{_APEREO}2019/09/27/numvulndisc",
        "tickets.ids_do_not_come_from_a_generator_that_can_be_foretold",
    ),
    _row(
        "CVE-2019-10755",
        "Apereo CAS",
        f"{_APEREO}2019/09/27/numvulndisc",
        "tickets.ids_do_not_come_from_a_generator_that_can_be_foretold",
    ),
    _row(
        "CVE-2021-42567",
        "Apereo CAS",
        f"{_APEREO}2021/10/18/restvuln",
        """
        rest.nothing_of_a_request_comes_back
        rest.a_strange_page_cannot_make_a_browser_use_it
        rest.the_address_of_a_session_is_ours_and_opens_no_browser
        flow.text_of_a_request_is_text_on_a_page
        """,
    ),
    _row(
        "Apereo 2016-04-08",
        "Apereo CAS",
        f"{_APEREO}2016/04/08/commonsvulndisc",
        """
        flow.every_installation_has_a_key_of_its_own
        flow.a_signature_for_one_purpose_is_none_for_another
        flow.a_key_that_nobody_signed_is_none
        """,
    ),
    _row(
        "Apereo 2016-10-24",
        "Apereo CAS",
        f"{_APEREO}2016/10/24/servlvulndisc",
        """
        told.there_are_no_pages_about_the_inside
        rest.whoever_calls_is_asked_before_anything_is_looked_at
        rest.it_is_not_there_unless_it_was_switched_on
        """,
    ),
    _row(
        "Apereo 2017-03-06",
        "Apereo CAS",
        f"{_APEREO}2017/03/06/moncfgsecvulndisc",
        "told.there_are_no_pages_about_the_inside told.probes_say_whether_and_nothing_else",
    ),
    _row(
        "Apereo 2017-08-31",
        "Apereo CAS",
        f"{_APEREO}2017/08/31/cas5-userswap-buganalysis",
        """
        sessions.many_people_at_once_stay_themselves
        sessions.machines_get_no_cookie_and_need_none
        sessions.answers_are_for_nobody_elses_cache
        """,
    ),
    _row(
        "Apereo 2023-08-30",
        "Apereo CAS",
        f"{_APEREO}2023/08/30/groovy-vuln",
        """
        sessions.many_people_at_once_stay_themselves
        sessions.many_validations_at_once_tell_each_of_one_person
        sessions.proxies_of_many_people_at_once_keep_them_apart
        """,
    ),
    _row(
        "Apereo 2020-07-24",
        "Apereo CAS",
        f"{_APEREO}2020/07/24/credvuln",
        "secrets.the_store_holds_no_password_and_no_key_to_a_session",
    ),
    _row(
        "CVE-2020-27178",
        "Apereo CAS",
        f"{_APEREO}2020/10/14/gauthvuln",
        """
        secrets.a_whole_run_at_the_level_debug_writes_no_secret
        secrets.a_ticket_in_any_place_of_a_line_is_cut_on_the_way_out
        secrets.a_malformed_request_is_not_repeated_in_the_log
        told.no_address_of_ours_holds_a_key
        told.a_page_that_nobody_knows_repeats_nothing_of_its_address
        rest.a_session_in_an_address_is_in_no_event
        """,
    ),
    _row(
        "Apereo 2023-07-21",
        "Apereo CAS",
        f"{_APEREO}2023/07/21/oidc-vuln",
        """
        told.a_service_learns_what_its_entry_lists_and_no_more
        second_factor.two_services_cannot_tell_that_they_know_the_same_person
        """,
    ),
    _row(
        "Apereo 2023-09-14",
        "Apereo CAS",
        f"{_APEREO}2023/09/14/oauth-vuln",
        """
        told.a_service_learns_what_its_entry_lists_and_no_more
        told.a_program_learns_no_more_than_the_service_it_asks_for
        """,
    ),
    _row(
        "Apereo 2024-06-26",
        "Apereo CAS",
        f"{_APEREO}2024/06/26/oidc-vuln",
        "told.a_service_learns_what_its_entry_lists_and_no_more told.a_service_learns_no_more_by_a_proxy",
    ),
    _row("Apereo 2024-05-18", "Apereo CAS", f"{_APEREO}2024/05/18/oauth-vuln", ""),
    _row(
        "CVE-2026-29000",
        "pac4j",
        f"{_APEREO}2026/03/06/jwt-vuln",
        "second_factor.a_result_that_nobody_signed_is_none flow.a_key_that_nobody_signed_is_none",
    ),
    _row(
        "Apereo 2022-03-06",
        "Apereo CAS",
        f"{_APEREO}2022/03/06/oidc-vuln",
        "tickets.a_ticket_that_does_not_exist_costs_no_search",
    ),
    _row(
        "Apereo 2026-06-06 a",
        "Apereo CAS",
        f"{_APEREO}2026/06/06/vuln",
        """
        sessions.a_session_ended_on_one_node_is_ended_on_all
        sessions.a_session_ended_by_a_program_is_ended_in_the_browser
        sessions.a_sign_out_while_a_ticket_is_granted_leaves_no_ticket
        proxying.what_a_proxy_holds_ends_with_the_session
        secrets.the_keys_of_the_store_are_made_of_whole_ids
        """,
    ),
    _row(
        "Apereo 2026-06-06 b",
        "Apereo CAS",
        f"{_APEREO}2026/06/06/vuln",
        "second_factor.a_passcode_of_one_person_is_worth_nothing_to_another",
    ),
    _row(
        "Apereo 2026-06-06 c",
        "Apereo CAS",
        f"{_APEREO}2026/06/06/vuln",
        """
        rest.what_is_guarded_is_what_is_answered
        rest.whoever_calls_is_asked_before_anything_is_looked_at
        flow.an_address_is_one_address
        flow.text_of_a_request_is_never_evaluated
        """,
    ),
    _row("Apereo 2026-05-20", "Java CAS client", f"{_APEREO}2026/05/20/casc-jwt-vuln", ""),
    _row("Apereo 2023-02-20", "Apereo CAS", f"{_APEREO}2023/02/20/x509-vuln", ""),
    _row(
        "apereo/cas pull 1440",
        "Apereo CAS",
        f"{_GITHUB}apereo/cas/pull/1440",
        """
        xml.a_saml_request_resolves_nothing
        xml.a_saml_request_that_is_no_request_is_refused_at_once
        xml.a_body_of_another_kind_is_no_xml
        """,
    ),
    _row(
        "apereo/cas issue 2524",
        "Apereo CAS",
        f"{_GITHUB}apereo/cas/issues/2524",
        "sessions.the_session_cookie_is_out_of_reach_of_scripts_and_other_sites",
    ),
    _row(
        "apereo/cas pull 5522",
        "Apereo CAS",
        f"{_GITHUB}apereo/cas/pull/5522",
        """
        sessions.the_way_back_from_duo_sets_one_session_cookie_or_none
        sessions.the_session_cookie_is_out_of_reach_of_scripts_and_other_sites
        sessions.a_session_outlives_a_step_up_that_failed
        """,
    ),
    # Other servers
    _row(
        "django-cas-server 3.1",
        "django-cas-server",
        f"{_GITHUB}nitmir/django-cas-server/tree/v3.1",
        """
        tickets.one_ticket_is_good_for_one_of_many_who_ask_at_once
        tickets.one_proxy_ticket_is_good_for_one_of_many_who_ask_at_once
        tickets.a_ticket_is_good_for_one_of_all_addresses_together
        sessions.signing_in_makes_a_new_session_whatever_the_browser_brought
        redirects.logout_goes_to_registered_addresses_only
        proxying.nothing_is_called_or_even_resolved_that_no_pattern_means
        proxying.a_redirect_of_the_callback_leads_nowhere
        proxying.a_callback_that_fails_leaves_no_ticket
        flow.a_form_signs_in_once
        flow.a_form_cannot_be_made_new_by_the_letters_of_its_key
        """,
    ),
    _row(
        "Casdoor cas.go",
        "Casdoor",
        f"{_GITHUB}casdoor/casdoor/blob/master/controllers/cas.go",
        """
        tickets.the_service_is_compared_as_a_whole_and_a_wrong_one_ends_it
        proxying.nothing_is_called_or_even_resolved_that_no_pattern_means
        proxying.a_callback_means_nothing_where_the_protocol_knows_none
        proxying.a_request_that_is_refused_calls_nobody
        proxying.a_redirect_of_the_callback_leads_nowhere
        proxying.a_name_that_is_private_is_not_called
        proxying.a_name_is_asked_for_once_and_what_was_checked_is_what_is_called
        proxying.no_proxy_ticket_is_made_for_a_target_that_is_none
        sign_out.a_name_that_somebody_made_up_leads_into_no_network_of_ours
        sign_out.where_the_registry_says_so_a_star_may_be_private
        sign_out.the_address_where_clouds_keep_credentials_is_never_called
        sign_out.a_name_is_asked_for_once_and_what_was_checked_is_what_is_called
        sign_out.a_redirect_leads_nowhere
        """,
    ),
    _row(
        "casdoor/casdoor issue 2286",
        "Casdoor",
        f"{_GITHUB}casdoor/casdoor/issues/2286",
        "tickets.a_proxy_ticket_is_none_where_service_tickets_are_asked_for",
    ),
    _row(
        "web2py/web2py pull 2591",
        "web2py",
        f"{_GITHUB}web2py/web2py/pull/2591",
        "redirects.no_ticket_is_made_for_an_application_nobody_registered",
    ),
    _row(
        "web2py/web2py pull 2653",
        "web2py",
        f"{_GITHUB}web2py/web2py/pull/2653",
        """
        redirects.logout_goes_to_registered_addresses_only
        redirects.other_names_for_the_address_are_checked_at_logout_too
        """,
    ),
    _row(
        "Nitron/django-cas-provider issue 7",
        "django-cas-provider",
        f"{_GITHUB}Nitron/django-cas-provider/issues/7",
        """
        tickets.the_service_is_compared_as_a_whole_and_a_wrong_one_ends_it
        tickets.cas_1_compares_the_service_as_well
        """,
    ),
    _row(
        "jbittel/django-mama-cas pull 9",
        "django-mama-cas",
        f"{_GITHUB}jbittel/django-mama-cas/pull/9",
        "redirects.without_registered_services_there_is_no_service",
    ),
    _row(
        "jbittel/django-mama-cas pull 78",
        "django-mama-cas",
        f"{_GITHUB}jbittel/django-mama-cas/pull/78",
        """
        redirects.without_registered_services_there_is_no_service
        redirects.a_registry_that_breaks_keeps_the_rules_there_were
        """,
    ),
    _row(
        "rubycas/rubycas-server issue 183",
        "rubycas-server",
        f"{_GITHUB}rubycas/rubycas-server/issues/183",
        "redirects.without_registered_services_there_is_no_service",
    ),
    _row(
        "leo108/php_cas_server pull 31",
        "php_cas_server",
        f"{_GITHUB}leo108/php_cas_server/pull/31",
        "flow.text_of_a_request_is_text_on_a_page",
    ),
    _row(
        "CVE-2021-35472",
        "LemonLDAP::NG",
        f"{_GITHUB}advisories/GHSA-9v87-664x-72qc",
        "sessions.many_people_at_once_stay_themselves sessions.pages_of_many_people_at_once_are_their_own",
    ),
    _row(
        "CVE-2020-24660",
        "LemonLDAP::NG",
        f"{_CVE}CVE-2020-24660",
        "redirects.a_rule_for_a_part_of_an_application_holds_in_every_spelling",
    ),
    _row(
        "CVE-2026-19349",
        "LemonLDAP::NG",
        f"{_CVE}CVE-2026-19349",
        "sessions.nothing_but_a_session_is_taken_for_one proxying.a_proxy_granting_ticket_is_nothing_but_that",
    ),
    _row(
        "CVE-2023-28862",
        "LemonLDAP::NG",
        f"{_CVE}CVE-2023-28862",
        """
        tickets.ids_are_of_letters_digits_and_hyphens_and_long_enough
        second_factor.a_no_from_duo_is_a_no_however_often_one_asks
        second_factor.between_password_and_duo_there_is_no_session
        flow.a_step_cannot_be_taken_as_another_one
        """,
    ),
    _row(
        "LemonLDAP::NG default",
        "LemonLDAP::NG",
        "https://lemonldap-ng.org/documentation/latest/idpcas.html",
        """
        tickets.a_ticket_lives_for_seconds_and_a_proxy_ticket_too
        redirects.without_registered_services_there_is_no_service
        """,
    ),
    _row(
        "CVE-2026-7504",
        "Keycloak",
        f"{_GITHUB}keycloak/keycloak/issues/49109",
        """
        redirects.a_crafted_address_is_no_way_out_of_login_and_logout
        sign_out.nobody_is_called_whom_the_entry_does_not_mean
        """,
    ),
    _row(
        "CVE-2026-3872",
        "Keycloak",
        f"{_GITHUB}keycloak/keycloak/issues/47718",
        """
        redirects.a_crafted_address_is_no_way_out_of_login_and_logout
        redirects.a_ticket_stands_alone_whatever_the_address_ends_with
        """,
    ),
    _row(
        "CVE-2024-8883",
        "Keycloak",
        f"{_GITHUB}keycloak/keycloak/issues/33115",
        "redirects.a_crafted_address_is_no_way_out_of_login_and_logout",
    ),
    _row(
        "CVE-2026-9689",
        "Keycloak",
        f"{_GITHUB}jacekkow/keycloak-protocol-cas/issues/197",
        "redirects.strictness_leaves_an_applications_own_parameters_alone",
    ),
    _row(
        "jacekkow/keycloak-protocol-cas pull 105",
        "Keycloak",
        f"{_GITHUB}jacekkow/keycloak-protocol-cas/pull/105",
        "tickets.a_ticket_under_another_prefix_is_another_ticket rest.a_ticket_of_another_kind_is_none",
    ),
    _row(
        "CVE-2019-3877",
        "mod_auth_mellon",
        f"{_GITHUB}OpenIDC/mod_auth_openidc/pull/453",
        "redirects.a_crafted_address_is_no_way_out_of_login_and_logout",
    ),
    _row(
        "CVE-2019-13038",
        "mod_auth_mellon",
        f"{_GITHUB}OpenIDC/mod_auth_openidc/pull/453",
        "redirects.a_crafted_address_is_no_way_out_of_login_and_logout",
    ),
    # Clients
    _row(
        "CVE-2014-4172",
        "Java CAS client, .NET CAS client, phpCAS",
        f"{_CVE}CVE-2014-4172",
        """
        tickets.a_ticket_cannot_bring_anything_along
        tickets.an_artifact_cannot_bring_anything_along
        tickets.a_ticket_cannot_take_a_demand_back
        tickets.a_proxy_granting_ticket_cannot_bring_a_target_along
        proxying.nothing_is_called_or_even_resolved_that_no_pattern_means
        middleware.a_ticket_is_sent_as_one_parameter_or_not_at_all
        """,
    ),
    _row(
        "CVE-2017-1000071",
        "phpCAS",
        f"{_GITHUB}apereo/phpCAS/issues/228",
        """
        tickets.a_failure_repeats_nothing_of_the_request
        tickets.a_refused_proxy_ticket_repeats_nothing_of_the_request
        xml.a_name_stays_one_name
        xml.nobody_gets_a_ticket_under_a_name_that_answers_cannot_carry
        xml.a_name_that_answers_cannot_carry_is_told_to_nobody
        xml.a_value_stays_one_value
        xml.a_value_that_answers_cannot_carry_does_not_become_another
        xml.the_address_of_a_proxy_stays_one_address
        middleware.only_one_whole_success_is_a_success
        middleware.what_the_user_is_called_comes_from_the_user_and_not_from_an_attribute
        """,
    ),
    _row(
        "CVE-2022-39369",
        "phpCAS, Yale's clients",
        f"{_GITHUB}advisories/GHSA-8q72-6qq8-xv64",
        """
        tickets.the_service_is_compared_as_a_whole_and_a_wrong_one_ends_it
        redirects.the_server_knows_its_own_address_and_believes_no_header
        middleware.an_application_knows_its_own_address
        """,
    ),
    _row(
        "CVE-2014-3527",
        "Spring Security",
        f"{_GITHUB}spring-projects/spring-security/issues/2907",
        """
        proxying.a_proxy_ticket_is_good_for_its_target_and_for_no_other
        proxying.a_proxy_ticket_never_counts_as_a_password
        tickets.a_proxy_ticket_is_none_where_service_tickets_are_asked_for
        middleware.a_proxy_ticket_is_taken_by_nobody_who_did_not_ask_for_them
        """,
    ),
    *(
        _row(
            identifier,
            "phpCAS",
            f"{_CVE}{identifier}",
            """
            tickets.ids_are_of_letters_digits_and_hyphens_and_long_enough
            proxying.an_iou_tells_nothing_of_its_ticket_and_is_kept_nowhere
            middleware.what_comes_to_the_callback_is_a_ticket_or_nothing
            """,
        )
        for identifier in ("CVE-2010-3690", "CVE-2010-3691", "CVE-2010-3692")
    ),
    _row(
        "CVE-2012-1104",
        "phpCAS",
        f"{_CVE}CVE-2012-1104",
        """
        proxying.a_proxy_gets_tickets_for_its_targets_only
        proxying.a_service_that_may_not_proxy_any_more_gets_no_ticket
        proxying.an_application_is_told_every_proxy_on_the_way
        middleware.a_proxy_ticket_is_taken_by_nobody_who_did_not_ask_for_them
        """,
    ),
    _row(
        "CVE-2012-5583",
        "phpCAS",
        f"{_CVE}CVE-2012-5583",
        """
        proxying.a_callback_whose_certificate_is_not_good_gets_no_ticket
        middleware.the_certificate_of_the_server_is_checked_name_and_all
        middleware.answers_of_the_server_are_not_followed_elsewhere
        """,
    ),
    _row(
        "apereo/java-cas-client issue 191",
        "Java CAS client",
        f"{_GITHUB}apereo/java-cas-client/issues/191",
        """
        xml.answers_and_messages_carry_no_document_type
        xml.a_saml_request_resolves_nothing
        xml.the_middleware_resolves_nothing
        """,
    ),
    _row(
        "apereo/mod_auth_cas issue 79",
        "mod_auth_cas",
        f"{_GITHUB}apereo/mod_auth_cas/issues/79",
        """
        xml.markup_that_came_with_a_ticket_does_not_decide_what_is_validated
        xml.the_service_stays_one_service_in_a_saml_answer
        xml.the_id_of_a_saml_request_comes_back_as_a_name_or_not_at_all
        """,
    ),
    _row(
        "akunzai/GSS.Authentication.CAS issue 1034",
        "GSS.Authentication.CAS and most others",
        f"{_GITHUB}akunzai/GSS.Authentication.CAS/issues/1034",
        """
        secrets.a_whole_run_at_the_level_debug_writes_no_secret
        told.no_address_of_ours_holds_a_key
        sign_out.an_application_is_told_its_own_ticket_and_nothing_else
        sign_out.a_ticket_that_nobody_validated_is_told_to_nobody
        xml.a_sign_out_message_names_a_ticket_and_nothing_else
        middleware.nobody_ends_a_session_without_its_ticket
        middleware.a_sign_out_message_from_elsewhere_can_be_refused
        """,
    ),
    _row(
        "CVE-2015-9284",
        "omniauth",
        f"{_CVE}CVE-2015-9284",
        """
        flow.nobody_is_signed_in_by_a_page_of_somebody_else
        flow.nobody_is_signed_in_by_a_link
        flow.a_login_that_somebody_else_began_is_not_finished_here
        middleware.a_ticket_planted_in_a_link_signs_nobody_in
        """,
    ),
    # No report of its own
    _row(
        "CWE-204",
        "any sign-in form",
        "https://cwe.mitre.org/data/definitions/204.html",
        "told.a_wrong_name_and_a_wrong_password_cannot_be_told_apart",
    ),
)
