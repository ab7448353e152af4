#!/bin/sh
# The first process in a node's namespaces. The process sets up the namespaces to look like a separate machine. After
# the setup, the process waits until all other processes in the namespaces have ended.
#
#   init.sh FOLDER SERVICE_ADDRESS NODE_ADDRESS
set -eu
folder=$1
service=$2
node=$3

# containerd, kubelet and CNI plug-ins also write files outside their own folders. The files outside these folders are
# visible only in the namespaces of the node. The files are deleted together with the namespaces.
mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/sysctl
mount -t overlay overlay -o lowerdir=/var,upperdir=/run/upper,workdir=/run/work /var

# kubelet sets these kernel parameters for the whole machine (pkg/kubelet/cm/container_manager_linux.go,
# setupKernelTunables). In the namespaces of the node, kubelet finds the expected values in separate files.
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

# systemd mounts tracefs at the path /sys/kernel/tracing, like this script. A kernel without tracing has no folder
# /sys/kernel/tracing.
[ ! -d /sys/kernel/tracing ] || mount -t tracefs tracefs /sys/kernel/tracing

ip link set lo up
ip address add "$service/32" dev lo
# The bridge has a fixed address. Without a fixed address, the bridge takes the lowest address of its ports. When
# another pod adds a port with a lower address, all pods lose their gateway for half a minute.
ip link add cni0 address 0a:58:0a:58:00:01 type bridge
ip address add "$node/16" dev cni0
ip link set cni0 up

touch "$folder/ready"
# A shell that runs `wait` also reaps processes whose parents have ended. Examples are the shims of containers.
sleep infinity &
wait
