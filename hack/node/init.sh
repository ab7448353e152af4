#!/bin/sh
# The first process of a node's namespaces: sets them up like a separate machine, then waits for its processes to end.
#
#   init.sh FOLDER SERVICE_ADDRESS NODE_ADDRESS
set -eu
folder=$1
service=$2
node=$3

# Files that containerd, kubelet and CNI plug-ins write outside of their own folders are visible only here, and are
# deleted with the namespaces.
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/sysctl
mount -t overlay overlay -o lowerdir=/var,upperdir=/run/upper,workdir=/run/work /var

# kubelet sets these for the whole machine (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables). Here it
# finds the wanted values, in separate files.
hide() {
  echo "$2" >"/run/sysctl/${1##*/}"
  mount --bind "/run/sysctl/${1##*/}" "/proc/sys/$1"
}
hide vm/overcommit_memory 1
hide vm/panic_on_oom 0
hide kernel/panic 10
hide kernel/panic_on_oops 1
hide kernel/keys/root_maxkeys 1000000
hide kernel/keys/root_maxbytes 25000000

# As systemd does. Kernels without tracing have no such folder.
[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing

ip link set lo up
ip address add "$service/32" dev lo
# A fixed address: otherwise the bridge takes the lowest one of its ports, and pods lose their gateway for half a minute
# whenever another pod brings a lower one.
ip link add cni0 address 0a:58:0a:58:00:01 type bridge
ip address add "$node/16" dev cni0
ip link set cni0 up

touch "$folder/ready"
# A shell that waits also collects the processes whose parents have ended: the shims of containers.
sleep infinity &
wait
