#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build Debian's packages of ttmpool, install, try, upgrade and remove them.

Each Debian is a folder, made by debootstrap. The packages are built in one that has
their build dependencies, and tried in one that has nothing but Debian's base. What is
printed there is in build/package/SUITE/*.log; the packages are beside it.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

from folder import Failed, Folder, fresh

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = {"12": "bookworm", "13": "trixie"}
# The kernels in the backports of a suite, for which DKMS builds the modules.
BACKPORTS = {"trixie": "7.3"}
# A version that is older than every other one.
OLDER = "0.0.1"
# All files of the system, except those that this program and apt put there.
FIND = (r"find / \( -path /proc -o -path /sys -o -path /pool -o -path /older -o -path /build "
        r"-o -path /tmp -o -path /var/cache/apt -o -path /var/log \) -prune -o ")
REMOVED = r"\( -name '*ttmpool*' -o -path '*/updates/*ttm.ko*' \) -print"
UPGRADED = f"-path '*ttmpool*{OLDER}*' -print"
# As under autopkgtest, a test fails if it writes to stderr.
OWN_TEST = r"""
cd /build/ttmpool
AUTOPKGTEST_TMP=$(mktemp -d)
export AUTOPKGTEST_TMP
status=0
debian/tests/{name} 2>/tmp/stderr || status=$?
cat /tmp/stderr
[ "$status" -eq 0 ] && [ ! -s /tmp/stderr ]
"""
# A kernel of the backports is installed, and the old ones are removed.
NEWER = r"""
old=$(dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\n' \
    'linux-image-[0-9]*' 'linux-headers-[0-9]*' | sed -n 's/^installed //p')
apt-get -q -o APT::Sandbox::User=root install -y --no-install-recommends \
    -t {suite}-backports linux-image-amd64 linux-headers-amd64 linux-source-{series}
apt-get -q purge -y $old
"""


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
        for folder in (self.builder, self.bare):
            folder.new_log()
        self.work = os.path.join(self.dir, "work")
        self.source = [f"{self.work}=/build"]
        self.pool = [f"{self.dir}/debs=/pool", f"{self.dir}/older=/older",
                     f"{self.work}=/build"]

    def folders(self):
        if not self.base.exists():
            self.base.bootstrap(self.suite)
        if not self.builder.exists():
            self.builder.copy_of(self.base)
            self.builder.install("build-essential", "lintian")
            self.builder.mark()

    def package(self, to, flags, profiles):
        """Build packages of what was exported, and put them into a folder of their own."""
        options = "noautodbgsym" + ("" if self.check else " nocheck")
        self.builder.shell(
            "cd /build/ttmpool && rm -f debian/files && "
            f"DEB_BUILD_OPTIONS='{options} parallel={os.cpu_count()}' "
            f"DEB_BUILD_PROFILES='{profiles}' dpkg-buildpackage -us -uc {flags}",
            binds=self.source)
        to = fresh(os.path.join(self.dir, to))
        for path in glob.glob(f"{self.work}/ttmpool*_*.*") + glob.glob(
                f"{self.work}/lib*_*.deb"):
            os.rename(path, os.path.join(to, os.path.basename(path)))

    def build(self):
        export(os.path.join(self.work, "ttmpool"))
        self.builder.apt("build-dep", "-y", "--no-install-recommends",
                         "/build/ttmpool", binds=self.source)
        fresh(os.path.join(self.dir, "older"))
        self.package("debs", "", "" if self.check else "nocheck")

    def older(self):
        """The same packages, without the documentation, say that they are older. Nothing
        is compiled again."""
        path = f"{self.work}/ttmpool/debian/changelog"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"\(\S+\)", f"({OLDER})", text, count=1))
        self.package("older", "-b -nc", "nocheck nodoc")

    def lintian(self):
        self.builder.shell("lintian --allow-root --fail-on error "
                           "--display-info /pool/*.changes", binds=self.pool)

    def debs(self, modules, folder="debs"):
        """The files of the packages: those with modules, the others, or (None) all."""
        for name in sorted(os.listdir(f"{self.dir}/{folder}")):
            if name.endswith(".deb") and modules in (None, "-dkms_" in name):
                yield name

    def ours(self):
        return None if self.dkms else False

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
        self.bare.shell(OWN_TEST.format(name=name), binds=self.pool)

    def nothing_left(self, what):
        _, left = self.bare.output(FIND + what)
        if left.strip():
            raise Failed("left behind:\n" + left)

    def removal(self):
        """Nothing of ours is left, and other packages have the files that they had."""
        names = [name.split("_")[0] for name in self.debs(self.ours())]
        self.bare.apt("purge", "-y", *names)
        self.nothing_left(REMOVED)
        _, changed = self.bare.output("dpkg --verify")
        if changed.strip():
            raise Failed("files of other packages differ:\n" + changed)

    def upgrade(self):
        """Install the older packages, and then these: nothing of the former is left."""
        older = self.debs(self.ours(), "older")
        self.bare.install(*(f"/older/{name}" for name in older), binds=self.pool)
        self.install(self.ours())
        self.nothing_left(UPGRADED)

    def newer_kernel(self):
        """DKMS builds our modules for it, because they are there already."""
        self.bare.add_backports(self.suite)
        self.bare.shell(NEWER.format(suite=self.suite,
                                     series=BACKPORTS[self.suite]))

    def own_tests(self, modules):
        for name, depends in self.tests():
            if name.startswith("dkms") == modules:
                yield name, lambda n=name, d=depends: self.own_test(n, d)

    def steps(self):
        yield "folders", self.folders
        yield "build", self.build
        yield "lintian", self.lintian
        yield "libraries", self.libraries
        yield from self.own_tests(modules=False)
        if self.dkms:
            yield "kernel", self.kernel
            yield "modules", self.modules
            yield from self.own_tests(modules=True)
        yield "removal", self.removal
        yield "an older version", self.older
        yield "upgrade from it", self.upgrade
        if self.dkms and self.suite in BACKPORTS:
            kernel = "Linux " + BACKPORTS[self.suite]
            yield kernel, self.newer_kernel
            for name, step in self.own_tests(modules=True):
                yield f"{name}, {kernel}", step
        yield "removal again", self.removal


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
