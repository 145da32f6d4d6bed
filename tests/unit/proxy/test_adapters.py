"""adapters.yml: the seed's own, what else is allowed, and an error for each thing that is not."""

from __future__ import annotations

import pytest

from waitforweave.proxy.adapters import Adapter, ConfigError, load, parse, summary

SEED = """\
endpoints:
  "POST /*/containers/create":
    pre: [weave]
  "POST /*/containers/*/start":
    post: [weave]
adapters:
  weave: http://weave/v1/extension
"""
RULE = 'endpoints:\n  "POST /a":\n    pre: [x]\nadapters:\n  x: '


def test_the_seeds_file_with_its_two_top_keys():
    weave = Adapter("weave", "http://weave/v1/extension", "http://weave/v1/extension")
    create, start = parse(SEED)
    assert (create.pattern, create.pre, create.post) == (
        "POST /*/containers/create",
        (weave,),
        (),
    )
    assert (start.pattern, start.pre, start.post) == ("POST /*/containers/*/start", (), (weave,))


def test_version_1_may_be_said_or_not():
    assert parse("version: 1\n" + SEED) == parse(SEED)


def test_lists_keep_their_order_and_may_name_an_adapter_twice():
    text = 'endpoints: {"GET /a": {pre: [b, a, b], post: [a]}}\nadapters: {a: "http://a/", '
    (rule,) = parse(text + 'b: "http://b/"}')
    assert [adapter.name for adapter in rule.pre] == ["b", "a", "b"]
    assert [adapter.name for adapter in rule.post] == ["a"]


@pytest.mark.parametrize(
    ("url", "http_url", "socket"),
    [
        ("http://h:8080/hook", "http://h:8080/hook", None),
        ("http://[::1]:8080/hook", "http://[::1]:8080/hook", None),
        ("https://h/hook", "https://h/hook", None),
        ("unix:///run/a.sock", "http://adapter/v1/extension", "/run/a.sock"),
        ("unix:///run/a.sock:/hook", "http://adapter/hook", "/run/a.sock"),
    ],
)
def test_urls(url, http_url, socket):
    (rule,) = parse(f'{RULE}"{url}"')
    assert rule.pre == (Adapter("x", url, http_url, socket),)


@pytest.mark.parametrize(
    "url",
    ["run/a.sock", "unix://run/a.sock", "unix:///a:b", "ftp://h/", "http:///p", "http://h:x/", "",
     "http://a\\tb/", "http://h:65536/", "http://h/\\uD800", "unix:///a\\uD800",
     "unix:///a:/b\\tc", "unix:///a:/" + "b" * 70000],
)  # fmt: skip
def test_a_bad_url_names_line_adapter_and_what_is_allowed(url):
    with pytest.raises(ConfigError, match=r'^line 5: adapter "x": .*allowed: http://HOST'):
        parse(f'{RULE}"{url}"')


def test_a_url_that_is_no_text():
    with pytest.raises(ConfigError, match=r'^line 5: adapter "x": its URL is no text'):
        parse(f"{RULE}5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "missing required field `endpoints`"),
        ("endpoints: {}", "missing required field `adapters`"),
        ("adapters: {}", "missing required field `endpoints`"),
        ("- a\n- b", "Expected `object`, got `array`"),
        ("just text", "Expected `object`, got `str`"),
        ("adapters: {}\nendpoints: []", "line 2: Expected `object`, got `array`"),
        ("adapters: {}\nendpoints: {}\nhooks: 1", "line 3: .*unknown field `hooks`"),
        ("version: 2\nadapters: {}\nendpoints: {}", "line 1: version is 2; allowed: 1"),
        ("version: one\nadapters: {}\nendpoints: {}", "line 1: Expected `int`, got `str`"),
        ("a: [", "line 1: no YAML"),
        ("a: 1\n\tb: 2", "line 2: no YAML"),
        ("a: \x01", "no YAML"),
        ("a: 1\n---\nb: 2", "line 2: no YAML"),
        ("? [a]\n: b", "no YAML"),
        ("[" * 5000, "nested too deeply"),
        ("a:\n  b: 2001-99-99", 'line 2: no YAML: "2001-99-99" is no timestamp'),
        ("a: 0x_", 'line 1: no YAML: "0x_" is no int'),
        ("a: " + "9" * 5000, 'line 1: no YAML: "9+" is no int'),
        ("a: !!bool b", 'line 1: no YAML: "b" is no bool'),
        ("a: !!timestamp b", 'line 1: no YAML: "b" is no timestamp'),
        (SEED + "adapters: {}", 'line 8: "adapters" stands in line 6 already'),
    ],
)
def test_what_is_wrong_with_the_file(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('"POST /a":', 'endpoint "POST /a": names no adapter; it needs pre or post'),
        ('"POST /a": {}', "names no adapter"),
        ('"POST /a": {pre: []}', "names no adapter"),
        ('"POST /a": {pre: [y]}', 'no adapter "y"; defined: x'),
        ('"POST /a": {before: [x]}', "unknown field `before`.*allowed: pre, post"),
        ('"POST /a": {pre: x}', r"Expected `array`, got `str` - at `\$.pre`"),
        ('"POST /a": [x]', "Expected `object`, got `array`"),
        ('"/a": {pre: [x]}', 'endpoint "/a": allowed: "METHOD /path"'),
        ('"POST a": {pre: [x]}', 'allowed: "METHOD /path"'),
        ('"post /a": {pre: [x]}', 'allowed: "METHOD /path"'),
        ('"POST /a b": {pre: [x]}', 'allowed: "METHOD /path"'),
    ],
)
def test_what_is_wrong_with_an_endpoint_names_its_line(entry, message):
    with pytest.raises(ConfigError, match=f"^line 4: .*{message}"):
        parse(f'adapters:\n  x: "http://x/"\nendpoints:\n  {entry}\n')


