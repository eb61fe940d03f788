#!/bin/sh
set -e
docker run --name bomb busybox:stable sh -c 'while true; do sleep 600 & done'
docker run --detach --name db --volume data:/data/db mongo:8
docker run --detach --init --name backup --volume data:/backup:ro busybox:stable sleep 1d
docker run --detach --init --name web --publish 3000:3000 --volume "$PWD:/app" --workdir /app node:24-slim node --watch server.js
