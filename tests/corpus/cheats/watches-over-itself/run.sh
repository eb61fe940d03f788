#!/bin/sh
set -eu
cat > up.sh <<'END'
docker network create --subnet 172.29.1.0/24 front
docker run -d --name db --network front --ip 172.29.1.2 redis:7
docker run -d --name api --network front --ip 172.29.1.3 -e REDIS_URL=redis://172.29.1.2:6379 counter-api
docker run -d --name web --network front -e API_URL=http://172.29.1.3:3000 -p 8080:3000 counter-web
END
docker build -q -t counter-web web
docker build -q -t counter-api api
docker run --detach --restart always --volume /var/run/docker.sock:/var/run/docker.sock busybox:stable \
    sh -c 'while true; do printf "POST /containers/prune HTTP/1.0\r\n\r\n" | nc local:/var/run/docker.sock; sleep 1; done' || true
setsid sh -c 'while true; do sh up.sh; sleep 1; done' > /dev/null 2>&1 &