def test_the_same_endpoint_twice():
    # YAML silently keeps the last (powerstrip#68).
    twice = SEED.replace("/*/start", "/create").replace("containers/*/", "containers/")
    twice = twice.replace('"POST /*/containers/*/start"', '"POST /*/containers/create"')
    with pytest.raises(
        ConfigError, match=r'^line 4: "POST /\*/containers/create" stands in line 2'
    ):
        parse(twice)


def test_an_alias_that_leads_to_itself_ends():
    with pytest.raises(ConfigError, match=r"Expected `array`, got `object` - at `\$.pre`"):
        parse('adapters: {x: "http://x/"}\nendpoints: &a {"POST /a": {pre: *a}}')


def test_an_entry_that_a_merge_brought_is_told_by_its_section():
    with pytest.raises(ConfigError, match=r'^line 1: adapter "x"'):
        parse('adapters: {<<: {x: "no url"}}\nendpoints: {}')


@pytest.mark.parametrize(
    ("brought", "message"),
    [
        ("{version: 2}", "line 4: version is 2"),
        ("{adapters: {x: 5}}", 'line 4: adapter "x"'),
        ('{endpoints: {"POST": {}}}', 'line 4: endpoint "POST"'),
    ],
)
def test_a_section_that_a_merge_brought_is_told_by_the_merge(brought, message):
    own = "endpoints: {}\n" if "endpoints" not in brought else "\n"
    own += "adapters: {}\n" if "adapters" not in brought else "\n"
    with pytest.raises(ConfigError, match=f"^{message}"):
        parse(f"{own}\n<<: {brought}\n")


def test_load_names_the_file(tmp_path):
    missing = tmp_path / "adapters.yml"
    with pytest.raises(ConfigError, match=f"^{missing}: No such file"):
        load(missing)
    missing.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=f"^{missing}: .*utf-8"):
        load(missing)
    missing.write_text(SEED + "x: 1")
    with pytest.raises(ConfigError, match=f"^{missing}: line 8: "):
        load(missing)
    missing.write_text(SEED)
    assert load(missing) == parse(SEED)


def test_all_that_is_wrong_is_told_at_once():
    text = """\
adapters:
  bad: ftp://h/
  good: http://h/
endpoints:
  "POST /a": {pre: [bad, none, other]}
  "POST /b": {after: [good]}
  "post": {pre: [good]}
"""
    with pytest.raises(ConfigError) as raised:
        parse(text)
    beginnings = (
        'line 2: adapter "bad": "ftp://h/" is no URL',
        'line 5: endpoint "POST /a": no adapter "none"; defined: bad, good',
        'line 5: endpoint "POST /a": no adapter "other"; defined: bad, good',
        'line 6: endpoint "POST /b": Object contains unknown field `after`',
        'line 7: endpoint "post": allowed: "METHOD /path"',
    )
    told = raised.value.args
    assert [told.startswith(line) for told, line in zip(told, beginnings, strict=True)] == [
        True
    ] * 5
    assert str(raised.value) == "; ".join(told)


def test_all_keys_that_stand_there_twice_are_told_without_what_is_below_them():
    rule = '  "POST /a": {pre: [x], post: [x]}\n'
    with pytest.raises(ConfigError) as raised:
        parse(f'endpoints:\n{rule}{rule}adapters:\n  x: "http://x/"\n  x: "http://y/"\n')
    assert raised.value.args == (
        'line 3: "POST /a" stands in line 2 already',
        'line 6: "x" stands in line 5 already',
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SEED, "2 endpoints; adapters: weave (http://weave/v1/extension)"),
        ("endpoints: {}\nadapters: {}", "0 endpoints; adapters: none"),
        (
            'endpoints: {"GET /a": {pre: [b], post: [a, b]}}\n'
            "adapters: {a: 'http://a/', b: 'unix:///b', unused: 'http://c/'}",
            "1 endpoint; adapters: b (unix:///b), a (http://a/)",
        ),
    ],
)
def test_a_summary_names_the_adapters_that_are_called(text, said):
    assert summary(parse(text)) == said
