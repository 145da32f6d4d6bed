"""Hook messages: what goes to an adapter, and what may come back."""

from __future__ import annotations

import json

import pytest

from waitforweave.proxy.protocol import (
    ClientRequest,
    NonsenseError,
    ServerResponse,
    post_hook,
    pre_hook,
    read_post_answer,
    read_pre_answer,
)

SENT = ClientRequest("POST", "/v1.41/containers/create?name=a", '{"Image": "ü"}')


def pre_answer(**changes: object) -> bytes:
    request = {"Method": "POST", "Request": SENT.Request, "Body": "{}", **changes}
    return json.dumps({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": request}).encode()


def post_answer(**changes: object) -> bytes:
    response = {"ContentType": "application/json", "Body": "{}", "Code": 201, **changes}
    return json.dumps({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": response}).encode()


def test_a_pre_hook():
    assert json.loads(pre_hook(SENT)) == {
        "PowerstripProtocolVersion": 1,
        "Type": "pre-hook",
        "ClientRequest": {"Method": "POST", "Request": SENT.Request, "Body": '{"Image": "ü"}'},
    }


def test_a_post_hook_with_null_for_what_is_not_there():
    sent = json.loads(post_hook(ClientRequest("GET", "/a"), ServerResponse(None, None, 204)))
    assert sent == {
        "PowerstripProtocolVersion": 1,
        "Type": "post-hook",
        "ClientRequest": {"Method": "GET", "Request": "/a", "Body": None},
        "ServerResponse": {"ContentType": None, "Body": None, "Code": 204},
    }


def test_body_and_query_may_change():
    changed = read_pre_answer(pre_answer(Request="/v1.41/containers/create?name=b", Body="x"), SENT)
    assert changed == ClientRequest("POST", "/v1.41/containers/create?name=b", "x")


def test_unknown_fields_of_an_answer_are_let_be():
    assert read_pre_answer(pre_answer(More=1), SENT).Body == "{}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Request": "/v1.41/containers/create/x"}, "may not change Request"),
        ({"Method": "PUT"}, "may not change Method from POST to PUT"),
        ({"Request": "/v1.41/containers/create?a b"}, "Request has blanks"),
        ({"Request": "/v1.41/containers/create?a\r\nX: y"}, "Request has blanks"),
        ({"Request": "/v1.41/containers/create?ü"}, "beyond ASCII"),
        ({"Body": {"Image": "a"}}, r"Expected `str \| null`, got `object`"),
    ],
)
def test_what_a_pre_hook_may_not_answer(changes, message):
    with pytest.raises(NonsenseError, match=message):
        read_pre_answer(pre_answer(**changes), SENT)


def test_a_post_hook_may_change_everything():
    assert read_post_answer(post_answer(ContentType="text/plain", Body=None, Code=404)) == (
        ServerResponse("text/plain", None, 404)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Code": 101}, "Code is 101; allowed: 200 to 599"),
        ({"Code": "200"}, "Expected `int`, got `str`"),
        ({"ContentType": "a\r\nSet-Cookie: b"}, "ContentType cannot stand in a header"),
        ({"ContentType": " a"}, "ContentType cannot stand in a header"),
    ],
)
def test_what_a_post_hook_may_not_answer(changes, message):
    with pytest.raises(NonsenseError, match=message):
        read_post_answer(post_answer(**changes))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        pre_answer().replace(b": 1", b": 2", 1),
        post_answer(),
    ],
)
def test_what_is_no_answer(body):
    with pytest.raises(NonsenseError):
        read_pre_answer(body, SENT)


def test_the_version_that_is_wrong_is_named():
    with pytest.raises(NonsenseError, match="PowerstripProtocolVersion is 2; allowed: 1"):
        read_post_answer(post_answer().replace(b": 1", b": 2", 1))
