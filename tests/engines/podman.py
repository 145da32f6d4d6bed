"""What podman does otherwise than Docker, also without us: docs/engines.md."""

from __future__ import annotations

DIFFERS = {
    "engines/test_buildkit.py": "no BuildKit in podman",
    "test_a_service_that_is_built": "podman builds with crun, whatever --runtime says",
    "test_a_command_that_is_not_there_is_127_at_once": "podman's own exit code is 1",
    "test_two_containers_reach_each_other": "podman gives no NET_RAW, which ping needs",
    "test_each_adapter_gets_what_the_one_before_gave": "podman lists a variable once",
    "test_post_hooks_see_the_engines_error": "podman words its errors otherwise",
    "test_two_services_of_which_one_is_gated[1.29]": "podman knows no links, as `run` wants",
    "byte_for_byte[version too new]": "podman's answer differs from call to call",
    "test_with_your_own_engine": "podman's service is not at the engine's usual place",
    "refused_in_its_words": "podman takes any version of the API",
    "insists_on_its_version[oldest]": "a client of API 1.24 waits for ever in `run` there",
    "test_proxy_tls.py": "the engine's options for TLS are dockerd's; podman has others",
    "test_what_is_destroyed_gives_its_address_back_and_leaves_no_link": (
        "podman holds an ended container's namespace until its next call, now and then"
    ),
    "test_it_is_attached_while_the_engine_still_makes_it": "podman says no word before the start",
    "byte_for_byte[a tar that is none]": "podman's error names another file each time",
}

# Scenes that do not hold straight to podman, or say something else each time: nothing to compare.
SCENES = {
    "podman builds with crun, whatever --runtime says": (
        *("cli_files-build_from_a_tar", "cli_files-build_from_a_folder_with_ignored_files"),
        *("py_engine-build_from_a_file_object", "py_engine-build_from_a_tar"),
        "py_engine-build_that_fails",
    ),
    "podman's exit code or words of an error are others": (
        *("cli_errors-not_found", "cli_errors-entrypoints", "cli_engine-swarm_that_is_not"),
        "cli_run-exit_codes_of_what_cannot_be_started",
        *("cli_engine-a_registry_that_is_not_there", "py_engine-a_registry_that_is_not_there"),
        *("cli_gated-errors", "cli_gated-commands_that_cannot_run"),
    ),
    "podman takes any version of the API": (
        *("cli_engine-version_of_the_api_that_is_not", "py_low_level-versions"),
    ),
    "podman takes any limit of memory": ("py_containers-errors_by_their_classes",),
    "podman has no event of this name, or in this order": (
        *("cli_observe-events_of_a_span", "cli_observe-events_as_they_happen"),
        *("cli_run-detached_and_removed_at_its_end", "py_low_level-events_of_a_span"),
        *("py_low_level-events_closed_by_another_thread", "cli_life-health"),
    ),
    "podman's statistics name no container": (
        *("cli_observe-stats_once_and_streamed", "py_containers-top_stats_diff_and_rename"),
    ),
    "podman ends a stream otherwise: the client panics, is reset, or waits": (
        *("cli_run-only_one_of_the_streams", "cli_run-stdin_with_one_of_the_streams"),
        *("cli_run-stdin_that_nobody_reads_to_its_end", "py_low_level-a_stream_read_in_part"),
    ),
    "podman names images by a registry": (
        *("cli_engine-images", "py_engine-save_load_tag_and_history"),
        "cli_files-save_and_load",
    ),
    "podman refuses other things": (
        *("cli_errors-conflict", "py_low_level-archives_both_ways"),
        "cli_life-attach_while_it_restarts",
    ),
    "podman has no plugins of Docker's kind": ("cli_files-plugin_made_of_a_folder",),
    "podman keeps a container that could not start": ("cli_errors-no_command",),
    "podman's networks are others": ("cli_engine-networks", "py_engine-networks"),
    "podman does not prune by a label as the client asks": (
        *("cli_engine-prune", "py_engine-prune_and_disk_usage"),
    ),
    "podman's answer differs from call to call: an order, a size, a name of a file": (
        *("cli_errors-bad_request", "cli_files-build_that_fails", "cli_files-commit"),
        *("cli_files-loads_and_saves_that_fail", "cli_gated-left_alone", "cli_life-update"),
        *("cli_observe-inspect", "py_containers-create_with_much", "cli_engine-disk_usage"),
        "cli_exec-start_several",
    ),
    "podman loses the output of a container that ends at once, or a layer, now and then": (
        *("py_engine-volumes", "py_engine-import_from_bytes"),
    ),
    "podman fails to resize a terminal, now and then": (
        *("cli_gated-a_terminal", "cli_terminal-interrupt_by_key"),
    ),
}
DIFFERS |= {f"[{scene}]": why for why, scenes in SCENES.items() for scene in scenes}


def reason(test: str) -> str | None:
    """Why this test cannot hold on podman, or None."""
    return next((why for part, why in DIFFERS.items() if part in test), None)
