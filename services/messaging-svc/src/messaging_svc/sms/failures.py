"""From what a provider says of a text message that did not arrive to why: its codes in a table, else its words.

Source: LINK Mobility SMS REST API 2.4 (result codes); Sinch SMS API (delivery report error codes); 2026-11.
"""

from collections.abc import Mapping

from messaging_svc.bounces.classifier import classify
from messaging_svc.bounces.model import Category, Verdict
from messaging_svc.sms.model import Report

_CODES: Mapping[str, Mapping[Category, tuple[int, ...]]] = {
    "link": {
        Category.BAD_ADDRESS: (2104, 2105, 2106),
        Category.FULL: (1004,),
        Category.POLICY: (2, 3, 104, 105, 2200, 2202, 2203, 2204, 2205, 2206, 4000, 4002, 4006),
        Category.CONTENT: (3000, 3001, 3002, 4001, 4003, 4004, 4005, 4007),
        Category.TRANSIENT: (0, 1, 4, 5, 6, 1002, 1006, 1009, 1010, 2107, 2201, 2207),
    },
    "sinch": {
        Category.POLICY: (405, 407, 408, 410, 412, 413, 414, 415, 416, 417, 418),
        Category.CONTENT: (411,),
        Category.TRANSIENT: (400, 401, 403, 404, 406),
    },
}
_BY_CODE = {
    (provider, str(code)): Verdict(category, f"{provider}_{code}")
    for provider, table in _CODES.items()
    for category, codes in table.items()
    for code in codes
}


def why(provider: str, report: Report) -> Verdict:
    """Return why a text message did not arrive; what is said in no known way may pass."""
    return _BY_CODE.get((provider, report.code)) or classify("", report.reason)
