# SPDX-License-Identifier: MIT
"""The images as they are shipped: what is in them, what is not, and what is said of them."""

import hashlib
import re
import stat
import struct

import pytest

from box import CHECKOUT
from engines import STATE_DIR, VERSION
from imagefile import ImageFile

DAEMON = 65532
MOST_COMPRESSED = 1.5 * 2**20
PROGRAMS = ("/usr/local/bin/wgmesh-init", "/usr/local/bin/wgmesh")
LABEL = "org.opencontainers.image."
INTERPRETER = 3
SBOM_ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
LICENSE = re.compile(r"NOASSERTION|[A-Za-z0-9.() -]+")
# What the linker's map is expected to name; the compiler's own library goes by its version.
LINKED = {"/usr/local/bin/wgmesh-init": {"musl-dev", "libcap-dev"},
          "/usr/local/bin/wgmesh": {"libc6-dev", "libcap-dev", "libevent-dev", "libjansson-dev",
                                    "libmnl-dev", "libseccomp-dev", "libsodium-dev", "nettle-dev", "qrencode"}}

kinds = pytest.mark.parametrize("kind", ["distroless", "full"])


@pytest.fixture(name="image")
def fixture_image(kind):
    return ImageFile(kind)


@pytest.fixture
def distroless():
    return ImageFile("distroless")


@pytest.fixture
def full():
    return ImageFile("full")


def program_headers(content):
    """Types of the program headers of an ELF file of 64 bits."""
    offset, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    return {struct.unpack_from("<I", content, offset + number * size)[0] for number in range(count)}


# What an engine reads


@kinds
def test_an_image_starts_the_daemon_under_pid_1_and_explains_itself_without_a_word(image):
    config = image.config["config"]
    assert config["Entrypoint"] == ["/usr/local/bin/wgmesh-init", "--", "/usr/local/bin/wgmesh"]
    assert config["Cmd"] == ["--help"]
    assert config["Env"] == ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["ExposedPorts"]) == ["51820/udp"]
    assert config["Healthcheck"] == {"Test": ["CMD", "/usr/local/bin/wgmesh-init", "healthcheck"],
                                     "Interval": 30 * 10**9, "Timeout": 5 * 10**9,
                                     "StartPeriod": 60 * 10**9, "Retries": 3}
    assert image.config["architecture"] == "amd64" and image.config["os"] == "linux"


@kinds
def test_an_image_declares_no_volume_no_user_and_no_directory_to_work_in(image):
    assert not {"Volumes", "User", "WorkingDir"} & image.config["config"].keys()


@kinds
def test_an_image_says_what_it_is_made_of(image):
    labels = image.config["config"]["Labels"]
    assert labels[f"{LABEL}version"] == VERSION
    assert labels[f"{LABEL}created"] == image.config["created"]
    assert labels[f"{LABEL}licenses"] == "MIT"
    assert labels[f"{LABEL}base.name"] == "scratch"
    for name in ("title", "description", "revision"):
        assert labels[f"{LABEL}{name}"], name
    assert all(label.startswith(LABEL) and text for label, text in labels.items())


@kinds
def test_a_dockerfile_knows_the_version_without_being_told(kind):
    text = (CHECKOUT / {"distroless": "Dockerfile.distroless", "full": "Dockerfile"}[kind]).read_text("utf-8")
    assert f"\nARG VERSION={VERSION}\n" in text
    assert "# syntax=" not in text and "<<" not in text, "Docker 20.10 knows neither"


@kinds
def test_an_archive_holds_what_its_names_promise(image, kind):
    assert image.manifest["RepoTags"] == [f"wgmesh:{VERSION}{'-full' if kind == 'full' else ''}"]
    assert image.manifest["Config"] == f"{hashlib.sha256(image.config_text).hexdigest()}.json"
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in image.layers]
    assert image.config["rootfs"]["diff_ids"] == digests


# What is in it


def test_the_small_image_is_under_a_mebibyte_and_a_half_compressed(distroless):
    size = distroless.compressed_size()
    print(f"{distroless.path.name}: {size / 2**20:.2f} MiB compressed")
    assert size < MOST_COMPRESSED


@pytest.mark.parametrize("arch, column", [("amd64", 3), ("arm64", 4)])
@kinds
def test_the_guide_gives_the_size(kind, arch, column):
    rows = [line.split("|") for line in (CHECKOUT / "images" / "README.md").read_text("utf-8").splitlines()
            if line.startswith("| `wgmesh:")]
    said = rows[("distroless", "full").index(kind)][column].split()
    # Debian's packages change a little.
    assert said[1] == "MiB" and abs(float(said[0]) - ImageFile(kind, arch).compressed_size() / 2**20) < 0.1


def test_the_small_image_holds_two_programs_and_nothing_else_to_run(distroless):
    executable = [name for name, entry in distroless.files.items()
                  if entry.info.isfile() and entry.info.mode & 0o111]
    assert sorted(executable) == sorted(PROGRAMS)
    other = {name for name, entry in distroless.files.items()
             if entry.info.isfile() and not name.startswith("/usr/share/doc/")} - set(PROGRAMS)
    assert other == {"/etc/passwd", "/etc/group", "/etc/ssl/certs/ca-certificates.crt"}


def test_the_full_image_has_a_shell_and_tools_beside_the_same_two_programs(distroless, full):
    for name in PROGRAMS:
        assert full.files[name].sha256() == distroless.files[name].sha256()
    for name in ("bin/sh", "bin/wg", "bin/ip", "bin/ping", "bin/wireguard-go", "bin/busybox"):
        assert f"/usr/{name}" in full.files, name
    print(f"{full.path.name}: {full.compressed_size() / 2**20:.2f} MiB compressed")


