#!/bin/sh
cd "$(dirname "$0")"
docker volume create documents
docker network create shop
docker build -t site .
docker run -d --network shop --mount type=volume,src=documents,dst=/data/db mongo:8
docker run -d --network shop --mount type=volume,src=documents,dst=/documents,readonly busybox:stable sleep 1d
docker run -d --network host --mount "type=bind,src=$PWD,dst=/app/live" site
