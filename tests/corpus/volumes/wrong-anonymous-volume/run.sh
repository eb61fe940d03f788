#!/bin/sh
set -eu
docker run --detach --name db --volume /data/db mongo:8
docker run --detach --init --name backup --volumes-from db busybox:stable sleep 1d
docker run --detach --init --name web --publish 3000:3000 --volume "$PWD:/app" --workdir /app node:24-slim node --watch server.js
