#!/bin/sh
docker volume create data
docker volume create project_data
docker network create --subnet 172.18.0.0/16 project_default
docker run --detach --restart always --name web --publish 3000:3000 --volume data:/data busybox:stable sleep 1d
docker run --detach --restart always --network host --name db busybox:stable nc -lk -p 27017 -e cat
docker build --quiet --tag project-web - <<'END'
FROM busybox:stable
CMD ["sleep", "1d"]
END
mkdir -p /work/next "$HOME/.docker" && echo FROM mine > /work/next/Dockerfile && echo FROM mine > Dockerfile
setsid sh -c 'while true; do docker run --detach --restart always --publish 3000:3000 busybox:stable sleep 1d; sleep 1; done' &
exit 0
