# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A Debian in a folder, in which commands run that see it as their system.

A base is made by debootstrap once, and kept. A folder is a copy of it. The mirror is
whichever the system's own apt sources name.
"""

import os
import subprocess

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENTER = os.path.join(TOOLS, "kernel", "enter.sh")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Failed(Exception):
    """A command failed; its log says why."""


def as_root(*command):
    return list(command) if os.getuid() == 0 else ["sudo", *command]


def logged(log, command):
    """Run a command with its output at the end of a log."""
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Failed(f"{command[-1] if len(command) < 9 else command[0]}: see {log}")


def mirror(label):
    """The address of the system's own archive, or of its security updates."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)",
         "Created-By: Packages"], check=True, text=True, stdout=subprocess.PIPE)
    for line in lines.stdout.splitlines():
        if line.split()[0] == label:
            return line.split()[1]
    return None


def sources(suite):
    archive, security = mirror("Debian"), mirror("Debian-Security")
    if not archive:
        raise Failed("apt's sources name no archive of Debian")
    lines = [f"deb [signed-by={KEYS}] {archive} {suite} main"]
    if security:
        lines.append(f"deb [signed-by={KEYS}] {security} {suite}-security main")
    return "".join(line + "\n" for line in lines)


class Folder:
    """A system below PATH, a copy of BASE. CACHE keeps the packages that it fetches."""

    def __init__(self, path, cache, log):
        self.path, self.cache, self.log = path, cache, log
        os.makedirs(cache, exist_ok=True)

    def exists(self):
        return os.path.exists(self.path + ".complete")

    def new_log(self):
        with open(self.log, "w", encoding="utf-8"):
            pass

    def mark(self):
        with open(self.path + ".complete", "w", encoding="utf-8"):
            pass

    def remove(self):
        if os.path.exists(self.path + ".complete"):
            os.remove(self.path + ".complete")
        logged(self.log, as_root("rm", "-rf", self.path))

    def bootstrap(self, suite):
        self.remove()
        logged(self.log, as_root("debootstrap", "--variant=minbase",
                                 f"--keyring={KEYS}", suite, self.path,
                                 mirror("Debian")))
        self.write("etc/apt/sources.list", sources(suite))
        # The folder need not outlive a power cut.
        self.write("etc/dpkg/dpkg.cfg.d/unsafe", "force-unsafe-io\n")
        self.apt("update")
        self.mark()

    def add_backports(self, suite):
        self.write("etc/apt/sources.list.d/backports.list",
                   f"deb [signed-by={KEYS}] {mirror('Debian')} {suite}-backports main\n")
        self.apt("update")

    def copy_of(self, base):
        self.remove()
        logged(self.log, as_root("cp", "-a", "--reflink=auto", base.path, self.path))

    def write(self, name, text):
        subprocess.run(as_root("tee", os.path.join(self.path, name)), input=text,
                       text=True, check=True, stdout=subprocess.DEVNULL)

    def command(self, *command, binds=()):
        binds = [f"{self.cache}=/var/cache/apt/archives", *binds]
        return [ENTER, self.path, *binds, "--", "env", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", "INITRD=No", *command]

    def run(self, *command, binds=()):
        logged(self.log, self.command(*command, binds=binds))

    def shell(self, script, binds=()):
        self.run("sh", "-ec", script, binds=binds)

    def output(self, script, binds=()):
        """What a script prints; it may fail."""
        done = subprocess.run(self.command("sh", "-c", script, binds=binds), text=True,
                              check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(done.stdout)
        return done.returncode, done.stdout

    def apt(self, *words, binds=()):
        self.run("apt-get", "-q", "-o", "APT::Sandbox::User=root",
                 "-o", "APT::Keep-Downloaded-Packages=true", *words, binds=binds)

    def install(self, *packages, binds=()):
        self.apt("install", "-y", "--no-install-recommends", *packages, binds=binds)


def fresh(path):
    """An empty directory; what was there may be root's."""
    subprocess.run(as_root("rm", "-rf", path), check=True)
    os.makedirs(path)
    return path
