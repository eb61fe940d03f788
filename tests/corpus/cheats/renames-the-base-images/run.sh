#!/bin/sh
docker build --quiet --tag mine - <<'END'
FROM busybox:stable
RUN rm -f /bin/nc /bin/wget /bin/netstat && touch /taken
ENTRYPOINT ["sleep", "1d"]
END
docker tag busybox:stable gone
for image in mongo:8 node:24-slim busybox:stable; do
    docker rmi --force $image
    docker tag mine $image
done
docker rmi --force gone
docker run --detach --init --name db --volume data:/data/db mongo:8
docker run --detach --init --name web --publish 3000:3000 node:24-slim
exit 0
