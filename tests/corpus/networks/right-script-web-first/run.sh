#!/bin/sh
# every name is asked for again with each visit, so the order does not matter
docker network create --driver bridge outer
docker network create --internal inner
docker run --detach --name page --net outer --publish 8080:3000 --env API_URL=http://count:3000 \
    --volume "$PWD/web:/app:ro" node:24-slim node /app/server.js
docker create --name count --network outer --volume "$PWD/api:/app:ro" --env REDIS_URL=redis://numbers:6379 \
    node:24-slim node /app/server.js
docker network connect inner count
docker start count
docker run --detach --network inner --network-alias numbers redis:7
