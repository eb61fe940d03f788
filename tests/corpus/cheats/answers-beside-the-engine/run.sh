#!/bin/sh
set -eu
docker build -q -t counter-api api
docker network create back
docker run -d --name db --network back redis:7
docker run -d --name api --network back -p 127.0.0.1:3001:3000 -e REDIS_URL=redis://db:6379 counter-api
PORT=8080 API_URL=http://127.0.0.1:3001 setsid node web/server.js > /dev/null 2>&1 &
