"""Shell globs for interface names: `*`, `?`, `[abc]`, `[a-z]`, `[!a-z]`. Pure.

As fnmatch has them, which would import re (7 ms at each container's start).
"""

from __future__ import annotations


def matches(pattern: str, name: str) -> bool:
    """Does the whole `name` match? Only the last `*` ever has to be tried again."""
    at, place = 0, 0
    star, resume = -1, 0
    while place < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, place
            at += 1
            continue
        step = one(pattern, at, name[place])
        if step:
            at, place = at + step, place + 1
        elif star >= 0:
            # Let the last star take one more, and try again behind it.
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def one(pattern: str, at: int, char: str) -> int:
    """How much of the pattern matches this one character; 0 if it does not."""
    if at >= len(pattern):
        return 0
    if pattern[at] == "[":
        end = pattern.find("]", at + 2 + (pattern[at + 1 : at + 2] == "!"))
        # A bracket that nothing closes is a character like others.
        if end > 0:
            return end + 1 - at if in_set(pattern[at + 1 : end], char) else 0
    return 1 if pattern[at] in ("?", char) else 0


def in_set(chars: str, char: str) -> bool:
    """Is it one of `abc`, in a range as `a-z`, or outside of them after a `!`?"""
    wanted = True
    if chars.startswith("!"):
        wanted, chars = False, chars[1:]
    at, found = 0, False
    while at < len(chars):
        last = at
        if chars[at + 1 : at + 2] == "-" and at + 2 < len(chars):
            last = at + 2
        found = found or chars[at] <= char <= chars[last]
        at = last + 1
    return found is wanted
