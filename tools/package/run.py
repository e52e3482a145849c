#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build Debian's packages of ttmpool, install, try and remove them.

Each Debian is a folder, made by debootstrap. The packages are built in one that has
their build dependencies, and tried in one that has nothing but Debian's base. What is
printed there is in build/package/SUITE/*.log; the packages are beside it.
"""

import argparse
import glob
import os
import subprocess
import sys

from folder import Failed, Folder, fresh

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = {"12": "bookworm", "13": "trixie"}
# What is of ttmpool, wherever it is.
LEFT = (r"find / \( -path /proc -o -path /sys -o -path /pool -o -path /build -o -path /tmp "
        r"-o -path /var/cache/apt -o -path /var/log \) -prune -o \( -name '*ttmpool*' "
        r"-o -path '*/updates/*ttm.ko*' \) -print")


def say(text):
    print("==> " + text, file=sys.stderr, flush=True)


def export(to):
    """The source as it is here, and as git would have it."""
    names = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], check=True, stdout=subprocess.PIPE).stdout
    names = [name for name in names.decode().split("\0")
             if name and os.path.exists(os.path.join(ROOT, name))]
    archive = subprocess.Popen(["tar", "-C", ROOT, "-c", "--null", "-T", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    unpack = subprocess.Popen(["tar", "-C", fresh(to), "-x"], stdin=archive.stdout)
    archive.stdin.write("\0".join(names).encode())
    archive.stdin.close()
    if unpack.wait() or archive.wait():
        raise Failed("the source could not be copied")


class Debian:
    """The packages on one Debian, step by step."""

    def __init__(self, number, args):
        self.number, self.suite = number, SUITES[number]
        self.check, self.dkms = args.check, args.dkms
        self.dir = os.path.join(ROOT, "build", "package", self.suite)
        os.makedirs(self.dir, exist_ok=True)
        cache = os.path.join(self.dir, "archives")
        self.base, self.builder, self.bare = (
            Folder(os.path.join(self.dir, name), cache,
                   os.path.join(self.dir, name + ".log"))
            for name in ("base", "builder", "bare"))
        self.work = os.path.join(self.dir, "work")
        self.source = [f"{self.work}=/build"]
        self.pool = [f"{self.dir}/debs=/pool", f"{self.work}=/build"]

    def folders(self):
        if not self.base.exists():
            self.base.bootstrap(self.suite)
        if not self.builder.exists():
            self.builder.copy_of(self.base)
            self.builder.install("build-essential", "lintian")
            self.builder.mark()

    def build(self):
        export(os.path.join(self.work, "ttmpool"))
        self.builder.apt("build-dep", "-y", "--no-install-recommends",
                         "/build/ttmpool", binds=self.source)
        options = "noautodbgsym " + ("" if self.check else "nocheck ")
        jobs = os.cpu_count()
        self.builder.shell(
            "cd /build/ttmpool && "
            f"DEB_BUILD_OPTIONS='{options}parallel={jobs}' "
            + ("" if self.check else "DEB_BUILD_PROFILES=nocheck ")
            + "dpkg-buildpackage -us -uc", binds=self.source)
        to = fresh(os.path.join(self.dir, "debs"))
        for path in glob.glob(f"{self.work}/ttmpool*_*.*") + glob.glob(
                f"{self.work}/lib*_*.deb"):
            os.rename(path, os.path.join(to, os.path.basename(path)))

    def lintian(self):
        self.builder.shell("lintian --allow-root --fail-on error "
                           "--display-info /pool/*.changes", binds=self.pool)

    def debs(self, modules):
        """The files of the packages: those with modules, the others, or (None) all."""
        for name in sorted(os.listdir(f"{self.dir}/debs")):
            if name.endswith(".deb") and modules in (None, "-dkms_" in name):
                yield name

    def install(self, modules):
        self.bare.install(*(f"/pool/{name}" for name in self.debs(modules)),
                          binds=self.pool)

    def libraries(self):
        self.bare.copy_of(self.base)
        self.install(modules=False)

    def kernel(self):
        """Debian's kernel: its image and its headers."""
        self.bare.install("linux-image-amd64", "linux-headers-amd64")

    def modules(self):
        self.install(modules=True)

    def tests(self):
        """The names of the package's own tests, each with what it depends on."""
        with open(os.path.join(ROOT, "debian", "tests", "control"),
                  encoding="utf-8") as file:
            stanzas = file.read().split("\n\n")
        for stanza in stanzas:
            fields = dict(line.split(": ", 1) for line in stanza.splitlines()
                          if ": " in line and not line.startswith("#"))
            if fields:
                yield fields["Tests"], [word.strip()
                                        for word in fields["Depends"].split(",")]

    def own_test(self, name, depends):
        self.bare.install(*depends, binds=self.pool)
        self.bare.shell("cd /build/ttmpool && AUTOPKGTEST_TMP=$(mktemp -d) && "
                        f"export AUTOPKGTEST_TMP && debian/tests/{name}",
                        binds=self.pool)

    def removal(self):
        """Nothing of ours is left; without --no-dkms, the modules are removed, too."""
        names = [name.split("_")[0] for name in self.debs(None if self.dkms else False)]
        self.bare.apt("purge", "-y", *names)
        _, left = self.bare.output(LEFT)
        if left.strip():
            raise Failed("left behind:\n" + left)

    def steps(self):
        yield "folders", self.folders
        yield "build", self.build
        yield "lintian", self.lintian
        yield "libraries", self.libraries
        late = []
        for name, depends in self.tests():
            step = name, lambda n=name, d=depends: self.own_test(n, d)
            if name.startswith("dkms"):
                late.append(step)
            else:
                yield step
        if self.dkms:
            yield "kernel", self.kernel
            yield "modules", self.modules
            yield from late
        yield "removal", self.removal


def main():
    parser = argparse.ArgumentParser(
        prog="./dev package", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--debian", choices=sorted(SUITES), action="append",
                        help="on this one alone (default: 12 and 13)")
    parser.add_argument("--check", action="store_true",
                        help="run the suites in the build of the packages, too")
    parser.add_argument("--no-dkms", dest="dkms", action="store_false",
                        help="do not build the kernel modules")
    args = parser.parse_args()
    passed = failed = 0
    for number in args.debian or sorted(SUITES):
        steps = list(Debian(number, args).steps())
        for at, (name, step) in enumerate(steps, 1):
            say(f"package {at}/{len(steps)}: Debian {number}: {name}")
            try:
                step()
            except Failed as why:
                print(f"Debian {number}: {name}: FAILED: {why}")
                failed += 1
                break
            print(f"Debian {number}: {name}: ok", flush=True)
            passed += 1
    print(f"package: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
