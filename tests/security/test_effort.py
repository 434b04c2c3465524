"""What strangers can make the server do: never more work than their requests are long, and no guessing beyond the limits."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casduo.app import Application
from casduo.store.embedded import EmbeddedValkey
from tests.authentication.slapd import READER, READER_PASSWORD, Slapd, person
from tests.authentication.slapd import BASE as LDAP_BASE
from tests.support.raw import FORM, call, exchange
from tests.support.rest import KEY, Program
from tests.support.served import Served, serving
from tests.support.site import LIBRARY, Build, Site
from tests.support.wires import SAML_TYPE
