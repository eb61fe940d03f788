#!/bin/sh
# Fetches through the registry what the assignments may need, as npm, yarn and pnpm ask for it; so it is kept.
set -eu
registry=http://127.0.0.1:4873/
sed 's|^    access:.*|&\n    proxy: upstream|' verdaccio.yaml > filling.yaml
printf 'uplinks:\n  upstream:\n    url: %s\n    maxage: 12h\n    timeout: 60s\n    max_fails: 20\n' "$UPSTREAM" >> filling.yaml
node_modules/.bin/verdaccio --config filling.yaml --listen 127.0.0.1:4873 > filling.log &
verdaccio=$!
tries=0
until curl -fs "$registry-/ping" > /dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { tail -5 filling.log; exit 1; }
    sleep 0.2
done
export npm_config_registry=$registry npm_config_audit=false npm_config_fund=false npm_config_ignore_scripts=true
export HOME=/tmp/home
for app in /tmp/apps/*/; do
    cd "$app"
    [ ! -f package-lock.json ] || npm ci
    rm -rf node_modules package-lock.json
    npm install --no-package-lock
    rm -rf node_modules
    npx --yes yarn@1 install --no-lockfile --ignore-scripts
    rm -rf node_modules
    npx --yes pnpm@10 install --ignore-scripts --no-lockfile
    rm -rf node_modules
done
cd /tmp
npm view yarn@1 version > /dev/null && npm view pnpm@10 version > /dev/null
mkdir more && cd more
npm install --no-package-lock yarn@1 pnpm@10 nodemon is-number@7.0.0 older@npm:is-number@6.0.0
cd /opt/packages
kill $verdaccio
wait $verdaccio || true
rm -rf /tmp/home /tmp/more filling.yaml filling.log
