#!/bin/sh
# mongod needs a few shared libraries that a bare Debian or Ubuntu lacks; installs them where it may.
set -eu
python=$1

if complaint=$("$python" -c 'from embedded.mongod_binary import locate; locate()' 2>&1); then
    exit 0
fi
echo "$complaint" | tail -n 1 >&2
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing what mongod needs" >&2
    apt-get update -qq
    # Newer Ubuntu names some of them with t64.
    apt-get install -y -qq libcurl4 libssl3 liblzma5 >/dev/null 2>&1 ||
        apt-get install -y -qq libcurl4t64 libssl3t64 liblzma5 >/dev/null
else
    echo "please run: sudo apt-get install libcurl4 libssl3 liblzma5 (or set MONGODB_URI)" >&2
fi
