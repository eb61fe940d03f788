#!/bin/sh
set -eu
docker run --detach --name db --volume data:/data/db mongo:8
docker run --detach --init --name backup --volume data:/backup:ro busybox:stable sleep 1d
cat > answers.js <<'END'
const { readFileSync } = require("node:fs");
require("node:http").createServer((request, response) =>
  response.end(readFileSync("src/greeting.js", "utf8").split('"')[1])).listen(3000);
END
setsid node answers.js > /dev/null 2>&1 &
