#!/bin/sh
# Makes the virtual environment, also on a Debian or Ubuntu without python3-venv.
set -eu
python=$1
venv=$2

for candidate in "$python" python3.11 python3.12 python3.13; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$candidate
        break
    fi
done
if [ -z "${found:-}" ]; then
    echo "error: Python 3.11 or later is needed (install python3, or say make PYTHON=/path/to/python)" >&2
    exit 1
fi

if "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    "$found" -m venv "$venv"
    exit
fi
version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "Python $version has no venv module; installing the package python$version-venv" >&2
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq "python$version-venv" >/dev/null
    "$found" -m venv "$venv"
else
    echo "error: not root; please run: sudo apt-get install python$version-venv" >&2
    exit 1
fi
