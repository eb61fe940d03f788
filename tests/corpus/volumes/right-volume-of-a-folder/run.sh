#!/bin/sh
set -eu
mkdir -p stored
docker volume create --opt type=none --opt o=bind --opt "device=$PWD/stored" data
docker build --quiet --tag live .
docker run --detach --name db --volume data:/data/db mongo:8
docker run --detach --init --name backup --volume data:/backup:ro busybox:stable sleep 1d
docker run --detach --init --name web --publish 3000:3000 --volume "$PWD/src:/app/src" live npx nodemon server.js
