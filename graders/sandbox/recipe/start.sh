#!/bin/sh
# The engine, its registry of packages, and no way out of here but for answers to the graders.
set -eu

# What an engine needs to write, and an ordinary container may only read.
for place in /sys/fs/cgroup /sys/fs/cgroup/*; do
    ! mountpoint -q "$place" || mount -o remount,bind,rw "$place"
done
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then # version 2: processes live in leaves only
    mkdir -p /sys/fs/cgroup/init
    while read -r pid; do echo "$pid" > /sys/fs/cgroup/init/cgroup.procs || true; done < /sys/fs/cgroup/cgroup.procs
    for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
        echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true
    done
fi

# A disk of a fixed size, so that no submission can fill the host's.
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
for number in $(seq 0 63); do
    [ -e "/dev/loop$number" ] || mknod "/dev/loop$number" b 7 "$number"
done
if [ ! -f /store/disk.ext4 ]; then
    truncate -s "$DISK_BYTES" /store/new.ext4
    mkfs.ext4 -q -F -m 0 /store/new.ext4
    mv /store/new.ext4 /store/disk.ext4
fi
mount -o loop,discard,noatime /store/disk.ext4 /var/lib/docker
mkdir -p /var/lib/docker/work
mount --bind /var/lib/docker/work /work

mkdir -m 0700 /run/certificates
printf %s "$CA_PEM" > /run/certificates/ca.pem
printf %s "$CERTIFICATE_PEM" > /run/certificates/cert.pem
printf %s "$KEY_PEM" > /run/certificates/key.pem
unset CA_PEM CERTIFICATE_PEM KEY_PEM

/opt/packages/node_modules/.bin/verdaccio --config /opt/packages/verdaccio.yaml --listen 0.0.0.0:4873 > /run/packages.log 2>&1 &

mkdir -p -m 0700 /run/docker/plugins
# the engine tries again for 15 s where nobody listens (moby pkg/plugins/client.go)
while :; do node /usr/local/bin/guard.mjs || sleep 0.1; done > /run/guard.log 2>&1 &

# Nothing that begins in here leaves by the way in, whether it is sent from here or routed. The engine lets its containers
# out by rules of its own, and asks only those of DOCKER-USER before them (moby libnetwork/firewall_linux.go). OUTSIDE counts
# what it turns back; what comes from networks that were made does not count, for a name that nobody bears is asked for
# outside as well.
iptables -N OUTSIDE
iptables -A OUTSIDE -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
iptables -A OUTSIDE -j REJECT
iptables -N DOCKER-USER
for way in $(ip -o -4 route show default | sed 's/.* dev \([^ ]*\).*/\1/'); do
    iptables -A OUTPUT -o "$way" -j OUTSIDE
    iptables -A DOCKER-USER -i br-+ -o "$way" -m conntrack --ctstate NEW -j REJECT
    iptables -A DOCKER-USER -o "$way" -j OUTSIDE
done

until [ -S /run/docker/plugins/replay.sock ]; do sleep 0.05; done
dockerd --bip "$BRIDGE" --host tcp://0.0.0.0:2376 --host unix:///run/docker.sock --pidfile /run/dockerd.pid \
    --tlsverify --tlscacert /run/certificates/ca.pem --tlscert /run/certificates/cert.pem --tlskey /run/certificates/key.pem \
    --authorization-plugin replay --log-opt max-size=1m --log-opt max-file=1 > /run/dockerd.log 2>&1 &
engine=$!
trap 'kill $engine; wait $engine || true; umount /work /var/lib/docker || true; exit 0' TERM INT
wait $engine || true
cat /run/dockerd.log
exit 1
