#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# symvers.sh DIRECTORY: keep Module.symvers there. DKMS calls this after it has built
# ttmpool.ko, and before it removes the build's folder. A driver that calls ttmpool.ko
# needs the file: see docs/kernel.md.
set -eu

cp Module.symvers "$1/"
