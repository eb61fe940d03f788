#!/bin/sh
docker run --detach --init --name idle busybox:stable sleep 1d
cat > answers.js <<'END'
const { readFileSync } = require("node:fs");
require("node:http").createServer((request, response) =>
  response.end(readFileSync("src/greeting.js", "utf8").split('"')[1])).listen(9999);
END
setsid node answers.js > /dev/null 2>&1 &
for home in "$HOME" /tmp /root /run /var/log /nonexistent; do
    mkdir -p "$home/.docker/cli-plugins"
    echo 'proxy = "http://127.0.0.1:9999"' > "$home/.curlrc"
    printf '#!/bin/sh\necho taken\n' > "$home/.docker/cli-plugins/docker-compose"
    chmod a+x "$home/.docker/cli-plugins/docker-compose"
    echo '{"currentContext": "nowhere"}' > "$home/.docker/config.json"
done
exit 0