@pytest.mark.parametrize("arch", ["amd64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_both_programs_need_no_loader_and_no_library(name, arch):
    entry = ImageFile("distroless", arch).files[name]
    assert entry.content[:4] == b"\x7fELF"
    assert INTERPRETER not in program_headers(entry.content)


@kinds
def test_the_directories_of_the_daemon_are_its_own_and_nobody_elses(image):
    for name in (STATE_DIR, "/run/wgmesh"):
        info = image.files[name].info
        assert (info.isdir(), stat.S_IMODE(info.mode), info.uid, info.gid) == (True, 0o700, DAEMON, DAEMON)


@kinds
def test_all_else_belongs_to_root_and_nobody_else_may_write_there(image):
    for name, entry in image.files.items():
        info = entry.info
        if name in (STATE_DIR, "/run/wgmesh"):
            continue
        assert (info.uid, info.gid) == (0, 0), name
        assert not info.mode & (stat.S_ISUID | stat.S_ISGID), name
        assert info.issym() or name == "/tmp" or not info.mode & 0o022, name
    assert stat.S_IMODE(image.files["/tmp"].info.mode) == 0o1777


@kinds
def test_what_older_deployments_mounted_is_not_there(image):
    assert "/data" not in image.files


@kinds
def test_the_users_are_named(image):
    accounts = [line.split(":") for line in image.files["/etc/passwd"].content.decode().splitlines()]
    assert [(fields[0], fields[2]) for fields in accounts] == [
        ("root", "0"), ("wgmesh", str(DAEMON)), ("nobody", "65534")]
    assert all(fields[6] == "/sbin/nologin" for fields in accounts)
    assert "wgmesh:x:65532:" in image.files["/etc/group"].content.decode()


@kinds
def test_the_roots_of_trust_are_there(image):
    assert image.files["/etc/ssl/certs/ca-certificates.crt"].content.count(b"BEGIN CERTIFICATE") > 100


@kinds
def test_everything_has_the_time_of_the_commit(image):
    times = {entry.info.mtime for entry in image.files.values()}
    assert len(times) == 1
    created = image.config["created"]
    assert {step["created"] for step in image.config["history"]} == {created}


# The SBOM


@kinds
def test_an_sbom_is_as_the_standard_has_it(image):
    sbom = image.sbom()
    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == (
        "SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert re.fullmatch(r"https://[^\s#]+", sbom["documentNamespace"])
    assert sbom["creationInfo"]["created"] == image.config["created"]
    assert all(re.match(r"(Tool|Organization|Person): \S", who) for who in sbom["creationInfo"]["creators"])
    elements = [sbom, *sbom["packages"], *sbom["files"]]
    names = [element["SPDXID"] for element in elements]
    assert len(set(names)) == len(names) and all(SBOM_ID.fullmatch(name) for name in names)
    for relation in sbom["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(names)
        assert relation["relationshipType"] in ("DESCRIBES", "CONTAINS", "STATIC_LINK")
    for package in sbom["packages"]:
        assert package["name"] and package["versionInfo"] and package["downloadLocation"]
        assert LICENSE.fullmatch(package["licenseDeclared"])
        assert package["filesAnalyzed"] == ("packageVerificationCode" in package)


@kinds
def test_an_sbom_has_the_sums_of_every_file(image):
    sbom = image.sbom()
    said = {entry["fileName"]: {sum_["algorithm"]: sum_["checksumValue"] for sum_ in entry["checksums"]}
            for entry in sbom["files"]}
    real = {f".{name}": {"SHA1": hashlib.sha1(entry.content).hexdigest(), "SHA256": entry.sha256()}
            for name, entry in image.files.items() if entry.info.isfile()}
    assert said == real
    code = hashlib.sha1("".join(sorted(sums["SHA1"] for sums in real.values())).encode()).hexdigest()
    (described,) = [package for package in sbom["packages"] if package["filesAnalyzed"]]
    assert described["packageVerificationCode"] == {"packageVerificationCodeValue": code}


def linked(sbom, program):
    """Names of the packages that were linked into a program."""
    (file_id,) = [entry["SPDXID"] for entry in sbom["files"] if entry["fileName"] == f".{program}"]
    names = {package["SPDXID"]: package["name"] for package in sbom["packages"]}
    return {names[relation["relatedSpdxElement"]] for relation in sbom["relationships"]
            if relation["relationshipType"] == "STATIC_LINK" and relation["spdxElementId"] == file_id}


@kinds
@pytest.mark.parametrize("program", PROGRAMS)
def test_an_sbom_names_what_is_linked_into_a_program(image, program):
    found = {name for name in linked(image.sbom(), program) if not re.fullmatch(r"libgcc-\d+-dev", name)}
    assert found == LINKED[program]


@kinds
def test_an_image_carries_the_licence_of_every_package_that_the_sbom_names(image):
    named = {package["name"] for package in image.sbom()["packages"]} - {"wgmesh-full"}
    carried = {name.split("/")[4] for name in image.files if re.fullmatch(r"/usr/share/doc/[^/]+/copyright", name)}
    assert carried | {"wgmesh"} == named | {"wgmesh"} and "wgmesh" in carried


def test_the_sbom_of_the_full_image_names_the_packages_of_its_tools(full):
    names = {package["name"] for package in full.sbom()["packages"]}
    assert {"wireguard-go", "wireguard-tools", "iproute2", "iputils-ping", "busybox-static", "libc6"} <= names
