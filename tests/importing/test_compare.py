"""What has changed at the old server since an import."""

from __future__ import annotations

import json

from casduo.importing.compare import compare, digest_of, marks_of
from casduo.importing.document import registry_text
from casduo.importing.mama_cas import import_mama_cas
from tests.importing.apereo_files import service, taken_over, typed


def test_marks_are_read_whoever_wrote_around_them():
    text = """
services:
  # From a/App-1.json (id 1), 0123456789ab
  # LOOK something

    # a note
  -   id: "app"
      name: From here
  # From b.json, aaaaaaaaaaaa: no entry for 'B'
  # From c.json, not a mark
  - {id: other}
"""
    assert [(mark.source, mark.digest, mark.entry) for mark in marks_of(text)] == [
        ("a/App-1.json (id 1)", "0123456789ab", "app"),
        ("b.json", "aaaaaaaaaaaa", ""),
    ]


def test_every_draft_leaves_a_mark_that_is_found_again():
    services = [
        service(name="A, (B)"),
        service("^https://(?!x).*", "No entry", 2),
        {**service(name="Mobile", number=3), "@class": "x.OidcRegisteredService"},
        service(name="Without a number", number=0),
    ]
    result = taken_over(*services)
    marks = marks_of(registry_text(result.drafts, "x"))
    assert len(marks) == 4
    again = compare(result, marks)
    assert again.same
    assert again.unchanged == 4


def test_service_without_a_number_is_known_by_its_place_when_it_changes():
    before = marks_of(registry_text(import_mama_cas("s.json", b'[{"SERVICE": "^https://a.edu/"}]').drafts, "x"))
    now = import_mama_cas("s.json", b'[{"SERVICE": "^https://b.edu/"}, {"SERVICE": "^https://a.edu/"}]')
    comparison = compare(now, before)
    assert (comparison.unchanged, len(comparison.added), comparison.gone) == (1, 1, ())


def test_digest_knows_nothing_of_secrets():
    plain = service(usernameAttributeProvider=typed("X", persistentIdGenerator=typed("G", salt="a")))
    other = json.loads(json.dumps(plain).replace('"salt": "a"', '"salt": "b"'))
    assert digest_of(plain) == digest_of(other)
    assert digest_of(plain) != digest_of({**plain, "theme": "x"})
