#!/bin/sh
# Runs a command as a bare machine would: with a root filesystem of its own over a Debian root, a network and a process table of
# its own, and in that network the metadata service. What the machine writes stays in SCRATCH, as on a disk, so that the same
# machine can be started again; SCRATCH/hook is its /root/hook, SCRATCH/pid the process that COMMAND is, as the host counts.
#   machine.sh ROOT SCRATCH DISK_MB SERVICES... -- COMMAND...
#     DISK_MB    a disk of so many MB that is gone with the machine; 0 for one as large as the host's
#     SERVICES   the command that serves on 169.254.169.254 and 10.20.0.2, and prints `serving` once it does
#   BARE_SYSTEMCTL   what stands for systemctl, where COMMAND is not systemd
#   BARE_CGROUP      name of a control group of the machine's own, where it is; the terminal is its console then
#   BARE_SHARED      directories of the host's that it sees at the same place, as words
#   BARE_ENV         `NAME=VALUE` as words, what its first process is given
#   BARE_CABLE       `BRIDGE LINK HARDWARE-ADDRESS ADDRESS/LENGTH`: plugged into a bridge of the host; without it the machine is
#                    10.20.0.9 and alone
set -eu
# Where the kinds of control groups are that systemd needs: one place, or beside those of old.
groups() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo .
  else
    echo systemd
    echo unified
  fi
}
if [ "${1:-}" != --inside ]; then
  if [ -n "${BARE_CGROUP:-}" ]; then
    for kind in $(groups); do
      mkdir -p "/sys/fs/cgroup/$kind/$BARE_CGROUP"
      echo $$ >"/sys/fs/cgroup/$kind/$BARE_CGROUP/cgroup.procs"
    done
  fi
  # The way back to the host's network.
  exec 9</proc/self/ns/net
  exec unshare --net --mount --pid --ipc --uts --cgroup --fork --kill-child --propagation private /bin/sh "$0" --inside "$@"
fi
shift
# The host's table of processes still.
read -r pid _ </proc/self/stat
root=$1 scratch=$2 size=$3
shift 3
mkdir -p "$scratch/disk" "$scratch/merged" "$scratch/sysfs"
[ "$size" = 0 ] || mount -t tmpfs -o "size=${size}m" tmpfs "$scratch/disk"
mkdir -p "$scratch/disk/upper" "$scratch/disk/work"
merged=$scratch/merged
mount -t overlay overlay -o "lowerdir=$root,upperdir=$scratch/disk/upper,workdir=$scratch/disk/work" "$merged"
mount -t proc proc "$merged/proc"
mount --bind "$merged/proc/sys" "$merged/proc/sys"
mount -o remount,bind,ro "$merged/proc/sys"

# By this cloud-init knows that it is on EC2: there is no such hardware here.
mount -t sysfs -o ro sysfs "$scratch/sysfs"
mount -t tmpfs -o mode=755 tmpfs "$merged/sys"
for tree in "$scratch"/sysfs/*; do
  mkdir "$merged/sys/${tree##*/}"
  mount --bind "$tree" "$merged/sys/${tree##*/}"
done
mkdir "$merged/sys/hypervisor"
echo ec2e1916-9099-7caf-fd21-012345abcdef >"$merged/sys/hypervisor/uuid"

mount -t tmpfs -o mode=755 tmpfs "$merged/run"
mount -t tmpfs -o mode=755 tmpfs "$merged/dev"
mkdir -m 1777 "$merged/dev/shm"
mkdir "$merged/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$merged/dev/pts"
ln -s pts/ptmx "$merged/dev/ptmx"
ln -s /proc/self/fd "$merged/dev/fd"
for device in null zero full random urandom tty; do
  : >"$merged/dev/$device"
  mount --bind "/dev/$device" "$merged/dev/$device"
done
if [ -n "${BARE_CGROUP:-}" ]; then
  if [ "$(groups)" = . ]; then
    mount -t cgroup2 cgroup2 "$merged/sys/fs/cgroup"
  else
    mount -t tmpfs -o mode=755 tmpfs "$merged/sys/fs/cgroup"
    mkdir "$merged/sys/fs/cgroup/unified" "$merged/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$merged/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$merged/sys/fs/cgroup/systemd"
  fi
  : >"$merged/dev/console"
  mount --bind "$(tty)" "$merged/dev/console"
fi
[ -z "${BARE_SYSTEMCTL:-}" ] || mount --bind "$BARE_SYSTEMCTL" "$merged/usr/bin/systemctl"
if [ -e "$scratch/hook" ]; then
  : >"$merged/root/hook"
  mount --bind "$scratch/hook" "$merged/root/hook"
fi
for place in ${BARE_SHARED:-}; do
  mkdir -p "$merged$place"
  mount --bind "$place" "$merged$place"
done

hostname bare
# Whoever serves sees the machine's processes alone, too.
mount -t proc proc /proc
ip link set lo up
ip address add 169.254.169.254/32 dev lo
host() { nsenter --net=/proc/self/fd/9 "$@"; }
plug_in() { # BRIDGE LINK HARDWARE-ADDRESS ADDRESS
  # The last run's cable may still be on its way out.
  host ip link delete dev "$2" 2>/dev/null || true
  ip link add name eth0 address "$3" type veth peer name "$2" netns /proc/self/fd/9
  ip address add "$4" dev eth0
  # Where filters hang that cut it.
  host tc qdisc add dev "$2" clsact
  host ip link set dev "$2" master "$1" up
}
alone() {
  ip address add 10.20.0.2/32 dev lo
  ip link add eth0 type veth peer name cloud
  ip address add 10.20.0.9/24 dev eth0
  ip link set cloud up
}
# shellcheck disable=SC2086 # words
if [ -n "${BARE_CABLE:-}" ]; then plug_in $BARE_CABLE; else alone; fi
ip link set eth0 up
exec 9<&-

services=
while [ "$1" != -- ]; do
  services="$services $1"
  shift
done
shift
# shellcheck disable=SC2086 # words
$services >"$scratch/services.log" 2>&1 </dev/null &
until grep -q serving "$scratch/services.log"; do
  kill -0 $! || {
    cat "$scratch/services.log"
    exit 1
  }
  sleep 0.1
done
echo "$pid" >"$scratch/pid"
# shellcheck disable=SC2086 # words
exec env -i container=quorate-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root ${BARE_ENV:-} \
  chroot "$merged" "$@"
