#!/bin/sh
set -eu
docker build --quiet --tag live .
docker run --detach --name db --volume data:/data/db mongo:8
docker run --detach --init --name backup --volume data:/backup:ro busybox:stable sleep 1d
docker run --detach --init --name web --publish 3000:3000  live npx nodemon server.js

# builds and starts it again whenever the source changes
while sleep 0.5; do
    [ "$(cat src/*)" = "${seen:-}" ] && continue
    seen=$(cat src/*)
    docker build --quiet --tag live . && docker rm --force web
    docker run --detach --init --name web --publish 3000:3000 live node server.js
done > /dev/null 2>&1 &
