"""What podman does otherwise than Docker, also without us: docs/engines.md."""

from __future__ import annotations

DIFFERS = {
    "engines/test_buildkit.py": "no BuildKit in podman",
    "test_a_service_that_is_built": "podman builds with crun, whatever --runtime says",
    "test_a_command_that_is_not_there_is_127_at_once": "podman's own exit code is 1",
    "test_two_containers_reach_each_other": "podman gives no NET_RAW, which ping needs",
    "test_each_adapter_gets_what_the_one_before_gave": "podman lists a variable once",
    "test_post_hooks_see_the_engines_error": "podman words its errors otherwise",
    "test_alike[load_of_what_is_no_image]": "podman's error names another file each time",
    "test_two_services_of_which_one_is_gated[1.29]": "podman knows no links, as `run` wants",
    "byte_for_byte[version too new]": "podman's answer differs from call to call",
    "byte_for_byte[a tar that is none]": "podman's error names another file each time",
}


def reason(test: str) -> str | None:
    """Why this test cannot hold on podman, or None."""
    return next((why for part, why in DIFFERS.items() if part in test), None)
