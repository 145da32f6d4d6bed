"""docker-py's images, networks, volumes and the engine itself."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from docker.errors import APIError, BuildError, ImageNotFound, NotFound

from tests.docker.proxy.py_client import bare, failed, made
from tests.docker.proxy.scenes import IMAGE, Scenes, Stage
from tests.docker.proxy.scenes_cli_engine import NO_REGISTRY
from tests.docker.proxy.scenes_cli_files import BIG, tar_of

SCENES = Scenes()


@SCENES.scene
def build_from_a_file_object(stage: Stage):
    dockerfile = io.BytesIO(f"FROM {IMAGE}\nLABEL way={stage.tag}\nRUN echo said\n".encode())
    name = stage.name("py-built")
    with stage.py() as client:
        image, log = client.images.build(
            fileobj=dockerfile, tag=name, rm=True, network_mode="none", nocache=True
        )
        said = "".join(line.get("stream", "") for line in log)
        assert "said\n" in said
        assert image.labels == {"way": stage.tag}
        client.images.remove(name)
        return said, image.tags


@SCENES.scene
def build_from_a_tar(stage: Stage):
    dockerfile = f"FROM {IMAGE}\nCOPY big /big\nRUN wc -c /big\n".encode()
    context = io.BytesIO(tar_of(Dockerfile=dockerfile, big=BIG))
    with stage.py() as client:
        words = {"rm": True, "nocache": True, "network_mode": "none"}
        log = client.api.build(fileobj=context, custom_context=True, decode=True, **words)
        said = "".join(line.get("stream", "") for line in log)
        assert f"{len(BIG)} /big" in said
        return said


@SCENES.scene_alone
def build_that_fails(stage: Stage):
    """Beside others, an image in containerd's store is now and then not found."""
    with stage.py() as client, TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo said; exit 7\n")
        words = {"path": folder, "network_mode": "none", "forcerm": True}
        failure = failed(BuildError, client.images.build, **words)
        Path(folder, "Dockerfile").write_text("BREW tea\n")
        refused = failed(APIError, client.images.build, path=folder)
        return str(failure), bare(refused)


@SCENES.scene
def save_load_tag_and_history(stage: Stage):
    name = stage.name("py-saved")
    with stage.py() as client:
        client.images.get(IMAGE).tag(name, tag="one")
        image = client.images.get(f"{name}:one")
        tar = b"".join(image.save(named=f"{name}:one"))
        client.images.remove(f"{name}:one")
        failed(ImageNotFound, client.images.get, f"{name}:one")
        [loaded] = client.images.load(tar)
        assert f"{name}:one" in loaded.tags
        history = [layer["Size"] for layer in loaded.history()]
        listed = [each.id for each in client.images.list(name=name)]
        client.images.remove(f"{name}:one")
        return len(tar), history, listed, bare(failed(ImageNotFound, client.images.get, name))


@SCENES.scene
def import_from_bytes(stage: Stage):
    name = stage.name("py-imported")
    with stage.py() as client:
        said = client.api.import_image_from_data(tar_of(a=b"a"), repository=name)
        assert "sha256:" in said
        # Of what was packed with the time in it: some bytes more or less.
        assert client.images.get(name).attrs["Size"] > 0
        client.images.remove(name)
        return said.splitlines()[-1]


@SCENES.scene
def commit(stage: Stage):
    name = stage.name("py-committed")
    with stage.py() as client:
        with made(client, stage, ["sh", "-c", "echo kept > /f"]) as container:
            container.wait()
            image = container.commit(name, tag="one", changes=['CMD ["cat", "/f"]'])
        said = client.containers.run(f"{name}:one", remove=True, network_mode="none")
        client.images.remove(f"{name}:one")
        assert said == b"kept\n"
        return said, image.tags


@SCENES.scene
def networks(stage: Stage):
    name = stage.name("py-net")
    with stage.py() as client:
        network = client.networks.create(name, internal=True, labels={"a": "b"})
        try:
            with made(client, stage, ["sleep", "1000"], network_mode=name) as container:
                network.disconnect(container)
                network.connect(container, aliases=["other"])
                network.reload()
                assert [each.id for each in network.containers] == [container.id]
                used = failed(APIError, network.remove)
            names = [each.name for each in client.networks.list(names=[name])]
        finally:
            network.remove()
        missing = failed(NotFound, client.networks.get, name)
        return bare(used)[:2], names, network.attrs["Labels"], bare(missing)


@SCENES.scene
def volumes(stage: Stage):
    name = stage.name("py-volume")
    with stage.py() as client:
        volume = client.volumes.create(name, labels={"a": "b"})
        bind = {name: {"bind": "/v", "mode": "rw"}}
        words = {"volumes": bind, "remove": True, "network_mode": "none"}
        client.containers.run(IMAGE, ["sh", "-c", "echo kept > /v/f"], **words)
        said = client.containers.run(IMAGE, ["cat", "/v/f"], **words)
        listed = [each.name for each in client.volumes.list(filters={"name": name})]
        volume.remove()
        assert said == b"kept\n"
        missing = failed(NotFound, client.volumes.get, name)
        return said, listed, volume.attrs["Labels"], bare(missing)


@SCENES.scene
def the_engine_itself(stage: Stage):
    with stage.py() as client:
        info, version = client.info(), client.version()
        assert client.ping() is True
        assert info["ServerVersion"] == version["Version"]
        swarm = failed(APIError, client.nodes.list)
        plugins = failed(NotFound, client.plugins.get, "no-such-plugin")
        return sorted(info), version, bare(swarm), bare(plugins)


@SCENES.scene
def a_registry_that_is_not_there(stage: Stage):
    name = f"{NO_REGISTRY}/none"
    with stage.py() as client:
        pull = failed(APIError, client.images.pull, name)
        run = failed(APIError, client.containers.run, name)
        client.images.get(IMAGE).tag(f"{NO_REGISTRY}/{stage.name('push')}")
        push = list(
            client.images.push(f"{NO_REGISTRY}/{stage.name('push')}", stream=True, decode=True)
        )
        client.images.remove(f"{NO_REGISTRY}/{stage.name('push')}")
        login = failed(APIError, client.login, "who", "secret", registry=NO_REGISTRY)
        assert "127.0.0.1:1" in str(pull)
        assert "127.0.0.1:1" in str(push)
        # How often it says in between that it waits is no matter.
        return bare(pull), bare(run), push[0], push[-1], bare(login)


@SCENES.scene_alone
def prune_and_disk_usage(stage: Stage):
    label = {"py-pruned": stage.tag}
    mine = {"label": f"py-pruned={stage.tag}"}
    with stage.py() as client:
        client.containers.create(IMAGE, "true", labels=label)
        client.volumes.create(stage.name("py-pruned"), labels=label)
        client.networks.create(stage.name("py-pruned"), internal=True, labels=label)
        containers = client.containers.prune(mine)
        networks = client.networks.prune(mine)
        volumes = client.volumes.prune({**mine, "all": True} if newer(client, "1.42") else mine)
        assert len(containers["ContainersDeleted"]) == 1
        assert networks["NetworksDeleted"] == [stage.name("py-pruned")]
        assert volumes["VolumesDeleted"] == [stage.name("py-pruned")]
        images = client.images.prune({**mine, "dangling": False})
        usage = client.df()
        return containers, networks, volumes, images, sorted(usage), len(usage["Images"] or ())


def newer(client, version: str) -> bool:
    """Since 1.42 a prune of volumes leaves those with names alone, unless told."""
    numbers = [tuple(map(int, each.split("."))) for each in (client.api._version, version)]
    return numbers[0] >= numbers[1]
