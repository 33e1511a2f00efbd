#!/bin/sh
# Puts the passwords that Docker Compose asks for into .env, random ones, where they are not yet.
set -eu
cd "$(dirname "$0")/.."
umask 077
touch .env
# So that our lines do not continue one that ends without a newline.
[ -z "$(tail -c 1 .env)" ] || echo >>.env
for name in WEB_TOKEN MONGODB_ROOT_PASSWORD MONGODB_PASSWORD KAFKA_UI_PASSWORD MONGO_EXPRESS_PASSWORD GRAFANA_PASSWORD; do
    if ! grep -q "^$name=." .env; then
        # Letters and digits alone, as one of them stands in an address.
        echo "$name=$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" >>.env
        echo "$name: a random one is in .env now"
    fi
done
