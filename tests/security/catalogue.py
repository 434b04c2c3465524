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
_MFEM = f"{_GITHUB}sloan58/mfem"
_CWE = "https://cwe.mitre.org/data/definitions/"


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
        phone_tokens.a_token_is_no_key_of_a_browser_and_the_reverse
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
        admin.a_wide_pattern_of_the_file_does_not_get_the_pages
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
        trusted_browsers.a_login_that_was_ended_under_way_trusts_no_browser
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
        phone_tokens.a_token_of_somebody_else_at_the_same_phone_is_of_no_use_for_ones_own_login
        phone_tokens.an_approval_counts_for_the_login_it_was_asked_for_when_several_wait
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
        told.what_monitoring_reads_is_for_nobody_else
        rest.whoever_calls_is_asked_before_anything_is_looked_at
        rest.it_is_not_there_unless_it_was_switched_on
        admin.nobody_gets_in_without_a_session
        admin.nobody_gets_in_without_a_role
        """,
    ),
    _row(
        "Apereo 2017-03-06",
        "Apereo CAS",
        f"{_APEREO}2017/03/06/moncfgsecvulndisc",
        """
        told.there_are_no_pages_about_the_inside
        told.probes_say_whether_and_nothing_else
        admin.without_administrators_there_are_no_such_pages
        admin.no_entry_of_the_file_takes_the_place_of_what_protects_the_pages
        admin.networks_hold_for_looking_and_for_changing
        """,
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
        """
        secrets.the_store_holds_no_password_and_no_key_to_a_session
        phone_secrets.a_copy_of_the_store_opens_no_login_that_waits_at_a_phone
        """,
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
        phone_secrets.whole_logins_write_no_secret_with_everything_at_the_level_debug
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
    # Weaknesses of second factors in general
    _row(
        "CWE-863",
        "a factor that counts for another login",
        f"{_CWE}863.html",
        """
        push.an_approval_opens_the_login_that_it_was_sent_for_and_no_other_of_the_same_person
        push.an_approval_of_somebody_else_opens_nothing
        push.another_person_who_signs_in_meanwhile_gets_nothing_of_an_approval
        push.what_is_written_on_a_session_is_by_which_application_of_duo_it_was
        push.a_device_that_is_not_ones_own_is_sent_nothing
        push.a_push_for_a_program_is_worth_nothing_at_the_page_and_the_reverse
        trusted_browsers.a_trusted_browser_is_one_for_its_person_alone
        trusted_browsers.a_trusted_browser_is_no_password
        trusted_browsers.a_trusted_browser_opens_only_what_takes_it_for_as_long_as_that_takes_it
        trusted_browsers.a_mark_on_a_session_is_worth_the_same_at_every_way_to_an_application
        trusted_browsers.a_program_gets_a_ticket_for_duos_yes_alone
        trusted_browsers.duos_yes_counts_on_a_session_that_was_there_before_the_page_about_trust
        enrolment.a_code_is_seen_in_the_browser_that_asked_for_it_and_in_no_other
        enrolment.a_link_that_was_stolen_signs_nobody_in_and_names_nobody
        approvals.an_approval_is_for_the_entry_that_was_asked_for
        approvals.the_ticket_for_one_machine_is_none_for_another
        approvals_deciding.an_address_that_is_like_an_approvers_decides_nothing
        """,
    ),
    _row(
        "CWE-841",
        "steps of a login taken twice, late, or in another order",
        f"{_CWE}841.html",
        """
        push.a_push_that_was_overtaken_or_sent_anew_opens_nothing_when_it_is_approved
        push.an_approval_after_cancelling_opens_nothing
        push.a_login_that_is_over_cannot_be_finished_again_after_signing_out
        claims.nobody_ever_holds_what_they_have_no_claim_to
        """,
    ),
    _row(
        "CWE-613",
        "sessions, trust and logins under way that outlive their end",
        f"{_CWE}613.html",
        """
        push.a_push_is_of_no_use_to_a_session_that_ended_meanwhile
        push.a_login_that_waits_behind_duos_yes_ends_with_the_sessions_of_its_person
        trusted_browsers.what_lets_a_trusted_browser_in_does_not_make_it_trusted_for_longer
        trusted_browsers.a_trust_that_was_taken_back_or_made_up_is_none
        trusted_browsers.a_reported_push_ends_every_trust
        trusted_browsers.a_push_that_is_reported_at_the_browser_ends_every_trust_too
        trusted_browsers.a_report_at_the_browser_ends_every_trust_also_where_sessions_go_on
        trusted_browsers.signing_out_everywhere_ends_every_trust
        enrolment.pages_of_registration_end_with_the_session_they_stand_on
        phone_tokens.a_token_is_no_good_after_its_time
        phone_requests.a_login_at_a_phone_leaves_no_session_and_no_ticket
        phone_anything.a_token_names_what_it_was_made_for_and_for_so_long
        approvals.a_ticket_does_not_outlive_the_approval_by_any_protocol
        approvals.no_proxy_stays_in_after_the_end
        admin.who_has_signed_out_changes_nothing_and_gets_back_what_was_typed
        admin.a_password_of_long_ago_is_asked_for_again_where_there_is_no_duo
        admin.duo_of_long_ago_is_asked_for_again_and_what_was_typed_is_sent_once_more
        """,
    ),
    _row(
        "CWE-636",
        "a second factor that falls open",
        f"{_CWE}636.html",
        """
        push.once_a_factor_was_offered_an_outage_opens_nothing
        push.the_page_that_sends_nothing_by_itself_has_offered_a_factor_too
        push.our_page_in_place_of_duos_opens_nothing_either
        trusted_browsers.a_bypass_is_asked_again_at_the_next_login_and_hides_no_yes
        trusted_browsers.a_bypass_of_an_outage_ends_with_it_for_proxies_too
        trusted_browsers.the_note_of_an_outage_reaches_no_service_that_stays_closed
        admin.while_duo_is_away_nobody_is_let_in_without
        """,
    ),
    _row(
        "CWE-472",
        "a demand for a factor that the request can lower",
        f"{_CWE}472.html",
        """
        push.what_a_request_asks_for_lowers_nothing
        push.what_a_request_asks_for_is_demanded_even_of_those_who_rewrite_the_form
        approvals_deciding.the_time_that_is_reviewed_is_the_time_that_is_asked_for
        """,
    ),
    _row(
        "CWE-799",
        "pushes until one is approved by mistake",
        f"{_CWE}799.html",
        """
        push.no_address_sends_a_push_by_being_opened
        push.nobody_is_sent_more_than_the_limit_however_it_is_tried
        stuffing.pushes_that_nobody_asked_for_stay_few
        push.the_digits_of_a_verified_push_are_on_the_page_of_its_login_and_nowhere_else
        enrolment.codes_are_limited_however_often_one_signs_in
        phone_tokens.a_request_for_approval_names_the_phone_and_where_it_is
        """,
    ),
    _row(
        "CWE-307",
        "guesses at passwords and passcodes",
        f"{_CWE}307.html",
        """
        stuffing.of_many_guesses_at_few_accounts_few_are_looked_at_and_the_owners_get_in
        push.guesses_at_codes_count_wherever_they_are_made
        phone.one_pin_is_not_tried_with_everybody
        phone.passwords_guessed_in_a_browser_close_the_phones_of_that_address
        phone.one_phone_does_not_guess_for_ever
        """,
    ),
    _row(
        "CWE-645",
        "limits that others use up",
        f"{_CWE}645.html",
        """
        push.a_limit_that_a_thief_uses_up_leaves_the_owner_their_codes
        push.nobody_without_the_password_uses_up_the_codes_of_a_person
        """,
    ),
    _row(
        "CWE-201",
        "what pages and news tell",
        f"{_CWE}201.html",
        "push.the_news_of_a_push_are_for_its_browser_alone_and_tell_what_the_page_shows",
    ),
    _row(
        "CWE-79",
        "words from outside on pages",
        f"{_CWE}79.html",
        """
        push.words_of_duo_and_names_of_devices_and_services_stay_words
        approvals_deciding.what_people_write_stays_text_on_pages_in_events_and_in_webex
        webex.a_card_is_small_and_harmless_whoever_asks
        admin.hostile_texts_stay_texts_on_every_page
        """,
    ),
    _row(
        "CWE-1021",
        "pages in frames and caches",
        f"{_CWE}1021.html",
        """
        push.pages_and_news_of_duo_are_framed_kept_and_referred_to_by_nobody
        enrolment.pages_with_a_code_are_framed_kept_and_referred_to_by_nobody
        approvals_deciding.no_page_can_be_framed_kept_or_told_to_others
        admin.every_page_is_kept_by_nobody_and_framed_by_nobody
        """,
    ),
    _row(
        "CWE-1004",
        "cookies that scripts can read",
        f"{_CWE}1004.html",
        "push.every_cookie_is_for_this_server_and_out_of_reach_of_scripts",
    ),
    _row(
        "CWE-308",
        "a factor that is registered for a password alone",
        f"{_CWE}308.html",
        """
        enrolment.a_stolen_password_does_not_register_a_phone_beside_the_owners
        enrolment.neither_an_outage_nor_a_lenient_entry_registers_a_phone_for_a_stolen_password
        enrolment.who_gets_a_device_while_a_thief_asks_for_a_code_is_the_only_one
        approvals_deciding.only_fresh_duo_of_the_person_leads_to_the_pages_of_those_who_decide
        approvals_deciding.a_session_that_a_program_made_decides_nothing
        admin.a_password_alone_opens_nothing
        admin.who_is_let_pass_by_duo_without_a_factor_is_let_in_elsewhere
        """,
    ),
    _row(
        "CWE-352",
        "presses that somebody else's page makes",
        f"{_CWE}352.html",
        """
        trusted_browsers.nobody_is_trusted_by_a_link_or_by_a_page_of_somebody_else
        enrolment.nobody_makes_a_code_for_somebody_by_a_page_of_their_own
        enrolment.an_address_with_a_ticket_of_somebody_else_leads_nobody_in
        phone_requests.no_page_of_another_site_makes_a_browser_speak_for_a_phone
        approvals_deciding.nothing_but_a_form_of_ours_posted_from_our_page_decides
        admin.a_form_counts_for_its_session_alone
        admin.nothing_is_changed_by_an_address
        admin.another_sites_page_changes_nothing
        """,
    ),
    _row(
        "CWE-601",
        "links that lead astray",
        f"{_CWE}601.html",
        """
        enrolment.links_of_registration_lead_to_our_own_login_and_nowhere_else
        enrolment.the_pages_of_registration_hand_no_ticket_of_theirs_on
        approvals_deciding.where_a_request_began_is_no_way_out
        """,
    ),
    _row(
        "CWE-532",
        "secrets of the second factor in logs and copies",
        f"{_CWE}532.html",
        """
        factor_secrets.a_push_login_a_program_and_a_registration_write_no_secret_at_the_level_debug
        factor_secrets.a_copy_of_the_store_opens_no_login_that_waits_for_duo
        webex.over_a_socket_nothing_broken_is_taken_or_told_of_with_what_it_held
        audit_secrets.a_whole_story_leaves_no_secret_anywhere
        """,
    ),
    _row(
        "CWE-150",
        "lines of a log that act on terminals",
        f"{_CWE}150.html",
        """
        factor_secrets.a_line_of_the_log_moves_no_cursor_and_turns_no_text_around
        approvals_deciding.what_people_write_stays_text_on_pages_in_events_and_in_webex
        webex.whatever_an_event_holds_messages_of_it_can_be_kept_and_posted
        audit_secrets.no_text_makes_a_line_of_the_log
        """,
    ),
    # Logins on phones. MFEM is the service that ours takes the place of; its defects are counted as our contract does.
    _row(
        "MFEM 1",
        "MFEM: any PIN is right",
        _MFEM,
        "phone.a_no_of_ucm_is_a_no_however_it_is_spelled",
    ),
    _row(
        "MFEM 2",
        "MFEM: user, profile and phone from the address",
        _MFEM,
        """
        phone.what_a_phone_names_in_later_steps_changes_neither_person_nor_profile_nor_phone
        phone_tokens.a_token_at_another_phone_ends_its_login_and_is_told_of
        """,
    ),
    _row(
        "MFEM 3",
        "MFEM: a token for many logins",
        _MFEM,
        """
        phone.a_login_is_good_for_once
        phone_tokens.a_token_at_another_phone_ends_its_login_and_is_told_of
        """,
    ),
    _row(
        "MFEM 4",
        "MFEM: any phone can be named",
        _MFEM,
        """
        phone.no_pin_and_no_push_is_tried_for_a_phone_that_may_not_be
        phone.a_phone_that_ucm_does_not_know_or_has_not_enabled_is_logged_in_on_by_nobody
        phone_requests.no_browser_gets_a_ticket_for_the_service_of_phones
        """,
    ),
    _row(
        "MFEM 5",
        "MFEM: no limit, an oracle, and pushes at will",
        _MFEM,
        """
        phone.unknown_people_wrong_pins_and_locked_accounts_look_alike
        phone.a_pin_is_asked_of_ucm_for_people_who_are_not_there_as_well
        phone.nobody_locks_people_out_of_ucm_from_phones
        phone.many_pins_at_once_are_no_more_than_one_after_the_other
        phone.nobody_is_sent_more_pushes_than_the_limit_by_however_many_phones
        phone.a_wrong_pin_sends_no_push
        """,
    ),
    _row(
        "MFEM 6",
        "MFEM: no certificates, a cookie without flags",
        _MFEM,
        """
        phone.a_node_that_is_not_ucm_is_told_no_pin
        phone.the_cookie_of_a_phone_goes_to_its_service_only_and_is_no_key
        """,
    ),
    _row(
        "MFEM 7",
        "MFEM: names in addresses",
        _MFEM,
        "phone.a_profile_is_chosen_whatever_it_is_called",
    ),
    _row(
        "MFEM 8",
        "MFEM: an account that writes the configuration",
        _MFEM,
        "phone.where_logins_have_an_interface_of_their_own_axl_needs_to_read_only",
    ),
    _row(
        "MFEM 9",
        "MFEM: words and secrets of UCM on phones and in logs",
        _MFEM,
        """
        phone.no_word_of_ucms_own_is_shown_on_a_phone
        phone_secrets.whole_logins_write_no_secret_with_everything_at_the_level_debug
        """,
    ),
    _row(
        "MFEM 15",
        "MFEM: a push for nobody",
        _MFEM,
        "phone.nobody_is_asked_for_approval_who_has_no_name_at_duo",
    ),
    _row(
        "MFEM 16",
        "MFEM: phones that may not be used",
        _MFEM,
        "phone.a_phone_that_ucm_does_not_know_or_has_not_enabled_is_logged_in_on_by_nobody",
    ),
    _row(
        "CWE-20",
        "texts that are taken for names and keys",
        f"{_CWE}20.html",
        """
        phone_anything.a_token_that_was_not_made_here_names_nothing
        phone_anything.a_name_of_a_phone_is_plain_or_none
        webex.whatever_an_event_holds_messages_of_it_can_be_kept_and_posted
        """,
    ),
    _row(
        "CWE-89",
        "user ids in SQL",
        f"{_CWE}89.html",
        "phone_requests.a_user_id_that_nobody_has_is_a_wrong_one",
    ),
    _row(
        "CWE-91",
        "texts from outside in XML",
        f"{_CWE}91.html",
        """
        phone_requests.a_user_id_that_nobody_has_is_a_wrong_one
        phone_requests.no_text_from_outside_is_more_than_text
        """,
    ),
    _row(
        "CWE-117",
        "names in lines of a log",
        f"{_CWE}117.html",
        """
        phone_requests.a_user_id_that_nobody_has_is_a_wrong_one
        approvals_deciding.what_people_write_stays_text_on_pages_in_events_and_in_webex
        audit_secrets.no_text_makes_or_changes_a_line_of_the_trail
        audit_secrets.no_text_makes_a_line_of_the_log
        """,
    ),
    _row(
        "CWE-173",
        "octets and digits of other scripts",
        f"{_CWE}173.html",
        "phone_requests.octets_that_are_no_text_and_digits_that_are_none_open_nothing",
    ),
    _row(
        "CWE-235",
        "fields that come twice, or where they do not belong",
        f"{_CWE}235.html",
        """
        phone_tokens.a_report_at_a_phone_is_none
        phone_requests.a_field_with_two_values_is_none
        """,
    ),
    _row(
        "CWE-248",
        "requests that leave nothing to answer with",
        f"{_CWE}248.html",
        """
        phone_anything.whatever_comes_a_phone_gets_a_page
        phone_anything.a_name_of_any_length_gets_a_page
        """,
    ),
    _row(
        "CWE-288",
        "another way to the same service",
        f"{_CWE}288.html",
        """
        phone_requests.no_browser_gets_a_ticket_for_the_service_of_phones
        phone_requests.no_program_gets_a_ticket_for_the_service_of_phones
        phone_requests.no_proxy_gets_a_ticket_for_the_service_of_phones
        """,
    ),
    _row(
        "CWE-294",
        "keys that are pressed twice",
        f"{_CWE}294.html",
        """
        phone_tokens.an_older_token_does_nothing_twice
        webex.a_press_that_was_seen_through_is_worth_nothing_for_another_request
        """,
    ),
    _row(
        "CWE-345",
        "marks and headers that anybody can make",
        f"{_CWE}345.html",
        """
        phone_tokens.a_browser_does_not_take_the_place_of_a_phones_request
        phone_requests.no_header_says_where_a_phone_is_or_where_it_goes
        """,
    ),
    _row(
        "CWE-347",
        "tokens that were changed",
        f"{_CWE}347.html",
        """
        phone_tokens.a_token_that_was_changed_is_none
        webex.no_signature_that_only_looks_right_is_believed
        """,
    ),
    _row(
        "CWE-384",
        "a login that somebody else goes on with",
        f"{_CWE}384.html",
        """
        phone_tokens.a_stolen_token_does_nothing_at_another_address
        phone_tokens.a_login_ends_at_an_address_that_the_settings_allow
        phone_tokens.a_cookie_of_another_login_goes_on_with_none
        phone_anything.two_places_are_the_same_only_where_the_settings_say_so
        approvals_deciding.a_session_that_was_put_into_the_browser_decides_nothing_with_the_page_of_another
        """,
    ),
    _row(
        "CWE-430",
        "pages of phones in browsers",
        f"{_CWE}430.html",
        "phone_requests.a_page_for_phones_is_no_page_for_browsers",
    ),
    _row(
        "CWE-436",
        "bodies that are read in two ways",
        f"{_CWE}436.html",
        """
        phone_requests.a_body_that_no_phone_sends_is_not_read
        webex.a_body_is_read_in_one_way_only
        """,
    ),
    _row(
        "CWE-444",
        "requests whose end is told twice",
        f"{_CWE}444.html",
        """
        phone_requests.a_length_that_lies_is_not_believed
        webex.over_a_socket_nothing_broken_is_taken_or_told_of_with_what_it_held
        """,
    ),
    _row(
        "CWE-521",
        "PINs in the place of passwords",
        f"{_CWE}521.html",
        "phone_requests.a_pin_is_no_password",
    ),
    _row(
        "CWE-639",
        "a login that is named instead of owned",
        f"{_CWE}639.html",
        """
        phone_tokens.nobody_joins_the_login_of_somebody_else
        phone_tokens.who_knows_a_pin_joins_no_login_by_naming_its_phone
        phone_tokens.who_knows_a_pin_and_comes_first_does_not_draw_the_owner_into_it
        """,
    ),
    _row(
        "CWE-644",
        "headers that become links",
        f"{_CWE}644.html",
        "phone_requests.no_header_says_where_a_phone_is_or_where_it_goes",
    ),
    _row(
        "CWE-650",
        "methods that are said to change nothing",
        f"{_CWE}650.html",
        """
        phone_requests.other_methods_do_nothing
        approvals_deciding.nothing_but_a_form_of_ours_posted_from_our_page_decides
        """,
    ),
    _row(
        "CWE-706",
        "addresses that are read in two ways",
        f"{_CWE}706.html",
        """
        phone_requests.a_service_of_phones_takes_no_address_of_the_servers_own
        phone_requests.pages_of_browsers_stay_theirs_beside_a_service_of_phones
        phone_anything.a_place_of_phones_is_one_place
        phone_anything.a_path_belongs_to_the_longest_place_above_it
        """,
    ),
    _row(
        "CWE-807",
        "what a phone says of itself",
        f"{_CWE}807.html",
        "phone_requests.what_a_phone_says_of_itself_decides_nothing",
    ),
    _row(
        "CVE-2019-19844",
        "Django (names that look alike)",
        f"{_CVE}CVE-2019-19844",
        """
        phone_tokens.a_person_whose_name_looks_like_anothers_joins_nothing
        phone_requests.a_name_that_only_looks_like_a_phones_is_none
        approvals.the_approval_of_a_name_that_looks_alike_is_somebody_elses
        approvals.a_name_that_looks_alike_does_not_use_up_what_one_may_ask_for
        approvals_deciding.a_letter_that_becomes_another_in_lower_case_is_not_that_letter
        webex.a_name_or_an_address_that_looks_like_an_approvers_is_none
        """,
    ),
    _row(
        "CWE-59",
        "links in the place of files",
        f"{_CWE}59.html",
        "audit_secrets.no_link_makes_the_trail_write_elsewhere",
    ),
    _row(
        "CWE-209",
        "secrets in texts of errors",
        f"{_CWE}209.html",
        "audit_secrets.no_object_shows_what_it_knows",
    ),
    _row(
        "CWE-306",
        "addresses without a signature",
        f"{_CWE}306.html",
        "webex.other_addresses_and_methods_are_no_way_around_the_signature",
    ),
    _row(
        "CWE-312",
        "secrets in the store",
        f"{_CWE}312.html",
        "audit_secrets.a_whole_story_leaves_no_secret_anywhere",
    ),
    _row(
        "CWE-340",
        "ids that can be guessed",
        f"{_CWE}340.html",
        "approvals_deciding.ids_of_requests_cannot_be_guessed_and_no_answer_helps",
    ),
    _row(
        "CWE-362",
        "decisions at the same moment",
        f"{_CWE}362.html",
        "approvals_deciding.of_all_who_press_at_once_one_decides",
    ),
    _row(
        "CWE-367",
        "rules that change while a page is open",
        f"{_CWE}367.html",
        """
        approvals.a_ticket_from_before_the_registry_demanded_an_approval_is_none
        approvals.an_approval_that_ends_while_a_page_asks_first_is_over
        approvals.a_page_from_before_the_registry_demanded_an_approval_leads_no_further
        approvals.of_two_windows_the_one_left_open_asks_anew_when_it_is_over
        approvals_deciding.who_is_no_approver_any_more_decides_nothing_with_what_is_open
        """,
    ),
    _row(
        "CWE-400",
        "floods",
        f"{_CWE}400.html",
        """
        approvals_effort.pages_cost_no_more_round_trips_when_there_are_many_requests
        approvals_effort.one_persons_requests_do_not_hide_anothers_from_who_decides
        webex.a_flood_costs_neither_memory_nor_log_nor_the_place_of_others
        webex.inputs_that_cannot_be_read_do_not_look_like_webex_in_trouble
        """,
    ),
    _row(
        "CWE-407",
        "pages that cost more the more there is",
        f"{_CWE}407.html",
        "approvals_effort.pages_cost_no_more_round_trips_when_there_are_many_requests",
    ),
    _row(
        "CWE-525",
        "pages that browsers keep",
        f"{_CWE}525.html",
        "approvals_deciding.no_page_can_be_framed_kept_or_told_to_others",
    ),
    _row(
        "CWE-654",
        "a second pair of eyes that is one's own",
        f"{_CWE}654.html",
        """
        approvals_deciding.nobody_decides_for_themselves_by_another_account_or_spelling
        approvals_deciding.the_person_who_works_by_the_account_does_not_decide_about_it
        webex.nobody_approves_for_themselves_in_webex_by_another_address
        """,
    ),
    _row(
        "CWE-732",
        "directories that others may write",
        f"{_CWE}732.html",
        "audit_secrets.no_link_makes_the_trail_write_elsewhere",
    ),
    _row(
        "CWE-754",
        "answers that look like an outage",
        f"{_CWE}754.html",
        "webex.inputs_that_cannot_be_read_do_not_look_like_webex_in_trouble",
    ),
    _row(
        "CWE-770",
        "texts and requests without an end",
        f"{_CWE}770.html",
        """
        approvals_effort.asking_and_taking_back_again_and_again_comes_to_an_end
        webex.a_megabyte_of_inputs_decides_nothing_and_is_kept_nowhere
        webex.a_card_is_small_and_harmless_whoever_asks
        """,
    ),
    _row(
        "CWE-779",
        "logs that others fill",
        f"{_CWE}779.html",
        "webex.a_flood_costs_neither_memory_nor_log_nor_the_place_of_others",
    ),
    _row(
        "CWE-835",
        "pages that lead to themselves",
        f"{_CWE}835.html",
        "approvals.a_registry_that_changes_while_the_form_is_open_sends_nobody_round_for_ever",
    ),
    _row(
        "CWE-862",
        "a way in that nobody checks",
        f"{_CWE}862.html",
        """
        approvals.without_an_approval_that_counts_no_way_leads_in
        approvals.no_phone_leads_in_by_somebody_elses_approval
        approvals.no_phone_leads_in_once_an_approval_is_over
        admin.who_may_look_changes_nothing
        """,
    ),
    _row(
        "CWE-915",
        "fields that nobody asked for",
        f"{_CWE}915.html",
        """
        approvals_deciding.a_decision_changes_nothing_that_was_asked_for
        approvals_deciding.asking_takes_who_and_what_from_the_login_and_from_nothing_that_is_posted
        """,
    ),
    _row(
        "CWE-1236",
        "formulas in exports",
        f"{_CWE}1236.html",
        "audit_secrets.no_text_is_a_formula_or_a_row_of_its_own_in_a_spreadsheet",
    ),
    _row(
        "CVE-2007-6750",
        "forms that come byte by byte, without a proxy",
        f"{_CVE}CVE-2007-6750",
        """
        slow_bodies.forms_that_come_slowly_leave_half_of_the_threads_to_others
        slow_bodies.a_form_that_stops_coming_is_given_up_after_a_while
        slow_bodies.a_form_that_takes_a_moment_is_taken
        """,
    ),
    _row(
        "CWE-178",
        "names that look alike on the administration pages",
        f"{_CWE}178.html",
        """
        admin.a_name_is_compared_whole_and_as_the_sign_in_form_reads_it
        """,
    ),
    _row(
        "CWE-1188",
        "administration pages without a second factor by default",
        f"{_CWE}1188.html",
        """
        admin.without_duo_the_settings_have_to_say_so
        """,
    ),
    _row(
        "CWE-200",
        "bearer values on the administration pages",
        f"{_CWE}200.html",
        """
        admin.no_page_has_what_lets_anybody_in
        """,
    ),
)
